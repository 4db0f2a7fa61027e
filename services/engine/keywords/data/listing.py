"""FILTER, MAP, PIVOT, GROUP BY, FILL, AGGREGATE and SELECT over lists."""

from services.engine.files.port import Files
from services.engine.keywords.data.targets import all_rows, is_sheet
from services.engine.keywords.keyword import Arguments, Effect, Keyword
from services.engine.keywords.world import World
from services.engine.program.values import ProgramError, Value, text_of
from services.engine.tables import lists
from services.engine.tables.criteria import chosen
from services.engine.tables.filters import filter_of
from services.engine.tables.port import Lists, Tables


def filtered(_: object, data: Value, where: Value = None) -> Value:
    """Rows for which a filter holds."""
    return chosen(lists.rows_of(data, "FILTER"), filter_of(where))


async def aggregate(world: World, arguments: Arguments) -> Value:
    """Of a table by the database, of anything else in memory. Both orders of arguments are known by their kinds."""
    data, how = arguments["data"], arguments["how"]
    if isinstance(how, list | dict) or (isinstance(data, str) and data.strip().lower() in lists.OPERATIONS):
        data, how = how, data
    field, where = text_of(arguments.get("field")), filter_of(arguments.get("where") or arguments.get("filter"))
    if isinstance(data, str) and not is_sheet(data):
        return await world.port(Tables).aggregate(world, data.strip(), text_of(how), field, where)
    rows = chosen(lists.rows_of(await all_rows(world, data)), where)
    return lists.aggregated(how, rows, field)


async def select(world: World, arguments: Arguments) -> Value:
    """Rows of a SELECT over lists; over tables when no list is named so."""
    given = arguments["statement"]
    written, variables = (given["text"], given["variables"]) if isinstance(given, dict) else (given, {})
    return await world.port(Lists).select(world, f"SELECT {text_of(written)}", variables)


async def fill_into(world: World, arguments: Arguments) -> Value:
    """FILL ... TO a file: what was made, one a line."""
    made = lists.filled(arguments["first"], arguments["second"])
    text = "\n".join(text_of(item) for item in made) if isinstance(made, list) else text_of(made)
    await world.port(Files).write(world, text_of(arguments["file"]), text.encode())
    return made


def pivot(_: object, data: Value, row: Value, *rest: Value) -> Value:
    """A list of rows."""
    if isinstance(data, str) and not isinstance(row, str):
        message = "PIVOT: expected a list of rows first"
        raise ProgramError(message)
    return lists.pivoted(data, row, *rest)


def pure(name: str, forms: tuple[str, ...], summary: str, example: str, evaluate: object, *aliases: str) -> Keyword:
    """A function over lists."""
    return Keyword(
        name=name,
        group="data",
        summary=summary,
        forms=forms,
        effect=Effect.PURE,
        example=example,
        aliases=aliases,
        evaluate=evaluate,  # type: ignore[arg-type]
    )


FILTER = pure(
    "FILTER",
    ("FILTER <data> , <where:filter>", "FILTER <data> WHERE <where:where>"),
    "Gives the rows of a list for which a filter holds.",
    'FILTER([{n: 1}, {n: 5}], "n > 3")  \' [{n: 5}]',
    filtered,
)
MAP = pure(
    "MAP",
    ("MAP <data> , <rule>",),
    "Gives rows with other names of fields, or the values of one field.",
    'MAP([{name: "Ann", n: 1}], "name->label")  \' [{label: "Ann"}]',
    lambda _, data, rule: lists.mapped(data, rule),
)
PIVOT = pure(
    "PIVOT",
    ("PIVOT <data> , <row> , <column> [, <value>] [, <how>]",),
    "Sums a field for every value of another, and with four arguments for every pair of values.",
    'PIVOT([{m: "jan", v: 5}, {m: "jan", v: 2}], "m", "v")  \' [{m: "jan", v: 7}]',
    pivot,
)
GROUP_BY = pure(
    "GROUP BY",
    ("GROUP BY <data> , <field>",),
    "Gives an object: rows of a list by what they have in a field.",
    'GROUP_BY([{city: "Rio", n: 1}], "city")  \' {Rio: [{city: "Rio", n: 1}]}',
    lambda _, data, field: lists.grouped(data, field),
    "GROUP_BY",
)
FILL_INTO = Keyword(
    name="FILL INTO",
    group="data",
    summary="Fills a template, a text or an object with {{field}} in it, for every row, and writes it into a file.",
    forms=("FILL <first> , <second> TO <file>",),
    effect=Effect.WRITE,
    permission="files.write",
    example='FILL customers, "Dear {{name}}" TO "letters.txt"',
    perform=fill_into,
)
AGGREGATE = Keyword(
    name="AGGREGATE",
    group="data",
    summary="SUM, AVG, COUNT, MIN or MAX of a field of a list, a table or a sheet.",
    forms=(
        "AGGREGATE <how> , <data> [, <field>] [, <filter:filter>] [WHERE <where:where>]",
        "AGGREGATE <data:name> <how:word> <field:name> [WHERE <where:where>]",
        "AGGREGATE <data:name> COUNT [WHERE <where:where>]",
    ),
    effect=Effect.READ,
    permission="tables.read",
    example='total = AGGREGATE "SUM", orders, "amount"',
    perform=aggregate,
)
SELECT = Keyword(
    name="SELECT",
    group="data",
    summary="SQL over lists in variables; over the bot's tables when no variable is called so.",
    forms=("SELECT <statement:sql>",),
    effect=Effect.READ,
    permission="tables.read",
    example="best = SELECT name, SUM(amount) AS total FROM sales GROUP BY name ORDER BY total DESC LIMIT 3",
    documentation="""Runs in a database of its own in memory, which reaches no file and no network, for five seconds
at most. Variables with simple values may stand where values stand.""",
    perform=select,
)

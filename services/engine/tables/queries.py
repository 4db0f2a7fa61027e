"""QUERY: a SELECT of the bot's author over the bot's tables.

What is run is not what was written: it is parsed, checked, its inserted values are put in as literals, and it is
written anew over common table expressions that hold this bot's rows and nothing else.
"""

import re
import secrets
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from services.common.db.engine import root
from services.engine.program.values import ProgramError, Value, number_of, text_of
from services.engine.tables.access import SYSTEM, readable, visible
from services.engine.tables.definition import NUMBERS, TableDefinition
from services.engine.tables.names import NAME, nearest
from services.engine.tables.port import Reader, Row
from services.engine.tables.scope import scope

MOST_ROWS = 1_000
MOST_COLUMNS = 200
LONGEST = 16_384
MILLISECONDS = 5_000
FUNCTIONS = frozenset(
    """
    abs and anyvalue arrayagg avg case cast ceil coalesce concat concatws count currentdate currenttime
    currenttimestamp dateadd datediff datesub datetrunc denserank exists exp extract firstvalue floor greatest
    groupconcat if initcap jsonextract jsonextractscalar lag lastvalue lead least left length ln log lower max min mod
    ntile nullif or percentilecont percentiledisc pow rank replace right round rownumber sign sqrt stddev stddevpop
    stddevsamp strposition substring sum timestamptrunc timetostr tochar todate tonumber trim upper variance
    variancepop xor
    """.split()
)
TYPES = frozenset(
    """
    BIGINT BOOLEAN CHAR DATE DECIMAL DOUBLE FLOAT INT INTERVAL SMALLINT TEXT TIME TIMESTAMP TIMESTAMPTZ VARCHAR
    """.split()
)
INFER = text("""SELECT each.key, array_agg(DISTINCT jsonb_typeof(each.value)) AS kinds
FROM engine.table_rows AS r, jsonb_each(r.data) AS each
WHERE r.tenant_id = :tenant AND r.bot_id = :bot AND r.table_name = :table
GROUP BY each.key ORDER BY each.key LIMIT 200""")
NAMES = text(
    """SELECT DISTINCT table_name FROM engine.table_rows WHERE tenant_id = :tenant AND bot_id = :bot LIMIT 500"""
)
LIMITS = text(f"SET LOCAL statement_timeout = {MILLISECONDS}")
READ_ONLY = text("SET LOCAL transaction_read_only = on")
MOMENT = re.compile(r"(\d{4}-\d\d-\d\d)T(\d\d:\d\d:\d\d)(\.\d+)?(\+00:00)?")


async def run_query(connection: AsyncConnection, world: Reader, parts: Sequence[Value]) -> list[Row]:
    """The rows of a SELECT in literal text and inserted values in turns. ProgramError for what is more than that."""
    query, names = checked(parts)
    tables = [await projected(connection, world, name) for name in sorted(names)]
    shell = f"WITH {', '.join(tables)} " if tables else ""
    whole = f"{shell}SELECT to_jsonb(found) FROM ({query}) AS found LIMIT {MOST_ROWS + 1}"  # noqa: S608 - checked
    try:
        await connection.execute(READ_ONLY)
        await connection.execute(LIMITS)
        given = scope(world, TableDefinition(""))
        result = await connection.exec_driver_sql(whole, (given["tenant"], given["bot"]) if tables else ())
        found = list(result.scalars())
    except DBAPIError as error:
        raise explained(error) from None
    if len(found) > MOST_ROWS:
        message = f"QUERY gives more than {MOST_ROWS} rows; add LIMIT"
        raise ProgramError(message)
    return [{name: tidy(value) for name, value in row.items()} for row in found]


def tidy(value: Value) -> Value:
    """Points in time as scripts write them."""
    match = MOMENT.fullmatch(value) if isinstance(value, str) and len(value) < 40 else None
    return f"{match[1]} {match[2]}" if match else value


def checked(parts: Sequence[Value]) -> tuple[str, set[str]]:
    """The statement as it may be run, and the names of its tables. ProgramError."""
    import sqlglot  # noqa: PLC0415 - heavy
    from sqlglot import exp  # noqa: PLC0415

    marks = {f"zq{secrets.token_hex(8)}n{index}z": part for index, part in enumerate(parts) if index % 2}
    turns = iter(marks)
    written = "".join(text_of(part) if index % 2 == 0 else next(turns) for index, part in enumerate(parts))
    if len(written) > LONGEST:
        message = f"QUERY: a statement may have {LONGEST} characters"
        raise ProgramError(message)
    try:
        found = [item for item in sqlglot.parse(written, read="postgres") if item is not None]
    except (sqlglot.errors.SqlglotError, RecursionError) as error:
        message = f"QUERY is not understood: {plain_line(error, marks)}"
        raise ProgramError(message) from None
    if len(found) != 1 or not isinstance(found[0], exp.Select | exp.SetOperation):
        message = "QUERY: expected one SELECT"
        raise ProgramError(message)
    query = found[0]
    names = inspected(query)
    insert_values(query, marks)
    tables = {node.name for node in query.find_all(exp.Table)} - own_names(query)
    return finished(query, marks), tables if names is not None else set()


def finished(query: Any, marks: Mapping[str, Value]) -> str:  # noqa: ANN401 - a node of sqlglot
    """The statement, every name in quotes. ProgramError when a value stands where none can."""
    made = str(query.sql(dialect="postgres", identify=True, comments=False))
    if any(mark in made.lower() for mark in marks):
        message = "QUERY: a value stands where only a part of the statement can"
        raise ProgramError(message)
    return made


def own_names(query: Any) -> set[str]:  # noqa: ANN401
    """Names of the common table expressions of the statement itself."""
    from sqlglot import exp  # noqa: PLC0415

    return {cte.alias for cte in query.find_all(exp.CTE)}


def inspected(query: Any) -> bool:  # noqa: ANN401
    """Refuse what is more than reading tables. ProgramError."""
    from sqlglot import exp  # noqa: PLC0415

    nodes = (
        exp.DDL | exp.DML | exp.Command | exp.Into | exp.Lock | exp.Parameter | exp.Placeholder | exp.UDTF | exp.Lateral
    )
    for node in query.walk():
        if isinstance(node, exp.Identifier) and not node.args.get("quoted"):
            node.set("this", node.name.lower())
        refused = isinstance(node, nodes) and not isinstance(node, exp.Select | exp.SetOperation | exp.Subquery)
        refused = refused or (isinstance(node, exp.With) and (node.recursive or node.parent is not query))
        refused = refused or (isinstance(node, exp.Func) and node.key not in FUNCTIONS)
        refused = refused or (isinstance(node, exp.DataType) and getattr(node.this, "name", "") not in TYPES)
        if isinstance(node, exp.Table):
            plain = isinstance(node.this, exp.Identifier) and not node.args.get("db") and not node.args.get("catalog")
            refused = refused or not plain or bool(node.args.get("sample"))
        if isinstance(node, exp.CTE) and not NAME.fullmatch(node.alias.lower()):
            refused = True
        if refused:
            shown = node.name if isinstance(node, exp.Anonymous | exp.Table) else type(node).__name__
            message = f"QUERY: {shown[:60].upper()} cannot be used; a query reads the bot's tables with SELECT"
            raise ProgramError(message)
    return True


def insert_values(query: Any, marks: Mapping[str, Value]) -> None:  # noqa: ANN401
    """Put values in the places of their marks: inside texts, as values, or as names that may be names."""
    from sqlglot import exp  # noqa: PLC0415

    for node in list(query.find_all(exp.Column)):
        if node.name not in marks or node.table:
            continue
        value = marks[node.name]
        if isinstance(value, list) and isinstance(node.parent, exp.In):
            node.parent.set("expressions", [literal_of(item) for item in value] or [exp.Null()])
        else:
            node.replace(literal_of(value))
    for literal in query.find_all(exp.Literal):
        if literal.is_string:
            literal.set("this", with_values(literal.name, marks))
    for identifier in query.find_all(exp.Identifier):
        written = with_values(identifier.name, marks)
        if written == identifier.name:
            continue
        if not NAME.fullmatch(written.lower()):
            message = f"QUERY: expected a name, got {written[:60]!r}"
            raise ProgramError(message)
        identifier.set("this", written.lower())


def with_values(written: str, marks: Mapping[str, Value]) -> str:
    """A text with the values of its marks in it."""
    for mark, value in marks.items():
        if mark in written:
            written = written.replace(mark, text_of(value))
    return written


def literal_of(value: Value) -> Any:  # noqa: ANN401 - a node of sqlglot
    """A value as a literal."""
    from sqlglot import exp  # noqa: PLC0415

    if value is None:
        return exp.Null()
    if isinstance(value, bool):
        return exp.Boolean(this=value)
    if isinstance(value, int | float):
        return exp.Paren(this=exp.Literal.number(text_of(number_of(value))))
    return exp.Literal.string(text_of(value))


async def projected(connection: AsyncConnection, world: Reader, name: str) -> str:
    """A table as a common table expression: this bot's rows, their fields as columns. ProgramError without one."""
    if not NAME.fullmatch(name):
        message = f"QUERY: there is no table {name[:60]!r}"
        raise ProgramError(message)
    table, _ = readable(world, name, None)
    seen = visible(world, table)
    kinds = {field.name: field.kind for field in table.fields.values()} or await inferred(connection, world, table)
    columns = ['r.id::text AS "id"']
    for field, kind in kinds.items():
        if (seen is None or field in seen) and field not in SYSTEM and NAME.fullmatch(field):
            columns.append(f'{column(field, kind)} AS "{field}"')
    columns += [f"timezone('UTC', r.{moment}) AS \"{moment}\"" for moment in ("created_at", "updated_at")]
    return (
        f'"{name}" AS (SELECT {", ".join(columns[:MOST_COLUMNS])} FROM engine.table_rows AS r '  # noqa: S608 - names
        f"WHERE r.tenant_id = $1 AND r.bot_id = $2 AND r.table_name = '{name}')"
    )


def column(field: str, kind: str) -> str:
    """The expression of a field, of the type that is known of it."""
    if kind in NUMBERS:
        return f"engine.number_in(r.data -> '{field}')"
    if kind == "boolean":
        return f"engine.is_true(r.data -> '{field}')"
    if kind in {"date", "datetime"}:
        return f"engine.moment_in(r.data ->> '{field}')" + ("::date" if kind == "date" else "")
    return f"r.data -> '{field}'" if kind in {"object", "array"} else f"r.data ->> '{field}'"


async def inferred(connection: AsyncConnection, world: Reader, table: TableDefinition) -> dict[str, str]:
    """Fields of a table that was never declared, by what its rows have. ProgramError when it has none."""
    rows = (await connection.execute(INFER, scope(world, table))).all()
    if not rows:
        given = scope(world, table)
        names = await connection.execute(NAMES, {"tenant": given["tenant"], "bot": given["bot"]})
        every = {*world.tables, *names.scalars()}
        message = f"QUERY: there is no table {table.name}{nearest(table.name, every)}"
        raise ProgramError(message)
    plain = {"number": "number", "boolean": "boolean"}
    found = {}
    for row in rows:
        kinds = set(row.kinds) - {"null"}
        found[row.key] = plain.get(next(iter(kinds)), "string") if len(kinds) == 1 else "string"
    return found


def explained(error: DBAPIError) -> Exception:
    """What is wrong with a statement, in words that tell nothing of the database; anything else as it came."""
    state = str(getattr(root(error), "sqlstate", "") or "")
    if state == "57014":
        return ProgramError(f"QUERY took longer than {MILLISECONDS // 1000} seconds")
    named = re.search(r'column "?([\w.]+)"? does not exist', str(root(error)))
    if state == "42703" and named:
        return ProgramError(f"QUERY: there is no column {named[1][:60]}")
    if state.startswith("42"):
        return ProgramError("QUERY: the parts of the statement do not fit together (types, names or GROUP BY)")
    if state.startswith(("22", "21")):
        return ProgramError("QUERY: a value does not fit what is done with it")
    return error


def plain_line(error: BaseException, marks: Mapping[str, Value]) -> str:
    """The first line of what the parser says, marks shown as values."""
    said = re.sub(r"\x1b\[[0-9;]*m", "", str(error)).split("\n")[0][:200]
    return with_values(said, dict.fromkeys(marks, "..."))

"""SAVE and INSERT: rows into tables and sheets."""

from services.engine.keywords.data.targets import append_rows, is_sheet, saved, write
from services.engine.keywords.keyword import Arguments, Effect, Keyword
from services.engine.keywords.world import Performed, World
from services.engine.program.values import ProgramError, Value, text_of
from services.engine.tables import writes
from services.engine.tables.access import table_of
from services.engine.tables.writes import Write


async def save(world: World, arguments: Arguments) -> Value:
    """Rows by id or key; a sheet gets them at its end."""
    return await put(world, arguments, "SAVE")


async def insert(world: World, arguments: Arguments) -> Value:
    """New rows."""
    return await put(world, arguments, "INSERT")


async def put(world: World, arguments: Arguments, keyword: str) -> Value:
    """Make or change rows."""
    target = text_of(arguments["table"]).strip()
    if arguments.get("connection"):
        target = f"{text_of(arguments['connection'])}.{target}"
    rows = rows_in(world, target, arguments, keyword)
    if rows == []:
        return None
    if is_sheet(target):
        await append_rows(world, target, rows)
        return rows
    change: Write = writes.save(target, rows) if keyword == "SAVE" else writes.insert(target, rows)
    found = await write(world, change)
    return found if isinstance(found, Performed) else saved(found)


def rows_in(world: World, target: str, arguments: Arguments, keyword: str) -> Value:
    """What is to be written: an object, a list of them, fields by name, or values named by their variables."""
    if "fields" in arguments or "row" in arguments:
        return arguments.get("fields", arguments.get("row"))
    named = arguments["values"]
    first = named[0]["value"]
    if len(named) == 1 and isinstance(first, dict | list):
        return first
    last = named[-1]["value"]
    if len(named) == 2 and isinstance(last, dict) and "formatted" not in last:
        return {**last, "id": first}
    names = names_of(world, target, [text_of(item["name"]) for item in named], keyword)
    return {name: item["value"] for name, item in zip(names, named, strict=True)}


def names_of(world: World, target: str, names: list[str], keyword: str) -> list[str]:
    """Columns of values that came without: the names of their variables, else those of the table in order."""
    if all(names) and len(set(names)) == len(names):
        return names
    fields = [] if is_sheet(target) or "." in target else list(table_of(world, target).fields)
    if len(fields) >= len(names):
        return fields[: len(names)]
    message = (
        f"{keyword} {target}: a value needs the name of a variable, or write {keyword} with an object: {{name: value}}"
    )
    raise ProgramError(message)


SAVE = Keyword(
    name="SAVE",
    group="data",
    summary="Makes a row, or changes the one that has the same id or key; a list saves all its rows.",
    forms=(
        "SAVE <table:name> , <values:named>",
        "SAVE <table:name> WITH <fields:fields>",
        "SAVE <table:name> <row>",
    ),
    effect=Effect.WRITE,
    permission="tables.write",
    example='WITH customer\n  name = "Ann"\n  mail = "ann@example.com"\nEND WITH\nSAVE "customers", customer',
    documentation="""`SAVE "t", object` · `SAVE "t", id, object` · `SAVE "t", name, mail` (columns are called as the
variables) · `SAVE "t", list` · `SAVE ".connection.t", list` · `SAVE "file.csv", object` puts a row at the end of the
file. What is not said of a row that is there stays. Gives the row as it is now, with its `id`. A change that is tried
again after a crash changes nothing twice.""",
    perform=save,
)
INSERT = Keyword(
    name="INSERT",
    group="data",
    summary="Makes rows; one with the same id or key must not be there.",
    forms=(
        "INSERT <table:name> , <values:named>",
        "INSERT <table:name> WITH <fields:fields>",
        "INSERT <table:name> VALUES <row>",
    ),
    effect=Effect.WRITE,
    permission="tables.write",
    example='INSERT "orders", {"customer": id, "total": 9.5}',
    perform=insert,
)
INSERT_INTO = Keyword(
    name="INSERT INTO",
    group="data",
    summary="Makes a row.",
    forms=(
        "INSERT INTO <table:name> [ON <connection:name>] WITH <fields:fields> [ON <connection:name>]",
        "INSERT INTO <table:name> [ON <connection:name>] VALUES <row> [ON <connection:name>]",
        "INSERT INTO <table:name> , <values:named>",
        "INSERT INTO <table:name> <row:columns>",
    ),
    effect=Effect.WRITE,
    permission="tables.write",
    example='INSERT INTO "orders" WITH customer = id, total = 9.5',
    perform=insert,
)

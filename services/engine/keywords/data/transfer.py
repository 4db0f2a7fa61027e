"""IMPORT, EXPORT, CACHE, ALLOW ROLE."""

from services.engine.keywords.data.targets import all_rows, is_sheet, sheet_rows, write, write_rows
from services.engine.keywords.keyword import Arguments, Effect, Keyword
from services.engine.keywords.world import World
from services.engine.program.values import ProgramError, Value, is_number, number_of, text_of
from services.engine.tables import writes
from services.engine.tables.filters import filter_of
from services.engine.tables.names import simple
from services.engine.tables.port import Tables

CACHE_TABLE = "cached_values"
CACHE_SECONDS = 3600
MOST_ROWS = 10_000


async def import_file(world: World, arguments: Arguments) -> Value:
    """A file into a table; without a table its rows."""
    path = text_of(arguments["file"])
    if not is_sheet(path):
        message = f"IMPORT: expected a CSV or XLSX file, got {path[:80]!r}"
        raise ProgramError(message)
    rows = await sheet_rows(world, path)
    if not arguments.get("table"):
        return rows
    if not rows:
        return 0
    named = [{simple(key.lower()) or "column": value for key, value in row.items()} for row in rows]
    await write(world, writes.save(text_of(arguments["table"]), named))
    return len(rows)


async def export_rows(world: World, arguments: Arguments) -> Value:
    """A table, a list or a sheet into a file; its path."""
    path, source = text_of(arguments["file"]), arguments["table"]
    if isinstance(source, str) and is_sheet(source) and not is_sheet(path):
        path, source = source, path
    if not is_sheet(path):
        message = f"EXPORT: expected a CSV or XLSX file, got {path[:80]!r}"
        raise ProgramError(message)
    await write_rows(world, path, await all_rows(world, source, filter_of(arguments.get("where"))))
    return path


async def cache_set(world: World, arguments: Arguments) -> None:
    """A value for some time."""
    seconds = number_of(arguments["seconds"]) if is_number(arguments.get("seconds")) else CACHE_SECONDS
    until = world.clock().timestamp() + max(0, float(seconds))
    row = {"id": text_of(arguments["key"]), "value": {"is": arguments["value"]}, "until": until}
    await world.port(Tables).write(world, [writes.save(CACHE_TABLE, row)])


async def cache_get(world: World, arguments: Arguments) -> Value:
    """A value that is still there."""
    found = await world.port(Tables).find(world, CACHE_TABLE, filter_of({"id": text_of(arguments["key"])}), limit=1)
    if not found or float(number_of(found[0]["until"])) <= world.clock().timestamp():
        return None
    return found[0]["value"]["is"]


async def allow_role(world: World, arguments: Arguments) -> None:
    """Only people with one of the roles go on."""
    wanted = {role.strip().lower() for role in text_of(arguments["roles"]).replace(";", ",").split(",") if role.strip()}
    if not wanted & {role.lower() for role in world.roles}:
        message = f"this is for {', '.join(sorted(wanted)) or 'nobody'}"
        raise ProgramError(message)


IMPORT = Keyword(
    name="IMPORT",
    group="data",
    summary="Gives the rows of a CSV or XLSX file, or saves them in a table.",
    forms=("IMPORT <file> [, <table:name>] [INTO <table:name>] [TO <table:name>]",),
    effect=Effect.WRITE,
    permission="tables.write",
    example='count = IMPORT "contacts.csv", "contacts"',
    perform=import_file,
)
EXPORT = Keyword(
    name="EXPORT",
    group="data",
    summary="Writes a table or a list into a CSV or XLSX file; gives its path.",
    forms=("EXPORT <table:name> , <file> [WHERE <where:where>]", "EXPORT <table:name> TO <file> [WHERE <where:where>]"),
    effect=Effect.WRITE,
    permission="files.write",
    example='EXPORT "orders", "orders.xlsx"',
    perform=export_rows,
)
CACHE_SET = Keyword(
    name="CACHE SET",
    group="data",
    summary="Keeps a value of the bot for some seconds, an hour unless said.",
    forms=("CACHE SET <key> , <value> [, <seconds:number>]",),
    effect=Effect.WRITE,
    permission="tables.write",
    example='CACHE SET "rates", rates, 600',
    perform=cache_set,
)
CACHE_GET = Keyword(
    name="CACHE GET",
    group="data",
    summary="A value that CACHE SET kept; NULL when it is gone.",
    forms=("CACHE GET <key>",),
    effect=Effect.READ,
    permission="tables.read",
    example='rates = CACHE GET "rates"',
    perform=cache_get,
)
ALLOW_ROLE = Keyword(
    name="ALLOW ROLE",
    group="data",
    summary="Ends the script with an error unless the person has one of the roles.",
    forms=("ALLOW ROLE <roles>",),
    effect=Effect.READ,
    example='ALLOW ROLE "manager;admin"',
    perform=allow_role,
)

"""UPDATE, DELETE and MERGE."""

import re

from services.engine.files.port import Files
from services.engine.keywords.data.targets import QUEUE, all_rows, is_sheet, sheet_rows, write, write_rows
from services.engine.keywords.keyword import Arguments, Effect, Keyword
from services.engine.keywords.permissions import permitted
from services.engine.keywords.world import Performed, World
from services.engine.machine.state import MachineState
from services.engine.program.values import ProgramError, Value, text_of
from services.engine.tables import writes
from services.engine.tables.criteria import chosen, holds
from services.engine.tables.filter_text import parse_text
from services.engine.tables.filters import Filter, filter_of
from services.engine.tables.names import key_of
from services.engine.tables.port import Tables

CONDITION = re.compile(r"[=<>]|\b(like|in|between|is|contains)\b", re.IGNORECASE)
FILE = re.compile(r"[^\n]*\.[A-Za-z0-9]{1,5}")
REPORT_SETTING = "report"
COUNTS = ("inserted", "updated", "unchanged", "total")


async def update(world: World, arguments: Arguments) -> Value:
    """How many rows were changed."""
    target = text_of(arguments["table"]).strip()
    if arguments.get("connection"):
        target = f"{text_of(arguments['connection'])}.{target}"
    fields, where = wanted(arguments)
    if is_sheet(target):
        return await update_sheet(world, target, where, fields)
    return await write(world, writes.update(target, where, fields))


def wanted(arguments: Arguments) -> tuple[Value, Filter]:
    """Fields and filter of the forms of UPDATE."""
    if "fields" in arguments:
        return arguments["fields"], filter_of(arguments.get("where"))
    named = arguments["values"]
    if len(named) == 1 and isinstance(named[0]["value"], dict):
        return named[0]["value"], key_or_filter(arguments["filter"])
    if len(named) == 1 and isinstance(named[0]["value"], str) and not named[0]["name"]:
        return assigned(named[0]["value"]), key_or_filter(arguments["filter"])
    if not all(item["name"] for item in named):
        message = "UPDATE: a value needs the name of a variable, or write an object: {name: value}"
        raise ProgramError(message)
    return {item["name"]: item["value"] for item in named}, key_or_filter(arguments["filter"])


def key_or_filter(given: Value) -> Filter:
    """A filter, or the id of the row: what has no comparison in it."""
    parts = given["parts"] if isinstance(given, dict) and set(given) == {"parts"} else [given]
    written = "".join(text_of(part) for part in parts[::2])
    if isinstance(given, dict | list) and parts == [given]:
        return filter_of(given)
    if isinstance(parts[0], str) and CONDITION.search(written):
        return filter_of(given)
    key = parts[0] if len(parts) == 1 else "".join(text_of(part) for part in parts)
    if key is None or key == "":
        message = "UPDATE: expected a filter or the id of a row, got nothing"
        raise ProgramError(message)
    return filter_of({"id": key})


def assigned(given: Value) -> dict[str, Value]:
    """ "a=1, b='x'" as fields, read as a filter of equalities is."""
    if isinstance(given, dict) and set(given) != {"parts"}:
        return given
    parts = given["parts"] if isinstance(given, dict) else [given]
    found = parse_text(parts)
    pairs = found[1:] if found and found[0] == "and" else [found]
    fields: dict[str, Value] = {}
    for pair in pairs:
        if not isinstance(pair, list) or pair[0] != "=":
            message = "expected fields such as a=1, b='x'"
            raise ProgramError(message)
        fields[text_of(pair[1])] = pair[2]
    return fields


async def update_sheet(world: World, path: str, where: Filter, fields: Value) -> int:
    """Rows of a file, which is written anew."""
    if not isinstance(fields, dict) or not fields:
        message = "UPDATE: expected fields to change"
        raise ProgramError(message)
    rows = await sheet_rows(world, path)
    hits = chosen(rows, where)
    for row in hits:
        for name, value in fields.items():
            row[key_of(row, name) or name] = value
    if hits:
        await write_rows(world, path, rows)
    return len(hits)


async def set_rows(world: World, arguments: Arguments) -> Value:
    """SET "t", filter, "a=1,b=2"."""
    target = text_of(arguments["table"]).strip()
    fields, where = assigned(arguments["fields"]), filter_of(arguments["filter"])
    if is_sheet(target):
        return await update_sheet(world, target, where, fields)
    return await write(world, writes.update(target, where, fields))


async def delete(world: World, arguments: Arguments) -> Value:
    """Rows of a table or a sheet, a file, or the row an object is."""
    given = arguments["table"]
    where = filter_of(arguments.get("filter")) or filter_of(arguments.get("where"))
    if isinstance(given, list | dict):
        message = 'DELETE: an object does not say its table; write DELETE "table", "id=..."'
        raise ProgramError(message)
    target = text_of(given).strip()
    if "://" in target or target.startswith("/api/"):
        return await elsewhere("DELETE HTTP", world, {"url": target})
    if arguments.get("connection"):
        target = f"{text_of(arguments['connection'])}.{target}"
    if "filter" not in arguments and "where" not in arguments and "all" not in arguments and whole_file(target):
        return await world.port(Files).delete(world, target)
    if is_sheet(target):
        rows = await sheet_rows(world, target)
        kept = [row for row in rows if not holds(where, row)]
        await write_rows(world, target, kept or [dict.fromkeys(rows[0], "")] if rows else [])
        return len(rows) - len(kept)
    if where is None and "all" not in arguments:
        message = f'expected which rows of {target} go, such as "id=1"; with FROM all go'
        raise ProgramError(message)
    return await write(world, writes.delete(target, where))


def whole_file(target: str) -> bool:
    """Whether it is a path."""
    return "/" in target or (FILE.fullmatch(target) is not None and not target.startswith("."))


async def elsewhere(name: str, world: World, arguments: Arguments) -> Value:
    """What the keyword of another chapter does. ProgramError where it is not to be had."""
    from services.engine.keywords.registry import registry  # noqa: PLC0415 - the registry reads this module

    keyword = registry().get(name)
    if keyword is None or keyword.perform is None:
        message = f"not available on this installation: {name}"
        raise ProgramError(message)
    permitted(keyword, world.config)
    return await keyword.perform(world, arguments)


async def merge(world: World, arguments: Arguments) -> Value:
    """How many rows were made, changed and left; REPORT adds them up."""
    table, key = text_of(arguments["table"]).strip(), text_of(arguments["key"]).strip()
    data = arguments["data"]
    rows = await all_rows(world, data) if isinstance(data, str) else data
    columns = arguments.get("columns")
    names = columns if isinstance(columns, list) else [name for name in text_of(columns).split(",") if name.strip()]
    found = await write(world, writes.merge(table, rows, key, [text_of(name).strip() for name in names]))
    if isinstance(found, Performed):
        return Performed(None, found.settings)
    return Performed(found, {REPORT_SETTING: counted(world.setting(REPORT_SETTING), table, found)})


def counted(report: Value, table: str, found: Value) -> dict[str, Value]:
    """The report with what a MERGE did."""
    known = dict(report) if isinstance(report, dict) else {}
    before = known.get(table, {})
    known[table] = {name: before.get(name, 0) + found[name] for name in COUNTS}
    return known


def report(state: MachineState, _: Arguments) -> Value:
    """What all MERGEs did since RESET REPORT; reads as a text."""
    tables = state.settings.get(REPORT_SETTING) or {}
    lines = [
        f"{table}: {each['inserted']} inserted, {each['updated']} updated, {each['unchanged']} unchanged"
        for table, each in tables.items()
    ]
    totals = {name: sum(each[name] for each in tables.values()) for name in COUNTS}
    return {**totals, "tables": tables, "formatted": "\n".join(lines)}


def reset_report(state: MachineState, _: Arguments) -> None:
    """Count from nothing."""
    state.settings.pop(REPORT_SETTING, None)


def begin(state: MachineState, _: Arguments) -> None:
    """Changes wait for COMMIT."""
    if isinstance(state.settings.get(QUEUE), list):
        message = "BEGIN TRANSACTION: one is open already; COMMIT or ROLLBACK ends it"
        raise ProgramError(message)
    state.settings[QUEUE] = []


async def commit(world: World, _: Arguments) -> Value:
    """All changes that wait, or none."""
    queued = world.setting(QUEUE)
    if not isinstance(queued, list):
        message = "COMMIT: there is no transaction; BEGIN TRANSACTION begins one"
        raise ProgramError(message)
    outside = Performed(len(queued), {QUEUE: None})
    if queued:
        await world.port(Tables).write(world, queued)
    return outside


def rollback(state: MachineState, _: Arguments) -> None:
    """The changes that wait are forgotten."""
    state.settings.pop(QUEUE, None)


UPDATE = Keyword(
    name="UPDATE",
    group="data",
    summary="Changes rows; gives how many.",
    forms=(
        "UPDATE <table:name> , <filter:filter> , <values:named>",
        "UPDATE <table:name> [ON <connection:name>] SET <fields:fields> [ON <connection:name>] [WHERE <where:where>]",
        "UPDATE <table:name> [ON <connection:name>] WITH <fields:fields> [ON <connection:name>] [WHERE <where:where>]",
    ),
    effect=Effect.WRITE,
    permission="tables.write",
    example='UPDATE "orders" SET state = "paid" WHERE number = 12',
    documentation="""`UPDATE "t", filter, object` · `UPDATE "t", id, name, mail` (columns are called as the variables) ·
`UPDATE t SET a = 1 WHERE ...` · `UPDATE t WITH value AS v WHERE ...`. Without WHERE all rows are changed. An id never
changes.""",
    perform=update,
)
SET_ROWS = Keyword(
    name="SET ROWS",
    group="data",
    summary="Changes rows, as older scripts write it.",
    forms=("SET <table:value> , <filter:filter> , <fields:filter>",),
    effect=Effect.WRITE,
    permission="tables.write",
    example='SET "orders", "number=12", "state=paid, late=false"',
    perform=set_rows,
)
DELETE = Keyword(
    name="DELETE",
    group="data",
    summary="Removes rows of a table, or a file; gives how many rows.",
    forms=("DELETE <table:name> [, <filter:filter>] [WHERE <where:where>]",),
    effect=Effect.WRITE,
    permission="tables.write",
    example='DELETE "orders", "state=cancelled"',
    documentation="""With an address (`https://...`) it is DELETE HTTP, with the path of a file DELETE FILE.""",
    perform=delete,
)
DELETE_FROM = Keyword(
    name="DELETE FROM",
    group="data",
    summary="Removes rows of a table; without WHERE all of them.",
    forms=("DELETE FROM <table:name> [ON <connection:name>] [WHERE <where:where>]",),
    effect=Effect.WRITE,
    permission="tables.write",
    example='DELETE FROM "orders" WHERE state = "cancelled"',
    perform=lambda world, arguments: delete(world, {**arguments, "all": True}),
)
MERGE = Keyword(
    name="MERGE",
    group="data",
    summary="Makes rows, or changes those that have the same in a field; gives how many of each.",
    forms=(
        "MERGE <table:name> , <data> , <key> [, <columns>]",
        "MERGE <table:name> WITH <data> BY <key> [UPDATE <columns>]",
    ),
    effect=Effect.WRITE,
    permission="tables.write",
    example='found = GET "https://example.com/products.json"\nMERGE "products", found, "code"\nTALK REPORT',
    perform=merge,
)
REPORT = Keyword(
    name="REPORT",
    group="data",
    summary="What the MERGEs of this conversation did: inserted, updated, unchanged; reads as a text.",
    forms=("REPORT",),
    effect=Effect.STATE,
    example="TALK REPORT",
    apply=report,
)
RESET_REPORT = Keyword(
    name="RESET REPORT",
    group="data",
    summary="Counts from nothing again.",
    forms=("RESET REPORT",),
    effect=Effect.STATE,
    example="RESET REPORT",
    apply=reset_report,
)
BEGIN_TRANSACTION = Keyword(
    name="BEGIN TRANSACTION",
    group="data",
    summary="Changes of tables wait for COMMIT TRANSACTION, which makes all of them or none.",
    forms=("BEGIN TRANSACTION",),
    effect=Effect.STATE,
    example='BEGIN TRANSACTION\nSAVE "a", x\nSAVE "b", y\nCOMMIT TRANSACTION',
    documentation="""The changes wait in the conversation, which may be interrupted meanwhile; FIND does not see them
before the COMMIT. Tables of external connections and files take no part. 1,000 changes at most.""",
    apply=begin,
)
COMMIT = Keyword(
    name="COMMIT",
    group="data",
    summary="Makes all changes since BEGIN TRANSACTION, or none; gives how many.",
    forms=("COMMIT",),
    aliases=("COMMIT TRANSACTION", "END TRANSACTION"),
    effect=Effect.WRITE,
    permission="tables.write",
    example='BEGIN TRANSACTION\nSAVE "a", x\nCOMMIT TRANSACTION',
    perform=commit,
)
ROLLBACK = Keyword(
    name="ROLLBACK",
    group="data",
    summary="Forgets all changes since BEGIN TRANSACTION.",
    forms=("ROLLBACK",),
    aliases=("ROLLBACK TRANSACTION",),
    effect=Effect.STATE,
    example='BEGIN TRANSACTION\nSAVE "a", x\nROLLBACK',
    apply=rollback,
)

"""What a keyword of data is about: a table, a sheet in the drive, or rows that are at hand."""

import re
from collections.abc import Sequence

from services.engine.files.documents.csvs import append_csv, read_csv, write_csv
from services.engine.files.documents.rows import objects_of
from services.engine.files.documents.sheets import append_xlsx, read_xlsx, write_xlsx
from services.engine.files.port import Documents, Files
from services.engine.keywords.world import Performed, World
from services.engine.program.values import ProgramError, Value, number_of, text_of
from services.engine.tables.criteria import chosen
from services.engine.tables.filters import Filter
from services.engine.tables.limits import allowed
from services.engine.tables.lists import in_order, rows_of
from services.engine.tables.port import Tables
from services.engine.tables.writes import MOST_WRITES, Write

SHEET = re.compile(r"[^\n]+\.(csv|tsv|xlsx|xlsm)", re.IGNORECASE)
QUEUE = "transaction"
LIMIT = re.compile(r"(?is)(.*?)(?:^|\s+)limit\s+(\d+)\s*")
MOST_ROWS = 100_000


def is_sheet(target: str) -> bool:
    """Whether it is a file of rows."""
    return SHEET.fullmatch(target.strip()) is not None


def is_book(path: str) -> bool:
    """Whether it is a workbook, not a text."""
    return path.strip().lower().endswith((".xlsx", ".xlsm"))


async def sheet_rows(world: World, path: str) -> list[Value]:
    """All rows of a sheet in the drive. ProgramError."""
    content = await world.port(Files).read(world, path)
    read = read_xlsx if is_book(path) else read_csv
    columns, cells = await world.port(Documents).run(read, content)
    return list(objects_of(columns, cells))


async def append_rows(world: World, path: str, rows: Value) -> None:
    """Put rows behind those of a sheet, which is made where there is none."""
    files, documents = world.port(Files), world.port(Documents)
    there = await files.read(world, path) if await files.exists(world, path) else None
    if there is not None:
        content = await documents.run(append_xlsx if is_book(path) else append_csv, there, rows)
    else:
        content = await documents.run(write_xlsx if is_book(path) else write_csv, rows)
    await files.write(world, path, content)


async def write_rows(world: World, path: str, rows: Value) -> None:
    """Make a sheet of these rows."""
    content = await world.port(Documents).run(write_xlsx if is_book(path) else write_csv, rows)
    await world.port(Files).write(world, path, content)


async def found_rows(
    world: World, target: Value, where: Filter, *, order: str = "", limit: int | None = None
) -> list[Value]:
    """Rows of a table, a sheet or a list that fit a filter."""
    if isinstance(target, list | dict):
        found = chosen(rows_of(target), where)
        return (in_order(found, order) if order else found)[: len(found) if limit is None else limit]
    name = text_of(target).strip()
    if is_sheet(name):
        found = chosen(await sheet_rows(world, name), where)
        return (in_order(found, order) if order else found)[: allowed(world, limit)]
    return list(await world.port(Tables).find(world, name, where, order=order, limit=limit))


async def all_rows(world: World, target: Value, where: Filter = None, most: int = MOST_ROWS) -> list[Value]:
    """Every row, not only the first."""
    if isinstance(target, str) and not is_sheet(target):
        return list(await world.port(Tables).everything(world, target.strip(), where, most=most))
    return (
        await found_rows(world, target, where, limit=most)
        if not isinstance(target, str)
        else chosen(await sheet_rows(world, target), where)
    )


async def write(world: World, *changes: Write) -> Value:
    """Do changes now, or with the COMMIT of the transaction that is open; what the first gives."""
    queued = world.setting(QUEUE)
    if not isinstance(queued, list):
        return (await world.port(Tables).write(world, changes))[0]
    if len(queued) + len(changes) > MOST_WRITES:
        message = f"a transaction may have {MOST_WRITES} changes"
        raise ProgramError(message)
    rows = changes[0].get("rows")
    return Performed(one(rows) if isinstance(rows, list) else None, {QUEUE: [*queued, *changes]})


def one(rows: Sequence[Value]) -> Value:
    """The row of a list of one, else the list."""
    return rows[0] if len(rows) == 1 else list(rows)


def saved(found: Value) -> Value:
    """What SAVE and INSERT give: the row, or the rows."""
    return one(found) if isinstance(found, list) else found


def limit_of(value: Value) -> int | None:
    """How many rows were asked for."""
    return None if value is None or value == "" else max(0, int(number_of(value, "how many rows")))


def order_and_limit(order: Value, limit: Value) -> tuple[str, int | None]:
    """ORDER BY, which may have a LIMIT behind it when it came as a text."""
    text, most = text_of(order).strip(), limit_of(limit)
    match = LIMIT.fullmatch(text)
    return (match[1].strip(), int(match[2])) if match else (text, most)

"""Tables of external connections."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from typing import Any

from sqlalchemy import Select, Table, and_, func, or_, select
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection

from services.common.telemetry.logs import logger
from services.engine.program.values import ProgramError, Value, text_of
from services.engine.tables.connections import SECONDS, Connections, reflected
from services.engine.tables.filters import Filter, filter_of
from services.engine.tables.limits import MOST_ROWS, allowed
from services.engine.tables.lists import operation, orders
from services.engine.tables.outside_sql import column_of, condition, is_text, plain, shown, stored
from services.engine.tables.port import Reader, Row
from services.engine.tables.writes import Write

log = logger(__name__)


class OutsideTables:
    """What can be done with a table of a connection; the arguments are those of Tables, with the connection first."""

    def __init__(self, connections: Connections) -> None:
        self._connections = connections

    @contextlib.asynccontextmanager
    async def _table(self, world: Reader, connection: str, table: str) -> AsyncIterator[tuple[AsyncConnection, Table]]:
        """A transaction on the connection. ProgramError in words that tell nothing of the server."""
        engine = await self._connections.open(world, connection)
        try:
            async with asyncio.timeout(SECONDS), engine.begin() as opened:
                yield opened, await reflected(opened, table)
        except DBAPIError as error:
            log.info("an external connection refused", error=type(error.orig).__name__)
            raise ProgramError(refused(connection, error)) from None
        except (SQLAlchemyError, OSError, TimeoutError) as error:
            log.info("an external connection failed", error=type(error).__name__)
            message = f"the database of the connection {connection} does not answer"
            raise ProgramError(message) from None

    async def find(
        self, world: Reader, connection: str, table: str, where: Filter, *, order: str, limit: int | None
    ) -> list[Row]:
        """Rows."""
        return await self._rows(world, connection, table, where, order=order, limit=allowed(world, limit))

    async def _rows(
        self, world: Reader, connection: str, table: str, where: Filter, *, order: str, limit: int
    ) -> list[Row]:
        async with self._table(world, connection, table) as (opened, described):
            statement: Select[Any] = select(described).where(condition(where, described))
            for name, falling in orders(order) if order.strip() else ():
                column = column_of(described, name)
                statement = statement.order_by(column.desc() if falling else column.asc())
            return [shown(row) for row in await opened.execute(statement.limit(limit))]

    async def everything(self, world: Reader, connection: str, table: str, where: Filter, most: int) -> list[Row]:
        """All rows, if there are not too many."""
        found = await self._rows(world, connection, table, where, order="", limit=most + 1)
        if len(found) > most:
            message = f"{connection}.{table} has more than {most} rows; say which with WHERE"
            raise ProgramError(message)
        return found

    async def aggregate(self, world: Reader, connection: str, table: str, how: str, field: str, where: Filter) -> Value:
        """SUM, AVG, COUNT, MIN or MAX."""
        operation(how)
        async with self._table(world, connection, table) as (opened, described):
            kind = how.strip().lower()
            column = column_of(described, field) if field.strip() not in {"", "*"} else None
            if column is None and kind != "count":
                message = f"AGGREGATE {how}: expected a field"
                raise ProgramError(message)
            names = {"average": "avg", "mean": "avg"}
            made = func.count() if column is None else getattr(func, names.get(kind, kind))(column)
            found = (
                await opened.execute(select(made).select_from(described).where(condition(where, described)))
            ).scalar()
        return 0 if found is None and kind == "sum" else plain(found)

    async def distinct(self, world: Reader, connection: str, table: str, field: str, where: Filter) -> list[Value]:
        """Different values of a field."""
        async with self._table(world, connection, table) as (opened, described):
            column = column_of(described, field)
            statement = select(column).where(condition(where, described)).distinct().limit(MOST_ROWS)
            return [plain(value) for value in (await opened.execute(statement)).scalars()]

    async def search(self, world: Reader, connection: str, table: str, words: str, limit: int) -> list[Row]:
        """Rows with every word somewhere in their texts."""
        async with self._table(world, connection, table) as (opened, described):
            texts = [column for column in described.columns if is_text(column)]
            wanted = words.lower().split()[:10]
            if not texts or not wanted:
                return []
            holds = [or_(*(func.lower(text).contains(word, autoescape=True) for text in texts)) for word in wanted]
            statement = select(described).where(and_(*holds)).limit(allowed(world, limit))
            return [shown(row) for row in await opened.execute(statement)]

    async def write(self, world: Reader, connection: str, table: str, writes: Sequence[Write]) -> list[Value]:
        """All changes of one table of a connection, or none."""
        async with self._table(world, connection, table) as (opened, described):
            return [await changed(opened, described, write) for write in writes]


async def changed(opened: AsyncConnection, table: Table, write: Write) -> Value:
    """One change; what it gives."""
    operator = write["op"]
    if operator in {"update", "delete"}:
        where = condition(filter_of(write["where"]), table)
        if operator == "delete":
            return int((await opened.execute(table.delete().where(where))).rowcount)
        return int((await opened.execute(table.update().where(where).values(stored(table, write["set"])))).rowcount)
    if operator == "insert":
        return [await inserted(opened, table, stored(table, row), row) for row in write["rows"]]
    keys = [write["key"]] if operator == "merge" else [column.name for column in table.primary_key] or ["id"]
    counts = {"inserted": 0, "updated": 0, "unchanged": 0, "total": len(write["rows"])}
    rows = []
    for row in write["rows"]:
        values = stored(table, row)
        found = await upserted(opened, table, values, keys, write.get("columns") or [])
        counts[found] += 1
        rows.append(row)
    return counts if operator == "merge" else rows


async def inserted(opened: AsyncConnection, table: Table, values: dict[str, Any], row: Row) -> Row:
    """A new row, with the key the database gave it."""
    result = await opened.execute(table.insert().values(values))
    made = result.inserted_primary_key
    keys = [column.name for column in table.primary_key]
    given = dict(zip(keys, made, strict=False)) if made is not None else {}
    return {**{name: plain(value) for name, value in given.items()}, **row}


async def upserted(
    opened: AsyncConnection, table: Table, values: dict[str, Any], keys: list[str], columns: list[str]
) -> str:
    """Change the row with these keys, or make it: inserted, updated or unchanged."""
    named = [column_of(table, key) for key in keys]
    if any(values.get(column.name) is None for column in named):
        await opened.execute(table.insert().values(values))
        return "inserted"
    same = and_(*(column == values[column.name] for column in named))
    there = (await opened.execute(select(table).where(same).limit(1))).first()
    if there is None:
        await opened.execute(table.insert().values(values))
        return "inserted"
    wanted = {column_of(table, name).name for name in columns}
    fields = {name: value for name, value in values.items() if not wanted or name in wanted}
    if all(there._mapping[name] == value for name, value in fields.items()):  # noqa: SLF001 - its documented name
        return "unchanged"
    await opened.execute(table.update().where(same).values(fields))
    return "updated"


def refused(connection: str, error: DBAPIError) -> str:
    """What a database refused, in words of ours."""
    name = type(error.orig).__name__ + text_of(type(error).__name__)
    if "Integrity" in name or "Violation" in name:
        return f"the connection {connection} refused the change: a key is taken, or a value is missing"
    if "Permission" in name or "Authorization" in name or "Password" in name:
        return f"the connection {connection} refused: its user may not do this"
    return f"the connection {connection} refused what was asked of it"

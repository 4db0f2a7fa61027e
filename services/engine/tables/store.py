"""Tables in PostgreSQL."""

import json
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from google.protobuf import wrappers_pb2
from sqlalchemy import ColumnElement, Select, Subquery, Text, and_, case, func, literal, select

from services.common.db.engine import Database
from services.common.db.requests import Asked, RequestLog
from services.common.errors import AlreadyExists
from services.common.identifiers import derived_id
from services.engine.program.values import ProgramError, Value
from services.engine.tables.access import allow_field, readable, shown, visible
from services.engine.tables.definition import TableDefinition, known
from services.engine.tables.filter_sql import ROWS, condition, field
from services.engine.tables.filters import Filter
from services.engine.tables.limits import MOST_ROWS, allowed
from services.engine.tables.lists import operation, orders, plain
from services.engine.tables.names import field_name, table_name
from services.engine.tables.port import Reader, Row
from services.engine.tables.queries import run_query
from services.engine.tables.scope import scope
from services.engine.tables.writes import MOST_WRITES, Write
from services.engine.tables.writing import Watch, Writing

PAGE = 500
LIKENESS = 0.3
MOST_SEARCHED = 20_000
LONGEST_WORDS = 200
MOST_COMPLETIONS = 100
SHOWN = (ROWS.c.id, ROWS.c.data, ROWS.c.created_at, ROWS.c.updated_at)
ANSWER = b"tables"


class PostgresTables:
    """Tables of bots. `watch`: who is told of changes."""

    def __init__(self, database: Database, requests: RequestLog, watch: Watch | None = None) -> None:
        self._database = database
        self._requests = requests
        self._watch = watch

    async def find(
        self, world: Reader, table: str, where: Filter = None, *, order: str = "", limit: int | None = None
    ) -> list[Row]:
        """Rows, as Tables.find says."""
        definition, condition_ = readable(world, table, where)
        statement = self._select(world, definition, condition_).order_by(*ordering(world, definition, order))
        return await self._rows(world, definition, statement.limit(allowed(world, limit)))

    def _select(self, world: Reader, table: TableDefinition, where: Filter) -> Select[Any]:
        return select(*SHOWN, ROWS.c.place).where(belongs(world, table), condition(where, table))

    async def _rows(self, world: Reader, table: TableDefinition, statement: Select[Any]) -> list[Row]:
        async with self._database.unit_of_work(world.tenant) as connection:
            return [shown(world, table, row) for row in await connection.execute(statement)]

    async def everything(self, world: Reader, table: str, where: Filter = None, *, most: int) -> list[Row]:
        """All rows; by their place, so that what is added meanwhile is seen once or not at all."""
        definition, condition_ = readable(world, table, where)
        found: list[Row] = []
        after = 0
        async with self._database.unit_of_work(world.tenant) as connection:
            while True:
                statement = self._select(world, definition, condition_).where(ROWS.c.place > after)
                page = (await connection.execute(statement.order_by(ROWS.c.place).limit(PAGE))).all()
                found += [shown(world, definition, row) for row in page]
                if len(found) > most:
                    message = f"{definition.name} has more than {most} rows; say which with WHERE"
                    raise ProgramError(message)
                if len(page) < PAGE:
                    return found
                after = page[-1].place

    async def count(self, world: Reader, table: str, where: Filter = None) -> int:
        """How many rows."""
        definition, condition_ = readable(world, table, where)
        return int(await self._scalar(world, definition, func.count(), condition_))

    async def _scalar(self, world: Reader, table: TableDefinition, what: ColumnElement[Any], where: Filter) -> Any:  # noqa: ANN401 - what PostgreSQL gives
        statement = select(what).where(belongs(world, table), condition(where, table))
        async with self._database.unit_of_work(world.tenant) as connection:
            return (await connection.execute(statement)).scalar_one()

    async def aggregate(self, world: Reader, table: str, how: str, field: str, where: Filter = None) -> Value:
        """As lists.aggregated over all rows."""
        definition, condition_ = readable(world, table, where)
        operation(how)
        name = field.strip()
        kind = how.strip().lower()
        if kind == "count" and name in {"", "*"}:
            return await self.count(world, table, where)
        of = readable_field(world, definition, name)
        if kind in {"min", "max"}:
            return await self._extreme(world, definition, kind, of, condition_)
        number = func.engine.number_in(of)
        totals = {"sum": func.sum(number), "count": func.count().filter(func.engine.text_of(of) != "")}
        found = await self._scalar(world, definition, totals.get(kind, func.avg(number)), condition_)
        if found is None:
            return 0 if kind == "sum" else None
        return plain(float(found))

    async def _extreme(
        self, world: Reader, table: TableDefinition, kind: str, of: ColumnElement[Any], where: Filter
    ) -> Value:
        """The smallest or largest: numbers as numbers where all are, else as text."""
        pick = func.min if kind == "min" else func.max
        number, word = func.engine.number_in(of), func.nullif(func.engine.text_of(of), "")
        statement = select(
            pick(number).label("number"), pick(word.collate("C")).label("word"), func.count(number), func.count(word)
        ).where(belongs(world, table), condition(where, table))
        async with self._database.unit_of_work(world.tenant) as connection:
            row = (await connection.execute(statement)).one()
        return plain(float(row[0])) if row[2] and row[2] == row[3] else row[1]

    async def distinct(self, world: Reader, table: str, field: str, where: Filter = None) -> list[Value]:
        """Different values of a field, 1,000 at most."""
        definition, condition_ = readable(world, table, where)
        of = readable_field(world, definition, field)
        statement = select(of).where(belongs(world, definition), condition(condition_, definition)).distinct()
        async with self._database.unit_of_work(world.tenant) as connection:
            return list((await connection.execute(statement.order_by(of).limit(MOST_ROWS))).scalars())

    async def search(self, world: Reader, table: str, words: str, limit: int = 10) -> list[Row]:
        """Rows whose texts have most of the trigrams of the words; the newest 20,000 are looked at."""
        definition, _ = readable(world, table, None)
        wanted = func.engine.trigrams(literal(words[:LONGEST_WORDS], Text))
        rows = select(*SHOWN, ROWS.c.place).where(belongs(world, definition)).order_by(ROWS.c.place.desc())
        newest = rows.limit(MOST_SEARCHED).subquery("newest")
        likeness = func.engine.likeness(texts_of(world, definition, newest), wanted)
        found = select(newest, likeness.label("likeness")).cte("found").prefix_with("MATERIALIZED")
        ordered = select(found).where(found.c.likeness >= LIKENESS).order_by(found.c.likeness.desc(), found.c.place)
        return await self._rows(world, definition, ordered.limit(allowed(world, limit)))

    async def autocomplete(self, world: Reader, table: str, beginning: str, limit: int = 10) -> list[str]:
        """Texts that begin so."""
        definition, _ = readable(world, table, None)
        low = func.lower(literal(beginning[:LONGEST_WORDS], Text))
        each = func.jsonb_each_text(ROWS.c.data).table_valued("key", "value").lateral("each")
        chosen = [
            belongs(world, definition),
            func.starts_with(func.lower(each.c.value), low),
            *seen(world, definition, each.c.key),
        ]
        statement = (
            select(each.c.value).select_from(ROWS.join(each, literal(value=True))).where(and_(*chosen)).distinct()
        )
        async with self._database.unit_of_work(world.tenant) as connection:
            ordered = statement.order_by(each.c.value).limit(max(1, min(limit, MOST_COMPLETIONS)))
            return list((await connection.execute(ordered)).scalars())

    async def query(self, world: Reader, parts: Sequence[Value]) -> list[Row]:
        """A SELECT of the bot's author."""
        async with self._database.unit_of_work(world.tenant) as connection:
            return await run_query(connection, world, parts)

    async def write(self, world: Reader, writes: Sequence[Write]) -> list[Value]:
        """All or nothing, once for a key."""
        if len(writes) > MOST_WRITES:
            message = f"a transaction may have {MOST_WRITES} changes, got {len(writes)}"
            raise ProgramError(message)
        asked = asked_of(world)
        try:
            async with self._database.unit_of_work(world.tenant) as connection:
                earlier = await self._requests.claim(connection, asked, wrappers_pb2.StringValue)
                if earlier is not None:
                    return list(json.loads(earlier.value))
                writing = Writing(connection, world, self._watch)
                await writing.lock({table_name(write["table"]) for write in writes})
                found = [await writing.perform(write) for write in writes]
                await self._requests.answer(connection, asked, wrappers_pb2.StringValue(value=json.dumps(found)))
        except AlreadyExists:
            message = "another row has the same id or key already"
            raise ProgramError(message) from None
        return found

    async def once(self, world: Reader, work: Callable[[], Awaitable[list[Value]]]) -> list[Value]:
        """What work gives, or gave when this effect came before.

        Work that was done and whose answer could not be kept, because the process died in between, is done again.
        """
        asked = asked_of(world)
        async with self._database.unit_of_work(world.tenant) as connection:
            earlier = await self._requests.claim(connection, asked, wrappers_pb2.StringValue)
            if earlier is not None:
                return list(json.loads(earlier.value))
            found = await work()
            await self._requests.answer(connection, asked, wrappers_pb2.StringValue(value=json.dumps(found)))
        return found


def asked_of(world: Reader) -> Asked:
    """An effect as the log of requests knows it; its arguments may tell the time, so they are no part of it."""
    if not world.key:
        return Asked()
    identity = {
        "tenant": scope(world, TableDefinition(""))["tenant"],
        "subject": world.bot,
        "request_id": derived_id("tables", world.bot, world.key),
    }
    return Asked(identity, ANSWER)


def belongs(world: Reader, table: TableDefinition) -> ColumnElement[bool]:
    """Rows of this table of this bot of this tenant."""
    given = scope(world, table)
    return and_(ROWS.c.tenant_id == given["tenant"], ROWS.c.bot_id == given["bot"], ROWS.c.table_name == given["table"])


def readable_field(world: Reader, table: TableDefinition, name: str) -> ColumnElement[Any]:
    """A field this person may read. ProgramError."""
    stored = known(table, field_name(name))
    allow_field(world, table, stored, "read")
    return field(stored)


def ordering(world: Reader, table: TableDefinition, order: str) -> list[ColumnElement[Any]]:
    """ORDER BY as lists.in_order sorts: nothing, numbers, texts; then as they were made."""
    found: list[ColumnElement[Any]] = []
    for name, falling in orders(order) if order.strip() else ():
        of = readable_field(world, table, name)
        word, number = func.engine.text_of(of), func.engine.number_in(of)
        rank = case((word == "", 0), (number.is_not(None), 1), else_=2)
        keys = [rank, func.coalesce(number, 0), func.lower(word).collate("C")]
        found += [key.desc() if falling else key.asc() for key in keys]
    return [*found, ROWS.c.place]


def texts_of(world: Reader, table: TableDefinition, rows: Subquery) -> ColumnElement[Any]:
    """All values of each of the rows that this person may read, as one text."""
    each = func.jsonb_each_text(rows.c.data).table_valued("key", "value", name="one")
    return (
        select(func.coalesce(func.string_agg(each.c.value, " "), ""))
        .where(*seen(world, table, each.c.key))
        .correlate(rows)
        .scalar_subquery()
    )


def seen(world: Reader, table: TableDefinition, key: ColumnElement[Any]) -> list[ColumnElement[bool]]:
    """Only fields this person may read."""
    names = visible(world, table)
    return [] if names is None else [key.in_(sorted(names))]

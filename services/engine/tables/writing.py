"""Changes of rows, inside one transaction. Whoever changes a table has it alone until the transaction ends."""

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

from sqlalchemy import ARRAY, Text, and_, any_, func, literal, or_, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.common.identifiers import derived_id
from services.engine.program.values import ProgramError, Value, equal, text_of
from services.engine.tables.access import (
    allow_field,
    complete,
    id_of,
    key_of,
    readable,
    shown,
    stored_fields,
    writable,
)
from services.engine.tables.definition import NUMBERS, FieldDefinition, TableDefinition, fitted
from services.engine.tables.filter_sql import ROWS, condition, json_of
from services.engine.tables.filter_sql import field as field_sql
from services.engine.tables.filters import filter_of
from services.engine.tables.names import field_name, field_of, table_name
from services.engine.tables.port import Reader, Row
from services.engine.tables.scope import scope
from services.engine.tables.writes import Write

TEXT_LIST = ARRAY(Text)
CREATED = FieldDefinition("created_at", "datetime")
COLUMNS = "r.id, r.data, r.created_at, r.updated_at"
LOCK = text("SELECT pg_advisory_xact_lock(hashtextextended(:name, 0))")
INSERT = text("""INSERT INTO engine.table_rows AS r
    (tenant_id, bot_id, table_name, id, unique_key, data, created_by, created_at)
SELECT :tenant, :bot, :table, given.id, given.unique_key, given.data, :user, coalesce(given.created_at, now())
FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS given
    (place integer, id text, unique_key text, data jsonb, created_at timestamptz)
ORDER BY given.place RETURNING r.id, r.data, r.created_at, r.updated_at""")
UPDATE = text("""UPDATE engine.table_rows AS r SET data = r.data || given.data,
    unique_key = coalesce(given.unique_key, r.unique_key), version = r.version + 1, updated_at = now(),
    created_at = coalesce(given.created_at, r.created_at)
FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS given (id text, unique_key text, data jsonb, created_at timestamptz)
WHERE r.tenant_id = :tenant AND r.bot_id = :bot AND r.table_name = :table AND r.id = given.id
RETURNING r.id, r.data, r.created_at, r.updated_at""")
LAST_NUMBER = text("""SELECT coalesce(max(id::bigint), 0) FROM engine.table_rows
WHERE tenant_id = :tenant AND bot_id = :bot AND table_name = :table AND id ~ '^[0-9]{1,15}$'""")


class Watch(Protocol):
    """Who wants to know of changes, in the transaction that makes them."""

    async def changed(
        self, connection: AsyncConnection, world: Reader, table: str, event: str, rows: list[Row]
    ) -> None:
        """event: insert, update or delete."""


@dataclass(slots=True)
class Prepared:
    """A row on its way: what was said of it, as its table keeps it."""

    identifier: str
    fields: dict[str, Value]
    key: str | None
    created: Value = None


@dataclass(slots=True)
class Batch:
    """Rows to make and rows to change, by id."""

    new: dict[str, Prepared] = field(default_factory=dict)
    changed: dict[str, Prepared] = field(default_factory=dict)


class Writing:
    """One transaction's changes."""

    def __init__(self, connection: AsyncConnection, world: Reader, watch: Watch | None) -> None:
        self._connection = connection
        self._world = world
        self._watch = watch
        self._made = 0

    async def lock(self, tables: set[str]) -> None:
        """Have these tables alone, in one order for everybody."""
        for name in sorted(tables):
            await self._connection.execute(LOCK, {"name": f"{self._world.tenant}/{self._world.bot}/{name}"})

    async def perform(self, write: Write) -> Value:
        """One change; what it gives."""
        operations: dict[str, Callable[[TableDefinition, Write], Awaitable[Value]]] = {
            "save": self._save,
            "insert": self._insert,
            "update": self._update,
            "delete": self._delete,
            "merge": self._merge,
        }
        table = writable(self._world, table_name(write["table"]))
        return await operations[write["op"]](table, write)

    def _parameters(self, table: TableDefinition) -> dict[str, Any]:
        return scope(self._world, table)

    # rows that are said

    def _prepared(self, table: TableDefinition, row: Row) -> Prepared:
        fields = stored_fields(self._world, table, row)
        created = field_of(row, "created_at")
        return Prepared(
            id_of(table, field_of(row, "id")),
            fields,
            key_of(table, fields),
            fitted(table.name, CREATED, created) if created not in (None, "") else None,
        )

    async def _save(self, table: TableDefinition, write: Write) -> Value:
        return await self._put(table, [self._prepared(table, row) for row in write["rows"]], only_new=False)

    async def _insert(self, table: TableDefinition, write: Write) -> Value:
        return await self._put(table, [self._prepared(table, row) for row in write["rows"]], only_new=True)

    async def _put(self, table: TableDefinition, rows: list[Prepared], *, only_new: bool) -> Value:
        """Make or change rows; the rows as they are now, in the order they were said."""
        by_key = await self._known(table, rows)
        batch, ids = Batch(), []
        for row in rows:
            identifier = row.identifier or (by_key.get(f"key {row.key}", "") if row.key else "")
            if identifier and f"id {identifier}" in by_key:
                if only_new:
                    raise taken(table, row, identifier)
                merge_into(batch.changed, identifier, row)
            else:
                if only_new and identifier in batch.new:
                    raise taken(table, row, identifier)
                identifier = identifier or await self._new_identifier(table)
                merge_into(batch.new, identifier, row)
                by_key |= {f"key {row.key}": identifier} if row.key else {}
            ids.append(identifier)
        found = await self._flush(table, batch)
        return [found[identifier] for identifier in ids]

    async def _known(self, table: TableDefinition, rows: list[Prepared]) -> dict[str, str]:
        """Ids of the rows that are there, by "id ..." and "key ..."."""
        keys = sorted({row.key for row in rows if row.key})
        ids = [row.identifier for row in rows if row.identifier]
        if not ids and not keys:
            return {}
        wanted = [ROWS.c.id == any_(literal(ids, TEXT_LIST))]
        if keys:
            old = and_(
                ROWS.c.unique_key.is_(None),
                func.engine.text_of(field_sql(table.key)) == any_(literal(keys, TEXT_LIST)),
            )
            wanted += [ROWS.c.unique_key == any_(literal(keys, TEXT_LIST)), old]
        key = func.engine.text_of(field_sql(table.key)) if keys else ROWS.c.unique_key
        statement = select(ROWS.c.id, key.label("key")).where(self._where(table), or_(*wanted))
        found: dict[str, str] = {}
        for row in await self._connection.execute(statement):
            found |= {f"id {row.id}": row.id} | ({f"key {row.key}": row.id} if row.key else {})
        return found

    def _where(self, table: TableDefinition) -> Any:  # noqa: ANN401 - a condition
        given = self._parameters(table)
        return and_(
            ROWS.c.tenant_id == given["tenant"], ROWS.c.bot_id == given["bot"], ROWS.c.table_name == given["table"]
        )

    async def _new_identifier(self, table: TableDefinition) -> str:
        """A number where ids were declared as numbers, else a UUID; the same when the effect is repeated."""
        self._made += 1
        definition = table.fields.get("id")
        if definition is not None and definition.kind in NUMBERS:
            last = (await self._connection.execute(LAST_NUMBER, self._parameters(table))).scalar_one()
            self._numbers = max(getattr(self, "_numbers", 0), last) + 1
            return str(self._numbers)
        return str(derived_id("table row", self._world.key or id(self), table.name, self._made))

    async def _flush(self, table: TableDefinition, batch: Batch) -> dict[str, Row]:
        """Write a batch; the rows by id."""
        new = [
            document(identifier, row, complete(self._world, table, row.fields)) | {"place": place}
            for place, (identifier, row) in enumerate(batch.new.items())
        ]
        changed = [document(identifier, row, row.fields) for identifier, row in batch.changed.items()]
        found: dict[str, Row] = {}
        for statement, event, rows in ((INSERT, "insert", new), (UPDATE, "update", changed)):
            if rows:
                parameters = self._parameters(table) | {"rows": json.dumps(rows), "user": self._world.user}
                if statement is UPDATE:
                    del parameters["user"]
                result = await self._connection.execute(statement, parameters)
                made = [shown(self._world, table, row) for row in result]
                found |= {text_of(row["id"]): row for row in made}
                await self._tell(table, event, made)
        return found

    async def _tell(self, table: TableDefinition, event: str, rows: list[Row]) -> None:
        if self._watch is not None and rows:
            await self._watch.changed(self._connection, self._world, table.name, event, rows)

    # rows that are found

    async def _update(self, table: TableDefinition, write: Write) -> Value:
        given = {key: value for key, value in write["set"].items() if field_name(key) != "id"}
        fields = stored_fields(self._world, table, given)
        _, where = readable(self._world, table.name, filter_of(write["where"]))
        values: dict[Any, Any] = {
            ROWS.c.data: ROWS.c.data.op("||")(json_of(fields)),
            ROWS.c.version: ROWS.c.version + 1,
            ROWS.c.updated_at: func.now(),
        }
        if key_of(table, fields) is not None:
            values[ROWS.c.unique_key] = key_of(table, fields)
        statement = (
            ROWS.update()
            .where(self._where(table), condition(where, table))
            .values(values)
            .returning(ROWS.c.id, ROWS.c.data, ROWS.c.created_at, ROWS.c.updated_at)
        )
        return await self._counted(table, "update", statement)

    async def _delete(self, table: TableDefinition, write: Write) -> Value:
        _, where = readable(self._world, table.name, filter_of(write["where"]))
        statement = (
            ROWS.delete()
            .where(self._where(table), condition(where, table))
            .returning(ROWS.c.id, ROWS.c.data, ROWS.c.created_at, ROWS.c.updated_at)
        )
        return await self._counted(table, "delete", statement)

    async def _counted(self, table: TableDefinition, event: str, statement: Any) -> int:  # noqa: ANN401
        result = await self._connection.execute(statement)
        if self._watch is None:
            return len(result.all())
        rows = [shown(self._world, table, row) for row in result]
        await self._tell(table, event, rows)
        return len(rows)

    # merging

    async def _merge(self, table: TableDefinition, write: Write) -> Value:
        """Rows whose key is there are changed where they differ, the others made."""
        key = field_name(write["key"], "key")
        allow_field(self._world, table, key, "read")
        wanted = {field_name(name) for name in write.get("columns") or ()}
        rows = [self._prepared(table, row) for row in write["rows"]]
        keys = [key_value(table, key, row) for row in rows]
        there = await self._by_field(table, key, keys)
        batch, unchanged = Batch(), 0
        for value, row in zip(keys, rows, strict=True):
            old = there.get(value)
            if old is None:
                identifier = row.identifier or await self._new_identifier(table)
                merge_into(batch.new, identifier, row)
                there[value] = (identifier, dict(row.fields))
                continue
            identifier, data = old
            fields = {name: item for name, item in row.fields.items() if not wanted or name in wanted}
            if all(name in data and identical(data[name], item) for name, item in fields.items()):
                unchanged += 1
                continue
            data.update(fields)
            target = batch.new if identifier in batch.new else batch.changed
            merge_into(target, identifier, Prepared(identifier, fields, key_of(table, fields)))
        await self._flush(table, batch)
        counts = {"inserted": len(batch.new), "updated": len(batch.changed), "unchanged": unchanged}
        return {**counts, "total": len(rows)}

    async def _by_field(
        self, table: TableDefinition, key: str, values: list[str]
    ) -> dict[str, tuple[str, dict[str, Value]]]:
        """Rows by what they have in a field: id and data."""
        of = ROWS.c.id if key == "id" else func.engine.text_of(field_sql(key))
        statement = (
            select(ROWS.c.id, ROWS.c.data, of.label("value"))
            .where(self._where(table), of == any_(literal(sorted(set(values)), TEXT_LIST)))
            .order_by(ROWS.c.place.desc())
        )
        return {row.value: (row.id, dict(row.data)) for row in await self._connection.execute(statement)}


def merge_into(rows: dict[str, Prepared], identifier: str, row: Prepared) -> None:
    """Add a row, or what it says to one of the same id that came before."""
    known = rows.get(identifier)
    if known is None:
        rows[identifier] = Prepared(identifier, dict(row.fields), row.key, row.created)
        return
    known.fields.update(row.fields)
    known.key = row.key or known.key
    known.created = row.created or known.created


def document(identifier: str, row: Prepared, fields: dict[str, Value]) -> dict[str, Value]:
    """A row as the statements take it."""
    created = f"{row.created}+00" if row.created else None
    return {"id": identifier, "unique_key": row.key, "data": fields, "created_at": created}


def taken(table: TableDefinition, row: Prepared, identifier: str) -> ProgramError:
    """A row is there."""
    what = f"{table.key} {row.key!r}" if row.key and not row.identifier else f"id {identifier!r}"
    return ProgramError(f"{table.name} has a row with the {what} already; SAVE changes it")


def key_value(table: TableDefinition, key: str, row: Prepared) -> str:
    """What a row to merge has in the key. ProgramError when it has nothing there."""
    value = row.identifier if key == "id" else row.fields.get(key)
    if value is None or value == "":
        message = f"MERGE {table.name}: every row needs a {key}"
        raise ProgramError(message)
    return text_of(value)


def identical(old: Value, new: Value) -> bool:
    """Whether a field stays as it is."""
    return bool(old == new) if isinstance(old, str) or isinstance(new, list | dict) else equal(old, new)

"""Which table is meant, who may see and change it, and how its rows look to them."""

import datetime
from collections.abc import Iterable
from typing import Any

from services.engine.program.values import ProgramError, Value, text_of
from services.engine.tables.definition import (
    NUMBERS,
    FieldDefinition,
    TableDefinition,
    default_of,
    fitted,
    known,
    typed,
)
from services.engine.tables.filters import Filter, fields_in
from services.engine.tables.names import PROTECTED, field_name, table_name
from services.engine.tables.port import Reader, Row

SYSTEM = frozenset({"id", "created_at", "updated_at"})
LONGEST_ID = 255
LARGEST_ROW = 262_144


def table_of(world: Reader, name: str) -> TableDefinition:
    """A table of the version that runs; one that was never declared takes anything. ProgramError for no name."""
    stored = table_name(name)
    return world.tables.get(stored) or TableDefinition(stored)


def readable(world: Reader, name: str, where: Filter) -> tuple[TableDefinition, Filter]:
    """A table this person may read, and the filter over fields they may read. ProgramError."""
    table = table_of(world, name)
    allow(world, table.read_by, f"read {table.name}")
    for field in fields_in(where):
        allow_field(world, table, field, "read")
    return table, typed(table, where)


def writable(world: Reader, name: str) -> TableDefinition:
    """A table this person may write. ProgramError."""
    table = table_of(world, name)
    allow(world, table.write_by, f"change {table.name}")
    return table


def allow(world: Reader, roles: frozenset[str], what: str) -> None:
    """ProgramError unless the person has one of the roles; no roles are everybody's."""
    if roles and not roles & {role.lower() for role in world.roles}:
        message = f"this person may not {what}: it is for {', '.join(sorted(roles))}"
        raise ProgramError(message)


def allow_field(world: Reader, table: TableDefinition, field: str, right: str) -> None:
    """ProgramError unless the person may read or write a field."""
    definition = table.fields.get(field)
    if definition is not None:
        roles = definition.read_by if right == "read" else definition.write_by
        allow(world, roles, f"{'read' if right == 'read' else 'change'} {table.name}.{field}")


def visible(world: Reader, table: TableDefinition) -> frozenset[str] | None:
    """Fields a person sees; None when a table was never declared and shows all it has."""
    if not table.declared:
        return None
    roles = {role.lower() for role in world.roles}
    hidden = {name for name, item in table.fields.items() if item.read_by and not item.read_by & roles}
    return (frozenset(table.fields) | PROTECTED) - hidden


def shown(world: Reader, table: TableDefinition, row: Any) -> Row:  # noqa: ANN401 - a row of the database
    """A row as scripts see it: its id, its fields in the order of the definition, when it was made and changed."""
    seen = visible(world, table)
    data: dict[str, Value] = row.data
    made: Row = {"id": identifier(table, row.id)}
    names: Iterable[str] = [*table.fields, *(name for name in data if name not in table.fields)]
    for name in names:
        if name not in SYSTEM and (seen is None or name in seen) and (name in data or name in table.fields):
            made[name] = data.get(name)
    made["created_at"] = written(row.created_at)
    made["updated_at"] = written(row.updated_at)
    return made


def written(moment: datetime.datetime) -> str:
    """A point in time as scripts see it, UTC."""
    return moment.astimezone(datetime.UTC).strftime("%Y-%m-%d %H:%M:%S")


def identifier(table: TableDefinition, stored: str) -> Value:
    """The id as its definition has it: a number where it was declared as one."""
    definition = table.fields.get("id")
    if definition is not None and definition.kind in NUMBERS and stored.isdecimal() and str(int(stored)) == stored:
        return int(stored)
    return stored


def id_of(table: TableDefinition, value: Value) -> str:
    """The id a row gets, empty when none was said. ProgramError for what can be none."""
    if value is None or value == "":
        return ""
    if isinstance(value, list | dict | bool):
        message = f"{table.name}.id: expected a text or a number, got {text_of(value)[:60]!r}"
        raise ProgramError(message)
    definition = table.fields.get("id")
    text = text_of(fitted(table.name, definition, value) if definition is not None else value).strip()
    if len(text) > LONGEST_ID or "\x00" in text:
        message = f"{table.name}.id: expected at most {LONGEST_ID} characters"
        raise ProgramError(message)
    return text


def stored_fields(world: Reader, table: TableDefinition, row: Row) -> dict[str, Value]:
    """The fields of a row as they are kept, whatever the case of their names. ProgramError for what does not fit."""
    found: dict[str, Value] = {}
    for key, value in row.items():
        name = known(table, field_name(key))
        if name in SYSTEM:
            continue
        allow_field(world, table, name, "write")
        found[name] = fit(table, table.fields.get(name), value)
    weigh(table, found)
    return found


def fit(table: TableDefinition, definition: FieldDefinition | None, value: Value) -> Value:
    """A value as its field keeps it; without a definition as it is, NOW as the text it reads as."""
    if definition is not None:
        return fitted(table.name, definition, value)
    return text_of(value) if isinstance(value, dict) and "formatted" in value else value


def weigh(table: TableDefinition, fields: dict[str, Value]) -> None:
    """ProgramError for a row that is too large, or cannot be stored."""
    if "\x00" in text_of(fields):
        message = f"{table.name}: a text holds the character U+0000, which cannot be stored"
        raise ProgramError(message)
    if len(text_of(fields)) > LARGEST_ROW:
        message = f"{table.name}: a row may have {LARGEST_ROW} characters"
        raise ProgramError(message)


def complete(world: Reader, table: TableDefinition, fields: dict[str, Value]) -> dict[str, Value]:
    """A new row: defaults for what was not said. ProgramError for what must be."""
    made = dict(fields)
    for name, definition in table.fields.items():
        if name not in made and name not in SYSTEM and (definition.required or definition.default is not None):
            made[name] = fit(table, definition, default_of(definition, world.clock))
    return made


def key_of(table: TableDefinition, fields: dict[str, Value]) -> str | None:
    """What the key field holds, as text; None without one."""
    value = fields.get(table.key) if table.key else None
    return None if value is None or value == "" else text_of(value)

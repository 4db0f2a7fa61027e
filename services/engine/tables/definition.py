"""What TABLE ... END TABLE says of a table, and whether a value fits it."""

import datetime
import json
import math
import re
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from services.engine.keywords.functions import dates
from services.engine.program.values import ProgramError, Value, is_number, number_of, text_of, truthy
from services.engine.tables.filters import Filter
from services.engine.tables.names import PROTECTED, field_name, nearest, table_name

KINDS = {
    **dict.fromkeys(("string", "text", "char", "varchar", "email", "phone", "url", "name", "file", "citext"), "string"),
    **dict.fromkeys(("number", "numeric", "decimal", "money", "currency"), "number"),
    **dict.fromkeys(("double", "float", "real"), "double"),
    **dict.fromkeys(("integer", "int", "bigint", "smallint", "serial", "bigserial"), "integer"),
    **dict.fromkeys(("boolean", "bool"), "boolean"),
    **dict.fromkeys(("datetime", "timestamp", "timestamptz"), "datetime"),
    **dict.fromkeys(("guid", "uuid"), "guid"),
    **dict.fromkeys(("object", "map", "json", "jsonb"), "object"),
    **dict.fromkeys(("array", "list"), "array"),
    "date": "date",
    "time": "string",
}
TEXTS = frozenset({"string", "guid", "date", "datetime"})
NUMBERS = frozenset({"number", "double", "integer"})
YES = frozenset({"true", "yes", "y", "1", "on", "sim", "s", "si", "sí", "oui", "ja", "verdadeiro"})
NO = frozenset({"false", "no", "n", "0", "off", "nao", "não", "non", "nein", "falso"})
NOW = re.compile(r"(now|current_timestamp|current_date|today)(\(\))?", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class FieldDefinition:
    """One column. kind: string number double integer boolean date datetime guid object array, or any."""

    name: str
    kind: str
    length: int = 0
    precision: int | None = None
    key: bool = False
    required: bool = False
    references: str = ""
    default: Value = None
    read_by: frozenset[str] = frozenset()
    write_by: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class TableDefinition:
    """A table. Without fields it was never declared, and takes whatever is put in. connection: where its rows are."""

    name: str
    connection: str = ""
    fields: Mapping[str, FieldDefinition] = field(default_factory=dict)
    read_by: frozenset[str] = frozenset()
    write_by: frozenset[str] = frozenset()

    @property
    def declared(self) -> bool:
        """Whether it has a definition."""
        return bool(self.fields)

    @property
    def key(self) -> str:
        """The field that tells rows apart beside the id; empty without one."""
        return next((item.name for item in self.fields.values() if item.key and item.name != "id"), "")

    def has(self, name: str) -> bool:
        """Whether a row may have such a field."""
        return not self.fields or name in self.fields or name in PROTECTED


def problems(declaration: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """What is wrong with a table as it was declared: severity and words."""
    try:
        table_name(str(declaration["name"]).rpartition(".")[2])
        for item in declaration.get("fields", ()):
            field_name(item["name"])
            written = str(item.get("type") or "string").lower()
            if written not in KINDS:
                yield (
                    "warning",
                    f"{declaration['name']}.{item['name']}: there is no type {written}; it takes any value"
                    + nearest(written, KINDS),
                )
    except ProgramError as error:
        yield "error", str(error)


def definitions_of(declarations: Iterable[Mapping[str, Any]]) -> dict[str, TableDefinition]:
    """Tables by name, of the declarations of a version. ProgramError for a name that is none."""
    found = (definition_of(item) for item in declarations if item.get("kind", "table") == "table")
    return {item.name: item for item in found}


def definition_of(declaration: Mapping[str, Any]) -> TableDefinition:
    """One table."""
    name = table_name(str(declaration["name"]).rpartition(".")[2])
    fields = (field_of_declaration(item) for item in declaration.get("fields", ()))
    return TableDefinition(
        name=name,
        connection=str(declaration.get("connection") or ""),
        fields={item.name: item for item in fields},
        read_by=roles_of(declaration.get("read_by")),
        write_by=roles_of(declaration.get("write_by")),
    )


def field_of_declaration(item: Mapping[str, Any]) -> FieldDefinition:
    """One column."""
    return FieldDefinition(
        name=field_name(item["name"]),
        kind=KINDS.get(str(item.get("type") or "string").lower(), "any"),
        length=int(item.get("length") or 0),
        precision=int(item["precision"]) if item.get("precision") is not None else None,
        key=bool(item.get("key")),
        required=bool(item.get("required")),
        references=str(item.get("references") or ""),
        default=item.get("default"),
        read_by=roles_of(item.get("read_by")),
        write_by=roles_of(item.get("write_by")),
    )


def roles_of(given: Iterable[str] | None) -> frozenset[str]:
    """Names of roles."""
    return frozenset(role.strip().lower() for role in given or () if role.strip())


class Misfit(Exception):
    """What a field expected."""


def as_text(definition: FieldDefinition, value: Value) -> Value:
    """Text of the length there is room for."""
    if isinstance(value, list) or (isinstance(value, dict) and "formatted" not in value):
        raise Misfit("a text")
    text = text_of(value)
    if definition.length and len(text) > definition.length:
        raise Misfit(f"a text of at most {definition.length} characters")
    return text


def as_number(definition: FieldDefinition, value: Value) -> Value:
    """A number, rounded to its precision."""
    if not is_number(value) and not isinstance(value, bool):
        raise Misfit("a number")
    number = number_of(value)
    if definition.precision is not None:
        number = round(number, definition.precision)
        if definition.length and abs(number) >= 10 ** (definition.length - definition.precision):
            raise Misfit(f"a number of {definition.length} digits, {definition.precision} of them after the point")
    return number


def as_double(_: FieldDefinition, value: Value) -> Value:
    """A number."""
    if not is_number(value) and not isinstance(value, bool):
        raise Misfit("a number")
    return number_of(value)


def as_integer(_: FieldDefinition, value: Value) -> Value:
    """A whole number."""
    if isinstance(value, bool) or (is_number(value) and math.trunc(number_of(value)) == number_of(value)):
        return int(number_of(value))
    raise Misfit("a whole number")


def as_boolean(_: FieldDefinition, value: Value) -> Value:
    """Yes or no, in words of several languages."""
    if isinstance(value, bool | int | float):
        return truthy(value)
    low = text_of(value).strip().lower()
    if isinstance(value, str) and (low in YES or low in NO):
        return low in YES
    raise Misfit("true or false")


def moment_of(value: Value, expected: str) -> datetime.datetime:
    """A point in time, UTC."""
    if isinstance(value, bool | int | float | list):
        raise Misfit(expected)
    try:
        return dates.parse(value).astimezone(datetime.UTC)
    except (ProgramError, OverflowError, ValueError, OSError):
        raise Misfit(expected) from None


def as_date(_: FieldDefinition, value: Value) -> Value:
    """2026-12-24."""
    return moment_of(value, "a date").date().isoformat()


def as_datetime(_: FieldDefinition, value: Value) -> Value:
    """2026-12-24 18:30:00, UTC."""
    return moment_of(value, "a date and time").strftime("%Y-%m-%d %H:%M:%S")


def as_guid(_: FieldDefinition, value: Value) -> Value:
    """A UUID in lower case."""
    try:
        return str(uuid.UUID(text_of(value).strip()))
    except ValueError:
        raise Misfit("a GUID") from None


def as_object(_: FieldDefinition, value: Value) -> Value:
    """An object, or a text that is one as JSON."""
    found = from_json(value)
    if not isinstance(found, dict | list):
        raise Misfit("an object")
    return found


def as_array(_: FieldDefinition, value: Value) -> Value:
    """A list, or a text that is one as JSON."""
    found = from_json(value)
    if not isinstance(found, list):
        raise Misfit("a list")
    return found


def from_json(value: Value) -> Value:
    """A value, or the value in a text."""
    if isinstance(value, str):
        try:
            return json.loads(value)
        except (ValueError, RecursionError):
            return None
    return value


CONVERT: dict[str, Callable[[FieldDefinition, Value], Value]] = {
    "string": as_text,
    "number": as_number,
    "double": as_double,
    "integer": as_integer,
    "boolean": as_boolean,
    "date": as_date,
    "datetime": as_datetime,
    "guid": as_guid,
    "object": as_object,
    "array": as_array,
    "any": lambda _, value: text_of(value) if isinstance(value, dict) and "formatted" in value else value,
}


def fitted(table: str, definition: FieldDefinition, value: Value) -> Value:
    """A value as the field keeps it. ProgramError naming table, field, what was expected and what came."""
    if value is None or (value == "" and definition.kind != "string"):
        if definition.required:
            message = f"{table}.{definition.name}: expected a value, got NULL"
            raise ProgramError(message)
        return None
    try:
        return CONVERT[definition.kind](definition, value)
    except Misfit as misfit:
        message = f"{table}.{definition.name}: expected {misfit}, got {text_of(value)[:60]!r}"
        raise ProgramError(message) from None


def default_of(definition: FieldDefinition, clock: Callable[[], datetime.datetime]) -> Value:
    """What a new row has when nothing is said."""
    if isinstance(definition.default, str) and NOW.fullmatch(definition.default.strip()):
        return dates.now_object(clock())
    return definition.default


def known(table: TableDefinition, name: str) -> str:
    """A name of one of the fields. ProgramError when a declared table has none such."""
    if not table.has(name):
        message = f"{table.name} has no field {name}{nearest(name, table.fields)} (it has {', '.join(table.fields)})"
        raise ProgramError(message)
    return name


def typed(table: TableDefinition, given: Filter) -> Filter:
    """A filter whose values are as the fields keep them: a date as a date, whatever way it was written."""
    if given is None:
        return None
    if given[0] in {"and", "or", "not"}:
        return [given[0], *(typed(table, item) for item in given[1:])]
    if given[0] == "column":
        return [*given[:2], known(table, given[2]), known(table, given[3])]
    name = known(table, given[1])
    if len(given) < 3:
        return given
    definition = table.fields.get(name)
    if isinstance(given[2], list):
        return [given[0], name, [operand(definition, item) for item in given[2]]]
    if given[0] in {"like", "contains"}:
        return [given[0], name, given[2]]
    return [given[0], name, operand(definition, given[2])]


def operand(definition: FieldDefinition | None, value: Value) -> Value:
    """What a field is compared with; what does not fit it stays as it is, and is equal to nothing in it."""
    if definition is None or value is None or value == "":
        return value
    if definition.kind not in {"date", "datetime", "guid", "boolean"}:
        return value
    try:
        if definition.kind == "datetime" and isinstance(value, str) and len(value.strip()) <= 10:
            return as_date(definition, value)
        return CONVERT[definition.kind](definition, value)
    except Misfit:
        return value

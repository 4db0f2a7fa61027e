"""Filters as SQL over rows of engine.table_rows. Every value is a parameter; names have been checked."""

import json
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    DateTime,
    Integer,
    MetaData,
    Numeric,
    String,
    Table,
    Text,
    Uuid,
    and_,
    bindparam,
    case,
    cast,
    false,
    func,
    literal,
    not_,
    or_,
    true,
)
from sqlalchemy import Column as SqlColumn
from sqlalchemy.dialects.postgresql import JSONB

from services.engine.program.values import Value, is_number, text_of
from services.engine.tables.definition import NUMBERS, TEXTS, TableDefinition
from services.engine.tables.filters import Filter

ROWS = Table(
    "table_rows",
    MetaData(schema="engine"),
    SqlColumn("tenant_id", Uuid, primary_key=True),
    SqlColumn("bot_id", String, primary_key=True),
    SqlColumn("table_name", String, primary_key=True),
    SqlColumn("id", String, primary_key=True),
    SqlColumn("unique_key", Text),
    SqlColumn("data", JSONB),
    SqlColumn("place", BigInteger),
    SqlColumn("version", Integer),
    SqlColumn("created_by", String),
    SqlColumn("created_at", DateTime(timezone=True)),
    SqlColumn("updated_at", DateTime(timezone=True)),
)
TIMES = frozenset({"created_at", "updated_at"})
TIME_FORMAT = "YYYY-MM-DD HH24:MI:SS"
Json = ColumnElement[Any]
Condition = ColumnElement[bool]


def json_of(value: Value) -> Json:
    """A value as a jsonb parameter."""
    return cast(bindparam(None, json.dumps(value), type_=Text), JSONB)


def field(name: str) -> Json:
    """What a row has in a field, as jsonb."""
    if name == "id":
        return func.to_jsonb(cast(ROWS.c.id, Text))
    if name in TIMES:
        return func.to_jsonb(func.to_char(func.timezone("UTC", ROWS.c[name]), TIME_FORMAT))
    return func.jsonb_extract_path(ROWS.c.data, literal(name, Text))


def written(name: str) -> ColumnElement[Any]:
    """A field that holds a text, as text."""
    if name == "id":
        return cast(ROWS.c.id, Text)
    if name in TIMES:
        return func.to_char(func.timezone("UTC", ROWS.c[name]), TIME_FORMAT)
    return func.jsonb_extract_path_text(ROWS.c.data, literal(name, Text))


def condition(given: Filter, table: TableDefinition) -> Condition:
    """The condition of a filter, as in criteria.holds."""
    if given is None:
        return true()
    operator = given[0]
    if operator == "and":
        return and_(*(condition(item, table) for item in given[1:]))
    if operator == "or":
        return or_(*(condition(item, table) for item in given[1:]))
    if operator == "not":
        return not_(condition(given[1], table))
    if operator == "column":
        return between_fields(given[1], field(given[2]), field(given[3]))
    name = given[1]
    if operator == "is_null":
        return func.engine.is_nothing(field(name))
    if operator == "in":
        return or_(false(), *(same(table, name, item) for item in given[2]))
    if operator == "between":
        return and_(ordered(">=", name, given[2][0]), ordered("<=", name, given[2][1]))
    return compared(operator, name, given[2], table)


def compared(operator: str, name: str, wanted: Value, table: TableDefinition) -> Condition:
    """One field with one value."""
    if operator == "=":
        return same(table, name, wanted)
    if operator == "<>":
        return not_(same(table, name, wanted))
    if operator == "like":
        return false() if isinstance(wanted, list) else func.engine.fits(field(name), literal(text_of(wanted), Text))
    if operator == "contains":
        return func.engine.holds_within(field(name), json_of(wanted))
    return ordered(operator, name, wanted)


def between_fields(operator: str, left: Json, right: Json) -> Condition:
    """One field with another."""
    if operator in {"=", "<>"}:
        found = func.engine.same(left, right)
        return found if operator == "=" else not_(found)
    if operator == "like":
        return func.engine.fits(left, func.engine.text_of(right))
    if operator == "contains":
        return func.engine.holds_within(left, right)
    return func.coalesce(func.engine.ordered(left, right).op(operator, is_comparison=True)(0), false())


def same(table: TableDefinition, name: str, wanted: Value) -> Condition:
    """Equality. Ids are compared as texts, by their index; of fields whose type is known containment is enough."""
    number = isinstance(wanted, int | float) and not isinstance(wanted, bool)
    if name == "id" and (number or (isinstance(wanted, str) and wanted)):
        return ROWS.c.id == text_of(wanted)
    kind = table.fields[name].kind if name in table.fields else ""
    contained = ROWS.c.data.op("@>", is_comparison=True)(json_of({name: wanted}))
    if name in TIMES or not (number or (isinstance(wanted, str) and wanted)):
        return func.engine.same(field(name), json_of(wanted))
    if (kind in TEXTS and not number) or (kind in NUMBERS and number):
        return contained
    other = func.jsonb_typeof(field(name)).is_distinct_from("number" if number else "string")
    return or_(contained, and_(other, func.engine.same(field(name), json_of(wanted))))


def ordered(operator: str, name: str, wanted: Value) -> Condition:
    """< > <= >=; what has no order is on neither side. Numbers with numbers and words with words take a short way."""
    sign = func.engine.ordered(field(name), json_of(wanted))
    whole = func.coalesce(sign.op(operator, is_comparison=True)(0), false())
    kind = func.jsonb_typeof(field(name))
    if isinstance(wanted, int | float) and not isinstance(wanted, bool):
        short = cast(field(name), Numeric).op(operator, is_comparison=True)(cast(json_of(wanted), Numeric))
        return case((kind == "number", short), else_=whole)
    if isinstance(wanted, str) and wanted and not is_number(wanted):
        text = written(name).collate("C")
        return case((kind == "string", text.op(operator, is_comparison=True)(literal(wanted, Text))), else_=whole)
    return whole

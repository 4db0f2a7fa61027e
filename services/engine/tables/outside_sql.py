"""Filters and values for tables of other databases. Columns are those the database describes; values are parameters."""

import datetime
import decimal
import operator
import uuid
from typing import Any

from sqlalchemy import Column, ColumnElement, Table, and_, false, func, not_, or_, true
from sqlalchemy.sql import sqltypes

from services.engine.keywords.functions import dates
from services.engine.program.values import ProgramError, Value, is_number, number_of, text_of, truthy
from services.engine.tables.filters import Filter
from services.engine.tables.names import nearest

Condition = ColumnElement[bool]
COMPARISONS = {
    "=": operator.eq,
    "<>": operator.ne,
    "<": operator.lt,
    ">": operator.gt,
    "<=": operator.le,
    ">=": operator.ge,
}


class Misfit(Exception):
    """A value that a column cannot have."""


def column_of(table: Table, name: str) -> Column[Any]:
    """A column, whatever the case of its name. ProgramError."""
    found = next((item for item in table.columns if item.name.lower() == name.lower()), None)
    if found is None:
        names = [item.name for item in table.columns]
        message = f"{table.name} has no field {name}{nearest(name, names)} (it has {', '.join(names[:50])})"
        raise ProgramError(message)
    return found


def condition(given: Filter, table: Table) -> Condition:
    """The condition of a filter; what is unknown does not hold."""
    if given is None:
        return true()
    kind = given[0]
    if kind == "and":
        return and_(*(condition(item, table) for item in given[1:]))
    if kind == "or":
        return or_(*(condition(item, table) for item in given[1:]))
    if kind == "not":
        return not_(condition(given[1], table))
    if kind == "column":
        return known(compared(given[1], column_of(table, given[2]), column_of(table, given[3])))
    column = column_of(table, given[1])
    if kind == "is_null":
        return column.is_(None)
    if kind == "in":
        return or_(false(), *(one("=", column, item) for item in given[2]))
    if kind == "between":
        return and_(one(">=", column, given[2][0]), one("<=", column, given[2][1]))
    return one(kind, column, given[2])


def known(found: ColumnElement[Any]) -> Condition:
    """False instead of unknown."""
    return func.coalesce(found, false())


def one(kind: str, column: Column[Any], value: Value) -> Condition:
    """A column and a value."""
    if kind == "<>":
        return not_(one("=", column, value))
    if value is None or value == "":
        empty: Condition = column.is_(None)
        if isinstance(column.type, sqltypes.String):
            empty = or_(empty, column == "")
        return empty if kind == "=" else false()
    if kind in {"like", "contains"}:
        text = text_of(value).replace("*", "%") if kind == "like" else text_of(value)
        if kind == "contains" or ("%" not in text and "_" not in text):
            return known(func.lower(column.cast(sqltypes.String)).contains(text.lower(), autoescape=True))
        return known(func.lower(column.cast(sqltypes.String)).like(text.lower()))
    try:
        return known(compared(kind, column, native(column, value)))
    except Misfit:
        return false()


def compared(given: str, left: Any, right: Any) -> ColumnElement[Any]:  # noqa: ANN401 - columns and values
    """Two of a kind."""
    found: ColumnElement[Any] = COMPARISONS[given](left, right) if given in COMPARISONS else false()
    return found


def native(column: Column[Any], value: Value) -> Any:  # noqa: ANN401 - what the driver takes
    """A value as the column has it. Misfit."""
    kind = column.type
    if value is None:
        return None
    if isinstance(kind, sqltypes.Boolean):
        return truthy(value)
    if isinstance(kind, sqltypes.JSON):
        return value
    if isinstance(kind, sqltypes.Integer | sqltypes.Numeric):
        if not is_number(value) and not isinstance(value, bool):
            raise Misfit("a number")
        number = number_of(value)
        if isinstance(kind, sqltypes.Integer):
            if number != int(number):
                raise Misfit("a whole number")
            return int(number)
        return float(number) if isinstance(kind, sqltypes.Float) else decimal.Decimal(text_of(number))
    if isinstance(kind, sqltypes.DateTime | sqltypes.Date):
        return moment(kind, value)
    if isinstance(kind, sqltypes.Uuid):
        try:
            return uuid.UUID(text_of(value))
        except ValueError:
            raise Misfit("a GUID") from None
    if isinstance(value, list | dict) and "formatted" not in value:
        raise Misfit("a text")
    return text_of(value)


def moment(kind: Any, value: Value) -> Any:  # noqa: ANN401 - a type of SQLAlchemy
    """A date, or a date and time. Misfit."""
    try:
        found = dates.parse(value)
    except (ProgramError, ValueError, OverflowError):
        raise Misfit("a date") from None
    if isinstance(kind, sqltypes.Date):
        return found.date()
    return found if getattr(kind, "timezone", False) else found.astimezone(datetime.UTC).replace(tzinfo=None)


def stored(table: Table, row: dict[str, Value]) -> dict[str, Any]:
    """A row by its columns. ProgramError for a field or a value that does not fit."""
    found: dict[str, Any] = {}
    for name, value in row.items():
        column = column_of(table, name)
        try:
            found[column.name] = native(column, None if value == "" and not is_text(column) else value)
        except Misfit as misfit:
            message = f"{table.name}.{column.name}: expected {misfit}, got {text_of(value)[:60]!r}"
            raise ProgramError(message) from None
    return found


def is_text(column: Column[Any]) -> bool:
    """Whether it holds texts."""
    return isinstance(column.type, sqltypes.String)


def shown(row: Any) -> dict[str, Value]:  # noqa: ANN401 - a row
    """A row as scripts see it."""
    return {str(name): plain(value) for name, value in row._mapping.items()}  # noqa: SLF001 - its documented name


def plain(value: Any) -> Value:  # noqa: ANN401 - what a driver gives
    """A value of JSON."""
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, decimal.Decimal):
        whole = value == value.to_integral_value() and abs(value) < 2**53
        return int(value) if whole else float(value)
    if isinstance(value, datetime.datetime):
        moved = value.astimezone(datetime.UTC) if value.tzinfo else value
        return moved.strftime("%Y-%m-%d %H:%M:%S")
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    return "" if isinstance(value, bytes | memoryview) else str(value)

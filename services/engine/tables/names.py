"""Names of tables and fields: lower case, letters, digits and _; nothing else ever reaches a statement."""

import difflib
import re
from collections.abc import Iterable
from typing import Any

from services.engine.program.values import ProgramError, Value, text_of

NAME = re.compile(r"[a-z_][a-z0-9_]*")
LONGEST_NAME = 63
PROTECTED = frozenset(
    """id bot_id org_id user_id created_at updated_at deleted_at is_deleted version tenant_id""".split()
)


def field_name(value: Value, what: str = "field") -> str:
    """A name as it is stored. ProgramError for what is none."""
    name = text_of(value).strip().lower()
    if len(name) > LONGEST_NAME or not NAME.fullmatch(name):
        message = f"expected the name of a {what} (letters, digits and _), got {text_of(value)[:60]!r}"
        raise ProgramError(message)
    return name


def table_name(value: Value) -> str:
    """The name of a table as it is stored. ProgramError for what is none."""
    return field_name(value, "table")


def field_of(row: Any, name: str) -> Value:  # noqa: ANN401 - a row may be any value
    """A field of an object whatever the case of its name, and whatever stands between its words; NULL without it."""
    if not isinstance(row, dict):
        return None
    if name in row:
        return row[name]
    low = name.lower()
    for key, value in row.items():
        if key.lower() == low:
            return value
    plain = simple(low)
    return next((value for key, value in row.items() if simple(key.lower()) == plain), None)


def key_of(row: dict[str, Value], name: str) -> str | None:
    """The key under which an object has a field, whatever its case."""
    if name in row:
        return name
    low, plain = name.lower(), simple(name.lower())
    exact = next((key for key in row if key.lower() == low), None)
    return exact or next((key for key in row if simple(key.lower()) == plain), None)


def simple(name: str) -> str:
    """`Unit price` is unit_price: how the headings of sheets become names of fields."""
    return re.sub(r"\W+", "_", name).strip("_")


def nearest(name: str, known: Iterable[str]) -> str:
    """A question that names what was probably meant; empty when nothing is near."""
    found = difflib.get_close_matches(name, list(known), 1)
    return f"; did you mean {found[0]}?" if found else ""

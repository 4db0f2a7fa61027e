"""What scripts do with lists of rows in memory. Nothing here changes what it is given."""

import re
from collections.abc import Callable
from functools import cmp_to_key
from typing import Any

from services.engine.program.values import (
    LARGEST_LIST,
    ProgramError,
    Value,
    compare,
    equal,
    is_number,
    number_of,
    text_of,
)
from services.engine.tables.names import field_of, nearest

Row = dict[str, Value]
PLACE = re.compile(r"\{\{\s*([\w. ]+?)\s*\}\}")
ARROW = re.compile(r"\s*(?:->|=>|→|:)\s*")
KINDS = ("inner", "left", "right", "full")
LONGEST_TEXT = 1_048_576


def rows_of(value: Value, what: str = "the data") -> list[Value]:
    """The rows in a value: a list is its rows, an object one row, NULL none. ProgramError for anything else."""
    if value is None or value == "":
        return []
    if isinstance(value, list):
        return value
    if isinstance(value, dict):
        inner = next((item for key, item in value.items() if key.lower() in {"data", "items", "rows", "results"}), None)
        return inner if isinstance(inner, list) else [value]
    message = f"{what}: expected a list of rows, got {text_of(value)[:60]!r}"
    raise ProgramError(message)


def mapped(data: Value, rule: Value) -> list[Value]:
    """MAP data, "a->b, c->d": rows of the named fields under new names; a field without an arrow keeps its name."""
    if isinstance(rule, dict):
        pairs = [(text_of(old), text_of(new)) for old, new in rule.items()]
    else:
        parts = rule if isinstance(rule, list) else text_of(rule).split(",")
        pairs = [renaming(text_of(part)) for part in parts if text_of(part).strip()]
    if not pairs:
        message = 'MAP: expected fields such as "name->title, price->cost"'
        raise ProgramError(message)
    rows = rows_of(data, "MAP")
    if len(pairs) == 1 and pairs[0][0] == pairs[0][1]:
        return [value_at(row, pairs[0][0]) for row in rows]
    return [{new: value_at(row, old) for old, new in pairs} for row in rows]


def renaming(part: str) -> tuple[str, str]:
    """ "a->b" as its two names."""
    old, *new = ARROW.split(part.strip(), maxsplit=1)
    return old, new[0] if new else old


def value_at(row: Value, path: str) -> Value:
    """A field of a row, or of an object in it: "address.city"."""
    found = field_of(row, path)
    if found is None and "." in path:
        for step in path.split("."):
            row = field_of(row, step)
        return row
    return found


def numbers(rows: list[Value], name: str) -> list[int | float]:
    """The numbers in a field of the rows, or the rows themselves without a field."""
    values = [value_at(row, name) for row in rows] if name else rows
    return [number_of(value) for value in values if is_number(value)]


def extreme(how: str) -> Callable[[list[Value], str], Value]:
    """MIN and MAX, of texts (dates) too."""

    def find(rows: list[Value], name: str) -> Value:
        values = [value_at(row, name) for row in rows] if name else rows
        found: Value = None
        for value in values:
            if value is not None and value != "" and (found is None or compare(how, value, found)):
                found = value
        return number_of(found) if is_number(found) else found

    return find


def average(rows: list[Value], name: str) -> Value:
    """The mean; NULL of nothing."""
    found = numbers(rows, name)
    return plain(sum(found) / len(found)) if found else None


def counted(rows: list[Value], name: str) -> int:
    """Rows, or rows that have a value in a field."""
    return sum(1 for row in rows if not name or value_at(row, name) not in (None, ""))


def plain(number: float) -> int | float:
    """A whole result stays whole."""
    return int(number) if isinstance(number, float) and number.is_integer() and abs(number) < 2**53 else number


OPERATIONS: dict[str, Callable[[list[Value], str], Value]] = {
    "sum": lambda rows, name: plain(sum(numbers(rows, name))),
    "avg": average,
    "average": average,
    "mean": average,
    "count": counted,
    "min": extreme("<"),
    "max": extreme(">"),
}


def operation(name: Value) -> Callable[[list[Value], str], Value]:
    """An operation of AGGREGATE by its name. ProgramError for what is none."""
    found = OPERATIONS.get(text_of(name).strip().lower())
    if found is None:
        message = f"AGGREGATE: expected SUM, AVG, COUNT, MIN or MAX, got {text_of(name)[:40]!r}"
        raise ProgramError(message + nearest(text_of(name).lower(), OPERATIONS))
    return found


def aggregated(how: Value, data: Value, name: Value = "") -> Value:
    """SUM, AVG, COUNT, MIN or MAX of a field."""
    field = text_of(name).strip()
    return operation(how)(rows_of(data, "AGGREGATE"), "" if field == "*" else field)


def key_text(value: Value) -> str:
    """What equal values have in common: 5, 5.0 and "5"."""
    if is_number(value) and not isinstance(value, bool):
        return text_of(float(number_of(value)))
    return text_of(value)


def grouped(data: Value, name: Value) -> dict[str, Value]:
    """GROUP BY: rows by what they have in a field, in order of appearance."""
    found: dict[str, Value] = {}
    for row in rows_of(data, "GROUP BY"):
        found.setdefault(text_of(value_at(row, text_of(name))), []).append(row)
    return found


def joined(left: Value, right: Value, keys: Value, kind: Value = "inner") -> list[Value]:
    """JOIN a, b, "k": rows of both that are equal in a field ("a_field=b_field" where the names differ).

    Where both have a field of the same name the left one stays. kind: inner, left, right or full.
    """
    how = text_of(kind or "inner").strip().lower().removesuffix(" join") or "inner"
    if how not in KINDS:
        message = f"JOIN: expected {', '.join(KINDS)}, got {how[:40]!r}"
        raise ProgramError(message)
    first, _, second = text_of(keys).partition("=")
    first, second = first.strip(), second.strip() or first.strip()
    index: dict[str, list[Value]] = {}
    for row in rows_of(right, "JOIN"):
        index.setdefault(key_text(value_at(row, second)), []).append(row)
    found, met = [], set[str]()
    for row in rows_of(left, "JOIN"):
        key = key_text(value_at(row, first))
        matches = index.get(key, []) if value_at(row, first) is not None else []
        met.add(key)
        found += [{**other, **row} for other in matches] or ([row] if how in {"left", "full"} else [])
        room(found)
    if how in {"right", "full"}:
        found += [row for key, rows in index.items() if key not in met for row in rows]
    return room(found)


def room(rows: list[Value]) -> list[Value]:
    """The rows, if there are not too many. ProgramError."""
    if len(rows) > LARGEST_LIST:
        message = f"a list may have {LARGEST_LIST} rows; this would have more"
        raise ProgramError(message)
    return rows


def pivoted(data: Value, row: Value, *rest: Value) -> list[Value]:
    """PIVOT d, row, value: a sum a row. PIVOT d, row, column, value[, how]: columns made of what a field has."""
    names = [text_of(item) for item in rest if item is not None]
    if not names:
        message = 'PIVOT: expected fields, such as PIVOT sales, "month", "amount"'
        raise ProgramError(message)
    row_name = text_of(row)
    cells: dict[str, dict[str, list[Value]]] = {}
    column, value, how = ("", names[0], "sum") if len(names) == 1 else (names[0], names[1], (names[2:] or ["sum"])[0])
    columns: dict[str, None] = {}
    for item in rows_of(data, "PIVOT"):
        heading = text_of(value_at(item, column)) if column else value
        columns[heading] = None
        cells.setdefault(text_of(value_at(item, row_name)), {}).setdefault(heading, []).append(item)
    return [
        {row_name: label, **{heading: operation(how)(items.get(heading, []), value) for heading in columns}}
        for label, items in cells.items()
    ]


def filled(first: Value, second: Value) -> Value:
    """FILL: a template ("{{name}}", or an object of such texts) for every row; either may come first.

    One row gives one result, a list a list.
    """
    data, template = (first, second) if is_data(first, second) else (second, first)
    rows = data if isinstance(data, list) else [data]
    made = [in_place(template, row) for row in rows]
    return room(made) if isinstance(data, list) else made[0]


def is_data(first: Value, second: Value) -> bool:
    """Whether the first of two is the data: a list, or an object beside a text or beside an object with places."""
    if isinstance(first, list) or isinstance(second, list):
        return isinstance(first, list)
    return isinstance(first, dict) and not PLACE.search(text_of(first))


def in_place(template: Value, row: Value) -> Value:
    """A template with the fields of a row; a text that is one place only keeps the kind of its value."""
    if isinstance(template, dict):
        return {key: in_place(item, row) for key, item in template.items()}
    if isinstance(template, list):
        return [in_place(item, row) for item in template]
    if not isinstance(template, str):
        return template
    whole = PLACE.fullmatch(template)
    if whole:
        return value_at(row, whole[1])
    made = PLACE.sub(lambda match: text_of(value_at(row, match[1])), template)
    if len(made) > LONGEST_TEXT:
        message = "a text may have a million characters"
        raise ProgramError(message)
    return made


def ends(value: Value, count: Value, *, last: bool) -> Value:
    """FIRST x[, n] and LAST x[, n], n also first. Without n the item itself, of a text a word; with it a list."""
    if isinstance(count, list | str) and not isinstance(value, list) and is_number(value):
        value, count = count, value
    items: list[Any] = text_of(value).split() if isinstance(value, str) else rows_of(value)
    if count is None:
        found = items[-1:] if last else items[:1]
        return found[0] if found else ("" if isinstance(value, str) else None)
    size = max(0, int(number_of(count, "how many")))
    found = items[max(0, len(items) - size) :] if last else items[:size]
    return " ".join(found) if isinstance(value, str) else found


def ordering(value: Value) -> tuple[int, Value]:
    """Numbers before texts, nothing first."""
    if value is None or value == "":
        return (0, 0)
    if is_number(value):
        return (1, number_of(value))
    return (2, text_of(value).casefold())


def in_order(data: Value, order: Value = "", direction: Value = "") -> list[Value]:
    """SORT x BY "f" ASC|DESC; several fields with commas, each with its direction. Stable."""
    found = list(rows_of(data, "SORT"))
    for name, falling in reversed(orders(order, direction)):

        def key(row: Value, name: str = name) -> tuple[int, Value]:
            return ordering(value_at(row, name) if name else row)

        found.sort(key=cmp_to_key(lambda a, b, key=key: (key(a) > key(b)) - (key(a) < key(b))), reverse=falling)  # type: ignore[misc]
    return found


def orders(order: Value, direction: Value = "") -> list[tuple[str, bool]]:
    """ "name, age DESC" as names and whether they fall."""
    found = []
    for part in text_of(order).split(","):
        words = part.split()
        way = (words[1] if len(words) > 1 else text_of(direction)).strip().lower()
        if len(words) > 2 or way not in {"", "asc", "desc", "ascending", "descending"}:
            message = f"SORT: expected a field and ASC or DESC, got {part.strip()[:60]!r}"
            raise ProgramError(message)
        found.append((words[0] if words else "", way.startswith("desc")))
    return found


def distinct(data: Value, name: Value = "") -> list[Value]:
    """UNIQUE: the first of those that are equal, in a field or as a whole."""
    field, found = text_of(name), []
    seen: dict[str, list[Value]] = {}
    for row in rows_of(data, "UNIQUE"):
        value = value_at(row, field) if field else row
        met = seen.setdefault(key_text(value), [])
        if not any(equal(value, other) for other in met):
            met.append(value)
            found.append(row)
    return found

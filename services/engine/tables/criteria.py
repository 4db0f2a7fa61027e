"""Filters over rows in memory. The functions of migrations/sql/tables_functions.sql mean the same."""

from collections.abc import Callable
from typing import Any

from services.engine.program.values import Value, compare, equal, text_of
from services.engine.tables.filters import Filter
from services.engine.tables.names import field_of

Row = dict[str, Value]


def chosen(rows: list[Value], given: Filter) -> list[Value]:
    """The rows for which a filter holds."""
    return rows if given is None else [row for row in rows if holds(given, row)]


def holds(given: Filter, row: Value) -> bool:
    """Whether a filter holds for a row."""
    if given is None:
        return True
    operator = given[0]
    if operator == "and":
        return all(holds(item, row) for item in given[1:])
    if operator == "or":
        return any(holds(item, row) for item in given[1:])
    if operator == "not":
        return not holds(given[1], row)
    if operator == "column":
        return COMPARE[given[1]](given[2], field_of(row, given[2]), field_of(row, given[3]))
    found = field_of(row, given[1])
    if operator == "is_null":
        return found is None
    if operator in {"in", "between"}:
        if operator == "in":
            return any(same(given[1], found, item) for item in given[2])
        return ordered(">=", found, given[2][0]) and ordered("<=", found, given[2][1])
    return COMPARE[operator](given[1], found, given[2])


def same(name: str, found: Value, wanted: Value) -> bool:
    """Equality; ids are texts."""
    if name == "id" and isinstance(found, str) and isinstance(wanted, int | float):
        return found == text_of(wanted)
    return equal(found, wanted)


def ordered(operator: str, found: Value, wanted: Value) -> bool:
    """< > <= >=; lists and objects have no order."""
    if isinstance(found, list | dict) or isinstance(wanted, list | dict):
        return False
    return compare(operator, found, wanted)


def contains(_: str, found: Value, wanted: Value) -> bool:
    """Item of a list, key of an object, part of a text whatever the case."""
    if isinstance(found, list):
        return any(equal(item, wanted) for item in found)
    if isinstance(found, dict):
        return found.get(text_of(wanted)) is not None
    return not isinstance(wanted, list | dict) and text_of(wanted).lower() in text_of(found).lower()


def like(_: str, found: Value, wanted: Value) -> bool:
    """% is anything, _ one character; without either it means "contains". Lists and objects are like nothing."""
    if isinstance(found, list | dict) or isinstance(wanted, list | dict):
        return False
    pattern, text = text_of(wanted).lower().replace("*", "%"), text_of(found).lower()
    if "%" not in pattern and "_" not in pattern:
        return pattern in text
    return fits(text, pattern)


def fits(text: str, pattern: str) -> bool:
    """Whether a text fits a pattern of % and _."""
    at, mark, star, resume = 0, 0, -1, 0
    while at < len(text):
        if mark < len(pattern) and pattern[mark] == "%":
            star, resume, mark = mark, at, mark + 1
        elif mark < len(pattern) and pattern[mark] in {text[at], "_"}:
            at, mark = at + 1, mark + 1
        elif star >= 0:
            resume += 1
            at, mark = resume, star + 1
        else:
            return False
    return not pattern[mark:].strip("%")


def by_order(operator: str) -> Callable[[str, Value, Value], bool]:
    """A comparison that needs no name."""
    return lambda _, found, wanted: ordered(operator, found, wanted)


COMPARE: dict[str, Callable[[str, Any, Any], bool]] = {
    "=": same,
    "<>": lambda name, found, wanted: not same(name, found, wanted),
    **{operator: by_order(operator) for operator in ("<", ">", "<=", ">=")},
    "like": like,
    "contains": contains,
}

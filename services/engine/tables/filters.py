"""Filters: conditions over the fields of a row, as JSON.

    ["and", f, f ...] ["or", f, f ...] ["not", f]
    [op, field, value]            op: = <> < > <= >= like in between contains; `in` and `between` take a list
    ["is_null", field]
    ["column", op, field, other field]

None holds for every row. Inserted values never become syntax: whatever a person said, in whatever shape, is a value.
"""

from typing import Any

from services.engine.program.values import ProgramError, Value, text_of
from services.engine.tables.filter_text import parse_text
from services.engine.tables.names import field_name

Filter = list[Any] | None
COMPARING = frozenset({"=", "<>", "<", ">", "<=", ">=", "like", "contains"})
JOINING = frozenset({"and", "or"})
MOST_TERMS = 500
DEEPEST = 40
LONGEST_PATTERN = 1000
MOST_WILDCARDS = 16


def filter_of(value: Value) -> Filter:
    """The filter in what a keyword got: a text, a text in parts, a condition, an object of wanted values, or nothing.

    ProgramError when it is no filter.
    """
    if value is None or value == "" or value is True:
        return None
    if isinstance(value, str):
        return checked(parse_text([value]))
    if isinstance(value, dict):
        if set(value) == {"parts"} and isinstance(value["parts"], list):
            return of_parts(value["parts"])
        return checked(["and", *(["=", name, wanted] for name, wanted in value.items())]) if value else None
    if isinstance(value, list):
        return checked(value)
    message = f"expected a filter such as name = 'Ann', got {text_of(value)[:60]!r}"
    raise ProgramError(message)


def of_parts(parts: list[Value]) -> Filter:
    """A filter from literal text and inserted values in turns; a single inserted object or condition is the filter."""
    if len(parts) == 3 and not text_of(parts[0]).strip() and not text_of(parts[2]).strip():
        return filter_of(parts[1])
    return checked(parse_text(parts)) if any(text_of(part).strip() for part in parts) else None


def both(first: Filter, second: Filter) -> Filter:
    """What holds when both hold."""
    if first is None or second is None:
        return first or second
    return ["and", first, second]


def checked(given: Any) -> Filter:  # noqa: ANN401 - whatever a script built
    """The same filter with names as they are stored. ProgramError for what is none, or is too large."""
    return None if given is None else term(given, [MOST_TERMS], DEEPEST)


def term(given: Any, room: list[int], depth: int) -> list[Any]:  # noqa: ANN401
    """One condition; its size is taken off room."""
    room[0] -= 1
    if room[0] < 0 or depth < 0:
        message = f"a filter may have {MOST_TERMS} conditions and be {DEEPEST} deep"
        raise ProgramError(message)
    if isinstance(given, str) and given.strip():
        return term(parse_text([given]), room, depth - 1)
    if not isinstance(given, list) or not given or not isinstance(given[0], str):
        message = f"expected a condition such as name = 'Ann', got {text_of(given)[:60]!r}"
        raise ProgramError(message)
    operator, rest = given[0].lower(), given[1:]
    if operator in JOINING and rest:
        return [operator, *(term(item, room, depth - 1) for item in rest)]
    if operator == "not" and len(rest) == 1:
        return ["not", term(rest[0], room, depth - 1)]
    if operator == "column" and len(rest) == 3 and rest[0] in COMPARING:
        return ["column", rest[0], field_name(rest[1]), field_name(rest[2])]
    return comparison(operator, rest)


def comparison(operator: str, rest: list[Any]) -> list[Any]:
    """[op, field, value] with a name that may be one, and a value that fits the operator."""
    if operator == "is_null" and rest:
        return ["is_null", field_name(rest[0])]
    if len(rest) != 2:
        message = f"a condition {operator[:20]!r} needs a field and a value"
        raise ProgramError(message)
    name, value = field_name(rest[0]), rest[1]
    if operator == "in":
        found = value if isinstance(value, list) else [value]
        if len(found) > MOST_TERMS:
            message = f"IN may have {MOST_TERMS} values, got {len(found)}"
            raise ProgramError(message)
        return ["in", name, [operand(item) for item in found]]
    if operator == "between":
        if not isinstance(value, list) or len(value) != 2:
            message = f"{name} BETWEEN needs two values"
            raise ProgramError(message)
        return ["between", name, [operand(item) for item in value]]
    if operator not in COMPARING:
        message = f"there is no condition {operator[:20]!r}; there are = <> < > <= >= LIKE IN BETWEEN CONTAINS IS NULL"
        raise ProgramError(message)
    if operator == "like":
        value = pattern(value)
    return [operator, name, operand(value)]


def operand(value: Value) -> Value:
    """A value; what reads as a text (NOW) is one."""
    return text_of(value) if isinstance(value, dict) and "formatted" in value else value


def pattern(value: Value) -> Value:
    """What LIKE compares with; bounded, because matching costs what the pattern makes it cost."""
    text = text_of(value)
    if len(text) > LONGEST_PATTERN or sum(text.count(mark) for mark in "%*") > MOST_WILDCARDS:
        message = f"a pattern of LIKE may have {LONGEST_PATTERN} characters and {MOST_WILDCARDS} times % or *"
        raise ProgramError(message)
    return text


def fields_in(given: Filter) -> set[str]:
    """Names of all fields that a filter looks at."""
    if given is None:
        return set()
    if given[0] in {"and", "or", "not"}:
        return {name for item in given[1:] for name in fields_in(item)}
    return {given[2], given[3]} if given[0] == "column" else {given[1]}

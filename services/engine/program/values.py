"""Values of programs: JSON and nothing else, so that state can be written down anywhere.

Values are values: storing a list or an object stores a copy. Two names for one list would be one list before a
crash and two after it.
"""

import math
from collections.abc import Iterable
from typing import Any

Value = Any
"""None, bool, int, float, str, list[Value] or dict[str, Value]."""


RESPONSE = frozenset({"status", "statusText", "headers", "data"})
LARGEST_VALUE = 1_048_576
LARGEST_LIST = 100_000
LARGEST_WHOLE = 2**63
DEEPEST_VALUE = 64
FEW = 8


class ProgramError(Exception):
    """Something a script did wrong, or cannot have; ON ERROR and TRY catch it."""


def owned(value: Value) -> Value:
    """A copy that shares nothing. ProgramError for what is too large, too deep or not a finite number."""
    kind = type(value)
    if kind is str or kind is bool or value is None:
        return value
    if kind is int or kind is float:
        return sized(value)
    return copied(value, [LARGEST_VALUE], DEEPEST_VALUE)


def copied(value: Value, room: list[int], depth: int) -> Value:
    """A copy, its weight (characters and items) taken off room."""
    room[0] -= 1 + (len(value) if isinstance(value, str) else 0)
    if room[0] < 0 or depth < 0:
        message = "a value may have a million characters and items and be 64 deep"
        raise ProgramError(message)
    if isinstance(value, list):
        return (flat(value, room) if depth else None) or [copied(item, room, depth - 1) for item in value]
    if isinstance(value, dict):
        return {key: copied(item, room, depth - 1) for key, item in value.items()}
    return sized(value) if isinstance(value, int | float) else value


def flat(value: list[Value], room: list[int]) -> list[Value] | None:
    """The copy of a long list of texts or of whole numbers at once; None where each item has to be looked at."""
    kinds = set(map(type, value)) if len(value) > FEW else set()
    if kinds == {str}:
        heavy = len(value) + sum(map(len, value))
    elif kinds == {int} and min(value) >= -LARGEST_WHOLE and max(value) < LARGEST_WHOLE:
        heavy = len(value)
    else:
        return None
    if heavy > room[0]:
        return None
    room[0] -= heavy
    return value.copy()


def sized(number: float) -> int | float:
    """A number as state can hold it: whole up to 64 bits, finite."""
    if isinstance(number, bool) or (isinstance(number, int) and -LARGEST_WHOLE <= number < LARGEST_WHOLE):
        return number
    try:
        inexact = float(number)
    except OverflowError:
        inexact = math.inf
    if not math.isfinite(inexact):
        message = "the result is too large, or not a number"
        raise ProgramError(message)
    return inexact


def weight(value: Value, depth: int = DEEPEST_VALUE) -> int:
    """Characters and items, about what it takes to write it down."""
    if isinstance(value, str):
        return len(value) + 2
    if depth < 0:
        return LARGEST_VALUE
    if isinstance(value, dict):
        return sum(len(key) + 3 + weight(item, depth - 1) for key, item in value.items()) + 2
    return sum(weight(item, depth - 1) for item in value) + 2 if isinstance(value, list) else 8


def is_response(value: Value) -> bool:
    """Whether a value is the answer of somebody's server: its fields are looked up in its data too."""
    return isinstance(value, dict) and len(value) == len(RESPONSE) and RESPONSE.issuperset(value)


def failed(value: Value) -> bool:
    """Whether a value says that something went wrong: an answer with status 400 or more, an object with `error`."""
    if is_response(value):
        return bool(number_of(value["status"]) >= 400)
    return isinstance(value, dict) and "error" in value


def truthy(value: Value) -> bool:
    """Non-empty text other than "false", non-zero numbers, non-empty collections."""
    if isinstance(value, str):
        return value != "" and value.lower() != "false"
    return bool(value)


def text_of(value: Value) -> str:
    """As people read it."""
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
    if isinstance(value, list):
        return listed(text_of(item) for item in value)
    if isinstance(value, dict):
        if is_response(value):
            return text_of(value["data"])
        if "formatted" in value:
            return text_of(value["formatted"])
        return listed(f"{key}: {text_of(item)}" for key, item in value.items())
    return str(value)


def listed(texts: Iterable[str]) -> str:
    """Texts with commas between. ProgramError when that is too long: items may be one value many times over."""
    found: list[str] = []
    room = LARGEST_VALUE
    for text in texts:
        found.append(text)
        room -= len(text) + 2
        if room < 0:
            message = "a text may have a million characters"
            raise ProgramError(message)
    return ", ".join(found)


def number_of(value: Value, what: str = "a number") -> int | float:
    """A number. ProgramError when there is none in it."""
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, int | float):
        return value
    if value is None:
        return 0
    if isinstance(value, str):
        text = value.strip().replace(",", ".") if value.count(",") == 1 and "." not in value else value.strip()
        try:
            return sized(float(text) if any(mark in text for mark in ".eE") else int(text))
        except ValueError:
            pass
    message = f"expected {what}, got {text_of(value)[:40]!r}"
    raise ProgramError(message)


def is_number(value: Value) -> bool:
    """Whether number_of would find one."""
    if isinstance(value, bool) or value is None or value == "":
        return False
    try:
        number_of(value)
    except ProgramError:
        return False
    return True


def compare(operator: str, left: Value, right: Value) -> bool:
    """= <> < > <= >=. Numbers with numbers, else as text; NULL equals NULL and empty text, and is ordered as 0."""
    if operator in {"=", "<>"}:
        return equal(left, right) is (operator == "=")
    if (left is None or is_number(left)) and (right is None or is_number(right)):
        low, high = number_of(left), number_of(right)
        return {"<": low < high, ">": low > high, "<=": low <= high, ">=": low >= high}[operator]
    first, second = text_of(left), text_of(right)
    return {"<": first < second, ">": first > second, "<=": first <= second, ">=": first >= second}[operator]


def equal(left: Value, right: Value) -> bool:
    """Equality as scripts mean it: "5" = 5, TRUE = "true", NULL = ""."""
    if left is None or right is None:
        return (left is None or left == "") and (right is None or right == "")
    if isinstance(left, bool) or isinstance(right, bool):
        return truthy(left) == truthy(right)
    if isinstance(left, str) and isinstance(right, str):
        return left == right
    if is_number(left) and is_number(right):
        return number_of(left) == number_of(right)
    return bool(left == right)


def look_up(of: Value, key: Value, *, optional: bool = False) -> Value:
    """a.b and a[i]: keys as written, then whatever the case; indexes count from 0; length and items exist on lists."""
    if isinstance(of, dict):
        name = text_of(key)
        if name in of:
            return of[name]
        low = name.lower()
        for candidate, value in of.items():
            if candidate.lower() == low:
                return value
        if is_response(of):
            return look_up(of["data"], key, optional=True)
        return len(of) if low == "length" else None
    if isinstance(of, list | str):
        if isinstance(key, str) and not is_number(key):
            return of_collection(of, key)
        index = int(number_of(key, "an index"))
        return of[index] if -len(of) <= index < len(of) else None
    if of is None and not optional:
        message = f"there is no {text_of(key)}: the value before it is NULL"
        raise ProgramError(message)
    return None


def of_collection(of: list[Value] | str, name: str) -> Value:
    """length, items, and of a list of one the fields of the one."""
    low = name.lower()
    if isinstance(of, str) and low in {"message", "description"}:  # CATCH e, then e.message
        return of
    if low in {"length", "count", "size"}:
        return len(of)
    if low in {"items", "data"}:
        return of
    if isinstance(of, list) and len(of) == 1 and isinstance(of[0], dict):
        return look_up(of[0], name)
    return None


def put(container: Value, key: Value, value: Value) -> None:
    """container[key] = value; one past the end of a list appends."""
    value = owned(value)
    if isinstance(container, dict):
        name = text_of(key)
        existing = next((known for known in container if known.lower() == name.lower()), name)
        container[name if name in container else existing] = value
        return
    if isinstance(container, list):
        if len(container) == 1 and isinstance(container[0], dict) and isinstance(key, str) and not is_number(key):
            put(container[0], key, value)  # one row of a table acts as an object
            return
        index = int(number_of(key, "an index"))
        if index == len(container) < LARGEST_LIST:
            container.append(value)
        elif 0 <= index < len(container):
            container[index] = value
        else:
            message = f"the list has {len(container)} items; there is no place {index}"
            raise ProgramError(message)
        return
    message = "a field can be set on an object, an element in a list"
    raise ProgramError(message)

"""Values of programs: JSON and nothing else, so that state can be written down anywhere."""

from typing import Any

Value = Any
"""None, bool, int, float, str, list[Value] or dict[str, Value]."""


class ProgramError(Exception):
    """Something a script did wrong, or cannot have; ON ERROR and TRY catch it."""


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
        return ", ".join(text_of(item) for item in value)
    if isinstance(value, dict):
        if "formatted" in value:
            return text_of(value["formatted"])
        return ", ".join(f"{key}: {text_of(item)}" for key, item in value.items())
    return str(value)


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
            return float(text) if any(mark in text for mark in ".eE") else int(text)
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
    """= <> < > <= >=. Numbers with numbers, else as text; NULL equals NULL and empty text."""
    if operator in {"=", "<>"}:
        return equal(left, right) is (operator == "=")
    if left is None or right is None:
        return False
    if is_number(left) and is_number(right):
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
    if low in {"length", "count", "size"}:
        return len(of)
    if low in {"items", "data"}:
        return of
    if isinstance(of, list) and len(of) == 1 and isinstance(of[0], dict):
        return look_up(of[0], name)
    return None

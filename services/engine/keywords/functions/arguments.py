"""What functions read from their arguments, within bounds: no function makes more than a program may hold."""

from collections.abc import Iterable
from typing import Any

from services.engine.program.values import (
    LARGEST_LIST,
    LARGEST_VALUE,
    ProgramError,
    Value,
    is_number,
    is_response,
    number_of,
    text_of,
)

FARTHEST = 2**53


def whole(value: float) -> int | float:
    """5.0 is 5."""
    return int(value) if isinstance(value, float) and value.is_integer() and abs(value) < FARTHEST else value


def integer(value: Value) -> int:
    """A whole number, cut to what can be counted exactly. ProgramError when it is no number."""
    return max(-FARTHEST, min(FARTHEST, int(number_of(value))))


def items_of(value: Value) -> list[Value]:
    """A list; the list in an answer; nothing for NULL and empty text; anything else is a list of one."""
    if is_response(value):
        return items_of(value["data"])
    if isinstance(value, list):
        return value
    return [] if value is None or value == "" else [value]


def list_of(name: str, value: Value) -> list[Value]:
    """A list that can be changed. ProgramError when it is none."""
    if isinstance(value, list):
        return value
    message = f"{name}: expected a list, got {text_of(value)[:40]!r}"
    raise ProgramError(message)


def flattened(arguments: tuple[Value, ...]) -> list[Value]:
    """Arguments, or the items of the one list given."""
    return items_of(arguments[0]) if len(arguments) == 1 else list(arguments)


def few(count: int) -> int:
    """A number of items. ProgramError when a list may not have so many."""
    if count > LARGEST_LIST:
        message = f"a list may have {LARGEST_LIST} items, these would be {count}"
        raise ProgramError(message)
    return count


def short(length: int) -> int:
    """A number of characters. ProgramError when a text may not have so many."""
    if length > LARGEST_VALUE:
        message = "a text may have a million characters"
        raise ProgramError(message)
    return length


def joined(separator: str, texts: Iterable[str]) -> str:
    """Texts with a separator between them. ProgramError when that is too long."""
    found: list[str] = []
    length = 0
    for text in texts:
        length = short(length + len(text) + len(separator))
        found.append(text)
    return separator.join(found)


def replaced(text: str, old: str, new: str) -> str:
    """All of the old are new. ProgramError when that is too long."""
    if not old:
        return text
    if len(new) > len(old):
        short(len(text) + text.count(old) * (len(new) - len(old)))
    return text.replace(old, new)


def split(text: str, separator: str) -> list[str]:
    """Between separators; with none, its characters. ProgramError when they are too many."""
    few((text.count(separator) if separator else len(text)) + 1)
    return text.split(separator) if separator else list(text)


def sort_key(value: Value) -> tuple[int, Any]:
    """Numbers before texts, texts without regard to case."""
    return (0, number_of(value)) if is_number(value) else (1, text_of(value).lower())

"""Functions about text. Positions of MID and INSTR count from 1."""

import re
from collections.abc import Callable

from services.engine.program.values import ProgramError, Value, number_of, text_of

LARGEST_TEXT = 1_048_576


def middle(text: Value, start: Value, length: Value = None) -> str:
    """MID text, from[, length]."""
    begin = max(0, int(number_of(start)) - 1)
    end = None if length is None else begin + int(number_of(length))
    return text_of(text)[begin:end]


def position(*arguments: Value) -> int:
    """INSTR([start,] text, wanted): 0 when it is not there."""
    if len(arguments) == 3:
        start, text, wanted = int(number_of(arguments[0])), text_of(arguments[1]), text_of(arguments[2])
    else:
        start, text, wanted = 1, text_of(arguments[0]), text_of(arguments[1])
    return text.find(wanted, max(0, start - 1)) + 1


def between(text: Value, start: Value, end: Value) -> str:
    """What stands between two marks; empty when they do not."""
    after = text_of(text).partition(text_of(start))[2]
    found, mark, _ = after.partition(text_of(end))
    return found if mark else ""


def repeated(text: Value, count: Value) -> str:
    """Text so many times."""
    times = max(0, int(number_of(count)))
    if len(text_of(text)) * times > LARGEST_TEXT:
        message = "a text may have a million characters"
        raise ProgramError(message)
    return text_of(text) * times


def leading_number(text: str) -> int | float:
    """12.5 of "12.5 kg"; 0 when it begins with none."""
    match = re.match(r"\s*[-+]?\d+(\.\d+)?", text)
    if match is None:
        return 0
    return float(match[0]) if match[1] else int(match[0])


def holds(text: Value, wanted: Value) -> bool:
    """CONTAINS: text in text, item in list."""
    if isinstance(text, list):
        return any(text_of(item) == text_of(wanted) for item in text)
    return text_of(wanted).lower() in text_of(text).lower()


FUNCTIONS: dict[str, Callable[..., Value]] = {
    "LEFT": lambda text, count: text_of(text)[: max(0, int(number_of(count)))],
    "RIGHT": lambda text, count: text_of(text)[-int(number_of(count)) :] if int(number_of(count)) > 0 else "",
    "MID": middle,
    "TRIM": lambda text: text_of(text).strip(),
    "LTRIM": lambda text: text_of(text).lstrip(),
    "RTRIM": lambda text: text_of(text).rstrip(),
    "UCASE": lambda text: text_of(text).upper(),
    "UPPER": lambda text: text_of(text).upper(),
    "LCASE": lambda text: text_of(text).lower(),
    "LOWER": lambda text: text_of(text).lower(),
    "REPLACE": lambda text, old, new: (
        text_of(text).replace(text_of(old), text_of(new)) if text_of(old) else text_of(text)
    ),
    "SPLIT": lambda text, separator=",": text_of(text).split(text_of(separator) or ","),
    "INSTR": position,
    "CONTAINS": holds,
    "STARTSWITH": lambda text, start: text_of(text).startswith(text_of(start)),
    "ENDSWITH": lambda text, end: text_of(text).endswith(text_of(end)),
    "CAPITALIZE": lambda text: text_of(text)[:1].upper() + text_of(text)[1:],
    "EXTRACT_BETWEEN": between,
    "EXTRACT_AFTER": lambda text, mark: text_of(text).partition(text_of(mark))[2],
    "EXTRACT_BEFORE": lambda text, mark: text_of(text).partition(text_of(mark))[0],
    "ASC": lambda text: ord(text_of(text)[0]),
    "CHR": lambda code: chr(int(number_of(code))),
    "STR_REPEAT": repeated,
}

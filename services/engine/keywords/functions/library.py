"""The functions of the language, gathered by what they are about. Each takes the clock first."""

import functools
import json
import math
import random
import uuid
from collections.abc import Callable
from typing import Any

from services.engine.keywords.functions import dates, texts
from services.engine.keywords.functions.formatting import format_value
from services.engine.program.values import (
    LARGEST_LIST,
    ProgramError,
    Value,
    equal,
    failed,
    is_number,
    is_response,
    look_up,
    number_of,
    owned,
    text_of,
    truthy,
)

Function = Callable[..., Value]


def plain(function: Callable[..., Value]) -> Function:
    """A function that needs no clock."""

    @functools.wraps(function)
    def call(_: object, *arguments: Value) -> Value:
        return function(*arguments)

    return call


def items_of(value: Value) -> list[Value]:
    """A list; text is split at commas only by SPLIT, so anything else is a list of one."""
    if isinstance(value, list):
        return value
    return [] if value is None or value == "" else [value]


def flattened(arguments: tuple[Value, ...]) -> list[Value]:
    """Arguments, or the items of the one list given."""
    return items_of(arguments[0]) if len(arguments) == 1 and isinstance(arguments[0], list) else list(arguments)


def numbers(arguments: tuple[Value, ...]) -> list[int | float]:
    """As numbers."""
    return [number_of(item) for item in flattened(arguments)]


def whole(value: float) -> int | float:
    """5.0 is 5."""
    return int(value) if isinstance(value, float) and value.is_integer() and abs(value) < 2**53 else value


def rounded(value: Value, digits: Value = 0) -> Value:
    """Half away from zero, as people round."""
    number, places = number_of(value), int(number_of(digits))
    factor = 10**places
    result = math.floor(abs(number) * factor + 0.5) / factor
    return whole(math.copysign(result, number))


def size(value: Value) -> int:
    """Characters, items or fields; NULL has none."""
    if is_response(value):
        return size(value["data"])
    return len(value) if isinstance(value, str | list | dict) else len(text_of(value))


def ranged(first: Value, last: Value, step: Value = 1) -> list[Value]:
    """RANGE 1, 3 is [1, 2, 3]."""
    low, high, by = int(number_of(first)), int(number_of(last)), int(number_of(step)) or 1
    made = range(low, high + (1 if by > 0 else -1), by)
    if len(made) > LARGEST_LIST:
        message = f"a list may have {LARGEST_LIST} items"
        raise ProgramError(message)
    return list(made)


def pushed(target: Value, *values: Value) -> Value:
    """Append in place."""
    if not isinstance(target, list):
        message = "PUSH: expected a list first"
        raise ProgramError(message)
    if len(target) + len(values) > LARGEST_LIST:
        message = f"a list may have {LARGEST_LIST} items"
        raise ProgramError(message)
    target.extend([owned(value) for value in values])
    return target


def unshifted(target: Value, *values: Value) -> Value:
    """Put before, in place."""
    if not isinstance(target, list) or len(target) + len(values) > LARGEST_LIST:
        message = f"UNSHIFT: expected a list of at most {LARGEST_LIST} items first"
        raise ProgramError(message)
    target[:0] = [owned(value) for value in values]
    return target


def unique(values: Value) -> list[Value]:
    """Each value once, first come first kept."""
    made: list[Value] = []
    for item in items_of(values):
        if not any(equal(item, kept) for kept in made):
            made.append(item)
    return made


def sort_key(value: Value) -> tuple[int, Any]:
    """Numbers before texts."""
    return (0, number_of(value)) if is_number(value) else (1, text_of(value).lower())


def ordered(values: Value, field: Value = None, order: Value = "ASC") -> list[Value]:
    """SORT list [BY "field" [ASC|DESC]]."""
    by = text_of(field)
    backwards = "DESC" in {text_of(order).upper(), by.upper()}
    plain = by.upper() in {"", "ASC", "DESC"}
    found = items_of(values)
    return sorted(found, key=lambda item: sort_key(item if plain else look_up(item, by)), reverse=backwards)


def filled(shape: Value, value: Value) -> list[Value]:
    """FILL list or count, value: so many times the value."""
    count = len(shape) if isinstance(shape, list) else int(number_of(shape))
    if count > LARGEST_LIST:
        message = f"a list may have {LARGEST_LIST} items"
        raise ProgramError(message)
    return [value] * count


def index_of(values: Value, wanted: Value) -> int:
    """From 0; -1 when it is not there."""
    return next((index for index, item in enumerate(items_of(values)) if equal(item, wanted)), -1)


def last_index_of(values: Value, wanted: Value) -> int:
    """From 0; -1 when it is not there."""
    found = [index for index, item in enumerate(items_of(values)) if equal(item, wanted)]
    return found[-1] if found else -1


def sliced(values: Value, first: Value, last: Value = None) -> Value:
    """SLICE list, from[, to]: negative counts from the end."""
    end = None if last is None else int(number_of(last))
    return (values if isinstance(values, str) else items_of(values))[int(number_of(first)) : end]


def chunks(values: Value, count: Value) -> list[Value]:
    """Lists of at most that many."""
    each, source = max(1, int(number_of(count))), items_of(values)
    return [source[start : start + each] for start in range(0, len(source), each)]


def flat(values: Value) -> list[Value]:
    """One level of lists removed."""
    return [inner for item in items_of(values) for inner in (item if isinstance(item, list) else [item])]


def first_of(values: Value, count: Value = None) -> Value:
    """FIRST list gives an item, FIRST list, n gives a list."""
    source = values if isinstance(values, str) else items_of(values)
    if count is not None:
        return source[: int(number_of(count))]
    return source[0] if source else None


def last_of(values: Value) -> Value:
    """The last item."""
    source = values if isinstance(values, str) else items_of(values)
    return source[-1] if source else None


def type_of(value: Value) -> str:
    """string, number, boolean, array, object or null."""
    names: tuple[tuple[type, str], ...] = ((bool, "boolean"), (str, "string"), (int, "number"), (float, "number"))
    names += ((list, "array"), (dict, "object"))
    return next((name for kind, name in names if isinstance(value, kind)), "null")


def first_value(*values: Value) -> Value:
    """The first that is neither NULL nor empty text."""
    return next((item for item in values if item is not None and item != ""), values[-1] if values else None)


def chosen(index: Value, *values: Value) -> Value:
    """CHOOSE counts from 1."""
    position = int(number_of(index)) - 1
    return values[position] if 0 <= position < len(values) else None


def from_json(value: Value) -> Value:
    """JSON text to a value. ProgramError when it is none."""
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except (ValueError, RecursionError):
        message = "JSON: this text is not JSON"
        raise ProgramError(message) from None


def random_number(*arguments: Value) -> Value:
    """RND() is in [0, 1); RANDOM max and RANDOM min, max are whole."""
    if not arguments:
        return random.random()  # noqa: S311 - dice, not keys
    low, high = (0, arguments[0]) if len(arguments) == 1 else arguments[:2]
    return random.randint(int(number_of(low)), int(number_of(high)))  # noqa: S311 - dice, not keys


def valued(value: Value) -> Value:
    """VAL: the number a text begins with, else 0."""
    return number_of(value) if is_number(value) else texts.leading_number(text_of(value))


NUMBERS: dict[str, Callable[..., Value]] = {
    "ABS": lambda value: abs(number_of(value)),
    "INT": lambda value: math.floor(number_of(value)),
    "FIX": lambda value: math.trunc(number_of(value)),
    "FLOOR": lambda value: math.floor(number_of(value)),
    "CEIL": lambda value: math.ceil(number_of(value)),
    "CEILING": lambda value: math.ceil(number_of(value)),
    "ROUND": rounded,
    "SQR": lambda value: whole(math.sqrt(number_of(value))),
    "SQRT": lambda value: whole(math.sqrt(number_of(value))),
    "POW": lambda base, exponent: whole(float(number_of(base)) ** float(number_of(exponent))),
    "POWER": lambda base, exponent: whole(float(number_of(base)) ** float(number_of(exponent))),
    "MOD": lambda left, right: whole(math.fmod(number_of(left), number_of(right))),
    "SGN": lambda value: (number_of(value) > 0) - (number_of(value) < 0),
    "EXP": lambda value: math.exp(number_of(value)),
    "LOG": lambda value: whole(math.log(number_of(value))),
    "LOG10": lambda value: whole(math.log10(number_of(value))),
    "SIN": lambda value: math.sin(number_of(value)),
    "COS": lambda value: math.cos(number_of(value)),
    "TAN": lambda value: math.tan(number_of(value)),
    "ASIN": lambda value: math.asin(number_of(value)),
    "ACOS": lambda value: math.acos(number_of(value)),
    "ATAN": lambda value: math.atan(number_of(value)),
    "ATN": lambda value: math.atan(number_of(value)),
    "PI": lambda: math.pi,
    "RND": random_number,
    "RANDOM": random_number,
    "MAX": lambda *values: max(numbers(values), default=0),
    "MIN": lambda *values: min(numbers(values), default=0),
    "SUM": lambda *values: whole(sum(numbers(values))),
    "AVG": lambda *values: whole(sum(numbers(values)) / len(flattened(values))) if flattened(values) else 0,
}
NUMBERS["AVERAGE"] = NUMBERS["AVG"]
LISTS: dict[str, Callable[..., Value]] = {
    "LEN": size,
    "COUNT": lambda value: len(items_of(value)) if not isinstance(value, dict) else len(value),
    "SIZE": size,
    "UBOUND": size,
    "LBOUND": lambda _: 0,
    "PUSH": pushed,
    "APPEND": pushed,
    "POP": lambda values: values.pop() if values else None,
    "SHIFT": lambda values: values.pop(0) if values else None,
    "UNSHIFT": unshifted,
    "PREPEND": unshifted,
    "SLICE": sliced,
    "TAKE": lambda values, count: items_of(values)[: int(number_of(count))],
    "DROP": lambda values, count: items_of(values)[int(number_of(count)) :],
    "HEAD": first_of,
    "FIRST": first_of,
    "TAIL": lambda values: items_of(values)[1:],
    "INIT": lambda values: items_of(values)[:-1],
    "LAST": last_of,
    "SORT": ordered,
    "FILL": filled,
    "REVERSE": lambda values: values[::-1] if isinstance(values, str) else items_of(values)[::-1],
    "UNIQUE": unique,
    "DISTINCT": unique,
    "CONCAT": lambda *values: [item for value in values for item in items_of(value)],
    "FLATTEN": flat,
    "RANGE": ranged,
    "BATCH": chunks,
    "CHUNK": chunks,
    "JOIN": lambda values, separator=", ": text_of(separator).join(text_of(item) for item in items_of(values)),
    "INDEX_OF": index_of,
    "LAST_INDEX_OF": last_index_of,
    "IN_ARRAY": lambda first, second: (
        index_of(*((second, first) if isinstance(second, list) else (first, second))) >= 0
    ),
    "INCLUDES": lambda values, wanted: index_of(values, wanted) >= 0,
    "HAS": lambda of, key: key in of if isinstance(of, dict) else index_of(of, key) >= 0,
    "KEYS": lambda of: list(of) if isinstance(of, dict) else [],
    "VALUES": lambda of: list(of.values()) if isinstance(of, dict) else items_of(of),
}
TYPES: dict[str, Callable[..., Value]] = {
    "VAL": valued,
    "STR": text_of,
    "CSTR": text_of,
    "STRING": text_of,
    "CINT": lambda value: round(number_of(value)),
    "CDBL": lambda value: float(number_of(value)),
    "CBOOL": truthy,
    "TYPEOF": type_of,
    "ISNULL": lambda value: value is None,
    "ISEMPTY": lambda value: value is None or value in ("", [], {}),
    "ISARRAY": lambda value: isinstance(value, list),
    "ISNUMBER": is_number,
    "ISNUMERIC": is_number,
    "ISSTRING": lambda value: isinstance(value, str),
    "ISBOOL": lambda value: isinstance(value, bool),
    "IS_ERROR": failed,
    "NVL": first_value,
    "COALESCE": first_value,
    "IFNULL": first_value,
    "IIF": lambda condition, yes, no=None: yes if truthy(condition) else no,
    "CHOOSE": chosen,
    "UUID": lambda: str(uuid.uuid4()),
    "GUID": lambda: str(uuid.uuid4()),
    "JSON": from_json,
    "TOJSON": lambda value: json.dumps(value, ensure_ascii=False),
    "FORMAT": format_value,
    "FORMAT_DATE": format_value,
}
FUNCTIONS: dict[str, Function] = {
    **{name: plain(function) for name, function in {**NUMBERS, **LISTS, **TYPES, **texts.FUNCTIONS}.items()},
    **dates.FUNCTIONS,
}
METHODS: dict[str, Function] = {
    "trim": lambda of: text_of(of).strip(),
    "tolowercase": lambda of: text_of(of).lower(),
    "touppercase": lambda of: text_of(of).upper(),
    "split": lambda of, separator=",": text_of(of).split(text_of(separator)),
    "replace": lambda of, old, new: text_of(of).replace(text_of(old), text_of(new)),
    "includes": lambda of, wanted: (
        index_of(of, wanted) >= 0 if isinstance(of, list) else text_of(wanted) in text_of(of)
    ),
    "contains": lambda of, wanted: (
        index_of(of, wanted) >= 0 if isinstance(of, list) else text_of(wanted) in text_of(of)
    ),
    "startswith": lambda of, start: text_of(of).startswith(text_of(start)),
    "endswith": lambda of, end: text_of(of).endswith(text_of(end)),
    "indexof": lambda of, wanted: index_of(of, wanted) if isinstance(of, list) else text_of(of).find(text_of(wanted)),
    "substring": lambda of, first, last=None: text_of(of)[int(first) : None if last is None else int(last)],
    "push": pushed,
    "pop": lambda of: of.pop() if of else None,
    "shift": lambda of: of.pop(0) if of else None,
    "splice": lambda of, first, count=1: [of.pop(int(first)) for _ in range(int(count)) if int(first) < len(of)],
    "slice": sliced,
    "join": lambda of, separator=", ": text_of(separator).join(text_of(item) for item in items_of(of)),
    "reverse": lambda of: items_of(of)[::-1],
    "tostring": text_of,
    "keys": lambda of: list(of) if isinstance(of, dict) else [],
    "length": size,
}

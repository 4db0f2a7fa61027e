"""Methods of values, as scripts with a JavaScript past write them: text.trim(), list.push(x); names in lower case."""

from collections.abc import Callable

from services.engine.keywords.functions import lists, text
from services.engine.keywords.functions.arguments import few, flattened, integer, items_of, list_of, replaced, split
from services.engine.program.values import Value, number_of, owned, text_of, truthy

Method = Callable[..., Value]
MOST_DIGITS = 20
WIDEST = 10_000


def position(of: Value, wanted: Value) -> int:
    """From 0; -1 when it is not there."""
    return lists.position(None, of if isinstance(of, list) else text_of(of), wanted)


def substring(of: Value, first: Value, last: Value = None) -> str:
    """From one index up to, not including, another."""
    return text_of(of)[max(0, integer(first)) : None if last is None else max(0, integer(last))]


def splice(of: Value, first: Value, count: Value = None, *items: Value) -> list[Value]:
    """Take items out of a list, put others in their place; gives what was taken."""
    found = list_of(".splice()", of)
    start = integer(first)
    start = max(0, len(found) + start) if start < 0 else min(start, len(found))
    end = len(found) if count is None else start + max(0, integer(count))
    taken = found[start:end]
    few(len(found) - len(taken) + len(items))
    found[start:end] = [owned(item) for item in items]
    return taken


def sliced(of: Value, first: Value = 0, last: Value = None) -> Value:
    """From one index up to, not including, another; negative ones count from the end."""
    return lists.sliced(None, of, first, last)


def concatenated(of: Value, *others: Value) -> Value:
    """Texts and lists, one after another."""
    if isinstance(of, list):
        return lists.flat(None, [of, *map(items_of, others)])
    return text.join(None, [of, *others], "")


def reverse(of: Value) -> Value:
    """The other way round; a list is turned itself."""
    if isinstance(of, list):
        of.reverse()
        return of
    return text_of(of)[::-1]


def sort(of: Value, field: Value = None, order: Value = None) -> list[Value]:
    """In order; the list itself is."""
    found = list_of(".sort()", of)
    found[:] = lists.ordered(None, found, field, order)
    return found


def padded(of: Value, width: Value, filler: Value = " ") -> str:
    """What a text lacks to be as wide."""
    missing = max(0, min(integer(width), WIDEST) - len(text_of(of)))
    return (text_of(filler) or " ")[:1] * missing


METHODS: dict[str, Method] = {
    "trim": lambda of: text_of(of).strip(),
    "tolowercase": lambda of: text_of(of).lower(),
    "tolower": lambda of: text_of(of).lower(),
    "touppercase": lambda of: text_of(of).upper(),
    "toupper": lambda of: text_of(of).upper(),
    "split": lambda of, separator=",": list(split(text_of(of), text_of(separator))),
    "replace": lambda of, old, new="": replaced(text_of(of), text_of(old), text_of(new)),
    "replaceall": lambda of, old, new="": replaced(text_of(of), text_of(old), text_of(new)),
    "includes": lambda of, wanted: position(of, wanted) >= 0,
    "contains": lambda of, wanted: position(of, wanted) >= 0,
    "startswith": lambda of, start: text_of(of).startswith(text_of(start)),
    "endswith": lambda of, end: text_of(of).endswith(text_of(end)),
    "indexof": position,
    "lastindexof": lambda of, wanted: lists.last_position(None, of, wanted),
    "substring": substring,
    "substr": lambda of, first, count=None: substring(
        of, first, None if count is None else max(0, integer(first)) + integer(count)
    ),
    "charat": lambda of, index: text_of(of)[integer(index) : integer(index) + 1],
    "concat": concatenated,
    "push": lambda of, *items: lists.push(None, of, *items),
    "append": lambda of, *items: lists.push(None, of, *items),
    "add": lambda of, *items: lists.push(None, of, *items),
    "pop": lambda of: lists.pop(None, of),
    "shift": lambda of: lists.shift(None, of),
    "unshift": lambda of, *items: lists.unshift(None, of, *items),
    "splice": splice,
    "slice": sliced,
    "join": lambda of, separator=", ": text.join(None, of, separator),
    "reverse": reverse,
    "sort": sort,
    "tostring": text_of,
    "keys": lambda of: list(of) if isinstance(of, dict) else [],
    "values": lambda of: list(of.values()) if isinstance(of, dict) else flattened((of,)),
    "has": lambda of, key: lists.has(None, of, key),
    "length": lambda of: lists.size(None, of),
    "count": lambda of: lists.count(None, of),
    "len": lambda of: lists.size(None, of),
    "upper": lambda of: text_of(of).upper(),
    "lower": lambda of: text_of(of).lower(),
    "ucase": lambda of: text_of(of).upper(),
    "lcase": lambda of: text_of(of).lower(),
    "trimstart": lambda of: text_of(of).lstrip(),
    "trimend": lambda of: text_of(of).rstrip(),
    "padstart": lambda of, width, filler=" ": padded(of, width, filler) + text_of(of),
    "padend": lambda of, width, filler=" ": text_of(of) + padded(of, width, filler),
    "repeat": lambda of, times: text.repeated(None, of, times),
    "tofixed": lambda of, digits=0: f"{number_of(of):.{max(0, min(integer(digits), MOST_DIGITS))}f}",
    "tonumber": number_of,
    "toint": lambda of: int(number_of(of)),
    "tofloat": lambda of: float(number_of(of)),
    "isempty": lambda of: not truthy(of),
    "first": lambda of: lists.first(None, of),
    "last": lambda of: lists.last(None, of),
    "haskey": lambda of, key: lists.has(None, of, key),
    "hasownproperty": lambda of, key: lists.has(None, of, key),
    "containskey": lambda of, key: lists.has(None, of, key),
    "size": lambda of: lists.size(None, of),
}

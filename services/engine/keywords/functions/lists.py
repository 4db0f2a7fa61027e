"""Functions about lists and objects. Indexes count from 0; PUSH, POP, SHIFT and UNSHIFT change the list itself."""

from services.engine.keywords.functions.arguments import few, integer, items_of, list_of
from services.engine.keywords.keyword import Keyword, function
from services.engine.program.values import (
    LARGEST_VALUE,
    ProgramError,
    Value,
    equal,
    is_response,
    owned,
    text_of,
    weight,
)
from services.engine.tables import lists

GROUP = "lists"


def size(_: object, value: Value) -> int:
    """Characters, items or fields; NULL has none."""
    if is_response(value):
        return size(_, value["data"])
    return len(value) if isinstance(value, str | list | dict) else len(text_of(value))


def count(_: object, *values: Value) -> int:
    """Items or fields; a single value is one item."""
    if len(values) > 1:
        return len(values)
    found = values[0] if values else None
    return len(found) if isinstance(found, dict) and not is_response(found) else len(items_of(found))


def push(_: object, target: Value, *values: Value) -> Value:
    """Append in place."""
    found = list_of("PUSH", target)
    few(len(found) + len(values))
    found.extend([owned(value) for value in values])
    return found


def unshift(_: object, target: Value, *values: Value) -> Value:
    """Put before, in place."""
    found = list_of("UNSHIFT", target)
    few(len(found) + len(values))
    found[:0] = [owned(value) for value in values]
    return found


def pop(_: object, target: Value) -> Value:
    """Take the last item away; NULL from an empty list."""
    found = list_of("POP", target)
    return found.pop() if found else None


def shift(_: object, target: Value) -> Value:
    """Take the first item away; NULL from an empty list."""
    found = list_of("SHIFT", target)
    return found.pop(0) if found else None


def sliced(_: object, values: Value, first: Value = 0, last: Value = None) -> Value:
    """From one index up to, not including, another; negative ones count from the end."""
    source = values if isinstance(values, str) else items_of(values)
    return source[integer(first) : None if last is None else integer(last)]


def take(_: object, values: Value, number: Value = 1) -> Value:
    """The first items, or characters."""
    return (values if isinstance(values, str) else items_of(values))[: max(0, integer(number))]


def drop(_: object, values: Value, number: Value = 1) -> Value:
    """All but the first items, or characters."""
    return (values if isinstance(values, str) else items_of(values))[max(0, integer(number)) :]


def first(_: object, values: Value, number: Value = None) -> Value:
    """An item, of a text a word; with a number, so many."""
    return lists.ends(values, number, last=False)


def last(_: object, values: Value, number: Value = None) -> Value:
    """An item, of a text a word; with a number, so many."""
    return lists.ends(values, number, last=True)


def ordered(_: object, values: Value, field: Value = None, order: Value = None) -> list[Value]:
    """SORT list [BY "field" [ASC|DESC]]."""
    if text_of(field).upper() in {"ASC", "DESC"}:
        field, order = None, field
    return lists.in_order(values, field or "", order or "")


def unique(_: object, values: Value, field: Value = None) -> list[Value]:
    """Each value once, the first one kept."""
    return lists.distinct(values, field or "")


def filled(_: object, shape: Value, value: Value = None) -> Value:
    """So many times the value, as the number or the length of the list says. With rows, a template filled in."""
    if any(isinstance(item, dict) for item in (shape, value)) or rows_in(shape) or rows_in(value):
        return lists.filled(shape, value)
    number = few(len(shape) if isinstance(shape, list) else max(0, integer(shape)))
    if number * weight(value) > LARGEST_VALUE:
        message = "FILL: a value may have a million characters and items"
        raise ProgramError(message)
    return [value] * number


def rows_in(value: Value) -> bool:
    """Whether it is a list of objects."""
    return isinstance(value, list) and bool(value) and isinstance(value[0], dict)


def position(_: object, values: Value, wanted: Value) -> int:
    """From 0; -1 when it is not there."""
    if isinstance(values, str):
        return values.find(text_of(wanted))
    return next((index for index, item in enumerate(items_of(values)) if equal(item, wanted)), -1)


def last_position(_: object, values: Value, wanted: Value) -> int:
    """From 0; -1 when it is not there."""
    if isinstance(values, str):
        return values.rfind(text_of(wanted))
    found = items_of(values)
    return next((index for index in reversed(range(len(found))) if equal(found[index], wanted)), -1)


def among(_: object, first_value: Value, second_value: Value) -> bool:
    """IN_ARRAY value, list, or the other way round."""
    values, wanted = (second_value, first_value) if isinstance(second_value, list) else (first_value, second_value)
    return position(_, values, wanted) >= 0


def has(_: object, container: Value, wanted: Value) -> bool:
    """A key in an object whatever its case, an item in a list."""
    if isinstance(container, dict):
        return text_of(wanted).lower() in {key.lower() for key in container}
    return position(_, container, wanted) >= 0


def counted(_: object, start: Value, end: Value, step: Value = 1) -> list[Value]:
    """RANGE 1, 3 is [1, 2, 3]."""
    low, high = integer(start), integer(end)
    by = integer(step) or 1
    made = range(low, high + (1 if by > 0 else -1), by)
    few(len(made))
    return list(made)


def chunks(_: object, values: Value, number: Value) -> list[Value]:
    """Lists of at most that many."""
    each, source = max(1, integer(number)), items_of(values)
    return [source[start : start + each] for start in range(0, len(source), each)]


def flat(_: object, values: Value) -> list[Value]:
    """One level of lists removed."""
    found = items_of(values)
    few(sum(len(item) if isinstance(item, list) else 1 for item in found))
    return [inner for item in found for inner in (item if isinstance(item, list) else [item])]


def reversed_(_: object, values: Value) -> Value:
    """The other way round."""
    return values[::-1] if isinstance(values, str) else items_of(values)[::-1]


def named(
    name: str, form: str, summary: str, example: str, evaluate: object, *aliases: str, also: tuple[str, ...] = ()
) -> Keyword:
    """A function of this chapter."""
    return function(name, form, summary, example, evaluate, GROUP, *aliases, also=also)  # type: ignore[arg-type]


KEYWORDS = (
    named(
        "LEN",
        "<value>",
        "Gives how many characters a text, items a list or fields an object has.",
        'LEN("abc")  \' 3',
        size,
        "SIZE",
    ),
    named(
        "UBOUND",
        "<values:list>",
        "Gives how many items a list has, so that list[UBOUND(list)] = x appends.",
        "UBOUND([5, 6])  ' 2",
        size,
    ),
    named(
        "LBOUND", "<values:list>", "Gives the index of the first item: 0.", "LBOUND([5, 6])  ' 0", lambda _, __=None: 0
    ),
    named(
        "COUNT", "<values:values>", "Gives how many items a list, or fields an object has.", "COUNT([1, 2])  ' 2", count
    ),
    named(
        "PUSH",
        "<list:list>, <items:values>",
        "Puts items at the end of a list.",
        "PUSH([1], 2)  ' [1, 2]",
        push,
        "APPEND",
    ),
    named("POP", "<list:list>", "Takes the last item of a list away and gives it.", "POP([1, 2])  ' 2", pop),
    named("SHIFT", "<list:list>", "Takes the first item of a list away and gives it.", "SHIFT([1, 2])  ' 1", shift),
    named(
        "UNSHIFT",
        "<list:list>, <items:values>",
        "Puts items before the first of a list.",
        "UNSHIFT([2], 1)  ' [1, 2]",
        unshift,
        "PREPEND",
    ),
    named(
        "SLICE",
        "<values>, <first:number> [, <last:number>]",
        "Gives the items from one index up to, not including, another; negative ones count from the end.",
        "SLICE([1, 2, 3], -2)  ' [2, 3]",
        sliced,
    ),
    named(
        "TAKE", "<values>, <number:number>", "Gives the first items of a list.", "TAKE([1, 2, 3], 2)  ' [1, 2]", take
    ),
    named(
        "DROP",
        "<values>, <number:number>",
        "Gives a list without its first items.",
        "DROP([1, 2, 3], 1)  ' [2, 3]",
        drop,
    ),
    named(
        "HEAD",
        "<values>",
        "Gives the first item of a list.",
        "HEAD([1, 2])  ' 1",
        lambda _, values: next(iter(items_of(values)), None),
    ),
    named(
        "TAIL",
        "<values>",
        "Gives a list without its first item.",
        "TAIL([1, 2, 3])  ' [2, 3]",
        drop,
    ),
    named(
        "INIT",
        "<values>",
        "Gives a list without its last item.",
        "INIT([1, 2, 3])  ' [1, 2]",
        lambda _, values: sliced(_, values, 0, -1),
    ),
    named(
        "FIRST",
        "<values> [, <number:number>]",
        "Gives the first item of a list, or, with a number, a list of the first so many.",
        "FIRST([1, 2, 3], 2)  ' [1, 2]",
        first,
    ),
    named(
        "LAST",
        "<values> [, <number:number>]",
        "Gives the last item of a list, or, with a number, a list of the last so many.",
        "LAST([1, 2])  ' 2",
        last,
    ),
    named(
        "SORT",
        "<values> [, <field>] [, <order>]",
        "Gives a list in order, by a field of its items if one is named.",
        "SORT([2, 3, 1])  ' [1, 2, 3]",
        ordered,
        also=("<values> BY <field:name> [<order:word>]",),
    ),
    named(
        "FILL",
        "<shape>, <value>",
        "Gives a list of so many times a value, or a template filled in for every row.",
        "FILL(3, 0)  ' [0, 0, 0]",
        filled,
    ),
    named("REVERSE", "<values>", "Gives a list or a text the other way round.", "REVERSE([1, 2])  ' [2, 1]", reversed_),
    named(
        "UNIQUE",
        "<values> [, <field>]",
        "Gives each value of a list once; with a field, each item that differs in it.",
        "UNIQUE([1, 2, 1])  ' [1, 2]",
        unique,
        "DISTINCT",
    ),
    named(
        "CONCAT",
        "<lists:values>",
        "Gives the items of several lists as one list.",
        "CONCAT([1], [2, 3])  ' [1, 2, 3]",
        lambda _, *lists: flat(_, list(map(items_of, lists))),
    ),
    named("FLATTEN", "<values>", "Gives the items of the lists in a list.", "FLATTEN([[1, 2], 3])  ' [1, 2, 3]", flat),
    named(
        "RANGE",
        "<start:number>, <end:number> [, <step:number>]",
        "Gives the whole numbers from one to another, both included.",
        "RANGE(1, 3)  ' [1, 2, 3]",
        counted,
    ),
    named(
        "BATCH",
        "<values>, <number:number>",
        "Gives a list as lists of at most so many items.",
        "BATCH([1, 2, 3], 2)  ' [[1, 2], [3]]",
        chunks,
        "CHUNK",
    ),
    named(
        "INDEX_OF",
        "<values>, <wanted>",
        "Gives the index of the first such item, -1 when there is none.",
        "INDEX_OF([5, 6], 6)  ' 1",
        position,
    ),
    named(
        "LAST_INDEX_OF",
        "<values>, <wanted>",
        "Gives the index of the last such item, -1 when there is none.",
        "LAST_INDEX_OF([5, 5], 5)  ' 1",
        last_position,
    ),
    named(
        "IN_ARRAY",
        "<value>, <values>",
        "Says whether a value is in a list; the list may come first.",
        "IN_ARRAY(5, [4, 5])  ' TRUE",
        among,
    ),
    named(
        "INCLUDES",
        "<values>, <wanted>",
        "Says whether an item is in a list, or a text in another.",
        "INCLUDES([4, 5], 5)  ' TRUE",
        lambda _, values, wanted: position(_, values, wanted) >= 0,
    ),
    named(
        "HAS",
        "<container>, <wanted>",
        "Says whether an object has a key, or a list an item.",
        'HAS({a: 1}, "a")  \' TRUE',
        has,
    ),
    named(
        "KEYS",
        "<object>",
        "Gives the keys of an object.",
        'KEYS({a: 1, b: 2})  \' ["a", "b"]',
        lambda _, of: list(of) if isinstance(of, dict) else [],
    ),
    named(
        "VALUES",
        "<object>",
        "Gives the values of the fields of an object.",
        "VALUES({a: 1, b: 2})  ' [1, 2]",
        lambda _, of: list(of.values()) if isinstance(of, dict) else items_of(of),
    ),
)

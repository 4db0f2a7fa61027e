"""Functions that turn values into others, tell their kinds, and choose between them."""

import json
import uuid
from collections.abc import Callable

from services.engine.keywords.functions.arguments import integer, whole
from services.engine.keywords.functions.text import leading_number
from services.engine.keywords.keyword import Keyword, function
from services.engine.program.values import (
    ProgramError,
    Value,
    failed,
    is_number,
    is_response,
    number_of,
    owned,
    text_of,
    truthy,
)

GROUP = "types"
YES = frozenset({"yes", "y", "on", "sim", "s", "si", "sí", "oui", "ja", "да"})
NO = frozenset({"no", "n", "off", "não", "nao", "non", "nein", "нет", "0", "false", ""})


def number_at_start(_: object, value: Value) -> Value:
    """The number a text begins with, else 0."""
    return number_of(value) if is_number(value) or isinstance(value, bool) else leading_number(text_of(value))


def to_integer(_: object, value: Value) -> int:
    """Halves away from zero."""
    number = number_of(value)
    return int(number + (0.5 if number > 0 else -0.5)) if isinstance(number, float) else number


def to_boolean(_: object, value: Value) -> bool:
    """Words that mean no are FALSE, "0" is; other values as a condition takes them."""
    if isinstance(value, str):
        word = value.strip().lower()
        return word in YES or (word not in NO and not (is_number(word) and number_of(word) == 0))
    return truthy(value)


def kind_of(_: object, value: Value) -> str:
    """string, number, boolean, array, object or null."""
    names: tuple[tuple[type, str], ...] = ((bool, "boolean"), (str, "string"), (int, "number"), (float, "number"))
    names += ((list, "array"), (dict, "object"))
    return next((name for kind, name in names if isinstance(value, kind)), "null")


def is_empty(_: object, value: Value) -> bool:
    """NULL, "", [] and {}; an answer is as empty as its data."""
    if is_response(value):
        return is_empty(_, value["data"])
    return value is None or value in ("", [], {})


def first_value(_: object, *values: Value) -> Value:
    """The first that is neither NULL nor empty text; else the last."""
    return next((item for item in values if item is not None and item != ""), values[-1] if values else None)


def chosen(_: object, index: Value, *values: Value) -> Value:
    """CHOOSE counts from 1; NULL when there is no such value."""
    position = integer(index) - 1
    return values[position] if 0 <= position < len(values) else None


def either(_: object, condition: Value, yes: Value, no: Value = None) -> Value:
    """One of two."""
    return yes if truthy(condition) else no


def not_json(word: str) -> Value:
    """NaN and Infinity are no JSON."""
    raise ValueError(word)


def from_json(_: object, value: Value) -> Value:
    """JSON text to a value; what is no text is as it was. ProgramError when the text is no JSON."""
    if not isinstance(value, str):
        return value
    try:
        return owned(json.loads(value, parse_constant=not_json))
    except (ValueError, RecursionError):
        message = f"JSON: this text is not JSON: {value[:40]!r}"
        raise ProgramError(message) from None


def to_json(_: object, value: Value) -> str:
    """A value as JSON text."""
    return json.dumps(owned(value), ensure_ascii=False)


def test(name: str, summary: str, example: str, holds: Callable[[Value], bool], *aliases: str) -> Keyword:
    """A question about one value."""
    return function(name, "<value>", summary, example, lambda _, value=None: holds(value), GROUP, *aliases)


def identifier(_: object) -> str:
    """Made by chance, never the same."""
    return str(uuid.uuid4())


KEYWORDS = (
    function(
        "VAL",
        "<text>",
        "Gives the number a text begins with, 0 when it begins with none.",
        'VAL("12.5 kg")  \' 12.5',
        number_at_start,
        GROUP,
    ),
    function(
        "STR",
        "<value>",
        "Gives a value as text.",
        'STR(5)  \' "5"',
        lambda _, value: text_of(value),
        GROUP,
        "CSTR",
        "STRING",
    ),
    function("CINT", "<value>", "Gives a value as a whole number, rounded.", 'CINT("2.5")  \' 3', to_integer, GROUP),
    function(
        "CDBL",
        "<value>",
        "Gives a value as a number.",
        'CDBL("2.5")  \' 2.5',
        lambda _, value: whole(number_of(value)),
        GROUP,
    ),
    function(
        "CBOOL",
        "<value>",
        "Gives a value as TRUE or FALSE; no, off, false and 0 are FALSE.",
        'CBOOL("yes")  \' TRUE',
        to_boolean,
        GROUP,
    ),
    function(
        "TYPEOF",
        "<value>",
        "Names the kind of a value: string, number, boolean, array, object or null.",
        'TYPEOF([1])  \' "array"',
        kind_of,
        GROUP,
    ),
    test("ISNULL", "Says whether a value is NULL.", "ISNULL(NULL)  ' TRUE", lambda value: value is None),
    function(
        "ISEMPTY",
        "<value>",
        "Says whether a value is NULL, an empty text, list or object.",
        "ISEMPTY([])  ' TRUE",
        lambda _, value=None: is_empty(_, value),
        GROUP,
    ),
    test("ISARRAY", "Says whether a value is a list.", "ISARRAY([1])  ' TRUE", lambda value: isinstance(value, list)),
    test(
        "ISNUMBER",
        "Says whether a value is a number or a text that is one.",
        'ISNUMBER("5")  \' TRUE',
        is_number,
        "ISNUMERIC",
    ),
    test("ISSTRING", "Says whether a value is a text.", 'ISSTRING("x")  \' TRUE', lambda value: isinstance(value, str)),
    test(
        "ISBOOL",
        "Says whether a value is TRUE or FALSE.",
        "ISBOOL(FALSE)  ' TRUE",
        lambda value: isinstance(value, bool),
    ),
    test(
        "ISOBJECT",
        "Says whether a value is an object.",
        "ISOBJECT({a: 1})  ' TRUE",
        lambda value: isinstance(value, dict),
    ),
    test(
        "IS_ERROR",
        "Says whether a value is an answer or an object that tells of an error.",
        'IS_ERROR({error: "no"})  \' TRUE',
        failed,
    ),
    function(
        "NVL",
        "<values:values>",
        "Gives the first value that is neither NULL nor an empty text.",
        'NVL(NULL, "", 5)  \' 5',
        first_value,
        GROUP,
        "COALESCE",
        "IFNULL",
    ),
    function(
        "IIF",
        "<condition:condition>, <yes> [, <no>]",
        "Gives one of two values, as a condition has it.",
        'IIF(2 > 1, "yes", "no")  \' "yes"',
        either,
        GROUP,
    ),
    function(
        "CHOOSE",
        "<index:number>, <values:values>",
        "Gives the value at a place, counted from 1.",
        'CHOOSE(2, "a", "b")  \' "b"',
        chosen,
        GROUP,
    ),
    function(
        "UUID", "", "Gives a new identifier that is nowhere else.", "LEN(UUID())  ' 36", identifier, GROUP, "GUID"
    ),
    function(
        "JSON",
        "<text>",
        "Gives the value that a JSON text describes.",
        "JSON('{\"a\": 1}')  ' {a: 1}",
        from_json,
        GROUP,
        "JSON PARSE",
    ),
    function(
        "TOJSON",
        "<value>",
        "Gives a value as JSON text.",
        'TOJSON([1, TRUE])  \' "[1, true]"',
        to_json,
        GROUP,
        "TO_JSON",
    ),
)

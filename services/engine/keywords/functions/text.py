"""Functions about text. Positions of MID and INSTR count from 1."""

import re

from services.engine.keywords.functions.arguments import integer, joined, replaced, short, split
from services.engine.keywords.keyword import function
from services.engine.program.values import ProgramError, Value, equal, text_of
from services.engine.tables import lists

NUMBER = re.compile(r"\s*[-+]?(\d{1,18}(\.\d{1,18})?|\.\d{1,18})")
GROUP = "text"


def left(_: object, text: Value, count: Value) -> str:
    """The first characters."""
    return text_of(text)[: max(0, integer(count))]


def right(_: object, text: Value, count: Value) -> str:
    """The last characters."""
    return text_of(text)[-integer(count) :] if integer(count) > 0 else ""


def middle(_: object, text: Value, start: Value, length: Value = None) -> str:
    """From a place on; a start before the text is its beginning."""
    begin = max(0, integer(start) - 1)
    end = None if length is None else begin + max(0, integer(length))
    return text_of(text)[begin:end]


def position(_: object, *arguments: Value) -> int:
    """INSTR([start,] text, wanted): 0 when it is not there."""
    start = max(1, integer(arguments[0])) if len(arguments) > 2 else 1
    text, wanted = arguments[-2:]
    return text_of(text).find(text_of(wanted), start - 1) + 1


def between(_: object, text: Value, start: Value, end: Value) -> str:
    """What stands between two marks; empty when they do not."""
    after = text_of(text).partition(text_of(start) or "\0")[2] if text_of(start) else text_of(text)
    found, mark, _rest = after.partition(text_of(end)) if text_of(end) else (after, "end", "")
    return found if mark else ""


def after(_: object, text: Value, mark: Value) -> str:
    """What follows a mark; empty when it is not there."""
    return text_of(text).partition(text_of(mark))[2] if text_of(mark) else text_of(text)


def before(_: object, text: Value, mark: Value) -> str:
    """What stands before a mark; empty when it is not there."""
    found, seen, _rest = text_of(text).partition(text_of(mark)) if text_of(mark) else ("", "", "")
    return found if seen else ""


def repeated(_: object, text: Value, count: Value) -> str:
    """A text so many times."""
    times = max(0, integer(count))
    short(len(text_of(text)) * times)
    return text_of(text) * times if text_of(text) else ""


def leading_number(text: str) -> int | float:
    """12.5 of "12.5 kg"; 0 when it begins with none."""
    match = NUMBER.match(text)
    if match is None:
        return 0
    return float(match[0]) if "." in match[0] else int(match[0])


def holds(_: object, container: Value, wanted: Value) -> bool:
    """Text in text without regard to case, item in list, key in object."""
    if isinstance(container, list):
        return any(equal(item, wanted) for item in container)
    return text_of(wanted).lower() in (
        [key.lower() for key in container] if isinstance(container, dict) else text_of(container).lower()
    )


def code_of(_: object, text: Value) -> int:
    """The code of the first character."""
    if text_of(text):
        return ord(text_of(text)[0])
    message = "ASC: expected a text with a character in it"
    raise ProgramError(message)


def character(_: object, code: Value) -> str:
    """The character of a code."""
    number = integer(code)
    if 0 <= number < 0x110000 and not 0xD800 <= number < 0xE000:
        return chr(number)
    message = f"CHR: there is no character {number}"
    raise ProgramError(message)


def divided(_: object, text: Value, separator: Value = ",") -> list[Value]:
    """Parts between separators."""
    return list(split(text_of(text), text_of(separator) or ","))


def join(_: object, values: Value, separator: Value = ", ", key: Value = None, kind: Value = "inner") -> Value:
    """Items with a separator between them; of two lists of rows, those that are equal in a field."""
    if isinstance(separator, list | dict) and key is not None:
        return lists.joined(values, separator, key, kind)
    items = values if isinstance(values, list) else [values]
    return joined(text_of(separator), (text_of(item) for item in items))


LEFT = function(
    "LEFT",
    "<text:text>, <count:number>",
    "Gives the first characters of a text.",
    'LEFT("hello", 2)  \' "he"',
    left,
    GROUP,
)
RIGHT = function(
    "RIGHT",
    "<text:text>, <count:number>",
    "Gives the last characters of a text.",
    'RIGHT("hello", 3)  \' "llo"',
    right,
    GROUP,
)
MID = function(
    "MID",
    "<text:text>, <start:number> [, <length:number>]",
    "Gives part of a text; positions count from 1, without a length it goes to the end.",
    'MID("parley", 3, 2)  \' "rl"',
    middle,
    GROUP,
    "SUBSTR",
    "SUBSTRING",
)
TRIM = function(
    "TRIM",
    "<text:text>",
    "Gives a text without spaces at its ends.",
    'TRIM("  tea ")  \' "tea"',
    lambda _, text: text_of(text).strip(),
    GROUP,
)
LTRIM = function(
    "LTRIM",
    "<text:text>",
    "Gives a text without spaces at its beginning.",
    'LTRIM("  tea ")  \' "tea "',
    lambda _, text: text_of(text).lstrip(),
    GROUP,
)
RTRIM = function(
    "RTRIM",
    "<text:text>",
    "Gives a text without spaces at its end.",
    'RTRIM("  tea ")  \' "  tea"',
    lambda _, text: text_of(text).rstrip(),
    GROUP,
)
UCASE = function(
    "UCASE",
    "<text:text>",
    "Gives a text in capitals.",
    'UCASE("tea")  \' "TEA"',
    lambda _, text: text_of(text).upper(),
    GROUP,
    "UPPER",
)
LCASE = function(
    "LCASE",
    "<text:text>",
    "Gives a text in small letters.",
    'LCASE("TEA")  \' "tea"',
    lambda _, text: text_of(text).lower(),
    GROUP,
    "LOWER",
)
REPLACE = function(
    "REPLACE",
    "<text:text>, <old:text>, <new:text>",
    "Gives a text in which every occurrence of one part is another.",
    'REPLACE("2024-05-06", "-", "/")  \' "2024/05/06"',
    lambda _, text, old, new="": replaced(text_of(text), text_of(old), text_of(new)),
    GROUP,
)
SPLIT = function(
    "SPLIT",
    "<text:text> [, <separator:text>]",
    "Gives the parts of a text between separators, commas unless told otherwise.",
    'SPLIT("a;b", ";")  \' ["a", "b"]',
    divided,
    GROUP,
)
JOIN = function(
    "JOIN",
    "<values:list> [, <separator:text>]",
    "Gives the items of a list as one text; of two lists, the rows that are equal in a field.",
    'JOIN(["a", "b"], "-")  \' "a-b"',
    join,
    GROUP,
    also=("<values:list>, <others:list>, <key:text> [, <kind:text>]",),
    documentation="""`JOIN orders, customers, "customer_id"`; where the names differ `"customer=id"`. kind: inner, left,
right or full.""",
)
INSTR = function(
    "INSTR",
    "<text:text>, <wanted:text>",
    "Gives where a text stands in another, counted from 1; 0 when it does not.",
    'INSTR("hello", "l")  \' 3',
    position,
    GROUP,
    also=("<start:number>, <text:text>, <wanted:text>",),
    documentation='With three values the first says from which position to look: `INSTR(4, "hello", "l")` is 4.',
)
CONTAINS = function(
    "CONTAINS",
    "<container>, <wanted>",
    "Says whether a text is in another whatever the case, an item in a list, or a key in an object.",
    'CONTAINS("Green tea", "TEA")  \' TRUE',
    holds,
    GROUP,
)
STARTSWITH = function(
    "STARTSWITH",
    "<text:text>, <start:text>",
    "Says whether a text begins with another.",
    'STARTSWITH("parley", "par")  \' TRUE',
    lambda _, text, start: text_of(text).startswith(text_of(start)),
    GROUP,
    "STARTS_WITH",
)
ENDSWITH = function(
    "ENDSWITH",
    "<text:text>, <end:text>",
    "Says whether a text ends with another.",
    'ENDSWITH("start.bas", ".bas")  \' TRUE',
    lambda _, text, end: text_of(text).endswith(text_of(end)),
    GROUP,
    "ENDS_WITH",
)
CAPITALIZE = function(
    "CAPITALIZE",
    "<text:text>",
    "Gives a text whose first letter is a capital.",
    'CAPITALIZE("ana")  \' "Ana"',
    lambda _, text: text_of(text)[:1].upper() + text_of(text)[1:],
    GROUP,
)
EXTRACT_BETWEEN = function(
    "EXTRACT_BETWEEN",
    "<text:text>, <start:text>, <end:text>",
    "Gives what stands between two marks, or an empty text.",
    'EXTRACT_BETWEEN("a[b]c", "[", "]")  \' "b"',
    between,
    GROUP,
)
EXTRACT_AFTER = function(
    "EXTRACT_AFTER",
    "<text:text>, <mark:text>",
    "Gives what follows the first occurrence of a mark, or an empty text.",
    'EXTRACT_AFTER("name: Ana", ": ")  \' "Ana"',
    after,
    GROUP,
)
EXTRACT_BEFORE = function(
    "EXTRACT_BEFORE",
    "<text:text>, <mark:text>",
    "Gives what stands before the first occurrence of a mark, or an empty text.",
    'EXTRACT_BEFORE("ana@example.com", "@")  \' "ana"',
    before,
    GROUP,
)
ASC = function(
    "ASC", "<text:text>", "Gives the code of the first character of a text.", 'ASC("A")  \' 65', code_of, GROUP
)
CHR = function("CHR", "<code:number>", "Gives the character of a code.", 'CHR(65)  \' "A"', character, GROUP)
STR_REPEAT = function(
    "STR_REPEAT",
    "<text:text>, <count:number>",
    "Gives a text so many times over.",
    'STR_REPEAT("ab", 3)  \' "ababab"',
    repeated,
    GROUP,
)

import datetime
import time
from zoneinfo import ZoneInfo

import pytest

from services.engine.keywords.functions import dates, formatting
from services.engine.keywords.keyword import Keyword
from services.engine.keywords.registry import registry
from services.engine.machine import machine as m
from services.engine.program.values import ProgramError
from services.engine.releases import clock_of
from services.engine.store import Release
from tests.unit.engine.scripts import play, value

pytestmark = pytest.mark.unit

TABLE = [
    ('LEN("abc")', "3"),
    ('LEFT("abc", 2)', "ab"),
    ('RIGHT("abc", 2)', "bc"),
    ('RIGHT("abc", 0)', ""),
    ('MID("abcd", 2, 2)', "bc"),
    ('MID("abcd", 3)', "cd"),
    ('TRIM("  a ") & "|"', "a|"),
    ('LTRIM("  a") & "|"', "a|"),
    ('RTRIM("a  ") & "|"', "a|"),
    ('UCASE("a")', "A"),
    ('UPPER("a")', "A"),
    ('LCASE("A")', "a"),
    ('LOWER("A")', "a"),
    ('REPLACE("aba", "a", "c")', "cbc"),
    ('SPLIT("a,b", ",")', "a, b"),
    ('INSTR("hello", "l")', "3"),
    ('INSTR(4, "hello", "l")', "4"),
    ('INSTR("a", "z")', "0"),
    ('CONTAINS("abc", "B")', "true"),
    ('STARTSWITH("abc", "ab")', "true"),
    ('ENDSWITH("abc", "bc")', "true"),
    ('CAPITALIZE("ana")', "Ana"),
    ('EXTRACT_BETWEEN("a[b]c", "[", "]")', "b"),
    ('EXTRACT_AFTER("a:b", ":")', "b"),
    ('EXTRACT_BEFORE("a:b", ":")', "a"),
    ('ASC("A")', "65"),
    ("CHR(65)", "A"),
    ("ABS(-2)", "2"),
    ("INT(-1.5)", "-2"),
    ("FIX(-1.5)", "-1"),
    ("FLOOR(1.9)", "1"),
    ("CEIL(1.1)", "2"),
    ("CEILING(1.1)", "2"),
    ("ROUND(2.5)", "3"),
    ("ROUND(-2.5)", "-3"),
    ("ROUND(1.005, 1)", "1"),
    ("SQR(9)", "3"),
    ("SQRT(2) > 1.41", "true"),
    ("POW(2, 10)", "1024"),
    ("POWER(2, 3)", "8"),
    ("MOD(7, 3)", "1"),
    ("SGN(-3)", "-1"),
    ("EXP(0)", "1"),
    ("LOG(1)", "0"),
    ("LOG10(1000)", "3"),
    ("SIN(0)", "0"),
    ("COS(0)", "1"),
    ("TAN(0)", "0"),
    ("ASIN(0)", "0"),
    ("ACOS(1)", "0"),
    ("ATAN(0)", "0"),
    ("ATN(0)", "0"),
    ("PI > 3.14", "true"),
    ("RND() < 1", "true"),
    ("RANDOM(3, 3)", "3"),
    ("MAX(1, 3, 2)", "3"),
    ("MIN([4, 2])", "2"),
    ("SUM([1, 2, 3])", "6"),
    ("AVG(2, 4)", "3"),
    ("AVERAGE([1, 2])", "1.5"),
    ("COUNT([1, 2])", "2"),
    ("NOW", "2026-03-14 12:00:00"),
    ("NOW().year", "2026"),
    ("NOW.weekday", "6"),
    ("TODAY", "2026-03-14"),
    ("TODAY()", "2026-03-14"),
    ("TIME()", "12:00:00"),
    ("TIMESTAMP() > 1700000000", "true"),
    ('YEAR("2024-05-06")', "2024"),
    ('MONTH("2024-05-06")', "5"),
    ('DAY("2024-05-06")', "6"),
    ('HOUR("2024-05-06 07:08:09")', "7"),
    ('MINUTE("2024-05-06 07:08:09")', "8"),
    ('SECOND("2024-05-06 07:08:09")', "9"),
    ('WEEKDAY("2024-05-06")', "1"),
    ('DATEADD("2024-01-31", 1, "month")', "2024-02-29"),
    ('DATEADD("2024-01-31", "day", 1)', "2024-02-01"),
    ('DATEADD("day", 1, "2024-01-31")', "2024-02-01"),
    ('DATEDIFF("2024-01-01", "2024-02-01", "day")', "31"),
    ('DATEDIFF("day", "2024-01-01", "2024-01-02")', "1"),
    ('DATEVALUE("06/05/2024")', "2024-05-06"),
    ('TIMEVALUE("2024-05-06 07:08:09")', "07:08:09"),
    ('EOMONTH("2024-02-10")', "2024-02-29"),
    ('EOMONTH("2024-02-10", 1)', "2024-03-31"),
    ('FORMAT_DATE("2024-05-06", "dd/MM/yyyy")', "06/05/2024"),
    ('ISDATE("x")', "false"),
    ('DAYS_BETWEEN("2024-01-03", "2024-01-01")', "2"),
    ('HOURS_BETWEEN("2024-01-01", "2024-01-02")', "24"),
    ('SECONDS_BETWEEN("2024-01-01", "2024-01-02")', "86400"),
    ('ADD_DAYS("2024-01-01", 2)', "2024-01-03"),
    ("UBOUND([])", "0"),
    ("UBOUND([1])", "1"),
    ("LBOUND([1])", "0"),
    ("SIZE([1, 2])", "2"),
    ("PUSH([1], 2)", "1, 2"),
    ("APPEND([1], 2)", "1, 2"),
    ("POP([1, 2])", "2"),
    ("SHIFT([1, 2])", "1"),
    ("UNSHIFT([2], 1)", "1, 2"),
    ("PREPEND([2], 1)", "1, 2"),
    ("SLICE([1, 2, 3], -2)", "2, 3"),
    ("SLICE([1, 2, 3], 0, 1)", "1"),
    ("TAKE([1, 2], 1)", "1"),
    ("DROP([1, 2], 1)", "2"),
    ("HEAD([1, 2])", "1"),
    ("TAIL([1, 2])", "2"),
    ("INIT([1, 2])", "1"),
    ("FIRST([1, 2])", "1"),
    ("LAST([1, 2])", "2"),
    ("SORT([2, 1])", "1, 2"),
    ("REVERSE([1, 2])", "2, 1"),
    ("UNIQUE([1, 1])", "1"),
    ("DISTINCT([1, 1])", "1"),
    ("CONCAT([1], [2])", "1, 2"),
    ("FLATTEN([[1], 2])", "1, 2"),
    ("RANGE(1, 3)", "1, 2, 3"),
    ("UBOUND(BATCH([1, 2, 3], 2))", "2"),
    ("UBOUND(CHUNK([1], 2))", "1"),
    ('JOIN([1, 2], "-")', "1-2"),
    ("INDEX_OF([5, 6], 6)", "1"),
    ("LAST_INDEX_OF([5, 5], 5)", "1"),
    ("IN_ARRAY(5, [5])", "true"),
    ("INCLUDES([5], 5)", "true"),
    ('HAS({a: 1}, "a")', "true"),
    ("UBOUND(FILL([1, 2], 0))", "2"),
    ("FILL(3, 0)", "0, 0, 0"),
    ('VAL("12.5 kg")', "12.5"),
    ("STR(5)", "5"),
    ("STR$(5)", "5"),
    ("CINT(2.6)", "3"),
    ('CDBL("2.5")', "2.5"),
    ("CSTR(5)", "5"),
    ('CBOOL("yes")', "true"),
    ('CDATE("06/05/2024")', "2024-05-06"),
    ("TYPEOF([])", "array"),
    ("ISNULL(NULL)", "true"),
    ('ISEMPTY("")', "true"),
    ("ISARRAY([])", "true"),
    ('ISNUMBER("5")', "true"),
    ('ISNUMERIC("x")', "false"),
    ('ISSTRING("x")', "true"),
    ("ISBOOL(TRUE)", "true"),
    ("NVL(NULL, 5)", "5"),
    ('COALESCE("", "b")', "b"),
    ("IFNULL(NULL, 1)", "1"),
    ("IIF(TRUE, 1, 2)", "1"),
    ("CHOOSE(2, 5, 6)", "6"),
    ("LEN(UUID())", "36"),
    ("LEN(GUID())", "36"),
    ("JSON('{\"a\": 1}').a", "1"),
    ("TOJSON({a: 1})", '{"a": 1}'),
    ('FORMAT(1234.5, "N2")', "1,234.50"),
    ('FORMAT(1234.5, "N2[pt]")', "1.234,50"),
    ('FORMAT(5, "C2")', "$5.00"),
    ('FORMAT(5, "C2[pt]")', "R$ 5,00"),
    ('FORMAT(0.256, "0%")', "26%"),
    ('FORMAT(1234567.891, "#,##0.00")', "1,234,567.89"),
    ('FORMAT("2024-05-06", "yyyy-MM-dd")', "2024-05-06"),
    ('FORMAT("2024-05-06 07:08", "DD/MM/YYYY HH:mm")', "06/05/2024 07:08"),
    ('FORMAT("ab", ">")', "AB"),
    ('FORMAT("12345678", "@@@@-@@@@")', "1234-5678"),
    ('FORMAT 3 AS "N2"', "3.00"),
    ('SORT [{n: 2}, {n: 1}] BY "n"', "n: 1, n: 2"),
    ('SORT [{n: 2}, {n: 3}] BY "n" DESC', "n: 3, n: 2"),
]


FORMATS = [
    ("1234.5", "N", "1,234.50"),
    ("1234.5", "N0", "1,235"),
    ("1234.567", "n", "1,234.57"),
    ("1234.567", "F", "1234.57"),
    ("1234.567", "F1", "1234.6"),
    ("1234.5", "N2[pt-BR]", "1.234,50"),
    ("1234.5", "N2[fr]", "1 234,50"),
    ("1234.5", "N2[en]", "1,234.50"),
    ("1234.5", "C", "$1,234.50"),
    ("1234.5", "C[pt]", "R$ 1.234,50"),
    ("-5", "C2[en]", "-$5.00"),
    ("0.5", "0%", "50%"),
    ("0.1234", "0.00%", "12.34%"),
    ("1234.5", "#,##0.00", "1,234.50"),
    ("0", "#,##0.00", "0.00"),
    ("-1234.5", "#,##0.00", "-1,234.50"),
    ("0.001", "#,##0.00", "0.00"),
    ("-0.001", "0.00", "0.00"),
    ("1.005", "0.00", "1.01"),
    ("7", "000", "007"),
    ("1234567", "0", "1234567"),
    ("1.5", "0.0#", "1.5"),
    ("1.25", "0.0#", "1.25"),
    ("5", "R$ #,##0.00", "R$ 5.00"),
    ("5", "0 kg", "5 kg"),
    ('"12.5"', "0.00", "12.50"),
    ('"2024-05-06"', "yyyy/MM/dd", "2024/05/06"),
    ('"2024-05-06"', "DD/MM/YYYY", "06/05/2024"),
    ('"2024-05-06"', "dd/MM/yy", "06/05/24"),
    ('"2024-05-06"', "d de MMMM", "6 de May"),
    ('"2024-05-06 07:08:09"', "HH:mm:ss", "07:08:09"),
    ('"2024-05-06 19:08:09"', "hh:mm tt", "07:08 PM"),
    ('"06/05/2024"', "yyyy-MM-dd", "2024-05-06"),
    ("NOW()", "yyyy-MM-dd HH:mm", "2026-03-14 12:00"),
    ("TODAY", "dddd", "Saturday"),
    ("NULL", "yyyy-MM-dd", ""),
    ("NULL", "0.00", ""),
    ('"Abc"', ">", "ABC"),
    ('"Abc"', "<", "abc"),
    ('"abc"', "@@@@@", "  abc"),
    ('"abc"', "!@@@@@", "abc  "),
    ('"abc"', "&&&&&", "abc"),
    ('"5551234"', "@@@-@@@@", "555-1234"),
    ('"15551234"', "(@) @@@-@@@@", "(1) 555-1234"),
    ('"12345"', "@@-@@", "123-45"),
    ('"12345"', "!@@-@@", "12-345"),
    ('"ab"', ">@@", "AB"),
]
BARE = [
    ('LEFT "abc", 2', "ab"),
    ('DATEADD today, "days", -7', "2026-03-07"),
    ('DATEADD "2024-01-31", 1, "months"', "2024-02-29"),
    ('FORMAT "2024-05-06", "yyyy"', "2024"),
    ("FIRST [1, 2, 3], 2", "1, 2"),
    ("PUSH [1], 2", "1, 2"),
    ('REPLACE "aba", "a", "c"', "cbc"),
    ("MAX 1, 3", "3"),
    ("MIN 1, 3", "1"),
    ('SORT [{f: 2}, {f: 1}] BY "f" ASC', "f: 1, f: 2"),
    ('INSTR "hello", "l"', "3"),
    ('INSTR 4, "hello", "l"', "4"),
    ("ROUND 2.567, 1", "2.6"),
    ("ABS -5", "5"),
    ("RANDOM 4, 4", "4"),
    ("RANDOM 0", "0"),
    ('IIF 1 = 1, "a", "b"', "a"),
    ('CHOOSE 1, "a", "b"', "a"),
    ("NVL NULL, 3", "3"),
    ('SPLIT "a,b", ","', "a, b"),
    ("UBOUND [1, 2]", "2"),
    ('JSON PARSE "[1]"', "1"),
]
ORDERS = [
    ('DATEADD("2024-01-31", 7, "days")', "2024-02-07"),
    ('DATEADD("2024-01-31", "days", 7)', "2024-02-07"),
    ('DATEADD("days", 7, "2024-01-31")', "2024-02-07"),
    ('DATEADD("d", "7", "2024-01-31")', "2024-02-07"),
    ('DATEADD("2024-01-31", 7)', "2024-02-07"),
    ('DATEADD("2024-01-31", -1, "year")', "2023-01-31"),
    ('DATEADD("2024-01-31 10:00", 90, "minutes")', "2024-01-31 11:30:00"),
    ('DATEADD(NOW(), 1, "hour")', "2026-03-14 13:00:00"),
    ('DATEADD("2024-02-29", 1, "year")', "2025-02-28"),
    ('DATEDIFF("2024-01-01", "2024-01-15", "day")', "14"),
    ('DATEDIFF("2024-01-15", "2024-01-01", "day")', "-14"),
    ('DATEDIFF("day", "2024-01-01", "2024-01-15")', "14"),
    ('DATEDIFF("2024-01-01", "day", "2024-01-15")', "14"),
    ('DATEDIFF("2024-01-01", "2024-01-15")', "14"),
    ('DATEDIFF("2024-01-01 23:00", "2024-01-02 01:00", "day")', "1"),
    ('DATEDIFF("2024-01-01 23:00", "2024-01-02 01:00", "hour")', "2"),
    ('DATEDIFF("1990-06-20", "2024-06-19", "year")', "33"),
    ('DATEDIFF("1990-06-20", "2024-06-20", "year")', "34"),
    ('DATEDIFF("2024-01-31", "2024-02-29", "month")', "1"),
    ('DATEDIFF("2024-01-01", "2024-01-15", "week")', "2"),
]


@pytest.mark.parametrize(("call", "expected"), [*TABLE, *BARE, *ORDERS])
def test_what_a_function_gives(call: str, expected: str) -> None:
    assert value(call) == expected


@pytest.mark.parametrize(("what", "pattern", "expected"), FORMATS)
def test_what_format_gives(what: str, pattern: str, expected: str) -> None:
    assert value(f'FORMAT({what}, "{pattern}")') == expected
    assert value(f'FORMAT {what} AS "{pattern}"') == expected


def functions() -> list[Keyword]:
    """Every function once, whatever it is called too."""
    return sorted({keyword.name: keyword for keyword in registry().functions.values()}.values(), key=lambda k: k.name)


@pytest.mark.parametrize("keyword", functions(), ids=lambda keyword: keyword.name)
def test_the_example_of_a_function_gives_what_it_says(keyword: Keyword) -> None:
    call, _, expected = keyword.example.partition("  ' ")
    assert expected, f"the example of {keyword.name} says no result"
    assert value(f"TOJSON({call})") == value(f"TOJSON({expected})")
    assert keyword.summary.endswith(".")
    assert len(keyword.summary) > len(keyword.name) + 8


@pytest.mark.parametrize("name", sorted(registry().functions))
@pytest.mark.parametrize(
    "arguments", ["", "NULL", '"x"', "[1], 2", "{a: 1}, -1, 0", '5, "x", 3, 4', "1e308, 9999999999"]
)
def test_wrong_arguments_are_an_error_of_the_script_or_a_value(name: str, arguments: str) -> None:
    """Nothing but the error tree of programs leaves a function, and no words of the language it is written in."""
    played = play(f"x = {name}({arguments})\nTALK x")
    if isinstance(played.outcome, m.Failed):
        assert "()" not in played.error.replace(f"{name}()", "")
        assert "' object" not in played.error
        assert "argument" not in played.error


HUGE = "FILL(100000, 1)"
LONG = 'STR_REPEAT("a", 1000000)'
HOSTILE = [
    f'REPLACE({LONG}, "a", {LONG})',
    f"JOIN({HUGE}, {LONG})",
    f"FILL(100000, {LONG})",
    f"FILL(100000, {HUGE})",
    f"STR_REPEAT({LONG}, 1000000)",
    f'SPLIT({LONG}, "a")',
    "RANGE(1, 1000000000)",
    "RANGE(1, 1e300)",
    "FILL(1e300, 0)",
    "ROUND(1.5, 1000000000)",
    "POW(10, 100000)",
    "EXP(100000)",
    'FORMAT(1.5, "N99999999")',
    'FORMAT(1, "0." & STR_REPEAT("0", 900))',
    'FORMAT(1, STR_REPEAT("#", 100000))',
    f'FORMAT({LONG}, "!@@@@@")',
    'FORMAT(1, STR_REPEAT(",", 900))',
    f"DATEVALUE({LONG})",
    'DATEADD("2024-01-01", 1e300, "years")',
    'DATEADD("9999-12-31", 1, "seconds")',
    'DATEADD("2024-01-01", 999999999, "weeks")',
    'EOMONTH("2024-01-01", 99999999)',
    f"JSON({LONG})",
    'JSON(STR_REPEAT("[", 100000))',
    'JSON("1e999")',
    'JSON("NaN")',
    f"UNIQUE({HUGE})",
    f"SORT({HUGE})",
    "CHR(-1)",
    "CHR(1e30)",
    f"INSTR(1e300, {LONG}, {LONG})",
    f"VAL({LONG})",
    'VAL(STR_REPEAT("1", 100000))',
    f"LEFT({LONG}, 1e300)",
    f"MID({LONG}, -1e300, 1e300)",
    f"SLICE({HUGE}, -1e300, 1e300)",
    f"[{', '.join(['x'] * 1000)}]",
    f"TOJSON([{', '.join(['x'] * 1000)}])",
    f"CONCAT({', '.join([HUGE] * 20)})",
    f"SUM({HUGE})",
    f'EXTRACT_BETWEEN({LONG}, "", "")',
]


@pytest.mark.parametrize("call", HOSTILE)
def test_hostile_arguments_end_soon(call: str) -> None:
    """A value or an error, never minutes or gigabytes."""
    began = time.thread_time()
    play(f"TALK LEFT({call}, 100)", variables={"x": "a" * 1_000_000})
    assert time.thread_time() - began < 2


def test_a_call_with_too_little_says_how_it_is_written() -> None:
    assert play('TALK LEFT("abc")').error == "LEFT: expected LEFT text, count"


def test_times_are_those_of_the_bots_zone() -> None:
    lisbon = clock_of(Release({}, {"timezone": "Europe/Lisbon"}, ""))
    assert lisbon().tzinfo == ZoneInfo("Europe/Lisbon")
    assert clock_of(Release({}, {"timezone": "Atlantis"}, ""))().tzinfo == ZoneInfo("UTC")
    assert clock_of(Release({}, {}, ""))().tzinfo == ZoneInfo("UTC")


def test_hours_that_pass_are_counted_across_a_change_of_clocks() -> None:
    """In Lisbon the clocks of 29 March 2026 go from 01:00 to 02:00."""

    def clock() -> datetime.datetime:
        return datetime.datetime(2026, 3, 28, 12, tzinfo=ZoneInfo("Europe/Lisbon"))

    assert dates.difference(clock, "2026-03-29 00:30", "2026-03-29 03:30", "hours") == 2
    assert dates.add(clock, "2026-03-29 00:30", 1, "hour") == "2026-03-29 02:30:00"
    assert dates.add(clock, "2026-03-28 00:30", 1, "day") == "2026-03-29 00:30:00"
    assert dates.now_object(clock())["hour"] == 12
    assert formatting.format_value(clock, dates.now_object(clock()), "HH") == "12"


def test_a_date_in_another_zone_is_shown_in_that_of_the_clock() -> None:
    def clock() -> datetime.datetime:
        return datetime.datetime(2026, 7, 1, 12, tzinfo=ZoneInfo("Europe/Lisbon"))

    assert formatting.format_value(clock, "2026-07-01T12:00:00Z", "HH:mm") == "13:00"


def test_a_pattern_of_dates_wants_a_date() -> None:
    with pytest.raises(ProgramError, match="expected a date"):
        formatting.format_value(lambda: datetime.datetime.now(datetime.UTC), "abc", "yyyy")


METHODS = [
    ('"  tea ".trim()', "tea"),
    ('"TEA".toLowerCase()', "tea"),
    ('"tea".toUpperCase()', "TEA"),
    ('"a,b".split(",").length', "2"),
    ("[1, 2].length", "2"),
    ('"abc".length', "3"),
    ('"abc".includes("b")', "true"),
    ("[1, 2].includes(2)", "true"),
    ('"abc".indexOf("c")', "2"),
    ('"abc".substring(1, 2)', "b"),
    ('"aba".replace("a", "c")', "cbc"),
    ('[1, 2].join("-")', "1-2"),
    ("[1, 2, 3].slice(1)", "2, 3"),
    ("[1, 2, 3].reverse()", "3, 2, 1"),
    ("[3, 1].sort()", "1, 3"),
    ("{a: 1}.keys()", "a"),
    ('"a".concat("b", "c")', "abc"),
]


@pytest.mark.parametrize(("call", "expected"), METHODS)
def test_what_a_method_gives(call: str, expected: str) -> None:
    assert value(call) == expected


def test_methods_change_the_list_they_are_called_on() -> None:
    played = play(
        "a = [1, 2, 3]\na.PUSH(4)\na.splice(1, 2)\nTALK a\na.push(5, 6)\nTALK a.pop()\nTALK a.shift()\nTALK a"
    )
    assert played.said == ["1, 4", "6", "1", "4, 5"]

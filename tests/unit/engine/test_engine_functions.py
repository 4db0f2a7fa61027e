import pytest

from services.engine.keywords import registry
from services.engine.machine.functions import FUNCTIONS
from tests.unit.engine.scripts import play, value

pytestmark = pytest.mark.unit

TABLE = [
    ('LEN("abc")', "3"), ('LEFT("abc", 2)', "ab"), ('RIGHT("abc", 2)', "bc"), ('RIGHT("abc", 0)', ""), ('MID("abcd", 2, 2)', "bc"),
    ('MID("abcd", 3)', "cd"), ('TRIM("  a ") & "|"', "a|"), ('LTRIM("  a") & "|"', "a|"), ('RTRIM("a  ") & "|"', "a|"),
    ('UCASE("a")', "A"), ('UPPER("a")', "A"), ('LCASE("A")', "a"), ('LOWER("A")', "a"), ('REPLACE("aba", "a", "c")', "cbc"),
    ('SPLIT("a,b", ",")', "a, b"), ('INSTR("hello", "l")', "3"), ('INSTR(4, "hello", "l")', "4"), ('INSTR("a", "z")', "0"),
    ('CONTAINS("abc", "B")', "true"), ('STARTSWITH("abc", "ab")', "true"), ('ENDSWITH("abc", "bc")', "true"),
    ('CAPITALIZE("ana")', "Ana"), ('EXTRACT_BETWEEN("a[b]c", "[", "]")', "b"), ('EXTRACT_AFTER("a:b", ":")', "b"),
    ('EXTRACT_BEFORE("a:b", ":")', "a"), ('ASC("A")', "65"), ("CHR(65)", "A"), ("ABS(-2)", "2"), ("INT(-1.5)", "-2"), ("FIX(-1.5)", "-1"),
    ("FLOOR(1.9)", "1"), ("CEIL(1.1)", "2"), ("CEILING(1.1)", "2"), ("ROUND(2.5)", "3"), ("ROUND(-2.5)", "-3"), ("ROUND(1.005, 1)", "1"),
    ("SQR(9)", "3"), ("SQRT(2) > 1.41", "true"), ("POW(2, 10)", "1024"), ("POWER(2, 3)", "8"), ("MOD(7, 3)", "1"), ("SGN(-3)", "-1"),
    ("EXP(0)", "1"), ("LOG(1)", "0"), ("LOG10(1000)", "3"), ("SIN(0)", "0"), ("COS(0)", "1"), ("TAN(0)", "0"), ("ASIN(0)", "0"), ("ACOS(1)", "0"),
    ("ATAN(0)", "0"), ("ATN(0)", "0"), ("PI > 3.14", "true"), ("RND() < 1", "true"), ("RANDOM(3, 3)", "3"), ("MAX(1, 3, 2)", "3"), ("MIN([4, 2])", "2"),
    ("SUM([1, 2, 3])", "6"), ("AVG(2, 4)", "3"), ("AVERAGE([1, 2])", "1.5"), ("COUNT([1, 2])", "2"),
    ("NOW", "2026-03-14 12:00:00"), ("NOW().year", "2026"), ("NOW.weekday", "6"), ("TODAY", "2026-03-14"), ("TODAY()", "2026-03-14"), ("TIME", "12:00:00"),
    ("TIMESTAMP() > 1700000000", "true"), ('YEAR("2024-05-06")', "2024"), ('MONTH("2024-05-06")', "5"), ('DAY("2024-05-06")', "6"),
    ('HOUR("2024-05-06 07:08:09")', "7"), ('MINUTE("2024-05-06 07:08:09")', "8"), ('SECOND("2024-05-06 07:08:09")', "9"), ('WEEKDAY("2024-05-06")', "1"),
    ('DATEADD("2024-01-31", 1, "month")', "2024-02-29"), ('DATEADD("2024-01-31", "day", 1)', "2024-02-01"), ('DATEADD("day", 1, "2024-01-31")', "2024-02-01"),
    ('DATEDIFF("2024-01-01", "2024-02-01", "day")', "31"), ('DATEDIFF("day", "2024-01-01", "2024-01-02")', "1"), ('DATEVALUE("06/05/2024")', "2024-05-06"),
    ('TIMEVALUE("2024-05-06 07:08:09")', "07:08:09"), ('EOMONTH("2024-02-10")', "2024-02-29"), ('EOMONTH("2024-02-10", 1)', "2024-03-31"),
    ('FORMAT_DATE("2024-05-06", "dd/MM/yyyy")', "06/05/2024"), ('ISDATE("x")', "false"), ('DAYS_BETWEEN("2024-01-03", "2024-01-01")', "2"),
    ('HOURS_BETWEEN("2024-01-01", "2024-01-02")', "24"), ('SECONDS_BETWEEN("2024-01-01", "2024-01-02")', "86400"), ('ADD_DAYS("2024-01-01", 2)', "2024-01-03"),
    ("UBOUND([])", "0"), ("UBOUND([1])", "1"), ("LBOUND([1])", "0"), ("SIZE([1, 2])", "2"), ("PUSH([1], 2)", "1, 2"), ("APPEND([1], 2)", "1, 2"),
    ("POP([1, 2])", "2"), ("SHIFT([1, 2])", "1"), ("UNSHIFT([2], 1)", "1, 2"), ("PREPEND([2], 1)", "1, 2"), ("SLICE([1, 2, 3], -2)", "2, 3"),
    ("SLICE([1, 2, 3], 0, 1)", "1"), ("TAKE([1, 2], 1)", "1"), ("DROP([1, 2], 1)", "2"), ("HEAD([1, 2])", "1"), ("TAIL([1, 2])", "2"), ("INIT([1, 2])", "1"),
    ("FIRST([1, 2])", "1"), ("LAST([1, 2])", "2"), ("SORT([2, 1])", "1, 2"), ("REVERSE([1, 2])", "2, 1"), ("UNIQUE([1, 1])", "1"), ("DISTINCT([1, 1])", "1"),
    ("CONCAT([1], [2])", "1, 2"), ("FLATTEN([[1], 2])", "1, 2"), ("RANGE(1, 3)", "1, 2, 3"), ("UBOUND(BATCH([1, 2, 3], 2))", "2"), ("UBOUND(CHUNK([1], 2))", "1"),
    ('JOIN([1, 2], "-")', "1-2"), ("INDEX_OF([5, 6], 6)", "1"), ("LAST_INDEX_OF([5, 5], 5)", "1"), ("IN_ARRAY(5, [5])", "true"), ("INCLUDES([5], 5)", "true"),
    ('HAS({a: 1}, "a")', "true"), ("UBOUND(FILL([1, 2], 0))", "2"), ("FILL(3, 0)", "0, 0, 0"),
    ('VAL("12.5 kg")', "12.5"), ("STR(5)", "5"), ("STR$(5)", "5"), ("CINT(2.6)", "3"), ('CDBL("2.5")', "2.5"), ("CSTR(5)", "5"), ('CBOOL("yes")', "true"),
    ('CDATE("06/05/2024")', "2024-05-06"), ("TYPEOF([])", "array"), ("ISNULL(NULL)", "true"), ('ISEMPTY("")', "true"), ("ISARRAY([])", "true"), ('ISNUMBER("5")', "true"),
    ('ISNUMERIC("x")', "false"), ('ISSTRING("x")', "true"), ("ISBOOL(TRUE)", "true"), ("NVL(NULL, 5)", "5"), ('COALESCE("", "b")', "b"), ("IFNULL(NULL, 1)", "1"),
    ("IIF(TRUE, 1, 2)", "1"), ("CHOOSE(2, 5, 6)", "6"), ("LEN(UUID())", "36"), ("LEN(GUID())", "36"), ("JSON('{\"a\": 1}').a", "1"), ("TOJSON({a: 1})", '{"a": 1}'),
    ('FORMAT(1234.5, "N2")', "1,234.50"), ('FORMAT(1234.5, "N2[pt]")', "1.234,50"), ('FORMAT(5, "C2")', "$5.00"), ('FORMAT(5, "C2[pt]")', "R$ 5,00"),
    ('FORMAT(0.256, "0%")', "26%"), ('FORMAT(1234567.891, "#,##0.00")', "1,234,567.89"), ('FORMAT("2024-05-06", "yyyy-MM-dd")', "2024-05-06"),
    ('FORMAT("2024-05-06 07:08", "DD/MM/YYYY HH:mm")', "06/05/2024 07:08"), ('FORMAT("ab", ">")', "AB"), ('FORMAT("12345678", "@@@@-@@@@")', "1234-5678"),
    ('FORMAT 3 AS "N2"', "3.00"), ('SORT [{n: 2}, {n: 1}] BY "n"', "n: 1, n: 2"), ('SORT [{n: 2}, {n: 3}] BY "n" DESC', "n: 3, n: 2"),
]  # fmt: skip


@pytest.mark.parametrize(("call", "expected"), TABLE)
def test_what_a_function_gives(call: str, expected: str) -> None:
    assert value(call) == expected


def test_every_function_the_parser_knows_can_be_run() -> None:
    assert registry.FUNCTIONS - {"STRING"} <= set(FUNCTIONS)


@pytest.mark.parametrize("name", sorted(registry.FUNCTIONS))
@pytest.mark.parametrize("arguments", ["", "NULL", '"x"', "[1], 2", "{a: 1}, -1, 0", '5, "x", 3, 4'])
def test_wrong_arguments_are_an_error_of_the_script_or_a_value(name: str, arguments: str) -> None:
    """Nothing but the error tree of programs leaves a function."""
    play(f"x = {name}({arguments})\nTALK x")

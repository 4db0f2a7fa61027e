import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.engine.scripts import play, value

pytestmark = pytest.mark.unit

TABLE = [
    ("1 + 2 * 3", "7"),
    ("(1 + 2) * 3", "9"),
    ("2 ^ 3 ^ 2", "512"),
    ("-2 ^ 2", "-4"),
    ("2 ^ -1", "0.5"),
    ("7 MOD 3", "1"),
    ("-7 MOD 3", "-1"),
    ("7 % 4", "3"),
    ("10 / 4", "2.5"),
    ("10 / 5", "2"),
    ('"a" + 1', "a1"),
    ('1 + "a"', "1a"),
    ('"a" & 1 + 1', "a2"),
    ('"5" * "3"', "15"),
    ("1 = 1", "true"),
    ("1 == 1", "true"),
    ('"5" = 5', "true"),
    ("1 <> 2", "true"),
    ("1 != 1", "false"),
    ("2 >= 2 AND 1 < 2", "true"),
    ("1 = 1 AND 2 <> 3", "true"),
    ("NOT 1 = 2", "true"),
    ("NOT NOT TRUE", "true"),
    ("! FALSE", "true"),
    ("TRUE && FALSE", "false"),
    ("FALSE || TRUE", "true"),
    ("TRUE XOR TRUE", "false"),
    ('NULL OR "Unknown"', "Unknown"),
    ('"" OR 0 OR "x"', "x"),
    ("3 IN [1, 2, 3]", "true"),
    ("4 NOT IN [1, 2, 3]", "true"),
    ('"ell" IN "hello"', "true"),
    ('"hello" LIKE "h%o"', "true"),
    ('"hello" LIKE "_ello"', "true"),
    ('"hello" LIKE "ELL"', "true"),
    ('"hello" NOT LIKE "x%"', "true"),
    ("5 BETWEEN 1 AND 10", "true"),
    ("5 NOT BETWEEN 1 AND 4", "true"),
    ("NULL IS NULL", "true"),
    ("1 IS NOT NULL", "true"),
    ('"12" IS NUMERIC', "true"),
    ('IS NUMERIC("x")', "false"),
    ("[1, 2] CONTAINS 2", "true"),
    ('"Hello" CONTAINS "ELL"', "true"),
    ("missing?.name", ""),
    ("#{a: 1, b: 2}.b", "2"),
    ('{"Name": "Ana"}.name', "Ana"),
    ("{x: {y: [10, 20]}}.x.y[1]", "20"),
    ("[1, 2, 3].length", "3"),
    ('"abc".length', "3"),
    ('"  x ".trim() & "|"', "x|"),
    ('"Ab".toLowerCase()', "ab"),
    ('[3, 1].join("-")', "3-1"),
    ("NEW OBJECT & NEW ARRAY", ""),
    ("1.5e3", "1500"),
    ('"say ""hi"""', 'say "hi"'),
    ('"line\\nnext"', "line\nnext"),
    ("'single'", "single"),
    ("“smart”", "smart"),
    ('"sum ${1 + 2} and ${UCASE("x")}"', "sum 3 and X"),
    ('IIF(1 > 2, "a", "b")', "b"),
]


@pytest.mark.parametrize(("expression", "expected"), TABLE)
def test_what_an_expression_means(expression: str, expected: str) -> None:
    assert value(expression) == expected


@given(st.integers(-(10**6), 10**6), st.integers(-(10**6), 10**6))
def test_whole_arithmetic_is_exact(left: int, right: int) -> None:
    assert value("a + b", a=left, b=right) == str(left + right)
    assert value("a * b", a=left, b=right) == str(left * right)
    assert value("a < b", a=left, b=right) == str(left < right).lower()


@given(st.integers(-1000, 1000), st.integers(-1000, 1000), st.integers(1, 1000))
def test_written_out_arithmetic_agrees_with_pythons(left: int, middle: int, right: int) -> None:
    expected = (left - middle) * right + middle
    assert value(f"({left} - {middle}) * {right} + {middle}") == str(expected)


@given(
    st.text(alphabet=st.characters(exclude_characters='"\\${}\n\r“”„‘’\ufeff', exclude_categories=["C", "Zl", "Zp"]))
)
def test_a_text_comes_out_as_it_was_written(text: str) -> None:
    assert value(f'"x{text}"') == "x" + text


@pytest.mark.parametrize("expression", ['FALSE AND LLM "x"', 'TRUE OR LLM "x"'])
def test_an_operand_that_is_not_needed_does_not_act(expression: str) -> None:
    assert play(f"IF {expression} THEN TALK 1").effects == []


def test_an_operand_that_is_needed_acts_once() -> None:
    played = play('IF TRUE AND LLM "x" THEN TALK "yes"')
    assert len(played.effects) == 1
    assert played.said == ["yes"]


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("x = 1 / 0", "division by zero"),
        ('x = "a" * 2', "expected a number"),
        ("x = missing.name", "NULL"),
        ("x = 9 ^ 999999", "too large"),
        ("x = SQR(-1)", "SQR"),
        ("x = [1].nothing()", ".nothing()"),
    ],
)
def test_what_cannot_be_computed_is_an_error_with_its_line(source: str, words: str) -> None:
    played = play(f"TALK 1\n{source}")
    assert words in played.error
    assert played.outcome.line == 2  # type: ignore[union-attr]

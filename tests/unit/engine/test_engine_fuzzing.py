"""Anything may be given to the compiler and the machine: they answer within bounds, and never with a crash."""

import random
import time
import tracemalloc

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.engine.basic.compiler import CompileResult, compile_basic
from services.engine.machine import machine as m
from tests.unit.engine.corpus import CORPUS, cases
from tests.unit.engine.scripts import codes, play

pytestmark = pytest.mark.unit

SLOW = [HealthCheck.too_slow, HealthCheck.data_too_large]
MEGABYTE = 1_048_576
SECONDS = 60.0
BYTES = 100 * MEGABYTE
SOURCES = [source for case in cases() for source in case.scripts.values()]
SOURCES += [path.read_text(encoding="utf-8") for path in (CORPUS / "scripts").glob("*.bas")]
WORDS = """
IF THEN ELSE ELSEIF END FOR EACH IN NEXT TO STEP WHILE WEND DO LOOP UNTIL SELECT CASE SWITCH DEFAULT SUB FUNCTION CALL
RETURN GOTO ON ERROR RESUME TRY CATCH WITH AS TALK HEAR SET LET DIM PARAM DESCRIPTION LIKE FIND WHERE ORDER BY LIMIT
SAVE INSERT INTO VALUES UPDATE DELETE FROM LLM GET POST TABLE ON KB BEGIN MAIL PROMPT NOT AND OR XOR MOD BETWEEN IS NULL
x y z 1 2.5 "a" 'b' "${x}" "${ ( ) [ ] { } #{ , : ; . ?. = == <> < > <= >= + - * / ^ & && || ! ' // # REM _
""".split()
PIECES = st.sampled_from([*WORDS, "\n", "\n", "\n  ", " "])


def sound(source: str) -> CompileResult:
    """What the compiler says: a program, or an error with its place."""
    result = compile_basic(source, "script.bas")
    lines = source.replace("\r\n", "\n").replace("\r", "\n").count("\n") + 1
    for item in result.diagnostics:
        assert 1 <= item.line <= lines, item
        assert item.column >= 1, item
        assert item.message
    assert (result.program is None) is any(item.severity == "error" for item in result.diagnostics)
    return result


@settings(max_examples=150, deadline=None, suppress_health_check=SLOW)
@given(st.text(max_size=400))
def test_any_text_is_answered(source: str) -> None:
    sound(source)


@settings(max_examples=100, deadline=None, suppress_health_check=SLOW)
@given(st.binary(max_size=400))
def test_any_bytes_are_answered(raw: bytes) -> None:
    sound(raw.decode("latin-1"))


@settings(max_examples=300, deadline=None, suppress_health_check=SLOW)
@given(st.lists(PIECES, max_size=60))
def test_words_of_the_language_in_any_order_are_answered(pieces: list[str]) -> None:
    sound(" ".join(pieces))


@settings(max_examples=300, deadline=None, suppress_health_check=SLOW)
@given(source=st.sampled_from(SOURCES), data=st.data())
def test_scripts_with_something_changed_are_answered(source: str, data: st.DataObject) -> None:
    for _ in range(data.draw(st.integers(1, 4))):
        start = data.draw(st.integers(0, len(source)))
        end = min(len(source), start + data.draw(st.integers(0, 12)))
        source = source[:start] + data.draw(st.one_of(PIECES, st.text(max_size=3))) + source[end:]
    sound(source)


@settings(max_examples=60, deadline=None, suppress_health_check=SLOW)
@given(source=st.sampled_from(SOURCES), start=st.integers(0, 200), count=st.integers(1, 40))
def test_a_part_of_a_script_is_answered(source: str, start: int, count: int) -> None:
    sound("\n".join(source.split("\n")[start : start + count]))


def repeated(piece: str, before: str = "", after: str = "") -> str:
    """Nearly a megabyte of it."""
    return before + piece * ((MEGABYTE - 1000) // len(piece.encode())) + after


def garbage(kind: str) -> str:
    """A megabyte that looks like something."""
    dice = random.Random(kind)
    if kind == "characters":
        return "".join(dice.choices("\"'()[]{}#$.,:;+-*/\n ab1é", k=MEGABYTE // 2))
    if kind == "words":
        return " ".join(dice.choices([*WORDS, "\n", "\n"], k=200_000))[:MEGABYTE]
    return "\n".join(dice.choices(SOURCES, k=4000))[: MEGABYTE // 2]


HUGE = {
    "one line of brackets": repeated("("),
    "one line of lists in lists": repeated("[", "x = "),
    "one line of objects in objects": repeated("{a:", "x = "),
    "one line of operators": repeated("1+", "x = "),
    "one line of points": repeated(".b", "x = a"),
    "one line of indexes": repeated("a[", "x = "),
    "one line of signs": repeated("- ", "x = "),
    "one line of quotes": repeated('"', "x = "),
    "one line of dollars": repeated("${", 'TALK "'),
    "one line of words": repeated("hello ", "TALK "),
    "one line of inline branches": repeated("IF a THEN "),
    "lines of brackets": repeated("(\n"),
    "lines of blocks without end": repeated("IF a THEN\n"),
    "lines of ends without blocks": repeated("END IF\n"),
    "lines of open quotes": repeated('x = "a\nfoo\nbar\n'),
    "lines of talk": repeated("TALK 1\n"),
    "lines of mistakes": repeated("TLAK 1\n"),
    "lines that go on": repeated("a _\n"),
    "lines of nothing": repeated("\n"),
    "characters": garbage("characters"),
    "words": garbage("words"),
    "scripts": garbage("scripts"),
}


@pytest.mark.parametrize("name", list(HUGE))
def test_a_megabyte_is_answered_in_bounded_time(name: str) -> None:
    began = time.thread_time()
    result = sound(HUGE[name])
    assert time.thread_time() - began < SECONDS
    assert len(result.diagnostics) <= 1000


@pytest.mark.parametrize("name", ["one line of brackets", "lines of talk", "characters"])
def test_memory_is_a_multiple_of_the_script(name: str) -> None:
    tracemalloc.start()
    try:
        sound(HUGE[name][: MEGABYTE // 30])
        assert tracemalloc.get_traced_memory()[1] < BYTES
    finally:
        tracemalloc.stop()


# the list of the issue


@pytest.mark.parametrize(
    "block",
    ["IF a THEN", "FOR EACH x IN y", "FOR i = 1 TO 2", "WHILE a", "DO", "TRY", "WITH a", "SUB a()", "SELECT CASE a"],
)
def test_an_unterminated_block_is_an_error_where_it_begins(block: str) -> None:
    found = [item for item in compile_basic(f"TALK 1\n{block}\n", "script.bas").diagnostics if item.severity == "error"]
    assert [(item.code, item.line) for item in found] == [("BAS122", 2)]


def test_brackets_10000_deep_are_an_error() -> None:
    assert codes("x = " + "(" * 10_000 + "1" + ")" * 10_000) == ["BAS106"]
    assert "BAS105" in codes("IF a THEN\n" * 10_000 + "END IF\n" * 10_000)


def test_a_sub_that_calls_itself_10000_deep_ends_with_an_error() -> None:
    source = "SUB down(n)\nIF n > 0 THEN CALL down(n - 1)\nEND SUB\nCALL down(10000)\nTALK 1"
    assert "calls are 200 deep" in play(source).error


def test_a_line_of_a_megabyte_is_one_error() -> None:
    assert codes("TALK 1\nx = " + "1 + " * 200_000 + "1") == ["BAS109"]


@pytest.mark.parametrize(
    "loop",
    [
        "WHILE TRUE\nx = x + 1\nWEND",
        "DO\nLOOP",
        "a:\nGOTO a",
        "FOR i = 1 TO 2 STEP 0\nNEXT",
        "DO\nTRY\nTHROW 1\nCATCH e\nEND TRY\nLOOP",
    ],
)
def test_an_endless_loop_ends_with_an_error(loop: str) -> None:
    began = time.thread_time()
    played = play(loop, budgets=m.Budgets(nodes=100_000, seconds=5))
    assert "without stopping" in played.error
    assert time.thread_time() - began < 10


@pytest.mark.parametrize(
    "source",
    [
        "x = RANGE(1, 10000000)",
        "x = FILL(10000000, 0)",
        "a = []\nFOR i = 1 TO 10000000\na[UBOUND(a)] = i\nNEXT",
        "a = [1]\nWHILE TRUE\na = a + a\nWEND",
        's = "x"\nWHILE TRUE\ns = s + s\nWEND',
    ],
)
def test_a_value_that_grows_without_end_is_an_error(source: str) -> None:
    played = play(source, budgets=m.Budgets(seconds=2))
    assert isinstance(played.outcome, m.Failed)


def test_a_text_that_grows_takes_bounded_memory() -> None:
    tracemalloc.start()
    try:
        assert "million characters" in play('s = "x"\nWHILE TRUE\ns = s + s\nWEND').error
        assert tracemalloc.get_traced_memory()[1] < BYTES
    finally:
        tracemalloc.stop()

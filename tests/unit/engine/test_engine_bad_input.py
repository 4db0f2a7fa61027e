"""Scripts that are too much: a clear error, soon, and nothing that grows without bound."""

import time

import pytest

from services.engine.basic.matching import Matching
from services.engine.machine import hot
from services.engine.machine import machine as m
from tests.unit.engine.scripts import diagnosed, machine_of, play

pytestmark = pytest.mark.unit
DEEP = 10_000
MEGABYTE = 1_000_000


def soon(seconds: float, since: float) -> None:
    """In time of this thread: the machine may be busy."""
    spent = time.thread_time() - since
    assert spent < seconds, f"{spent:.1f} s"


TOO_DEEP = {
    "brackets": "x = " + "(" * DEEP + "1" + ")" * DEEP,
    "calls": "x = " + "UCASE(" * DEEP + "1" + ")" * DEEP,
    "lists": "x = " + "[" * DEEP + "]" * DEEP,
    "objects": "x = " + "#{a: " * DEEP + "1" + "}" * DEEP,
    "keywords": "x = " + "POST(" * DEEP + "1" + ")" * DEEP,
    "powers": "x = " + "2 ^ " * DEEP + "2",
    "sums": "x = " + "1 + " * DEEP + "1",
    "not": "x = " + "NOT " * DEEP + "a",
    "minus": "x = " + "- " * DEEP + "a",
    "fields": "x = a" + ".b" * DEEP,
    "indexes": "x = a" + "[0]" * DEEP,
    "texts": 'x = "' + "${a + " * DEEP + '"',
    "blocks": "IF a THEN\n" * DEEP + "TALK 1\n" + "END IF\n" * DEEP,
    "loops": "FOR i = 1 TO 2\n" * DEEP + "NEXT\n" * DEEP,
    "open": "WHILE a\n" * DEEP,
    "else": "IF a THEN TALK 1 ELSE " * DEEP + "TALK 2",
    "else if": "IF a THEN\nTALK 1\n" + "ELSEIF b THEN\nTALK 2\n" * DEEP + "END IF",
}
FINE = {"fields", "indexes", "else if", "not", "minus"}
"""As long as they are, but not deep."""


@pytest.mark.parametrize("what", TOO_DEEP)
def test_ten_thousand_deep(what: str) -> None:
    """One or a few mistakes said, in little time, and no RecursionError."""
    began = time.thread_time()
    found = diagnosed(TOO_DEEP[what])
    soon(8, began)
    errors = [item for item in found if item.severity == "error"]
    assert len(errors) < 5
    assert what in FINE or errors


@pytest.mark.parametrize("source", ["TALK _", "TALK", "TALK a _", "x = _", "IF _", "FOR _", "HEAR _", "SELECT CASE _"])
def test_a_script_that_breaks_off(source: str) -> None:
    """A line that goes on on the next one, and there is none: whatever is said, it is said."""
    assert all(item.message for item in diagnosed(source))


NESTED = [
    'x = POST("a" & ' * 1 + 'POST("a" & ' * 15 + '"b"' + ")" * 16,
    "x = " + "UCASE(" * 30 + "1 +" + ")" * 30,
    'x = GET("a" & ' + 'GET("a" & ' * 15 + '"b"' + ")" * 16,
]


@pytest.mark.parametrize("source", NESTED)
def test_calls_in_calls_are_read_in_no_time(source: str) -> None:
    began = time.thread_time()
    diagnosed(source)
    soon(0.5, began)


def test_what_was_read_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """The safeguard off: each form around a call reads it again."""
    read = []
    reading = Matching._invocation

    def counted(self: Matching, *, statement: bool) -> object:
        read.append(self.position)
        return reading(self, statement=statement)

    monkeypatch.setattr(Matching, "_invocation", counted)
    source = 'x = POST("a" & POST("a" & POST("b")))'
    diagnosed(source)
    kept, read[:] = len(read), []
    monkeypatch.setattr(Matching, "invocation", counted)
    diagnosed(source)
    assert kept < 10 < len(read)


@pytest.mark.parametrize(
    "line",
    ["TALK " + "word " * (MEGABYTE // 5), 'TALK "' + "a" * MEGABYTE + '"', "a" * MEGABYTE, "'" * MEGABYTE],
    ids=["words", "text", "name", "comment"],
)
def test_a_line_of_a_megabyte(line: str) -> None:
    began = time.thread_time()
    diagnosed(line)
    soon(20, began)


TOO_MUCH = {
    "SUB f(n)\nf(n + 1)\nEND SUB\nf(1)": "calls are 200 deep",
    "FUNCTION f(n)\nRETURN f(n + 1) + 1\nEND FUNCTION\nx = f(1)": "calls are 200 deep",
    "DO\nLOOP": "without stopping",
    "again:\nGOTO again": "without stopping",
    "FOR i = 1 TO 10000000\nlist[i - 1] = i\nNEXT": "the list has 100000 items",
    "DIM numbers(10000000)\nTALK 1": None,
    "FOR i = 1 TO 10000000\nPUSH numbers, i\nNEXT": "",
    'text = "ab"\nFOR i = 1 TO 60\ntext = text & text\nNEXT': "a million characters",
    'text = "ab"\nFOR i = 1 TO 60\ntext = "${text}${text}"\nNEXT': "a million characters",
    'text = "ab"\nFOR i = 1 TO 60\ntext += text\nNEXT': "a million characters",
    "row = [1]\nFOR i = 1 TO 60\nrow = row + row\nNEXT": "",
    "row = [1]\nFOR i = 1 TO 60\nrow = [row, row]\nNEXT": "",
    "box = #{}\nFOR i = 1 TO 200\nbox = #{inner: box}\nNEXT": "64 deep",
    'x = PARSE_JSON(STR_REPEAT("[", 100000))': "",
    'x = STR_REPEAT("ab", 100000000)': "",
    "x = ROUND(1.5, 100000000)": None,
    "x = POW(10, 100000000)": "too large",
    "x = 10 ^ 10 ^ 10": "too large",
    "x = 2\nFOR i = 1 TO 100\nx = x * x\nNEXT": "too large",
    "WHILE TRUE\nTALK 1\nWEND": "messages",
}  # fmt: skip


@pytest.mark.parametrize("quick", [True, False], ids=["hot", "cold"])
@pytest.mark.parametrize("source", TOO_MUCH)
def test_too_much_at_run_time(source: str, quick: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    if quick:
        monkeypatch.setattr(hot, "HOT", 2)
    else:
        monkeypatch.setattr(hot.Heads, "entered", lambda *_: None)
    wanted, began = TOO_MUCH[source], time.thread_time()
    machine = machine_of(source, m.Budgets(nodes=50_000_000, seconds=2.0))
    outcome = machine.run(machine.start("script")).outcome
    soon(4, began)
    if wanted is None:
        assert isinstance(outcome, m.Ended)
    else:
        assert isinstance(outcome, m.Failed)
        assert wanted in outcome.message


def test_nothing_catches_the_end_of_a_budget() -> None:
    played = play("DO\nTRY\nx = 1\nCATCH e\nEND TRY\nLOOP", budgets=m.Budgets(nodes=5000))
    assert "5000 steps" in played.error

"""What is probably not meant, and what other scripts lend."""

import pytest

from services.engine.basic.compiler import compile_basic
from services.engine.machine import machine as m
from tests.unit.engine.scripts import NOON, diagnosed, play

pytestmark = pytest.mark.unit

COMMON = 'INCLUDE "more"\nSUB greet(who)\n  TALK "Hello, ${who}."\nEND SUB'
MORE = 'INCLUDE "common.bas"\nFUNCTION twice(n)\n  RETURN n * 2\nEND FUNCTION\nSUB greet(x)\n  TALK "never"\nEND SUB'
LIBRARY = {"common": COMMON, "more": MORE}

WARNED = [
    ('UPDATE "stock" SET amount = amount - 1 WHERE id = 5', "BAS161", 1, 29, "FIND the row first"),
    ('customer = "Ana"\nTALK custmer', "BAS151", 2, 6, "did you mean CUSTOMER?"),
    ("HEAR x AS EMIAL", "BAS152", 1, 1, "did you mean EMAIL?"),
    ("FUNCTION f(a)\n  RETURN a\nEND FUNCTION\nx = f(1, 2)", "BAS147", 4, 5, ""),
    ('x = LEFT("a", 2, 3)', "BAS146", 1, 5, "write LEFT"),
    ("TALK 1\nEND\nTALK 2", "BAS150", 3, 1, ""),
]


@pytest.mark.parametrize(("source", "code", "line", "column", "suggestion"), WARNED)
def test_what_is_probably_not_meant(source: str, code: str, line: int, column: int, suggestion: str) -> None:
    found = diagnosed(source)
    assert [(item.severity, item.code, item.line, item.column) for item in found] == [("warning", code, line, column)]
    assert suggestion.lower() in found[0].suggestion.lower()


FINE = [
    'n = 1\nUPDATE "stock" SET amount = n - 1, seen = NOW() WHERE id = 5',
    'TALK "${username} ${today} ${session_id}"',
    "HEAR name AS NAME\nTALK name",
    'PARAM city AS STRING LIKE "Lisbon" DESCRIPTION "Where"\nTALK city',
    "FOR EACH customer IN customers\n  TALK customer.name\nNEXT",
    "x = MAX(1, 2, 3, 4)",
    'TRY\n  THROW "a"\nCATCH problem\n  TALK problem\nEND TRY',
]


@pytest.mark.parametrize("source", FINE)
def test_what_is_meant_is_left_alone(source: str) -> None:
    assert diagnosed(source) == []


def test_included_subroutines_are_at_hand() -> None:
    """Those of scripts that are included there too; a circle ends; of two with one name the nearer one counts."""
    compiled = compile_basic('INCLUDE "lib/common.bas"\ngreet "Ana"\nTALK twice(4)', "start.bas", LIBRARY.get)
    assert compiled.diagnostics == []
    assert compiled.program is not None
    machine = m.Machine({"start": compiled.program}, clock=lambda: NOON)
    assert [item.text for item in machine.run(machine.start("start")).outputs] == ["Hello, Ana.", "8"]


def test_the_scripts_own_subroutine_comes_before_an_included_one() -> None:
    source = 'INCLUDE "common"\ngreet "Ana"\nSUB greet(x)\n  TALK "mine"\nEND SUB'
    compiled = compile_basic(source, "start.bas", LIBRARY.get)
    assert compiled.program is not None
    machine = m.Machine({"start": compiled.program}, clock=lambda: NOON)
    assert [item.text for item in machine.run(machine.start("start")).outputs] == ["mine"]


def test_another_script_runs_with_the_variables_of_this_one() -> None:
    first = compile_basic('name = "Ana"\nCALL "second.bas", {drink: "tea"}\nTALK order', "first.bas").program
    second = compile_basic('order = "${drink} for ${name}"\nHEAR x\norder = order & x', "second.bas").program
    assert first is not None
    assert second is not None
    machine = m.Machine({"first": first, "second": second}, clock=lambda: NOON)
    state = machine.start("first")
    assert isinstance(machine.run(state).outcome, m.AskUser)
    step = machine.run(state, m.Input("!"))
    assert [item.text for item in step.outputs] == ["tea for Ana!"]


def test_a_script_that_calls_itself_without_end_is_stopped() -> None:
    assert "200 deep" in play('CALL "script.bas"').error

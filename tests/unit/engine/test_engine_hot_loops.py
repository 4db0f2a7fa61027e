"""A hot loop written as a Python function gives what the interpreter gives: words, variables, errors, their lines."""

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.engine.machine import core, hot
from services.engine.machine import machine as m
from services.engine.machine.state import MachineState
from tests.unit.engine.scripts import NOON, built

pytestmark = pytest.mark.unit

VALUES = st.sampled_from(
    [
        "0",
        "1",
        "2",
        "3.5",
        "-1",
        '"a"',
        '""',
        '"12"',
        "TRUE",
        "NULL",
        "a",
        "b",
        "c",
        "i",
        "list[i]",
        "map.k",
        "list",
        "map",
    ]
)
OPERATORS = st.sampled_from(
    ["+", "-", "*", "/", "MOD", "&", "=", "<>", "<", ">", "<=", ">=", "AND", "OR", "IN", "LIKE"]
)
EXPRESSIONS = st.recursive(
    VALUES,
    lambda inner: st.one_of(
        st.tuples(inner, OPERATORS, inner).map(lambda parts: f"({parts[0]} {parts[1]} {parts[2]})"),
        inner.map(lambda item: f"(NOT {item})"),
        inner.map(lambda item: f"LEN({item})"),
        inner.map(lambda item: f"UCASE({item})"),
        inner.map(lambda item: f'"<${{{item}}}>"'.replace('"<${"', "'<${\"") if '"' not in item else "b"),
    ),
    max_leaves=5,
)
SIMPLE = st.one_of(
    st.tuples(st.sampled_from("abc"), EXPRESSIONS).map(lambda parts: f"{parts[0]} = {parts[1]}"),
    EXPRESSIONS.map(lambda item: f"list[UBOUND(list)] = {item}"),
    EXPRESSIONS.map(lambda item: f"map.k = {item}"),
    EXPRESSIONS.map(lambda item: f"TALK {item}"),
    EXPRESSIONS.map(lambda item: f"PUSH list, {item}"),
    EXPRESSIONS.map(lambda item: f"list[0] = {item}"),
    EXPRESSIONS.map(lambda item: f"map.K = LEN({item})"),
    st.just("PUSH map, i"),
    st.just("a = a + i * 2"),
    st.just("c = (c + i) MOD 7"),
    st.just('b = b & "x"'),
    st.just("fresh.x = i"),
)
LEAVING = st.tuples(EXPRESSIONS, st.sampled_from(["EXIT FOR", "CONTINUE FOR", "GOTO out", "a = 1", "TALK 7"])).map(
    lambda parts: f"IF {parts[0]} THEN {parts[1]}"
)
BODIES = st.recursive(
    st.lists(st.one_of(SIMPLE, SIMPLE, LEAVING), min_size=1, max_size=4).map("\n".join),
    lambda inner: st.one_of(
        st.tuples(EXPRESSIONS, inner, inner).map(
            lambda parts: f"IF {parts[0]} THEN\n{parts[1]}\nELSE\n{parts[2]}\nEND IF"
        ),
        inner.map(lambda body: f"FOR j = 1 TO 3\n{body}\nNEXT"),
        inner.map(lambda body: f"FOR EACH e IN list\n{body}\nIF UBOUND(list) > 9 THEN EXIT FOR\nNEXT"),
        inner.map(lambda body: f"FOR EACH e IN map\n{body}\nNEXT"),
        inner.map(lambda body: f"FOR k = 3 TO 1 STEP -1\nFOR j = 1 TO 2\n{body}\nNEXT\nNEXT"),
        st.tuples(EXPRESSIONS, inner, inner, inner).map(
            lambda parts: (
                f"SELECT CASE {parts[0]}\nCASE 1, 2\n{parts[1]}\nCASE 3 TO 9\n{parts[2]}\n"
                f"CASE ELSE\n{parts[3]}\nEND SELECT"
            )
        ),
        st.tuples(inner, inner).map("\n".join),
        inner.map(lambda body: f"TRY\n{body}\nCATCH problem\nb = problem\nEND TRY"),
    ),
    max_leaves=4,
)


def ran(source: str) -> tuple[list[str], m.Outcome, dict[str, object]]:
    """Words, outcome, and the variables before the end forgets them."""
    machine = m.Machine({"script": built(source)}, m.Budgets(nodes=20_000, seconds=1), clock=lambda: NOON)
    state = machine.start("script")
    step = machine.run(state)
    return [item.text for item in step.outputs], step.outcome, {k: v for k, v in state.globals.items() if v is not None}


def cold(_: hot.Heads, __: str) -> None:
    """No loop is hot."""


@settings(max_examples=200, deadline=None)
@given(body=BODIES, start=st.sampled_from(["", "a = 1\nb = 2\nc = 3\n", 'a = 1.5\nb = "b"\n']), resume=st.booleans())
def test_hot_and_cold_agree(body: str, start: str, resume: bool) -> None:
    first = "ON ERROR RESUME NEXT\n" if resume else ""
    source = f'{first}list = [1, "x", 2.5]\nmap = {{k: 1}}\n{start}FOR i = 1 TO 4\n{body}\nNEXT\nout:\nHEAR done'
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(hot.Heads, "entered", cold)
        slow = ran(source)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(hot, "HOT", 1)
        quick = ran(source)
        patch.setattr(core, "LOOK_SECONDS", 0.0)
        patch.setattr(m.Machine, "run", in_slices)
        sliced = ran(source)
    if isinstance(slow[1], m.Failed) and "without stopping" in slow[1].message:
        return
    assert quick == slow
    assert sliced == slow


def in_slices(machine: m.Machine, state: MachineState, resume: m.Resume = None) -> m.Step:
    """Paused wherever a run can be."""
    run = m.Run(machine, state)
    step = run.go(resume, 1e-9)
    while isinstance(step, m.Paused):
        step = run.go_on(1e-9)
    return step


def test_a_slice_ends_in_a_hot_loop() -> None:
    program = built("DO WHILE a < 1000000\na = a + 1\nLOOP\nTALK a")
    machine = m.Machine({"script": program}, m.Budgets(nodes=10**9), clock=lambda: NOON)
    state = machine.start("script")
    run, pauses = m.Run(machine, state), 0
    step = run.go(None, 0.005)
    while isinstance(step, m.Paused):
        pauses += 1
        step = run.go_on(0.005)
    assert pauses > 2
    assert [item.text for item in step.outputs] == ["1000000"]


def test_slices_have_one_budget_together() -> None:
    program = built("DO\nTRY\na = 1\nCATCH e\nEND TRY\nLOOP")
    machine = m.Machine({"script": program}, m.Budgets(nodes=10**9, seconds=0.2), clock=lambda: NOON)
    run = m.Run(machine, machine.start("script"))
    step, began = run.go(None, 0.01), time.thread_time()
    while isinstance(step, m.Paused):
        step = run.go_on(0.01)
    assert isinstance(step.outcome, m.Failed)
    assert "computed for 0.2 seconds" in step.outcome.message
    assert time.thread_time() - began < 2


LOOPS = [
    "FOR i = 1 TO 500\n  a = a + i * 2\nNEXT",
    "i = 0\nDO WHILE i < 500\n  i = i + 1\n  IF i MOD 2 = 0 THEN CONTINUE\n  a = a & i\nLOOP",
    "i = 0\nDO\n  i += 1\nLOOP UNTIL i >= 500",
    "FOR i = 1 TO 30\n  FOR j = 1 TO 30\n    IF j > i THEN EXIT FOR\n    a = a + j\n  NEXT\nNEXT",
    'words = SPLIT(STR_REPEAT("a,b,", 200), ",")\nFOR EACH w IN words\n  IF w = "a" THEN n = n + 1\nNEXT',
    "i = 1000\nWHILE i > 0\n  i = i - 1\n  list[UBOUND(list)] = i / 2\nWEND",
]


@pytest.mark.parametrize("loop", LOOPS)
def test_such_loops_become_functions(loop: str) -> None:
    """They leave the interpreter: far fewer nodes are executed than the loop has rounds."""
    program = built(f"list = []\n{loop}\nHEAR done")
    machine = m.Machine({"script": program}, clock=lambda: NOON)
    state = machine.start("script")
    with pytest.MonkeyPatch.context() as patch:
        executed = []
        execute = m.Run._execute
        patch.setattr(m.Run, "_execute", lambda self, node: executed.append(node["op"]) or execute(self, node))
        assert isinstance(machine.run(state).outcome, m.AskUser)
    assert len(executed) < 600, len(executed)


def test_an_error_in_a_hot_loop_has_its_line() -> None:
    _, outcome, _ = ran("FOR i = 1 TO 1000\n  a = i\n  IF i = 700 THEN\n    b = 1 / 0\n  END IF\nNEXT")
    assert outcome == m.Failed("division by zero", 4)


def test_an_endless_hot_loop_ends_by_its_budget() -> None:
    _, outcome, _ = ran("WHILE TRUE\n  a = a + 1\nWEND")
    assert isinstance(outcome, m.Failed)
    assert "endless loop" in outcome.message


def test_what_a_hot_loop_did_is_kept_when_it_waits() -> None:
    program = built("FOR i = 1 TO 300\n  a = a + 1\n  IF i = 200 THEN\n    HEAR x\n  END IF\nNEXT\nTALK a + x")
    machine = m.Machine({"script": program}, clock=lambda: NOON)
    state = machine.start("script")
    assert isinstance(machine.run(state).outcome, m.AskUser)
    assert (state.globals["a"], state.globals["i"]) == (200, 200)
    again = MachineState.from_bytes(state.to_bytes())
    step = machine.run(again, m.Input("5"))
    assert [item.text for item in step.outputs] == ["3005"]

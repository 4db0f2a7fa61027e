"""A crash anywhere changes nothing: the state written down at any node runs on to the same words and effects."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.engine.machine import machine as m
from services.engine.machine.state import MachineState
from tests.unit.engine.scripts import NOON, built, perform, play, reborn

pytestmark = pytest.mark.unit

NAMES = st.sampled_from(["a", "b", "c"])
NUMBERS = st.one_of(st.integers(0, 9).map(str), NAMES, st.just("LEN(list)"), st.just("twice(a)"))
CONDITIONS = st.tuples(NUMBERS, st.sampled_from(["<", "=", "<>", ">="]), NUMBERS).map(" ".join)
SIMPLE = st.one_of(
    st.tuples(NAMES, NUMBERS, NUMBERS).map(lambda p: f"{p[0]} = ({p[1]} + {p[2]}) MOD 97"),
    NAMES.map(lambda name: f'TALK "{name} is ${{{name}}} of ${{list}} and ${{other}}"'),
    NUMBERS.map(lambda number: f"PUSH list, {number}"),
    st.just("other = list"),
    st.just("list = []"),
    st.just("box.inner = list"),
    st.just("box.inner = [box.count, 1]"),
    st.just("HEAR a AS INTEGER"),
    st.just('HEAR word AS "One", "Two"'),
    st.just('ADD SUGGESTION "x" AS "X"'),
    st.just('SET BOT MEMORY "k", a'),
    st.just('c = LEN(GET BOT MEMORY("k"))'),
    st.just('c = LEN(LLM "p" & a)'),
    st.just("CALL show(b)"),
    st.just("WAIT 1"),
    st.just('x = FIND "t", "a=1"'),
    st.just('IF a < 5 AND twice(b) > 4 THEN TALK "both"'),
)


def nested(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """Blocks round statements."""
    body = st.lists(inner, min_size=1, max_size=3).map("\n".join)
    return st.one_of(
        st.tuples(CONDITIONS, body, body).map(lambda p: f"IF {p[0]} THEN\n{p[1]}\nELSE\n{p[2]}\nEND IF"),
        st.tuples(st.sampled_from("ijk"), body).map(lambda p: f"FOR {p[0]} = 1 TO 2\n{p[1]}\nNEXT"),
        st.tuples(st.sampled_from("ef"), body).map(
            lambda p: f"FOR EACH {p[0]} IN [7, 8]\n{p[1]}\nIF a = 3 THEN EXIT FOR\nNEXT"
        ),
        st.tuples(body, body).map(lambda p: f'TRY\n{p[0]}\nTHROW "oops"\nCATCH e\nTALK e\n{p[1]}\nEND TRY'),
        st.tuples(NAMES, body, body).map(
            lambda p: f"SELECT CASE {p[0]}\nCASE 1 TO 4\n{p[1]}\nCASE ELSE\n{p[2]}\nEND SELECT"
        ),
    )


SCRIPTS = st.lists(st.recursive(SIMPLE, nested, max_leaves=8), min_size=1, max_size=8).map("\n".join)
FRAME = """ON ERROR RESUME NEXT
a = 1
b = 2
c = 3
list = [1]
box = #{{count: 0}}
{body}
TALK "end ${{a}} ${{b}} ${{c}} ${{list}} ${{box}}"
FUNCTION twice(n)
  held = n + 1
  RETURN held + n
END FUNCTION
SUB show(n)
  FOR i = 1 TO 2
    TALK "show ${{n}} ${{i}}"
    HEAR z
  NEXT
END SUB
"""
BUDGETS = m.Budgets(nodes=3000)
ANSWERS = ["5", "one", "x", "7", "2", "many words"] * 40


@settings(max_examples=60, deadline=None)
@given(SCRIPTS)
def test_written_down_at_every_stop(body: str) -> None:
    source = FRAME.format(body=body)
    straight = play(source, ANSWERS, budgets=BUDGETS)
    crashed = play(source, ANSWERS, between=reborn, budgets=BUDGETS)
    assert crashed == straight


@settings(max_examples=60, deadline=None)
@given(SCRIPTS)
def test_temporaries_that_are_dropped_are_not_missed(body: str) -> None:
    source = FRAME.format(body=body)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(m.Run, "_tidy", lambda _: None)
        all_kept = play(source, ANSWERS, between=reborn, budgets=BUDGETS)
    assert play(source, ANSWERS, between=reborn, budgets=BUDGETS) == all_kept


def test_a_state_holds_no_temporaries_of_what_is_over() -> None:
    source = "FOR EACH item IN [1, 2, 3]\nTALK item\nNEXT\nFOR EACH item IN [4, 5]\nHEAR x\nNEXT"
    machine = m.Machine({"script": built(source)}, clock=lambda: NOON)
    state = machine.start("script")
    machine.run(state)
    held = [name for name in state.globals if name[0] == "$"]
    assert len(held) == 2, "a list and a place in it, of the second loop alone"


@settings(max_examples=25, deadline=None)
@given(SCRIPTS)
def test_written_down_at_every_node(body: str) -> None:
    """Each snapshot between two nodes is run on alone; what it says is the rest of what was said."""
    program = built(FRAME.format(body=body))
    snapshots: list[tuple[bytes, int, int]] = []
    live: list[m.Run] = []

    class Watching(m.Machine):
        def run(self, state: MachineState, resume: m.Resume = None) -> m.Step:
            live.append(m.Run(self, state))
            step = live[-1].go(resume)
            assert isinstance(step, m.Step)
            return step

    machine = Watching({"script": program}, BUDGETS, lambda: NOON)
    state, left = machine.start("script"), list(ANSWERS)
    resume: m.Resume = None
    for _ in range(6):
        machine.on_trace = lambda _: snapshots.append(
            (live[-1].state.to_bytes(), len(live[-1].outputs), len(snapshots))
        )
        snapshots.clear()
        step = machine.run(state, resume)
        machine.on_trace = None
        if isinstance(step.outcome, m.Failed):
            return
        said = [item.text for item in step.outputs]
        for raw, count, _index in snapshots[:40]:
            again = m.Machine({"script": program}, BUDGETS, lambda: NOON).run(MachineState.from_bytes(raw))
            assert [item.text for item in again.outputs] == said[count:]
            assert again.outcome == step.outcome
        if isinstance(step.outcome, m.AskUser):
            resume = m.Input(left.pop(0))
        elif isinstance(step.outcome, m.PerformEffect):
            resume = perform(step.outcome)
        elif isinstance(step.outcome, m.Sleep):
            resume = m.TimerFired()
        else:
            return


def test_two_names_never_share_a_list() -> None:
    source = 'a = [1]\nb = a\nHEAR x\nPUSH b, 2\nTALK "${a} / ${b}"'
    assert play(source, ["go"]).said == play(source, ["go"], between=reborn).said == ["1 / 1, 2"]


def test_asked_again_for_an_effect_the_key_is_the_same() -> None:
    machine = m.Machine({"script": built('x = LLM "hello"\nTALK x')}, clock=lambda: NOON)
    state = machine.start("script")
    first = machine.run(state).outcome
    second = machine.run(reborn(state)).outcome
    assert isinstance(first, m.PerformEffect)
    assert first == second


def test_a_loop_asks_for_its_effects_under_different_keys() -> None:
    effects = play('FOR i = 1 TO 3\nx = LLM "hello"\nNEXT').effects
    assert len({item.key for item in effects}) == 3

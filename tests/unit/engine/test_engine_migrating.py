"""A running conversation goes on under a later version where that still has the place at which it waits."""

import pytest

from services.engine.machine import machine as m
from services.engine.machine import migrating
from services.engine.machine.migrating import migrated
from services.engine.machine.state import MachineState
from services.engine.program.program import Program
from tests.unit.engine.scripts import NOON, built

pytestmark = pytest.mark.unit

OLD = """basket = ["tea", "cake"]
FOR EACH item IN basket
  TALK "Do you want ${item}?"
  HEAR answer AS BOOLEAN
  IF answer THEN CALL order(item)
NEXT
TALK "bye"
SUB order(what)
  TALK "How many ${what}?"
  HEAR count AS INTEGER
  TALK "${count} x ${what}"
END SUB
"""
NEW = """TALK "Welcome to the new shop."
basket = ["tea", "cake"]
FOR EACH day IN ["monday"]
  TALK day
NEXT
FOR EACH item IN basket
  TALK "Would you like ${item}?"
  HEAR answer AS BOOLEAN
  IF answer THEN CALL order(item)
NEXT
TALK "Come again."
SUB order(what)
  TALK "How many ${what}?"
  HEAR count AS INTEGER
  TALK "Noted: ${count} x ${what}"
END SUB
"""


def machine(program: Program) -> m.Machine:
    return m.Machine({"script": program}, clock=lambda: NOON)


def waiting(program: Program, *answers: str) -> MachineState:
    """Where the conversation stands after some answers."""
    state = machine(program).start("script")
    machine(program).run(state)
    for answer in answers:
        machine(program).run(state, m.Input(answer))
    assert state.waiting == "message"
    return state


def moved(state: MachineState, old: Program, new: Program) -> MachineState | None:
    return migrated(state, {"script": old}, {"script": new}, {})


@pytest.mark.parametrize(
    ("answers", "following", "said"),
    [
        ((), "no", ["Would you like cake?"]),
        (("no",), "no", ["Come again."]),
        (("yes",), "3", ["Noted: 3 x tea", "Would you like cake?"]),
    ],
)
def test_a_conversation_goes_on_in_the_new_words(answers: tuple[str, ...], following: str, said: list[str]) -> None:
    old, new = built(OLD), built(NEW)
    state = moved(waiting(old, *answers), old, new)
    assert state is not None
    assert [item.text for item in machine(new).run(state, m.Input(following)).outputs] == said


def test_the_state_of_before_is_left_as_it_was() -> None:
    old, new = built(OLD), built(NEW)
    state = waiting(old, "yes")
    before = state.to_bytes()
    moved(state, old, new)
    assert state.to_bytes() == before


GONE = [
    OLD.replace("HEAR answer AS BOOLEAN", "answer = TRUE"),
    OLD.replace("HEAR answer AS BOOLEAN", "HEAR other AS EMAIL"),
    'TALK "closed"',
]


@pytest.mark.parametrize("source", GONE)
def test_a_place_that_is_gone_keeps_its_version(source: str) -> None:
    old = built(OLD)
    assert moved(waiting(old), old, built(source)) is None


def test_a_script_that_is_gone_keeps_its_version() -> None:
    old = built(OLD)
    assert migrated(waiting(old), {"script": old}, {"other": built(NEW)}, {}) is None


def test_an_effect_under_way_is_not_moved() -> None:
    old = built('x = LLM "a"\nTALK x')
    state = machine(old).start("script")
    machine(old).run(state)
    assert state.waiting == "effect"
    assert moved(state, old, old) is None


def test_two_versions_are_compared_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Conversations that stay would else pay for it in every turn."""
    old, new = built(OLD), built('TALK "closed"')
    known: dict[str, migrating.Correspondence] = {}
    assert migrated(waiting(old), {"script": old}, {"script": new}, known) is None
    monkeypatch.setattr(migrating, "correspondence", None)
    assert migrated(waiting(old), {"script": old}, {"script": new}, known) is None

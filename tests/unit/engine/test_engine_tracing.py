"""What is kept of a turn's steps: in order, bounded, without secrets."""

import json
from typing import Any

import pytest

from services.engine.machine import machine as m
from services.engine.tracing import collecting
from services.engine.tracing.collecting import HIDDEN, Collector
from tests.unit.engine.scripts import machine_of

pytestmark = pytest.mark.unit


def traced(source: str, config: dict[str, str] | None = None, result: Any = None) -> Collector:
    """A script that runs to its end or its first question, each effect giving one result."""
    machine = machine_of(source)
    found = Collector(machine.programs, config or {})
    state, resume = machine.start("script"), None
    while True:
        step = machine.traced(found.take).run(state, resume)
        if not isinstance(step.outcome, m.PerformEffect):
            return found
        resume = result if isinstance(result, m.EffectError) else m.EffectResult(result)
        found.result(resume)


def everything(found: Collector) -> str:
    return json.dumps(found.steps, ensure_ascii=False)


def test_steps_are_kept_in_order_with_what_they_gave() -> None:
    found = traced('x = 1 + 1\nTALK "x is ${x}"\ny = GET USER MEMORY "name"\nTALK y', result="Ana")
    shown = [(step["line"], step["operation"], step["keyword"], step["input"], step["output"]) for step in found.steps]
    assert shown[:4] == [
        (1, "set", "", None, 2),
        (2, "say", "", None, ["x is 2"]),
        (3, "effect", "GET USER MEMORY", {"key": "name"}, "Ana"),
        (4, "say", "", None, ["Ana"]),
    ]


def test_an_error_is_kept_where_it_arose() -> None:
    failed = traced('TRY\n  y = GET USER MEMORY "name"\nCATCH e\nEND TRY', result=m.EffectError("no memory"))
    assert [step["error"] for step in failed.steps if step["operation"] == "effect"] == ["no memory"]
    assert "no such thing" in everything(traced('TRY\n  THROW "no such thing"\nCATCH e\nEND TRY'))


@pytest.mark.parametrize(
    "source",
    [
        'password = "hunter22"\nTALK "it is ${password}"',
        'login = #{user: "ana", api_key: "hunter22"}\nTALK login.api_key',
        'login.token = "hunter22"\nTALK "hunter22"',
        'SET USER MEMORY "x", #{authorization: "hunter22"}',
    ],
)
def test_what_looks_like_a_secret_is_hidden_wherever_it_turns_up(source: str) -> None:
    kept = everything(traced(source))
    assert "hunter22" not in kept


def test_secrets_of_the_configuration_are_hidden() -> None:
    found = traced('TALK "key sk-12345"', {"llm-key": "x", "smtp-password": "sk-12345"})
    assert found.steps[0]["output"] == [f"key {HIDDEN}"]


def test_values_are_shortened() -> None:
    found = traced(f'x = "{"a" * 5000}"\ny = RANGE(1, 5000)\nz = [[[[[[1]]]]]]')
    text, numbers, nested = (step["output"] for step in found.steps[:3])
    assert len(text) < 600
    assert len(numbers) == collecting.MOST_ITEMS + 1
    assert nested == [[[["… (1 items)"]]]]


def test_a_long_turn_keeps_its_beginning_and_says_how_much_is_missing() -> None:
    found = traced("FOR i = 1 TO 2000\n  x = i\nNEXT")
    assert len(found.steps) <= collecting.MOST_STEPS
    assert found.dropped > 1000
    assert len(everything(found)) <= collecting.LARGEST_TRACE * 1.1


@pytest.mark.parametrize(("value", "on"), [("on", True), ("TRUE", True), ("", False), ("off", False), ("0", False)])
def test_tracing_is_off_unless_it_is_asked_for(value: str, on: bool) -> None:
    assert collecting.wanted({"trace": value}) is on
    assert not collecting.wanted({})


def test_secrets_of_turns_before_are_known() -> None:
    machine = machine_of('TALK "it is ${a.token}"')
    found = Collector(machine.programs, {})
    state = machine.start("script", {"a": {"token": "hunter22"}})
    found.know(state.globals)
    machine.traced(found.take).run(state)
    assert found.steps[0]["output"] == [f"it is {HIDDEN}"]

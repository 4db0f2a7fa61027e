"""Scripts played from start to end, with a person who answers and effects that are made up."""

import datetime
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from services.engine.basic.compiler import compile_basic
from services.engine.basic.diagnostics import Diagnostic
from services.engine.machine import machine as m
from services.engine.machine.state import MachineState
from services.engine.program.program import Program
from services.engine.program.values import Value

NOON = datetime.datetime(2026, 3, 14, 12, 0, 0, tzinfo=datetime.UTC)


@dataclass(slots=True)
class Played:
    """What was said, which effects were wanted, how it ended."""

    said: list[str] = field(default_factory=list)
    suggestions: list[list[str]] = field(default_factory=list)
    effects: list[m.PerformEffect] = field(default_factory=list)
    pending: list[list[Value]] = field(default_factory=list)
    outcome: m.Outcome | None = None

    @property
    def error(self) -> str:
        """Why it failed."""
        assert isinstance(self.outcome, m.Failed), self.outcome
        return self.outcome.message


def built(source: str) -> Program:
    """A script that must compile."""
    result = compile_basic(source, "script.bas")
    assert result.program is not None, result.diagnostics
    return Program.from_json(result.program.to_json())


def diagnosed(source: str) -> list[Diagnostic]:
    """What is said of a script."""
    return compile_basic(source, "script.bas").diagnostics


def codes(source: str) -> list[str]:
    """The codes of it."""
    return [item.code for item in diagnosed(source)]


def reborn(state: MachineState) -> MachineState:
    """What another process would read."""
    return MachineState.from_bytes(state.to_bytes())


def same(state: MachineState) -> MachineState:
    """No crash."""
    return state


def machine_of(source: str, budgets: m.Budgets | None = None) -> m.Machine:
    """A machine with one script."""
    return m.Machine({"script": built(source)}, budgets, clock=lambda: NOON)


def perform(wanted: m.PerformEffect) -> m.EffectResult | m.EffectError:
    """Memory holds nothing, a model repeats what it is told."""
    if wanted.keyword == "LLM":
        return m.EffectResult(f"model: {wanted.arguments['prompt']}")
    return m.EffectResult(None)


def play(
    source: str,
    answers: Sequence[str | m.Input] = (),
    *,
    between: Callable[[MachineState], MachineState] = same,
    budgets: m.Budgets | None = None,
    variables: dict[str, Value] | None = None,
    performer: Callable[[m.PerformEffect], m.EffectResult | m.EffectError] = perform,
) -> Played:
    """Run to the end, or to a question nobody answers."""
    machine = machine_of(source, budgets)
    state, played, left = machine.start("script", variables), Played(), list(answers)
    resume: m.Resume = None
    while True:
        state = between(state)
        step = machine.run(state, resume)
        played.said += [item.text for item in step.outputs]
        played.suggestions += [[chip["text"] for chip in item.suggestions] for item in step.outputs if item.suggestions]
        played.outcome, played.pending = step.outcome, state.pending
        if isinstance(step.outcome, m.AskUser) and left:
            answer = left.pop(0)
            resume = m.Input(answer) if isinstance(answer, str) else answer
        elif isinstance(step.outcome, m.PerformEffect):
            played.effects.append(step.outcome)
            resume = performer(step.outcome)
        elif isinstance(step.outcome, m.Sleep):
            resume = m.TimerFired()
        else:
            return played


def value(expression: str, **variables: Value) -> str:
    """What TALK makes of an expression."""
    played = play(f"TALK {expression}", variables=variables)
    assert isinstance(played.outcome, m.Ended), played.outcome
    return played.said[0]

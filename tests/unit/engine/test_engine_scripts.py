"""Whole scripts as many authors write them: they check without errors and run to an end in every made-up world."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from services.engine.basic.compiler import compile_basic
from services.engine.machine import machine as m
from services.engine.machine.state import MachineState
from services.engine.program.program import Program
from services.engine.program.values import Value
from tests.unit.engine.corpus import CORPUS, spoken
from tests.unit.engine.scripts import NOON

pytestmark = pytest.mark.unit

SCRIPTS = sorted((CORPUS / "scripts").glob("*.bas"))
STEPS = 2000
ANSWERS = re.compile(r"^' answers: (.*)$", re.MULTILINE)
ROW = {
    "id": 1, "name": "Tea", "email": "ana@example.com", "phone": "+351910000000", "price": 10, "stock": 3, "total": 20,
    "status": "open", "amount": 15, "region": "north", "month": "jan", "value": 5, "created_at": "2026-03-01",
    "day": "2026-03-14", "hour": "10:00", "modified": "2026-01-01", "when": "2026-03-14 10:00", "stage": "won",
    "group": "promoter", "url": "https://example.com/a", "title": "News", "repeat": "daily", "channel": "mail",
}  # fmt: skip
WITH_DATA = frozenset({"POST", "PUT", "PATCH", "DELETE HTTP"})
LISTS = frozenset({"LIST", "DIR", "SCRAPE_LINKS", "RSS", "SEARCH", "SEARCH PRODUCTS", "FIND ALL", "SELECT", "QUERY"})
TEXTS = frozenset({"LLM", "READ", "SUMMARIZE", "TRANSLATE", "REWRITE", "SCRAPE", "SENTIMENT", "CLASSIFY", "DELEGATE"})
VALUES = {"DATE": "2026-03-20", "DATETIME": "2026-03-20 10:00", "TIME": "10:00", "BOOLEAN": True, "FILE": "a.txt"}
World = Callable[[m.PerformEffect], m.EffectResult | m.EffectError]


def nothing(_: m.PerformEffect) -> m.EffectResult:
    """Nothing is anywhere."""
    return m.EffectResult(None)


def one_row(wanted: m.PerformEffect) -> m.EffectResult:
    """One of everything."""
    if wanted.keyword in WITH_DATA:
        return m.EffectResult({"status": 200, "statusText": "OK", "headers": {}, "data": dict(ROW)})
    if wanted.keyword in TEXTS:
        return m.EffectResult("A short text.")
    if "MEMORY" in wanted.keyword or wanted.keyword in {"GET SESSION", "RECALL"}:
        return m.EffectResult("kept")
    if wanted.keyword in {"AGGREGATE", "KB DOCUMENTS COUNT"}:
        return m.EffectResult(3)
    if wanted.keyword == "GET":
        return m.EffectResult({**ROW, "data": [dict(ROW)], "items": [dict(ROW)], "rates": {"EUR": 1.1}})
    return m.EffectResult([dict(ROW)] if wanted.keyword != "WEATHER" else {"temperature": 20})


def rows(wanted: m.PerformEffect) -> m.EffectResult:
    """Three of everything that there may be several of."""
    if wanted.keyword in LISTS or wanted.keyword == "FIND":
        return m.EffectResult([{**ROW, "id": number, "name": f"Tea {number}"} for number in (1, 2, 3)])
    return one_row(wanted)


def broken(_: m.PerformEffect) -> m.EffectError:
    """Nothing works."""
    return m.EffectError("the line is down")


def samples(program: Program) -> dict[str, Value]:
    """What a model would give a tool: examples, defaults, something of the type."""
    found: dict[str, Value] = {"username": "ana", "user_id": "u1", "session_id": "s1", "event": {"row": dict(ROW)}}
    found |= {"body": {"event": "paid", "order": 5, "prompt": "hi"}, "params": {}}
    for item in program.tool.get("parameters", []):
        value = item.get("like", item.get("default", VALUES.get(item["type"], "x")))
        found[item["name"].lower()] = item["enum"][0] if item.get("enum") else value
    return found


def play(path: Path, world: World) -> tuple[m.Outcome, list[str]]:
    """Run to an end; every stop goes through what another process would read."""
    source = path.read_text(encoding="utf-8")
    result = compile_basic(source, path.name)
    assert result.program is not None, result.diagnostics
    match = ANSWERS.search(source)
    answers = [item.strip() for item in match[1].split(" | ")] if match else []
    machine = m.Machine({"script": result.program}, clock=lambda: NOON)
    state, said, resume = machine.start("script", samples(result.program)), [], None
    for _ in range(STEPS):
        step = machine.run(state, resume)
        state = MachineState.from_bytes(state.to_bytes())
        said += [output.text for output in step.outputs]
        if isinstance(step.outcome, m.AskUser) and answers:
            resume: m.Resume = spoken(answers.pop(0))
        elif isinstance(step.outcome, m.Sleep):
            resume = m.TimerFired()
        elif isinstance(step.outcome, m.PerformEffect):
            resume = world(step.outcome)
        else:
            return step.outcome, said
    pytest.fail("it goes on and on")


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.stem)
def test_a_script_checks_without_errors(path: Path) -> None:
    found = compile_basic(path.read_text(encoding="utf-8"), path.name)
    assert found.program is not None, found.diagnostics
    assert not found.diagnostics


@pytest.mark.parametrize("world", [nothing, one_row, rows], ids=lambda world: world.__name__)
@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.stem)
def test_a_script_runs_to_an_end(path: Path, world: World) -> None:
    outcome, _ = play(path, world)
    if isinstance(outcome, m.Failed):
        assert re.search("not available on this installation|the value before it is NULL", outcome.message), outcome
    else:
        assert isinstance(outcome, m.Ended), outcome


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.stem)
def test_a_script_whose_effects_fail_ends_with_their_error_or_goes_on(path: Path) -> None:
    outcome, _ = play(path, broken)
    if isinstance(outcome, m.Failed):
        assert re.search("the line is down|not available on this installation", outcome.message), outcome
    else:
        assert isinstance(outcome, m.Ended | m.AskUser), outcome


def test_there_are_scripts_enough() -> None:
    assert len(SCRIPTS) >= 40

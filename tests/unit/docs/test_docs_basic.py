"""Every script in the documents compiles, and the tutorial's steps run as they say."""

import re
from pathlib import Path

import pytest

from services.engine.basic.compiler import compile_basic
from services.engine.machine import machine as m
from tests.unit.engine.scripts import play

pytestmark = pytest.mark.unit

ROOT = Path(__file__).parents[3]
BLOCK = re.compile(r"^```basic\n(.*?)^```", re.MULTILINE | re.DOTALL)
PAGES = [
    page for folder in ("docs", "docs/architecture", "docs/basic") for page in sorted((ROOT / folder).glob("*.md"))
]
SCRIPTS = [
    pytest.param(text, id=f"{page.stem}-{number}")
    for page in [ROOT / "README.md", *PAGES]
    for number, text in enumerate(BLOCK.findall(page.read_text()), 1)
]


@pytest.mark.parametrize("text", SCRIPTS)
def test_a_script_in_the_documents_compiles(text: str) -> None:
    assert [item for item in compile_basic(text, "start.bas").diagnostics if item.severity == "error"] == []


def tutorial(step: int) -> str:
    """The script of a step."""
    return BLOCK.findall((ROOT / "docs/basic/tutorial.md").read_text())[step - 1]


def test_the_first_steps_of_the_tutorial() -> None:
    assert play(tutorial(1), ["ana silva"]).said[-1] == "Nice to meet you, Ana Silva."
    assert play(tutorial(2), ["print", "no"]).said[-1] == "Please switch it on. Goodbye!"
    assert play(tutorial(2), ["3", "the chair"]).said[-1] == "Thank you. Somebody will look at it."
    remembered = play(tutorial(3), ["ana"])
    assert remembered.said[-2:] == ["Welcome back, Ana.", "You are visitor 1."]
    assert ["bot", "visits", 1] in remembered.pending


def test_the_tutorial_s_table() -> None:
    def answered(wanted: m.PerformEffect) -> m.EffectResult:
        rows = [{"id": "T-1", "topic": "paper"}, {"id": "T-2", "topic": "ink"}]
        return m.EffectResult(rows if wanted.keyword == "FIND" else None)

    played = play(tutorial(4), ["ana", "paper"], performer=answered)
    assert [item.keyword for item in played.effects] == ["SAVE", "FIND"]
    assert played.effects[1].arguments["filter"] == {"parts": ["customer='", "Ana", "' AND status='open'"]}
    assert played.said[-2:] == ["- T-1: paper", "- T-2: ink"]


def test_the_tutorial_s_error() -> None:
    assert play(tutorial(5), performer=lambda _: m.EffectError("away")).said == ["The rates cannot be had now."]

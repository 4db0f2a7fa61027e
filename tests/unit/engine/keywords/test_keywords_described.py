"""What the registry says of every keyword is true: its example compiles, its forms are forms."""

import pytest

from services.engine.basic.compiler import compile_basic
from services.engine.keywords.keyword import Effect, Keyword
from services.engine.keywords.registry import registry

pytestmark = pytest.mark.unit

ALL = sorted(registry().by_name.values(), key=lambda item: item.name)
WRITTEN = [item for item in ALL if item.group != "pending"]
NAMES = [item.name for item in WRITTEN]


def example(keyword: Keyword) -> str:
    """As a script: that of a function is a value."""
    return f"x = {keyword.example}" if keyword.effect is Effect.PURE else keyword.example


@pytest.mark.parametrize("keyword", WRITTEN, ids=NAMES)
def test_the_example_compiles(keyword: Keyword) -> None:
    found = compile_basic(example(keyword), "example.bas")
    assert [f"{item.line}: {item.message}" for item in found.diagnostics if item.severity == "error"] == []


@pytest.mark.parametrize("keyword", [item for item in WRITTEN if not item.syntax])
def test_the_example_uses_the_keyword(keyword: Keyword) -> None:
    program = compile_basic(example(keyword), "example.bas").program
    assert program is not None
    used = {node.get("keyword") for node in program.nodes.values()}
    called = repr(program.nodes)
    assert keyword.name in used or f"'{keyword.name}'" in called or program.declarations


@pytest.mark.parametrize("keyword", WRITTEN, ids=NAMES)
def test_what_the_manual_says(keyword: Keyword) -> None:
    assert keyword.summary.endswith(".")
    assert keyword.summary != f"{keyword.name}."
    assert keyword.group
    assert keyword.forms


@pytest.mark.parametrize("keyword", [item for item in ALL if not item.syntax], ids=lambda item: item.name)
def test_one_thing_performs_it_unless_it_is_missing(keyword: Keyword) -> None:
    performs = [item for item in (keyword.evaluate, keyword.apply, keyword.perform) if item is not None]
    assert len(performs) == (0 if keyword.needs and keyword.apply is None else 1)


@pytest.mark.parametrize("keyword", [item for item in ALL if not item.syntax and not item.needs], ids=lambda i: i.name)
def test_the_effect_class_fits_what_performs_it(keyword: Keyword) -> None:
    kind = {Effect.PURE: keyword.evaluate, Effect.STATE: keyword.apply}.get(keyword.effect, keyword.perform)
    assert kind is not None

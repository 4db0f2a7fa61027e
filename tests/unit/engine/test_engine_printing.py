"""What is printed is read as what it was printed from."""

import pytest
from hypothesis import HealthCheck, given, settings

from services.engine.basic import tree
from services.engine.basic.comparing import parsed, shape
from services.engine.basic.compiler import compile_basic
from services.engine.basic.printing import Printer, Unprintable, print_script
from services.engine.keywords.keyword import Effect
from services.engine.keywords.registry import registry
from tests.unit.engine.programs import expressions, scripts

pytestmark = pytest.mark.unit

SLOW = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much]


@settings(max_examples=200, deadline=None, suppress_health_check=SLOW)
@given(script=scripts())
def test_a_printed_program_is_read_as_the_same_tree(script: tree.Script) -> None:
    text = print_script(script)
    again, errors = parsed(text)
    assert [error.message for error in errors] == [], text
    assert shape(again) == shape(script), text


@settings(max_examples=300, deadline=None, suppress_health_check=SLOW)
@given(value=expressions())
def test_a_printed_value_is_read_as_the_same_tree(value: tree.Expression) -> None:
    text = f"x = {Printer().outer(value)}\n"
    again, errors = parsed(text)
    assert [error.message for error in errors] == [], text
    assert shape(again.statements[0]) == shape(tree.Assign(1, tree.Name(1, 1, "x"), value)), text


@settings(max_examples=50, deadline=None, suppress_health_check=SLOW)
@given(script=scripts())
def test_made_up_programs_compile(script: tree.Script) -> None:
    text = print_script(script)
    found = compile_basic(text, "script.bas").diagnostics
    assert [item for item in found if item.severity == "error"] == [], text


@pytest.mark.parametrize("name", sorted(item.name for item in registry().by_name.values() if item.group != "pending"))
def test_every_example_comes_back(name: str) -> None:
    keyword = registry().by_name[name]
    script, errors = parsed(f"x = {keyword.example}" if keyword.effect is Effect.PURE else keyword.example)
    assert not errors
    assert shape(parsed(print_script(script))[0]) == shape(script)


@pytest.mark.parametrize("text", ["${x}", "a\rb", "“quoted”"])
def test_what_no_literal_can_hold_is_refused(text: str) -> None:
    with pytest.raises(Unprintable):
        print_script(tree.Script((tree.Say(1, tree.Literal(1, 1, text)),)))

"""PARAM and DESCRIPTION as JSON Schema, and arguments that are checked against it."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.engine.machine import machine as m
from services.engine.program.program import Program
from services.engine.program.values import ProgramError, Value
from services.engine.tools.asking import asking
from services.engine.tools.schema import ToolDescription, checked, mcp_form, openai_form, schema_of, tool_of, tools_of
from tests.unit.engine.scripts import NOON, built

pytestmark = pytest.mark.unit

BOOKING = """
PARAM who AS STRING LIKE "Ana" DESCRIPTION "Whose table"
PARAM people AS INTEGER LIKE 4 DESCRIPTION "How many come"
PARAM when AS DATE LIKE "2026-12-25" DESCRIPTION "Which day"
PARAM price AS MONEY OPTIONAL DESCRIPTION "What it may cost"
PARAM room AS STRING ENUM ["Garden", "Hall"] DEFAULT "Hall" DESCRIPTION "Where"
PARAM mail AS EMAIL OPTIONAL DESCRIPTION "For the answer"
PARAM vegan AS BOOLEAN DEFAULT FALSE DESCRIPTION "No meat"
DESCRIPTION "Books a table."
TALK "${who}/${people}/${when}/${price}/${room}/${mail}/${vegan}"
RETURN people + 1
"""


def described(source: str) -> ToolDescription:
    """The tool a script is."""
    found = tool_of(built(source))
    assert found is not None
    return found


TOOL = described(BOOKING)
NEEDED: dict[str, Value] = {"who": "Ana", "people": 4, "when": "2026-12-25"}


def test_the_schema_of_a_script() -> None:
    assert schema_of(TOOL) == {
        "type": "object",
        "properties": {
            "who": {"type": "string", "description": "Whose table", "examples": ["Ana"]},
            "people": {"type": "integer", "description": "How many come", "examples": [4]},
            "when": {"type": "string", "format": "date", "description": "Which day", "examples": ["2026-12-25"]},
            "price": {"type": "number", "description": "What it may cost"},
            "room": {"type": "string", "description": "Where", "enum": ["Garden", "Hall"], "default": "Hall"},
            "mail": {"type": "string", "format": "email", "description": "For the answer"},
            "vegan": {"type": "boolean", "description": "No meat", "default": False},
        },
        "required": ["who", "people", "when"],
        "additionalProperties": False,
    }


def test_both_forms_say_the_same() -> None:
    openai, mcp = openai_form(TOOL), mcp_form(TOOL)
    assert openai["type"] == "function"
    assert openai["function"]["parameters"] == mcp["inputSchema"] == schema_of(TOOL)
    assert openai["function"]["description"] == mcp["description"] == "Books a table."
    assert openai["function"]["name"] == mcp["name"] == "script"


@pytest.mark.parametrize(
    ("kind", "schema"),
    [
        ("STRING", {"type": "string"}),
        ("INTEGER", {"type": "integer"}),
        ("INT", {"type": "integer"}),
        ("NUMBER", {"type": "number"}),
        ("FLOAT", {"type": "number"}),
        ("DECIMAL", {"type": "number"}),
        ("MONEY", {"type": "number"}),
        ("BOOLEAN", {"type": "boolean"}),
        ("DATE", {"type": "string", "format": "date"}),
        ("DATETIME", {"type": "string", "format": "date-time"}),
        ("TIME", {"type": "string", "format": "time"}),
        ("EMAIL", {"type": "string", "format": "email"}),
        ("PHONE", {"type": "string"}),
        ("URL", {"type": "string", "format": "uri"}),
        ("OBJECT", {"type": "object"}),
        ("ARRAY", {"type": "array"}),
        ("FILE", {"type": "string"}),
        ("NAME", {"type": "string"}),
    ],
)
def test_the_types_of_parameters(kind: str, schema: dict[str, Value]) -> None:
    assert schema_of(described(f'PARAM x AS {kind} DESCRIPTION ""'))["properties"] == {"x": schema}


def test_what_is_given_is_typed_and_what_is_not_gets_its_default() -> None:
    given_: dict[str, Value] = {"Who": "Ana", "people": "4", "when": "25/12/2026", "room": "garden", "vegan": "sim"}
    assert checked(TOOL, given_) == {
        "who": "Ana",
        "people": 4,
        "when": "2026-12-25",
        "price": None,
        "room": "Garden",
        "mail": None,
        "vegan": True,
    }


@pytest.mark.parametrize(
    ("given_", "problem"),
    [
        ({"people": 4, "when": "2026-12-25"}, "script: who is missing: Whose table"),
        ({**NEEDED, "people": "many"}, "script: people: expected a whole number, got 'many'"),
        ({**NEEDED, "people": 4.5}, "script: people: expected a whole number, got '4.5'"),
        ({**NEEDED, "people": [4]}, "script: people: expected a whole number, got '4'"),
        ({**NEEDED, "when": "soon"}, "script: when: expected a date such as 2026-12-25, got 'soon'"),
        ({**NEEDED, "price": "much"}, "script: price: expected a number, got 'much'"),
        ({**NEEDED, "room": "Roof"}, "script: room: expected one of Garden, Hall, got 'Roof'"),
        ({**NEEDED, "mail": "ana"}, "script: mail: expected an e-mail address, got 'ana'"),
        ({**NEEDED, "vegan": "perhaps"}, "script: vegan: expected true or false, got 'perhaps'"),
        (
            {**NEEDED, "table": 1},
            "script: there is no parameter table; there are who, people, when, price, room, mail, vegan",
        ),
    ],
)
def test_what_is_wrong_names_the_parameter(given_: dict[str, Value], problem: str) -> None:
    with pytest.raises(ProgramError) as raised:
        checked(TOOL, given_)
    assert str(raised.value) == problem


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=5,
)


@settings(max_examples=200, deadline=None)
@given(given_=st.dictionaries(st.sampled_from([item.name for item in TOOL.parameters]), VALUES))
def test_arguments_are_refused_in_words_or_fit_the_schema(given_: dict[str, Value]) -> None:
    try:
        found = checked(TOOL, given_)
    except ProgramError:
        return
    assert isinstance(found["people"], int)
    assert found["room"] in {"Garden", "Hall"}
    assert isinstance(found["vegan"], bool)
    json.dumps(found, allow_nan=False)


def test_a_name_that_models_do_not_take_is_changed() -> None:
    program = built('DESCRIPTION "x"')
    named = Program("café & more" + "x" * 80, "basic", program.entry, program.nodes, tool=program.tool)
    found = tool_of(named)
    assert found is not None
    assert found.name == ("caf____more" + "x" * 80)[:64]
    assert found.script == named.name


def test_a_script_without_a_word_about_itself_is_no_tool() -> None:
    assert tools_of({"script": built('TALK "hi"')}) == []


# a person starts a tool


def conversation(answers: list[str], variables: dict[str, Value] | None = None) -> tuple[list[str], m.Outcome]:
    """The tool started as a person would, with answers to what it asks."""
    programs = {"script": built(BOOKING)}
    machine = m.Machine({**programs, **asking(programs)}, clock=lambda: NOON)
    state, said, left = machine.start("ask:script", variables), list[str](), list(answers)
    step = machine.run(state)
    while True:
        said += [item.text for item in step.outputs]
        if not isinstance(step.outcome, m.AskUser) or not left:
            return said, step.outcome
        step = machine.run(state, m.Input(left.pop(0)))


def test_a_tool_that_a_person_starts_asks_for_what_it_needs() -> None:
    said, outcome = conversation(["Ana", "four", "4", "tomorrow"])
    assert said == [
        "Whose table",
        "How many come",
        "Sorry, I did not understand that. I expected a whole number.",
        "Which day",
        "Ana/4/2026-03-15//Hall//false",
    ]
    assert outcome == m.Ended(5)


def test_what_is_known_is_not_asked() -> None:
    said, _ = conversation(["4"], {"who": "Rui", "when": "2026-12-25", "room": "Garden"})
    assert said == ["How many come", "Rui/4/2026-12-25//Garden//false"]


# CALL with an object


def called(arguments: str) -> m.Step:
    """A script that calls the tool."""
    programs = {"script": built(BOOKING), "main": built(f'CALL "script.bas", {arguments}')}
    machine = m.Machine(programs, clock=lambda: NOON)
    return machine.run(machine.start("main"))


def test_a_call_with_an_object_types_its_fields() -> None:
    step = called('{ who: "Ana", people: "4", when: "25/12/2026", more: 1 }')
    assert [item.text for item in step.outputs] == ["Ana/4/2026-12-25//Hall//false"]


def test_a_call_with_a_wrong_field_is_an_error_that_names_it() -> None:
    outcome = called('{ who: "Ana", people: "many", when: "25/12/2026" }').outcome
    assert isinstance(outcome, m.Failed)
    assert outcome.message == "script: people: expected a whole number, got 'many'"

"""Answers of servers as values: their fields, and those of their data behind them."""

import pytest

from services.engine.program.values import Value
from tests.unit.engine.scripts import play, value

pytestmark = pytest.mark.unit


def response(status: int, data: Value) -> Value:
    return {"status": status, "statusText": "OK", "headers": {"x-id": "7"}, "data": data}


@pytest.mark.parametrize(
    ("expression", "said"),
    [
        ("r.status", "200"),
        ("r.StatusText", "OK"),
        ('r.headers["X-Id"]', "7"),
        ("r.data.name", "Ann"),
        ("r.name", "Ann"),
        ("r.Tags[1]", "b"),
        ("r.missing", ""),
        ("LEN(r)", "2"),
        ("IS_ERROR(r)", "false"),
    ],
)
def test_fields_of_an_answer_are_looked_up_in_its_data_too(expression: str, said: str) -> None:
    assert value(expression, r=response(200, {"name": "Ann", "tags": ["a", "b"]})) == said


def test_a_list_within_an_answer_is_the_answer() -> None:
    rows = response(200, [{"n": 1}, {"n": 2}])
    assert value("r[1].n", r=rows) == "2"
    assert value("r.length", r=rows) == "2"
    assert value("UBOUND(r)", r=rows) == "2"
    assert play("FOR EACH x IN r\nTALK x.n\nNEXT", variables={"r": rows}).said == ["1", "2"]
    assert play('FOR EACH x IN r\nTALK x\nNEXT\nTALK "end"', variables={"r": response(204, None)}).said == ["end"]


def test_an_answer_is_said_as_its_data() -> None:
    assert value('"got " + r', r=response(200, "plain")) == "got plain"
    assert value("r.name", r=response(500, None)) == ""


@pytest.mark.parametrize(("status", "wrong"), [(200, "false"), (302, "false"), (404, "true"), (500, "true")])
def test_is_error_knows_an_answer_that_refuses(status: int, wrong: str) -> None:
    assert value("IS_ERROR(r)", r=response(status, {"a": 1})) == wrong


def test_an_object_that_only_looks_like_an_answer_is_none() -> None:
    near = {**response(500, {"name": "Ann"}), "more": 1}
    assert (value("r.name", r=near), value("IS_ERROR(r)", r=near)) == ("", "false")
    assert value('IS_ERROR(#{error: "x"})') == "true"

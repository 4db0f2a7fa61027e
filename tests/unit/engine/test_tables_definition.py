"""What TABLE says of a table."""

from typing import Any

import pytest
from parley.engine.v1 import bot_pb2 as pb

from services.engine import publishing
from services.engine.program.values import ProgramError
from services.engine.tables.definition import definitions_of, fitted

pytestmark = pytest.mark.unit
SOURCE = """
TABLE Customers ON erp READ BY "manager;admin" WRITE BY "admin"
  id number key
  name string(20) required
  balance number(8,2) default 0
  born date
  tags array
  FIELD city AS string references Cities READ BY "admin"
  odd shape
END TABLE
"""


def published(source: str) -> Any:
    programs, found = publishing.check([pb.Script(path="tables.bas", text=source)])
    return [item for program in programs.values() for item in program.declarations], found


def test_a_declaration_becomes_a_definition() -> None:
    declarations, found = published(SOURCE)
    table = definitions_of(declarations)["customers"]
    assert (table.connection, table.read_by, table.write_by) == (
        "erp",
        frozenset({"manager", "admin"}),
        frozenset({"admin"}),
    )
    assert {name: item.kind for name, item in table.fields.items()} == {
        "id": "number", "name": "string", "balance": "number", "born": "date", "tags": "array", "city": "string",
        "odd": "any",
    }  # fmt: skip
    assert table.fields["name"].required
    assert (table.fields["balance"].length, table.fields["balance"].precision) == (8, 2)
    assert (table.fields["city"].references, table.fields["city"].read_by) == ("cities", frozenset({"admin"}))
    assert table.key == ""
    assert [(item.severity, item.code, item.line) for item in found] == [("warning", "BAS170", 2)]
    assert "there is no type shape" in found[0].message


def test_a_name_that_cannot_be_one_is_an_error_of_the_version() -> None:
    _, found = published('TABLE "bad-name"\n  a string\nEND TABLE\n')
    assert [(item.severity, item.code) for item in found] == [("error", "BAS170")]
    assert "bad-name" in found[0].message


@pytest.mark.parametrize(
    ("kind", "value", "expected"),
    [
        ("string", 5, "5"),
        ("text", {"formatted": "now", "timestamp": 1}, "now"),
        ("number", "1,5", 1.5),
        ("integer", "7", 7),
        ("integer", True, 1),
        ("double", "2.5", 2.5),
        ("boolean", "não", False),
        ("boolean", 1, True),
        ("date", "25 Dec 2024", "2024-12-25"),
        ("datetime", "2024-12-25T10:00:00+02:00", "2024-12-25 08:00:00"),
        ("guid", "6F4A3F0E5D0B5C399F0C7061726C6579", "6f4a3f0e-5d0b-5c39-9f0c-7061726c6579"),
        ("object", '{"a": 1}', {"a": 1}),
        ("array", "[1]", [1]),
        ("shape", [1], [1]),
        ("date", "", None),
        ("string", "", ""),
        ("number", None, None),
    ],
)
def test_values_become_what_the_field_keeps(kind: str, value: Any, expected: Any) -> None:
    table = definitions_of([{"name": "t", "fields": [{"name": "f", "type": kind}]}])["t"]
    assert fitted("t", table.fields["f"], value) == expected


@pytest.mark.parametrize(
    ("kind", "value", "expected"),
    [
        ("number", "five", "a number"),
        ("integer", 1.5, "a whole number"),
        ("boolean", "perhaps", "true or false"),
        ("boolean", [], "true or false"),
        ("date", 5, "a date"),
        ("datetime", "soon", "a date and time"),
        ("guid", "x", "a GUID"),
        ("object", "[", "an object"),
        ("array", {}, "a list"),
        ("string", [1], "a text"),
    ],
)
def test_what_does_not_fit_names_field_expectation_and_value(kind: str, value: Any, expected: str) -> None:
    table = definitions_of([{"name": "t", "fields": [{"name": "f", "type": kind}]}])["t"]
    with pytest.raises(ProgramError, match=f"^t.f: expected {expected}, got '"):
        fitted("t", table.fields["f"], value)

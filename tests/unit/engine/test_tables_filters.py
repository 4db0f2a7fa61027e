"""Texts of filters, and what they hold for."""

import contextlib
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.engine.program.values import ProgramError
from services.engine.tables.criteria import chosen, fits, holds
from services.engine.tables.definition import definition_of, typed
from services.engine.tables.filters import both, checked, fields_in, filter_of

pytestmark = pytest.mark.unit
WHOLE = "a = 'x' AND b > 1 OR NOT (c LIKE '%x%') AND d IN (1,2) AND e BETWEEN 1 AND 2 AND f IS NULL"


@pytest.mark.parametrize(
    ("given_text", "expected"),
    [
        ("f=v", ["=", "f", "v"]),
        ("f=v, g=w", ["and", ["=", "f", "v"], ["=", "g", "w"]]),
        ("Name = 'Ann'", ["=", "name", "Ann"]),
        ("customers.name = 'Ann'", ["=", "name", "Ann"]),
        ("name=Silva, Joao", ["=", "name", "Silva, Joao"]),
        ("name=Ann and Bob", ["=", "name", "Ann and Bob"]),
        ("status = in progress, n<>5", ["and", ["=", "status", "in progress"], ["<>", "n", 5]]),
        ("cpf=01234567890", ["=", "cpf", "01234567890"]),
        ("price=1.50", ["=", "price", 1.5]),
        ("n==-5", ["=", "n", -5]),
        ("n!=5", ["<>", "n", 5]),
        ("a=", ["=", "a", ""]),
        ("a = ''", ["=", "a", ""]),
        ("a = 'it''s'", ["=", "a", "it's"]),
        ('a = "it\'s"', ["=", "a", "it's"]),
        ("a = NULL", ["=", "a", None]),
        ("a = true", ["=", "a", True]),
        ("a IS NOT NULL", ["not", ["is_null", "a"]]),
        ("a not in (1, 'b', two words)", ["not", ["in", "a", [1, "b", "two words"]]]),
        ("a not between 1 and 2", ["not", ["between", "a", [1, 2]]]),
        ("a contains 'x'", ["contains", "a", "x"]),
        ("(a=1 or b=2), c=3", ["and", ["or", ["=", "a", 1], ["=", "b", 2]], ["=", "c", 3]]),
        ("date >= 2024-12-25", [">=", "date", "2024-12-25"]),
        ("mail=ann@example.com", ["=", "mail", "ann@example.com"]),
        (
            WHOLE,
            [
                "or",
                ["and", ["=", "a", "x"], [">", "b", 1]],
                [
                    "and",
                    ["not", ["like", "c", "%x%"]],
                    ["in", "d", [1, 2]],
                    ["between", "e", [1, 2]],
                    ["is_null", "f"],
                ],
            ],
        ),
    ],
)
def test_the_text_of_a_filter(given_text: str, expected: list[Any]) -> None:
    assert filter_of(given_text) == expected


@pytest.mark.parametrize(
    ("given_text", "place"),
    [
        ("nonsense", "at 9"),
        ("a = 'x", "at 5"),
        ("a = 'x' b", "at 9"),
        ("a between 1", "at 12"),
        ("; DROP TABLE x", "at 3"),
        ("a in (1", "at 8"),
        ("(a=1", "at 5"),
        ("a is 5", "at 6"),
        ("a like", "at 7"),
    ],
)
def test_what_is_no_filter_is_refused_with_its_place(given_text: str, place: str) -> None:
    if given_text == "a like":
        assert filter_of(given_text) == ["like", "a", ""]
        return
    with pytest.raises(ProgramError, match=place):
        filter_of(given_text)


@pytest.mark.parametrize("name", ["1", "a b'", "x;--", 'a"', "pg_catalog.a-b", "é" * 3, "a" * 64])
def test_names_are_letters_digits_and_underscores(name: str) -> None:
    with pytest.raises(ProgramError, match="expected the name of a field"):
        checked(["=", name, 1])


ATTACKS = [
    "x' OR '1'='1",
    "'; DROP TABLE t; --",
    "1) OR (1=1",
    "a\\' OR 1=1 --",
    "v, admin=true",
    "\x00",
    "${x}",
    "NULL",
]


@pytest.mark.parametrize("attack", ATTACKS)
@pytest.mark.parametrize("around", [("name='", "'"), ("name=", ""), ("name = ", " AND x = 1"), ('name="', '"')])
def test_an_inserted_value_stays_a_value(attack: str, around: tuple[str, str]) -> None:
    found = filter_of({"parts": [around[0], attack, around[1]]})
    assert found is not None
    condition = found[1] if found[0] == "and" else found
    assert condition == ["=", "name", attack]


@settings(deadline=None)
@given(st.text(max_size=30))
def test_any_inserted_text_stays_one_value(said: str) -> None:
    assert filter_of({"parts": ["name='", said, "' AND n=1"]}) == ["and", ["=", "name", said], ["=", "n", 1]]
    assert filter_of({"parts": ["name=", said, ""]}) == ["=", "name", said]


@settings(deadline=None)
@given(st.text(max_size=60))
def test_any_text_is_a_filter_or_a_plain_error(text: str) -> None:
    with contextlib.suppress(ProgramError):
        assert checked(filter_of(text)) == filter_of(text)


def test_inserted_values_keep_their_kind() -> None:
    assert filter_of({"parts": ["id=", 5, ""]}) == ["=", "id", 5]
    assert filter_of({"parts": ["id=ORD-", 7, ""]}) == ["=", "id", "ORD-7"]
    assert filter_of({"parts": ["id IN ", [1, "b"], ""]}) == ["in", "id", [1, "b"]]
    assert filter_of({"parts": ["", "name", " = ", "Ann", ""]}) == ["=", "name", "Ann"]
    assert filter_of({"parts": ["created > '", {"formatted": "2026-01-01"}, "'"]}) == [">", "created", "2026-01-01"]


def test_an_object_that_somebody_sent_is_no_other_field() -> None:
    found = filter_of({"parts": ["token=", {"column": "token"}, ""]})
    assert chosen([{"token": "secret"}], found) == []


def test_an_object_means_that_its_fields_are_equal() -> None:
    assert filter_of({"Name": "Ann", "n": 1}) == ["and", ["=", "name", "Ann"], ["=", "n", 1]]
    assert filter_of({}) is None
    assert filter_of(None) is None
    assert filter_of("") is None


def test_filters_are_bounded() -> None:
    with pytest.raises(ProgramError, match="500 conditions"):
        filter_of(", ".join(f"a={index}" for index in range(600)))
    with pytest.raises(ProgramError, match="deep"):
        filter_of("(" * 100 + "a=1" + ")" * 100)
    with pytest.raises(ProgramError, match="65536 characters"):
        filter_of("a='" + "x" * 70_000 + "'")
    with pytest.raises(ProgramError, match="pattern"):
        filter_of("a like '" + "%x" * 20 + "'")
    with pytest.raises(ProgramError, match="500 values"):
        checked(["in", "a", list(range(501))])


@pytest.mark.parametrize("given_value", [["=", "a"], [], [1], ["drop", "a", 1], ["and"], 5, ["between", "a", [1]]])
def test_conditions_of_another_shape_are_refused(given_value: Any) -> None:
    with pytest.raises(ProgramError):
        filter_of(given_value)


ROW = {"Name": "Ana", "age": "30", "tags": ["x", "y"], "none": None, "Unit price": 5, "id": "7"}


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        ("name = 'Ana'", True),
        ("name = 'ana'", False),
        ("name like 'an%'", True),
        ("age = 30", True),
        ("age > 9", True),
        ("unit_price = 5", True),
        ("none is null", True),
        ("missing is null", True),
        ("missing <> 'a'", True),
        ("missing = ''", True),
        ("tags contains 'x'", True),
        ("tags > 1", False),
        ("age between 29 and 30", True),
        ("age in (29, 30)", True),
        ("id = 7", True),
        ("id = '07'", False),
    ],
)
def test_a_filter_over_a_row(wanted: str, *, expected: bool) -> None:
    assert holds(filter_of(wanted), ROW) is expected


def test_two_fields_of_a_row() -> None:
    assert holds(checked(["column", "<", "low", "high"]), {"low": 1, "high": 2})
    assert not holds(checked(["column", "=", "low", "high"]), {"low": 1, "high": 2})


@settings(deadline=None)
@given(st.text("ab", max_size=6), st.text("ab%_", max_size=6))
def test_patterns_are_what_regular_expressions_make_of_them(text: str, pattern: str) -> None:
    import re

    expression = "".join({"%": ".*", "_": "."}.get(mark, mark) for mark in pattern)
    assert fits(text, pattern) == bool(re.fullmatch(expression, text))


def test_filters_of_declared_tables_know_their_fields() -> None:
    table = definition_of(
        {"name": "t", "fields": [{"name": "born", "type": "date"}, {"name": "seen", "type": "datetime"}]}
    )
    assert typed(table, filter_of("born > '25/12/2024'")) == [">", "born", "2024-12-25"]
    assert typed(table, filter_of("seen > 25/12/2024")) == [">", "seen", "2024-12-25"]
    assert typed(table, filter_of("created_at > x")) == [">", "created_at", "x"]
    with pytest.raises(ProgramError, match="t has no field bron; did you mean born"):
        typed(table, filter_of("not (bron = 1)"))


def test_fields_of_a_filter() -> None:
    assert fields_in(checked(["and", ["not", ["=", "a", 1]], ["column", "=", "b", "c"]])) == {"a", "b", "c"}
    assert both(None, ["=", "a", 1]) == ["=", "a", 1]

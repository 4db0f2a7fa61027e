"""Lists of rows in memory."""

from typing import Any

import pytest

from services.engine.program.values import ProgramError
from services.engine.tables import lists

pytestmark = pytest.mark.unit
SALES = [
    {"Month": "jan", "shop": "a", "amount": 5},
    {"Month": "feb", "shop": "a", "amount": "7"},
    {"Month": "jan", "shop": "b", "amount": 1.5},
]


def test_map_gives_fields_new_names() -> None:
    assert lists.mapped(SALES[:1], "month->when, amount->Total, shop") == [{"when": "jan", "Total": 5, "shop": "a"}]
    assert lists.mapped(SALES, "amount") == [5, "7", 1.5]
    assert lists.mapped([{"a": {"city": "Rio"}}], "a.city->town") == [{"town": "Rio"}]
    with pytest.raises(ProgramError, match="expected fields"):
        lists.mapped(SALES, " , ")


@pytest.mark.parametrize(
    ("how", "field", "expected"),
    [
        ("SUM", "amount", 13.5),
        ("avg", "amount", 4.5),
        ("COUNT", "", 3),
        ("count", "*", 3),
        ("count", "missing", 0),
        ("MIN", "amount", 1.5),
        ("MAX", "month", "jan"),
        ("sum", "missing", 0),
    ],
)
def test_aggregate(how: str, field: str, expected: Any) -> None:
    assert lists.aggregated(how, SALES, field) == expected


def test_aggregate_of_nothing_and_of_nothing_known() -> None:
    assert lists.aggregated("avg", None, "x") is None
    assert lists.aggregated("max", [], "x") is None
    with pytest.raises(ProgramError, match="expected SUM"):
        lists.aggregated("median", SALES, "amount")
    with pytest.raises(ProgramError, match="expected a list of rows"):
        lists.aggregated("sum", "text", "amount")


def test_group_by() -> None:
    assert lists.grouped(SALES, "month") == {"jan": [SALES[0], SALES[2]], "feb": [SALES[1]]}


def test_join_of_all_kinds() -> None:
    left = [{"id": 1, "n": "one"}, {"id": 2, "n": "two"}, {"id": None, "n": "none"}]
    right = [{"ref": "1", "x": "X"}, {"ref": 3, "x": "Y"}]
    inner = [{"ref": "1", "x": "X", "id": 1, "n": "one"}]
    assert lists.joined(left, right, "id=ref") == inner
    assert lists.joined(left, right, "id = ref", "LEFT") == [*inner, left[1], left[2]]
    assert lists.joined(left, right, "id=ref", "right join") == [*inner, right[1]]
    assert lists.joined(left, right, "id=ref", "full") == [*inner, left[1], left[2], right[1]]
    with pytest.raises(ProgramError, match="expected inner"):
        lists.joined(left, right, "id", "sideways")


def test_a_join_has_an_end() -> None:
    many = [{"k": 1}] * 1000
    with pytest.raises(ProgramError, match="100000 rows"):
        lists.joined(many, many, "k")


def test_pivot() -> None:
    assert lists.pivoted(SALES, "month", "amount") == [{"month": "jan", "amount": 6.5}, {"month": "feb", "amount": 7}]
    assert lists.pivoted(SALES, "month", "shop", "amount") == [
        {"month": "jan", "a": 5, "b": 1.5},
        {"month": "feb", "a": 7, "b": 0},
    ]
    assert lists.pivoted(SALES, "shop", "month", "amount", "COUNT")[1] == {"shop": "b", "jan": 1, "feb": 0}


def test_fill_takes_either_order() -> None:
    rows = [{"name": "Ann", "n": 5}, {"name": "Bob", "n": 6}]
    assert lists.filled(rows, "Dear {{name}}: {{ n }}") == ["Dear Ann: 5", "Dear Bob: 6"]
    assert lists.filled("Dear {{name}}", rows) == ["Dear Ann", "Dear Bob"]
    assert lists.filled("Dear {{name}}", rows[0]) == "Dear Ann"
    assert lists.filled({"to": "{{name}}", "count": "{{n}}"}, rows) == [
        {"to": "Ann", "count": 5},
        {"to": "Bob", "count": 6},
    ]
    assert lists.filled(rows[0], {"to": "{{name}}"}) == {"to": "Ann"}


def test_first_and_last_in_both_orders() -> None:
    assert lists.ends([1, 2, 3], None, last=False) == 1
    assert lists.ends([1, 2, 3], 2, last=True) == [2, 3]
    assert lists.ends(2, [1, 2, 3], last=False) == [1, 2]
    assert lists.ends("some words here", None, last=True) == "here"
    assert lists.ends([], None, last=False) is None
    assert lists.ends("", None, last=False) == ""
    assert lists.ends([1], 0, last=True) == []


def test_sort_is_stable_by_several_fields() -> None:
    assert [row["amount"] for row in lists.in_order(SALES, "amount")] == [1.5, 5, "7"]
    assert [row["shop"] for row in lists.in_order(SALES, "month DESC, amount", "ASC")] == ["b", "a", "a"]
    assert lists.in_order([3, "10", "b", None, "A"]) == [None, 3, "10", "A", "b"]
    assert lists.in_order([1, 2], "", "DESC") == [2, 1]
    with pytest.raises(ProgramError, match="ASC or DESC"):
        lists.in_order(SALES, "amount sideways")


def test_unique() -> None:
    assert lists.distinct([1, "1", 1.0, "a", None, ""]) == [1, "a", None]
    assert lists.distinct(SALES, "month") == SALES[:2]

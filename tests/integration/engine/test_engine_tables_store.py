"""Tables of bots in PostgreSQL."""

import asyncio
import uuid
from dataclasses import replace
from typing import Any

import pytest

from services.engine.program.values import ProgramError
from services.engine.tables import writes
from services.engine.tables.definition import definitions_of
from services.engine.tables.filters import filter_of
from tests.integration.engine.tables_world import CUSTOMERS, TablesWorld

pytestmark = pytest.mark.integration
ANN = {"Name": "Ann", "mail": "ann@example.com", "AGE": "30", "born": "25/12/1990", "vip": "sim", "tags": ["a"]}
ATTACKS = ["x' OR '1'='1", "'; DROP TABLE engine.table_rows; --", '"; --', "\\'; --", "$1", ":tenant", "%s", "{0}"]


async def test_a_row_is_saved_typed_and_found(shop: TablesWorld) -> None:
    saved = (await shop.write(writes.save("Customers", ANN)))[0]
    assert saved["id"] == 1
    assert {**saved, "created_at": "", "updated_at": ""} == {
        "id": 1, "name": "Ann", "mail": "ann@example.com", "age": 30, "balance": 0, "born": "1990-12-25", "vip": True,
        "tags": ["a"], "created_at": "", "updated_at": "",
    }  # fmt: skip
    assert await shop.find("customers", filter_of("name = 'Ann' AND age > 29 AND born < '1991-01-01'")) == [saved]
    assert await shop.find("customers", filter_of("id = 1")) == [saved]
    assert await shop.find("customers", filter_of("name = 'Bob'")) == []
    assert await shop.tables.count(shop.person(), "customers") == 1


async def test_save_changes_what_it_says_and_keeps_the_rest(shop: TablesWorld) -> None:
    await shop.write(writes.save("customers", ANN))
    changed = (await shop.write(writes.save("customers", {"id": 1, "age": 31})))[0]
    assert (changed["name"], changed["age"]) == ("Ann", 31)
    again = (await shop.write(writes.save("customers", changed)))[0]
    assert again["created_at"] == changed["created_at"]
    assert await shop.tables.count(shop.person(), "customers") == 1


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"age": "old"}, "customers.age: expected a whole number, got 'old'"),
        ({"age": 1.5}, "customers.age: expected a whole number, got '1.5'"),
        ({"name": "x" * 21}, "customers.name: expected a text of at most 20 characters"),
        ({"name": None}, "customers.name: expected a value, got NULL"),
        ({"name": ["a"]}, "customers.name: expected a text"),
        ({"born": "yesterdayish"}, "customers.born: expected a date, got 'yesterdayish'"),
        ({"vip": "perhaps"}, "customers.vip: expected true or false, got 'perhaps'"),
        ({"balance": 10_000_000}, "customers.balance: expected a number of 8 digits"),
        ({"tags": "none"}, "customers.tags: expected a list"),
        ({"nmae": "x"}, "customers has no field nmae; did you mean name"),
        ({"a b": 1}, "expected the name of a field"),
        ({"name": "a\x00b"}, r"U\+0000"),
        ({"secret": "x"}, "may not change customers.secret: it is for manager"),
        ({}, "customers.name: expected a value, got NULL"),
    ],
)
async def test_what_does_not_fit_is_said(shop: TablesWorld, fields: dict[str, Any], expected: str) -> None:
    row = {} if not fields else {"name": "Ann", **fields}
    with pytest.raises(ProgramError, match=expected):
        await shop.write(writes.save("customers", row))
    assert await shop.tables.count(shop.person(), "customers") == 0


async def test_a_repeated_effect_changes_nothing_twice(shop: TablesWorld) -> None:
    again = [writes.insert("notes", {"text": "hello"}), writes.update("notes", None, {"seen": 1})]
    first = await shop.tables.write(shop.person(key="one effect"), again)
    second = await shop.tables.write(shop.person(key="one effect"), again)
    assert first == second
    assert await shop.tables.count(shop.person(), "notes") == 1
    await shop.tables.write(shop.person(key="another effect"), again)
    assert await shop.tables.count(shop.person(), "notes") == 2


async def test_the_same_effect_at_once_is_done_once(shop: TablesWorld) -> None:
    work = [writes.insert("notes", {"text": "hello"})]
    world = shop.person(key="at once")
    found = await asyncio.gather(*(shop.tables.write(world, work) for _ in range(4)))
    assert all(item == found[0] for item in found)
    assert await shop.tables.count(world, "notes") == 1


async def test_all_changes_of_a_transaction_or_none(shop: TablesWorld) -> None:
    with pytest.raises(ProgramError, match="whole number"):
        await shop.write(writes.insert("notes", {"text": "a"}), writes.insert("customers", {"name": "b", "age": "x"}))
    assert await shop.tables.count(shop.person(), "notes") == 0


async def test_insert_refuses_what_is_there(shop: TablesWorld) -> None:
    await shop.write(writes.insert("notes", {"id": "n1", "text": "a"}))
    with pytest.raises(ProgramError, match="has a row with the id 'n1' already"):
        await shop.write(writes.insert("notes", {"id": "n1", "text": "b"}))
    with pytest.raises(ProgramError, match="already"):
        await shop.write(writes.insert("notes", [{"id": "n2"}, {"id": "n2"}]))


async def test_a_key_tells_rows_apart(shop: TablesWorld) -> None:
    manager = frozenset({"Manager"})
    await shop.write(writes.save("products", {"code": "A1", "price": 5}), roles=manager)
    saved = await shop.write(
        writes.save("products", [{"code": "A1", "price": 6}, {"code": "B2", "price": 1}]), roles=manager
    )
    assert [row["price"] for row in saved] == [6, 1]
    assert await shop.tables.count(shop.person(), "products") == 2
    with pytest.raises(ProgramError, match="code 'A1'"):
        await shop.write(writes.insert("products", {"code": "A1"}), roles=manager)
    with pytest.raises(ProgramError, match="same id or key"):
        await shop.write(writes.update("products", filter_of("code=B2"), {"code": "A1"}), roles=manager)


async def test_a_key_that_was_declared_later_finds_older_rows(shop: TablesWorld) -> None:
    plain = replace(shop.world, tables={})
    await shop.tables.write(replace(plain, key="before"), [writes.insert("products", {"code": "A1", "price": 5})])
    await shop.write(writes.save("products", {"code": "A1", "price": 6}), roles=frozenset({"manager"}))
    assert [row["price"] for row in await shop.find("products")] == [6]


async def test_update_and_delete_give_how_many(shop: TablesWorld) -> None:
    await shop.write(writes.insert("notes", [{"n": n, "kind": "even" if n % 2 == 0 else "odd"} for n in range(6)]))
    assert await shop.write(writes.update("notes", filter_of("kind=even"), {"seen": True})) == 3
    assert await shop.tables.count(shop.person(), "notes", filter_of("seen = true")) == 3
    assert await shop.write(writes.delete("notes", filter_of("n >= 4"))) == 2
    assert await shop.write(writes.delete("notes", None)) == 4


async def test_merge_counts_what_it_does(shop: TablesWorld) -> None:
    data = [{"sku": "a", "n": 1}, {"sku": "b", "n": 2}]
    assert await shop.write(writes.merge("stock", data, "SKU")) == {
        "inserted": 2, "updated": 0, "unchanged": 0, "total": 2,
    }  # fmt: skip
    data = [{"sku": "a", "n": 1}, {"sku": "b", "n": 3, "x": 1}, {"sku": "c"}, {"sku": "c", "n": 9}]
    found = await shop.write(writes.merge("stock", data, "sku"))
    assert found == {"inserted": 1, "updated": 1, "unchanged": 1, "total": 4}
    assert [(row["sku"], row.get("n")) for row in await shop.find("stock", order="sku")] == [
        ("a", 1),
        ("b", 3),
        ("c", 9),
    ]
    await shop.write(writes.merge("stock", [{"sku": "a", "n": 5, "x": 7}], "sku", ["x"]))
    assert [(row["n"], row["x"]) for row in await shop.find("stock", filter_of("sku=a"))] == [(1, 7)]
    with pytest.raises(ProgramError, match="every row needs a sku"):
        await shop.write(writes.merge("stock", [{"n": 5}], "sku"))


async def test_find_gives_ten_rows_or_as_many_as_are_asked_for(shop: TablesWorld) -> None:
    await shop.write(writes.insert("notes", [{"n": n} for n in range(1200)]))
    assert [row["n"] for row in await shop.find("notes")] == list(range(10))
    assert len(await shop.find("notes", limit=50)) == 50
    assert len(await shop.find("notes", limit=5000)) == 1000
    assert len(await shop.tables.find(shop.person(config={"table-find-rows": "3"}), "notes")) == 3
    assert [row["n"] for row in await shop.find("notes", order="n DESC", limit=2)] == [1199, 1198]
    every = await shop.tables.everything(shop.person(), "notes", most=2000)
    assert [row["n"] for row in every] == list(range(1200))
    with pytest.raises(ProgramError, match="more than 1000"):
        await shop.tables.everything(shop.person(), "notes", most=1000)


async def test_order_is_that_of_lists(shop: TablesWorld) -> None:
    await shop.write(writes.insert("notes", [{"v": v} for v in ("b", 10, None, "A", "9", 2.5)]))
    assert [row.get("v") for row in await shop.find("notes", order="v")] == [None, 2.5, "9", 10, "A", "b"]
    assert [row.get("v") for row in await shop.find("notes", order="v desc")] == ["b", "A", 10, "9", 2.5, None]


async def test_aggregates(shop: TablesWorld) -> None:
    await shop.write(writes.insert("notes", [{"n": 5, "d": "2026-01-02"}, {"n": "7", "d": "2025-01-02"}, {"x": 1}]))
    for how, field, expected in (
        ("SUM", "n", 12), ("avg", "n", 6), ("COUNT", "", 3), ("count", "n", 2), ("min", "n", 5),
        ("MAX", "d", "2026-01-02"),
        ("sum", "none", 0), ("avg", "none", None), ("max", "none", None),
    ):  # fmt: skip
        assert await shop.tables.aggregate(shop.person(), "notes", how, field) == expected, (how, field)
    assert await shop.tables.aggregate(shop.person(), "notes", "sum", "n", filter_of("d > 2025-12-31")) == 5
    assert sorted(map(str, await shop.tables.distinct(shop.person(), "notes", "n"))) == ["5", "7", "None"]
    with pytest.raises(ProgramError, match="expected SUM"):
        await shop.tables.aggregate(shop.person(), "notes", "drop", "n")


async def test_search_finds_what_is_alike(shop: TablesWorld) -> None:
    rows = [{"title": "Red running shoes", "n": 1}, {"title": "Blue sandals"}, {"title": "Green coat", "n": 1}]
    await shop.write(writes.insert("items", rows))
    assert [row["title"] for row in await shop.tables.search(shop.person(), "items", "runing shoe")] == [
        "Red running shoes"
    ]
    assert await shop.tables.search(shop.person(), "items", "zzz") == []
    assert await shop.tables.autocomplete(shop.person(), "items", "GRE") == ["Green coat"]
    for attack in ATTACKS:
        assert await shop.tables.search(shop.person(), "items", attack + "qqq") == []
        assert await shop.tables.autocomplete(shop.person(), "items", attack) == []


async def test_search_looks_through_many_rows(shop: TablesWorld) -> None:
    rows = [{"title": f"item {n}", "text": "words " * 5} for n in range(4000)]
    await shop.write(writes.insert("items", [*rows, {"title": "Emerald necklace"}]))
    async with asyncio.timeout(20):
        found = await shop.tables.search(shop.person(), "items", "emerld necklace", 1)
    assert [row["title"] for row in found] == ["Emerald necklace"]


async def test_roles_are_kept(shop: TablesWorld) -> None:
    manager = frozenset({"manager"})
    with pytest.raises(ProgramError, match="may not change products: it is for manager"):
        await shop.write(writes.save("products", {"code": "x"}))
    for refused in (
        shop.tables.find(shop.person(), "salaries"),
        shop.tables.count(shop.person(), "salaries"),
        shop.tables.aggregate(shop.person(), "salaries", "sum", "amount"),
        shop.tables.search(shop.person(), "salaries", "x"),
        shop.tables.autocomplete(shop.person(), "salaries", "x"),
        shop.tables.query(shop.person(), ["SELECT * FROM salaries"]),
        shop.tables.write(shop.person(), [writes.delete("salaries", None)]),
    ):
        with pytest.raises(ProgramError, match="it is for manager"):
            await refused
    await shop.write(writes.save("customers", {"name": "Ann", "secret": "42"}), roles=manager)
    assert "secret" not in (await shop.find("customers"))[0]
    assert (await shop.tables.find(shop.person(roles=manager), "customers"))[0]["secret"] == "42"
    for refused in (
        shop.find("customers", filter_of("secret like '4%'")),
        shop.find("customers", order="secret"),
        shop.tables.distinct(shop.person(), "customers", "secret"),
        shop.tables.aggregate(shop.person(), "customers", "max", "secret"),
        shop.write(writes.update("customers", filter_of("secret = 42"), {"age": 1})),
    ):
        with pytest.raises(ProgramError, match=r"may not read customers\.secret"):
            await refused
    assert await shop.tables.autocomplete(shop.person(), "customers", "4") == []
    with pytest.raises(ProgramError, match="no column secret"):
        await shop.tables.query(shop.person(), ["SELECT secret FROM customers"])


async def test_other_tenants_and_bots_have_other_tables(shop: TablesWorld) -> None:
    await shop.write(writes.insert("notes", {"id": "n1", "text": "ours"}))
    other = str(uuid.uuid4())
    await shop.bot(other, "shop")
    await shop.bot(shop.world.tenant, "other")
    for stranger in ({"tenant": other}, {"bot": "bots/other"}):
        assert await shop.tables.find(shop.person(**stranger), "notes") == []
        assert await shop.write(writes.update("notes", None, {"text": "theirs"}), **stranger) == 0
        assert await shop.write(writes.delete("notes", None), **stranger) == 0
        await shop.write(writes.insert("notes", {"id": "n1", "text": "theirs"}), **stranger)
        rows = await shop.tables.query(shop.person(**stranger), ["SELECT text FROM notes"])
        assert rows == [{"text": "theirs"}]
    assert [row["text"] for row in await shop.find("notes")] == ["ours"]


async def test_a_version_hides_fields_it_does_not_know_and_destroys_nothing(shop: TablesWorld) -> None:
    await shop.write(writes.save("customers", {"name": "Ann", "mail": "a@b.c"}))
    fields = [item for item in CUSTOMERS["fields"] if item["name"] != "mail"]  # type: ignore[index]
    newer = definitions_of([{"name": "customers", "fields": [*fields, {"name": "city", "type": "string"}]}])
    world = shop.person(tables=newer)
    row = (await shop.tables.find(world, "customers"))[0]
    assert "mail" not in row
    assert row["city"] is None
    await shop.tables.write(world, [writes.save("customers", {"id": 1, "city": "Rio"})])
    assert (await shop.find("customers"))[0]["mail"] == "a@b.c"


@pytest.mark.parametrize("attack", ATTACKS)
async def test_texts_are_texts_everywhere(shop: TablesWorld, attack: str) -> None:
    await shop.write(writes.insert("notes", [{"id": "1", "text": attack}, {"id": "2", "text": "other"}]))
    where = filter_of({"parts": ["text='", attack, "'"]})
    assert [row["id"] for row in await shop.find("notes", where)] == ["1"]
    assert [row["id"] for row in await shop.find("notes", filter_of({"parts": ["id='", attack, "'"]}))] == []
    found = await shop.tables.query(shop.person(), ["SELECT id FROM notes WHERE text = '", attack, "'"])
    assert found == [{"id": "1"}]
    assert await shop.tables.query(shop.person(), ["SELECT id FROM notes WHERE text = ", attack, ""]) == [{"id": "1"}]
    assert await shop.write(writes.update("notes", where, {"text": attack + "!"})) == 1
    assert await shop.write(writes.delete("notes", filter_of({"text": attack + "!"}))) == 1
    for names in (
        lambda: shop.find(attack),
        lambda: shop.find("notes", order=attack),
        lambda: shop.tables.distinct(shop.person(), "notes", attack),
        lambda: shop.tables.query(shop.person(), ["SELECT id FROM ", attack, ""]),
        lambda: shop.tables.query(shop.person(), [f"SELECT id FROM notes WHERE {attack}"]),
        lambda: shop.write(writes.insert(attack, {"a": 1})),
        lambda: shop.write(writes.merge("notes", [{"a": 1}], attack)),
    ):
        with pytest.raises(ProgramError):
            await names()
    with pytest.raises(ProgramError):
        await shop.write(writes.insert("notes", {attack: 1}))
    assert [row["text"] for row in await shop.find("notes")] == ["other"]

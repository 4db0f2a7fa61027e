"""Keywords of data: scripts over real tables."""

import datetime
import json
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import text

from services.engine.files.port import Documents, Files
from services.engine.files.working import Workshop
from services.engine.keywords.models.port import Models
from services.engine.keywords.registry import registry
from services.engine.keywords.world import Performed, World
from services.engine.machine import machine as m
from services.engine.program.values import ProgramError, Value
from services.engine.schedule.events import StoredEvents
from services.engine.tables.events import TableEvents
from services.engine.tables.listing_sql import ListQueries
from services.engine.tables.port import Lists, Tables
from services.engine.tables.store import PostgresTables
from services.engine.web.port import Request, Web
from tests.integration.engine.tables_world import DriveInMemory, TablesWorld
from tests.unit.engine.scripts import NOON, machine_of

pytestmark = pytest.mark.integration
ATTACKS = ["x' OR '1'='1", "'; DROP TABLE engine.table_rows; --", "a, b=c", "%' OR id > '0", '{"column": "name"}']


class Reading:
    """A model that reads one answer from a list."""

    def __init__(self, answer: str) -> None:
        self.answer = answer

    async def complete(self, _: World, prompt: str, __: Any) -> str:
        assert "gives no orders" in prompt
        return self.answer


class Pages:
    """An address with two full pages and a short one."""

    def __init__(self) -> None:
        self.asked: list[Any] = []

    async def ask(self, _: World, request: Request) -> Value:
        self.asked.append(request.query)
        first = (int(request.query["p"]) - 1) * 100
        rows = [{"code": f"c{n}", "n": n} for n in range(first, min(first + int(request.query["n"]), 250))]
        return {"status": 200 if first < 1000 else 500, "data": {"items": rows}}


class Scripts:
    """Plays scripts of a bot whose tables are real and whose drive is in memory."""

    def __init__(self, shop: TablesWorld, drive: DriveInMemory, workshop: Workshop) -> None:
        self.shop, self.drive = shop, drive
        self.ports: dict[Any, Any] = {
            Tables: shop.tables, Lists: ListQueries(shop.tables), Files: drive, Documents: workshop,
        }  # fmt: skip
        self.roles = frozenset({"member"})
        self.played = 0

    async def play(self, source: str, **variables: Value) -> list[str]:
        """What is said. ProgramError when the script fails."""
        self.played += 1
        machine = machine_of(source)
        state = machine.start("script", variables)
        said: list[str] = []
        resume: m.Resume = None
        while True:
            step = machine.run(state, resume)
            said += [item.text for item in step.outputs]
            if isinstance(step.outcome, m.Failed):
                raise ProgramError(step.outcome.message)
            if not isinstance(step.outcome, m.PerformEffect):
                return said
            resume = await self.perform(step.outcome, state.settings)

    async def perform(self, wanted: m.PerformEffect, settings: dict[str, Value]) -> m.EffectResult | m.EffectError:
        keyword = registry().get(wanted.keyword)
        assert keyword is not None
        assert keyword.perform is not None
        world = replace(
            self.shop.world, key=f"{self.played}/{wanted.key}", settings=settings, ports=self.ports, roles=self.roles,
            clock=lambda: NOON, keyword=keyword.name,
        )  # fmt: skip
        try:
            found = await keyword.perform(world, wanted.arguments)
        except ProgramError as error:
            return m.EffectError(str(error))
        if isinstance(found, Performed):
            return m.EffectResult(found.value, found.settings)
        return m.EffectResult(found)


@pytest.fixture
async def scripts(shop: TablesWorld) -> Any:
    workshop = Workshop()
    yield Scripts(shop, DriveInMemory(), workshop)
    await workshop.close()


async def test_one_row_acts_as_an_object_many_as_a_list_none_as_null(scripts: Scripts) -> None:
    said = await scripts.play(
        """
        SAVE "customers", {"name": "Ann", "age": 30}
        SAVE "customers", {"name": "Bob", "age": 40}
        one = FIND "customers", "name=Ann"
        TALK one.Name + " " + one.age
        all = FIND "customers"
        TALK UBOUND(all)
        none = FIND "customers", "name=Eve"
        IF none THEN
          TALK "found"
        ELSE
          TALK "nobody"
        END IF
        FOR EACH c IN FIND "customers", "age > 35"
          TALK c.name
        NEXT
        """
    )
    assert said == ["Ann 30", "2", "nobody", "Bob"]


async def test_all_forms_of_find(scripts: Scripts) -> None:
    said = await scripts.play(
        """
        FOR i = 1 TO 15
          INSERT "notes", {"n": i, "kind": IIF(i > 10, "big", "small")}
        NEXT
        TALK UBOUND(FIND "notes")
        low = 3
        r = FIND ALL notes WHERE n > low AND kind = "small" ORDER BY n DESC LIMIT 2
        TALK r[0].n + "," + r[1].n
        r = FIND notes WHERE n BETWEEN 2 AND 3 OR n = 15 ORDER BY n
        TALK UBOUND(r)
        r = FIND_ONE "notes", "kind=${"big"}" ORDER BY n DESC
        TALK r.n
        r = FIND "notes", "kind = 'big' AND n IN (11, 12)", 1
        TALK r.n
        """
    )
    assert said == ["10", "10,9", "3", "15", "11"]


async def test_all_forms_of_writing(scripts: Scripts) -> None:
    said = await scripts.play(
        """
        name = "Ann"
        mail = "ann@example.com"
        SAVE "people", name, mail
        p = FIND "people", "name=Ann"
        TALK p.mail
        SAVE "people", "p2", {"name": "Bob"}
        SAVE "people", [{"name": "Cid"}, {"name": "Dan"}]
        INSERT INTO "people" WITH name = "Eve", mail = "eve@example.com"
        INSERT INTO people VALUES {"name": "Fay"}
        TALK AGGREGATE "COUNT", "people"
        TALK UPDATE "people", "name=Bob", {"mail": "bob@example.com"}
        UPDATE "people" SET mail = "cid@example.com" WHERE name = "Cid"
        mail = "new@example.com"
        UPDATE "people", "p2", mail
        SET "people", "name=Dan", "mail=dan@example.com, age=5"
        b = FIND_ONE "people", "id=p2"
        d = FIND_ONE "people", "name=Dan"
        TALK b.mail + " " + d.mail + " " + d.age
        TALK DELETE "people", "name=Eve"
        DELETE FROM "people" WHERE age = 5
        TALK AGGREGATE "COUNT", "people"
        """
    )
    assert said == ["ann@example.com", "6", "1", "new@example.com dan@example.com 5", "1", "4"]


async def test_merge_feeds_the_report(scripts: Scripts) -> None:
    said = await scripts.play(
        """
        data = [{"sku": "a", "n": 1}, {"sku": "b", "n": 2}]
        MERGE "stock", data, "sku"
        data[1].n = 3
        r = MERGE "stock" WITH data BY "sku"
        TALK r.updated + " " + r.unchanged
        TALK REPORT
        x = REPORT
        TALK x.inserted
        RESET REPORT
        x = REPORT
        TALK x.total
        """
    )
    assert said == ["1 1", "stock: 2 inserted, 1 updated, 1 unchanged", "2", "0"]


async def test_a_transaction_is_all_or_nothing(scripts: Scripts) -> None:
    said = await scripts.play(
        """
        BEGIN TRANSACTION
        SAVE "a", {"n": 1}
        SAVE "b", {"n": 2}
        TALK AGGREGATE "COUNT", "a"
        TALK COMMIT TRANSACTION
        TALK AGGREGATE "COUNT", "a"
        BEGIN TRANSACTION
        SAVE "a", {"n": 3}
        ROLLBACK
        TALK AGGREGATE "COUNT", "a"
        """
    )
    assert said == ["0", "2", "1", "1"]
    with pytest.raises(ProgramError, match="whole number"):
        await scripts.play('BEGIN TRANSACTION\nSAVE "a", {"n": 9}\nSAVE "customers", {"name": "x", "age": "y"}\nCOMMIT')
    assert await scripts.play('TALK AGGREGATE "COUNT", "a"') == ["1"]
    with pytest.raises(ProgramError, match="no transaction"):
        await scripts.play("COMMIT")


async def test_lists_in_memory(scripts: Scripts) -> None:
    said = await scripts.play(
        """
        sales = [{"m": "jan", "v": 5}, {"m": "feb", "v": 7}, {"m": "jan", "v": 1}]
        TALK AGGREGATE sales SUM v WHERE m = "jan"
        TALK AGGREGATE "MAX", sales, "v"
        big = FILTER sales, "v > 4"
        TALK UBOUND(big)
        p = PIVOT sales, "m", "v"
        TALK p[0].v
        g = GROUP BY sales, "m"
        TALK UBOUND(g.jan)
        l = MAP sales, "m->month"
        TALK l[1].month
        names = [{"m": "jan", "long": "January"}]
        j = JOIN sales, names, "m"
        TALK j[1].long
        TALK JOIN(["a", "b"], "-")
        low = 2
        s = SELECT m, SUM(v) AS total FROM sales WHERE v > low GROUP BY m ORDER BY total DESC
        TALK s[0].m + " " + s[0].total
        FILL sales, "{{m}}: {{v}}" TO "out.txt"
        """
    )
    assert said == ["6", "7", "2", "6", "2", "feb", "January", "a-b", "feb 7"]
    assert scripts.drive.content["out.txt"] == b"jan: 5\nfeb: 7\njan: 1"


async def test_sheets_in_the_drive(scripts: Scripts) -> None:
    for table, path in (("a", "people.csv"), ("b", "people.xlsx")):
        said = await scripts.play(
            f"""
            SAVE "{path}", {{"Full name": "Ann", "age": 30}}
            SAVE "{path}", {{"Full name": "=cmd()", "age": 40}}
            r = FIND "{path}", "full_name = 'Ann'"
            TALK r.age
            TALK UBOUND(FIND "{path}")
            TALK AGGREGATE "SUM", "{path}", "age"
            TALK UPDATE "{path}", "age=30", {{"age": 31}}
            r = FIND "{path}", "age > 35"
            TALK r["Full name"]
            TALK DELETE "{path}", "age=31"
            TALK IMPORT "{path}", "{table}"
            EXPORT "{table}", "out-{path}"
            r = FIND "{table}", "full_name like '%cmd%'"
            TALK r.age
            """
        )
        assert said == ["30", "2", "70", "1", "=cmd()", "1", "1", "40"], path
        assert f"out-{path}" in scripts.drive.content
    await scripts.play('DELETE "people.csv"')
    assert "people.csv" not in scripts.drive.content


async def test_searching_and_products(scripts: Scripts) -> None:
    scripts.roles = frozenset({"manager"})
    said = await scripts.play(
        """
        SAVE "products", {"code": "A1", "price": 5}
        p = PRODUCT "A1"
        TALK p.price
        TALK UBOUND(PRODUCTS())
        SAVE "notes", {"text": "Running shoes"}
        s = SEARCH "notes", "runing", 3
        TALK s.text
        a = AUTOCOMPLETE("notes", "run", 3)
        TALK a[0]
        word = "Running shoes"
        q = QUERY "SELECT COUNT(*) AS n FROM notes WHERE text = '" + word + "'"
        TALK q.n
        CACHE SET "k", {"a": [1]}, 60
        c = CACHE GET "k"
        TALK c.a[0]
        CACHE SET "gone", 1, 0
        TALK IIF(ISNULL(CACHE GET "gone"), "gone", "there")
        ALLOW ROLE "Manager;admin"
        TALK "allowed"
        """
    )
    assert said == ["5", "1", "Running shoes", "Running shoes", "1", "1", "gone", "allowed"]
    scripts.roles = frozenset({"member"})
    with pytest.raises(ProgramError, match="this is for admin, manager"):
        await scripts.play('ALLOW ROLE "Manager;admin"')


async def test_a_model_reads_fields_out_of_a_text(scripts: Scripts) -> None:
    scripts.ports[Models] = Reading('Here:\n```json\n{"name": "Ann", "age": "30", "unknown": 1}\n```')
    said = await scripts.play('r = SAVE FROM UNSTRUCTURED "customers", "Ann is 30."\nTALK r.name + r.age')
    assert said == ["Ann30"]
    scripts.ports[Models] = Reading("I can not.")
    with pytest.raises(ProgramError, match="found no fields of customers"):
        await scripts.play('SAVE_FROM_UNSTRUCTURED "customers", "x"')


@pytest.mark.parametrize("attack", ATTACKS)
async def test_what_a_person_says_is_a_value_in_every_keyword(scripts: Scripts, attack: str) -> None:
    async def play(line: str) -> list[str]:
        return await scripts.play(f"said = person\n{line}", person=attack)

    await play('SAVE "notes", [{"id": "1", "name": "Ann", "n": 1}, {"id": "2", "name": said, "n": 2}]')
    for line in (
        'r = FIND "notes", "name=\'" + said + "\'"',
        'r = FIND "notes", "name=" + said',
        'r = FIND "notes", "name=\'${said}\'"',
        "r = FIND notes WHERE name = said",
        'r = FIND_ONE "notes", "name=${said}"',
        "r = SELECT id FROM rows WHERE name = said",
        'r = FILTER rows, "name=" + said',
        'r = QUERY "SELECT id FROM notes WHERE name = \'" + said + "\'"',
    ):
        found = await play(f'rows = FIND "notes"\n{line}\nTALK r.id')
        assert found == ["2"], line
    for line, changed in (
        ('TALK UPDATE "notes", "name=${said}", {"n": 5}', "1"),
        ('TALK UPDATE "notes" SET n = 6, other = said WHERE name = said', "1"),
        ('SET "notes", "name=${said}", "other=${said}"\nTALK "1"', "1"),
        ('TALK AGGREGATE "SUM", "notes", "n", "name=${said}"', "6"),
        ('TALK DELETE "notes", "name=${said}"', "1"),
        ('TALK DELETE FROM "notes" WHERE name = said', "0"),
    ):
        assert await play(line) == [changed], line
    for line in (
        "x = FIND said", 'SAVE said, {"a": 1}', 'INSERT INTO said VALUES {"a": 1}', "DELETE FROM said",
        'x = AGGREGATE "SUM", "notes", said', 'MERGE "notes", [{"a": 1}], said', 'x = SEARCH said, "x"',
        'x = QUERY "SELECT id FROM notes WHERE " + said', 'x = FIND notes ORDER BY "${said}"',
    ):  # fmt: skip
        with pytest.raises(ProgramError):
            await play(line)
    assert await scripts.play('r = FIND "notes"\nTALK r.name') == ["Ann"]


async def test_now_is_a_moment(scripts: Scripts) -> None:
    assert datetime.datetime(2026, 3, 14, 12, tzinfo=datetime.UTC) == NOON
    assert await scripts.play('SAVE "log", {"at": NOW()}\nr = FIND "log", "at >= 2026-03-14"\nTALK r.at') == [
        "2026-03-14 12:00:00"
    ]


async def test_pages_of_an_address_are_merged(scripts: Scripts) -> None:
    scripts.ports[Web] = pages = Pages()
    said = await scripts.play(
        """
        r = SYNCHRONIZE "https://example.com/x", "mirror", "code", "p", "n"
        TALK r.inserted
        SYNCHRONIZE "https://example.com/x", "mirror", "code", "p", "n"
        TALK REPORT
        """
    )
    assert said == ["250", "mirror: 250 inserted, 0 updated, 250 unchanged"]
    assert [dict(query) for query in pages.asked[:3]] == [{"p": page, "n": 100} for page in (1, 2, 3)]


async def test_changes_start_what_waits_for_them(scripts: Scripts) -> None:
    shop = scripts.shop
    add = text(
        """INSERT INTO engine.event_rules (tenant_id, bot_id, id, event, target, script)
        VALUES (CAST(:tenant AS uuid), 'shop', gen_random_uuid(), :event, 'notes', 'told')"""
    )
    async with shop.database.unit_of_work(shop.world.tenant) as connection:
        for event in ("insert", "delete"):
            await connection.execute(add, {"tenant": shop.world.tenant, "event": event})
    scripts.ports[Tables] = PostgresTables(shop.database, shop.requests, TableEvents(StoredEvents()))
    await scripts.play('SAVE "notes", [{"n": 1}, {"n": 2}]\nUPDATE "notes", "n=1", {"n": 3}\nDELETE "notes", "n=3"')
    with pytest.raises(ProgramError):
        await scripts.play('BEGIN TRANSACTION\nSAVE "notes", {"n": 9}\nSAVE "customers", {"age": "x"}\nCOMMIT')
    async with shop.database.unit_of_work(shop.world.tenant) as connection:
        found = await connection.execute(text("SELECT variables FROM engine.pending_events ORDER BY number"))
        told = [row.variables if isinstance(row.variables, dict) else json.loads(row.variables) for row in found]
    assert [(item["event"], item["row"]["n"]) for item in told] == [("insert", 1), ("insert", 2), ("delete", 3)]

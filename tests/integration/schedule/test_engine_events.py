"""ON ...: told when it is true, in order, and not for ever."""

import contextlib
import json
import uuid
from typing import Any

import pytest

from services.engine.keywords.world import World
from services.engine.program.values import ProgramError
from services.engine.schedule.events import DEEPEST, StoredEvents
from services.engine.schedule.running import DEPTH
from tests.integration.schedule.test_engine_webhooks import Caller, caller
from tests.integration.schedule.world import BOT, ScheduleWorld

__all__ = ["caller"]
pytestmark = pytest.mark.integration
ON_INSERT = 'ON INSERT OF "Orders"\n  TALK "new " + row.id + " in " + of\nEND ON\nTALK "never"'


class TakenBack(Exception):
    """The transaction fails."""


def here(world: ScheduleWorld, depth: int | None = None) -> World:
    """A script that changes a table."""
    settings: dict[str, Any] = {} if depth is None else {DEPTH: depth}
    return World(
        tenant=world.tenant, bot=f"bots/{BOT}", session="sessions/x", user="users/x", key="k", settings=settings
    )


async def emit(world: ScheduleWorld, event: str, of: str, *payloads: dict[str, Any], depth: int | None = None) -> int:
    async with world.engine.database.unit_of_work(world.tenant) as connection:
        return await StoredEvents().emit(connection, here(world, depth), event, of, payloads)


async def test_each_row_starts_the_lines_in_order(world: ScheduleWorld) -> None:
    await world.publish(start=ON_INSERT)
    rows = [{"row": {"id": number}} for number in range(20)]
    assert await emit(world, "insert", "orders", *rows) == 20
    await world.says(*(f"new {number} in orders" for number in range(20)), channel="event")
    assert await world.said("event") == [f"new {number} in orders" for number in range(20)], "in their order"
    assert len(await world.runs("event")) == 1


async def test_nothing_is_told_of_what_was_taken_back(world: ScheduleWorld) -> None:
    await world.publish(start=ON_INSERT)
    with contextlib.suppress(TakenBack):
        async with world.engine.database.unit_of_work(world.tenant) as connection:
            assert await StoredEvents().emit(connection, here(world), "insert", "orders", [{"row": {"id": 1}}]) == 1
            raise TakenBack
    assert await emit(world, "insert", "orders", {"row": {"id": 2}}) == 1
    await world.says("new 2 in orders", channel="event")


async def test_a_rule_is_about_its_table_and_its_event(world: ScheduleWorld) -> None:
    await world.publish(
        start=ON_INSERT, other='ON DELETE OF "orders" CALL gone\nSUB gone(old)\nTALK "gone " + old.id\nEND SUB'
    )
    assert await emit(world, "insert", "customers", {"row": {}}) == 0
    assert await emit(world, "update", "orders", {"row": {}}) == 0
    assert await emit(world, "delete", "ORDERS", {"old": {"id": 3}}) == 1
    await world.says("gone 3", channel="event")


@pytest.mark.parametrize(
    ("rule", "event", "of", "payload", "fits"),
    [
        ('EMAIL "ana@example.com"', "email", "Ana@example.com", {"from": "bo@x.org", "subject": "Hi"}, True),
        ('EMAIL "ana@example.com" FROM "x.org"', "email", "ana@example.com", {"from": "bo@X.org"}, True),
        ('EMAIL "ana@example.com" FROM "y.org"', "email", "ana@example.com", {"from": "bo@x.org"}, False),
        ('EMAIL "ana@example.com" SUBJECT "invoice"', "email", "ana@example.com", {"subject": "Your Invoice"}, True),
        ('CHANGE "/docs"', "change", "/docs/a.txt", {"change": "create"}, True),
        ('CHANGE "/docs"', "change", "/documents", {"change": "create"}, False),
        ('CHANGE "/docs/*.csv" EVENTS "create,modify"', "change", "/docs/a.csv", {"change": "modify"}, True),
        ('CHANGE "/docs/*.csv" EVENTS "create,modify"', "change", "/docs/a.csv", {"change": "delete"}, False),
        ('EVENT "restock"', "custom", "Restock", {}, True),
    ],
)
async def test_what_a_rule_fits(
    world: ScheduleWorld, rule: str, event: str, of: str, payload: dict[str, Any], fits: bool
) -> None:
    await world.publish(start=f'ON {rule} CALL told\nSUB told\nTALK "told"\nEND SUB')
    assert await emit(world, event, of, payload) == int(fits)
    await world.says(*(["told"] if fits else []), channel="event")


async def test_events_that_lead_to_events_end(world: ScheduleWorld) -> None:
    await world.publish(start=ON_INSERT)
    assert await emit(world, "insert", "orders", {"row": {"id": 1}}, depth=DEEPEST - 1) == 1
    with pytest.raises(ProgramError, match="events led one to the next"):
        await emit(world, "insert", "orders", {"row": {"id": 2}}, depth=DEEPEST)
    await world.says("new 1 in orders", channel="event")
    (row,) = await world.sql(
        "SELECT convert_from(state, 'UTF8')::jsonb -> 't' AS settings FROM session.user_sessions WHERE tenant_id = $1",
        uuid.UUID(world.tenant),
    )
    assert json.loads(row["settings"])[DEPTH] == DEEPEST, "what the script does now is one deeper than it"


async def test_what_is_told_has_a_size(world: ScheduleWorld) -> None:
    await world.publish(start=ON_INSERT)
    with pytest.raises(ProgramError, match="at most 1048576 bytes"):
        await emit(world, "insert", "orders", {"row": {"id": "x" * 2_000_000}})


async def test_a_form_is_sent_by_anybody(caller: Caller) -> None:
    await caller.world.publish(start='ON FORM SUBMIT "Contact"\n  TALK email + ": " + form.text\nEND ON')
    sent = await caller.call(f"/api/{BOT}/forms/contact", {"email": "ana@x.org", "text": "Hello"})
    assert (sent.status, sent.body) == (202, {"accepted": True})
    raw = b"email=bo%40x.org&text=Good+day"
    sent = await caller.call(f"/api/{BOT}/forms/contact", raw, Content_Type="application/x-www-form-urlencoded")
    assert sent.status == 202
    await caller.world.says("ana@x.org: Hello", "bo@x.org: Good day", channel="event")
    assert (await caller.call(f"/api/{BOT}/forms/nothing", {})).status == 404
    assert (await caller.call(f"/api/{BOT}/forms/contact", [1])).status == 400


async def test_a_script_that_saves_starts_one_that_waits_for_it(caller: Caller) -> None:
    """From a webhook to a row to the lines of ON INSERT and ON UPDATE."""
    tables = "TABLE orders\n  id integer key\n  item string(40)\nEND TABLE\n"
    rules = """ON INSERT OF "orders"
  TALK "new " + row.item
END ON
ON UPDATE OF "orders"
  TALK "now " + row.item
END ON"""
    await caller.world.publish(
        tables=tables,
        rules=rules,
        hook='WEBHOOK "in"\nSAVE "orders", #{id: number, item: item}\nRETURN "kept"',
        config={"webhook-public": "true"},
    )
    for item in ("tea", "coffee"):
        assert (await caller.call(f"/api/{BOT}/webhook/in", {"number": 1, "item": item})).body == "kept"
    await caller.world.says("new tea", "now coffee", channel="event")

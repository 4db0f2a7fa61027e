"""The outbox relay: nothing that was committed stays untold."""

import asyncio
import contextlib
import uuid
from collections.abc import AsyncIterator, Sequence

import pytest
from nats.aio.msg import Msg

from services.common.bus import outbox, subjects
from services.common.bus.connection import Bus
from services.common.bus.outbox import OutboxRelay, OutboxRow
from services.common.db import rls
from services.common.db.engine import Database
from services.common.telemetry.metrics import Metrics
from tests.servers import Nats, Postgres, Statements
from tests.waiting import until

pytestmark = pytest.mark.integration
SCHEMA = "outbox_test"
TENANT = uuid.uuid4()


class World:
    """A relay, its table, and what listeners heard."""

    def __init__(self, bus: Bus, relay: Database, postgres: Postgres) -> None:
        self.bus = bus
        self.relay = relay
        self.postgres = postgres
        self.outbox = OutboxRelay(bus, relay, Metrics("session"), schema=SCHEMA, redeliver_after=1.0)
        self.session = str(uuid.uuid4())
        self.heard: list[bytes] = []

    def row(self, payload: bytes, *, durable: bool = True, hold: bool = False, subject: str = "") -> OutboxRow:
        where = subject or subjects.message_appended(str(TENANT), self.session)
        return OutboxRow(uuid.uuid4(), TENANT, where, payload, durable=durable, hold=hold)

    async def write(self, rows: Sequence[OutboxRow], *, age: float = 0.0) -> None:
        for order, row in enumerate(rows):
            await self.relay.call(
                f"INSERT INTO {SCHEMA}.outbox (id, tenant_id, subject, payload, durable, hold, created_at) "
                "VALUES ($1, $2, $3, $4, $5, $6, clock_timestamp() - $7 * interval '1 second')",
                row.id, row.tenant_id, row.subject, row.payload, row.durable, row.hold, age - order * 0.001,
            )  # fmt: skip

    async def left(self) -> dict[bytes, bool]:
        """Payloads in the table, and whether they were published."""
        rows = await self.relay.call(f"SELECT payload, published_at FROM {SCHEMA}.outbox")
        return {row["payload"]: row["published_at"] is not None for row in rows}

    async def listen(self) -> None:
        async def note(message: Msg) -> None:
            self.heard.append(message.data)

        await self.bus.subscribe(subjects.session_live(str(TENANT), self.session), note)


@pytest.fixture(scope="module")
async def table(postgres: Postgres) -> AsyncIterator[None]:
    operations = Statements()
    operations.execute(f"CREATE SCHEMA {SCHEMA}")
    operations.execute(
        f"""CREATE TABLE {SCHEMA}.outbox (id uuid PRIMARY KEY, tenant_id uuid NOT NULL, subject text NOT NULL,
        payload bytea NOT NULL, durable boolean NOT NULL, hold boolean NOT NULL,
        created_at timestamptz NOT NULL DEFAULT clock_timestamp(), published_at timestamptz)"""
    )
    rls.open_schema(operations, SCHEMA)
    rls.protect(operations, SCHEMA, "outbox", relay=True)
    operations.execute(f"GRANT INSERT ON {SCHEMA}.outbox TO parley_relay")
    await postgres.as_owner(*operations.all)
    yield
    await postgres.as_owner(f"DROP SCHEMA {SCHEMA} CASCADE")


@pytest.fixture
async def world(postgres: Postgres, nats: Nats, table: None, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[World]:
    monkeypatch.setattr(outbox, "SWEEP_SECONDS", 0.1)
    bus = Bus(nats.url, "session", Metrics("session"))
    relay = Database(postgres.relay_dsn, schema=SCHEMA, pool_size=2, name="test-relay")
    await bus.open()
    await relay.open()
    made = World(bus, relay, postgres)
    await made.listen()
    loops = [asyncio.create_task(made.outbox.run()), asyncio.create_task(made.outbox.sweep())]
    yield made
    for loop in loops:
        loop.cancel()
    await asyncio.gather(*loops, return_exceptions=True)
    await relay.call(f"DELETE FROM {SCHEMA}.outbox")
    await relay.close()
    await bus.close()


async def test_a_submitted_row_is_told_and_goes(world: World) -> None:
    rows = [world.row(b"%d" % number) for number in range(20)]
    await world.write(rows)
    world.outbox.submit(rows)

    async def told() -> bool:
        return len(world.heard) == 20 and await world.left() == {}

    await until(told, 1.5)
    assert world.heard == [row.payload for row in rows]


async def test_a_row_that_was_never_submitted_is_found_in_order(world: World) -> None:
    rows = [world.row(b"%d" % number) for number in range(5)]
    await world.write(rows, age=10)

    async def told() -> bool:
        return await world.left() == {}

    await until(told)
    assert world.heard == [row.payload for row in rows]


async def test_a_young_row_is_left_to_whoever_wrote_it(world: World) -> None:
    await world.write([world.row(b"young")], age=0)
    await world.write([world.row(b"old")], age=5)

    async def old_is_gone() -> bool:
        return b"old" not in await world.left()

    await until(old_is_gone)
    assert await world.left() == {b"young": False}


async def test_a_held_row_stays_and_is_told_again_until_somebody_confirms(world: World) -> None:
    row = world.row(b"held", hold=True)
    await world.write([row])
    world.outbox.submit([row])

    async def published() -> bool:
        return await world.left() == {b"held": True}

    async def again() -> bool:
        first = await world.relay.call(f"SELECT published_at FROM {SCHEMA}.outbox")
        return bool(first[0]["published_at"] > began)

    await until(published, 1.5)
    began = (await world.relay.call(f"SELECT published_at FROM {SCHEMA}.outbox"))[0]["published_at"]
    await until(again)


async def test_a_row_without_a_stream_rings_once_and_goes(world: World) -> None:
    bell = world.row(b"bell", durable=False, subject=subjects.message_delta(str(TENANT), world.session))
    await world.write([bell])
    world.outbox.submit([bell])

    async def rung() -> bool:
        return world.heard == [b"bell"] and await world.left() == {}

    await until(rung, 1.5)


async def test_a_row_nobody_takes_does_not_hold_up_the_others(world: World) -> None:
    await world.write([world.row(b"lost", subject="parley.nowhere.v1.a.b.c.d")], age=20)
    await world.write([world.row(b"good")], age=10)

    async def good_is_gone() -> bool:
        return await world.left() == {b"lost": False}

    await until(good_is_gone)
    assert world.heard == [b"good"]


async def test_what_was_written_while_nats_was_away_is_told_when_it_is_back(world: World, nats: Nats) -> None:
    nats.kill()
    nats.wipe()
    rows = [world.row(b"%d" % number) for number in range(700)]
    await world.write(rows, age=10)
    world.outbox.submit(rows[:10])
    assert len(await world.left()) == 700
    await nats.start()

    async def told() -> bool:
        return await world.left() == {}

    await until(told)
    assert set(world.heard) == {row.payload for row in rows}


async def test_a_killed_database_does_not_stop_the_relay(world: World, postgres: Postgres) -> None:
    row = world.row(b"before")
    await world.write([row])
    postgres.kill()
    world.outbox.submit([row])
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(0.3):
            await asyncio.Event().wait()
    await postgres.start()
    late = world.row(b"after")
    await world.write([late])
    world.outbox.submit([late])

    async def told() -> bool:
        return await world.left() == {}

    await until(told)
    assert {b"before", b"after"} <= set(world.heard)

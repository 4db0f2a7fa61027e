"""The bus against a real NATS that is killed and loses its store."""

import asyncio
import contextlib
import time
import uuid
from collections.abc import AsyncIterator, Callable

import pytest
from nats.aio.msg import Msg

from services.common.bus import streams, subjects
from services.common.bus.connection import Bus
from services.common.errors import Unavailable
from services.common.telemetry.metrics import Metrics
from tests.servers import Nats
from tests.waiting import until

pytestmark = pytest.mark.integration
TENANT = str(uuid.uuid4())


@pytest.fixture
async def bus(nats: Nats) -> AsyncIterator[Bus]:
    made = Bus(nats.url, "session", Metrics("session"))
    await made.open()
    yield made
    await made.close()


@contextlib.asynccontextmanager
async def running(work: object) -> AsyncIterator[None]:
    task = asyncio.ensure_future(work)  # type: ignore[call-overload]
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def consumer(**changes: object) -> streams.Consumer:
    name = f"test-{uuid.uuid4().hex[:8]}"
    values = {"name": name, "stream": "SESSION", "subject": f"parley.session.v1.message.appended.{name}.>", **changes}
    return streams.Consumer(**values)  # type: ignore[arg-type]


async def test_doorbells_and_acknowledged_messages_keep_their_order(bus: Bus) -> None:
    session = str(uuid.uuid4())
    seen: list[bytes] = []

    async def note(message: Msg) -> None:
        seen.append(message.data)

    await bus.subscribe(subjects.session_live(TENANT, session), note)
    for number in range(50):
        assert bus.publish(subjects.message_delta(TENANT, session), b"delta %d" % number)
        if number % 10 == 9:
            await bus.publish_async(subjects.message_appended(TENANT, session), b"line %d" % number, uuid.uuid4().hex)
    await until(lambda: len(seen) == 55)
    wanted = [
        text
        for number in range(50)
        for text in ([b"delta %d" % number] + ([b"line %d" % number] if number % 10 == 9 else []))
    ]
    assert seen == wanted


async def test_one_member_of_a_queue_group_gets_a_doorbell(bus: Bus) -> None:
    seen: list[str] = []

    def member(name: str) -> Callable[[Msg], object]:
        async def note(_: Msg) -> None:
            seen.append(name)

        return note

    subject = subjects.turn_ready(TENANT, str(uuid.uuid4()))
    for name in ("a", "b", "c"):
        await bus.subscribe(subject, member(name), subjects.ENGINE_WORKERS)  # type: ignore[arg-type]
    for _ in range(30):
        bus.publish(subject, b"")
    await until(lambda: len(seen) == 30)
    assert len(set(seen)) > 1


async def test_a_repeated_id_is_stored_once(bus: Bus) -> None:
    watched = consumer()
    subject = f"{watched.subject.removesuffix('.>')}.x"
    for _ in range(3):
        await bus.publish_durable(subject, b"once", "the-same-" + watched.name)
    await bus.publish_durable(subject, b"last", "another-" + watched.name)
    seen: list[bytes] = []

    async def note(message: Msg) -> None:
        seen.append(message.data)

    async with running(bus.consume(watched, note)):
        await until(lambda: b"last" in seen)
    assert seen == [b"once", b"last"]


async def test_an_event_says_what_it_is(bus: Bus) -> None:
    watched = consumer()
    seen: list[dict[str, str]] = []

    async def note(message: Msg) -> None:
        seen.append(dict(message.headers or {}))

    await bus.publish_durable(watched.subject.removesuffix(">") + "x", b"", "event-" + watched.name)
    async with running(bus.consume(watched, note)):
        await until(lambda: bool(seen))
    assert seen[0]["ce-id"] == "event-" + watched.name
    assert seen[0]["ce-source"] == "parley/session"
    assert seen[0]["ce-type"] == "parley.session.v1.message.appended"


async def test_a_subject_without_a_stream_is_refused_at_once(bus: Bus) -> None:
    begun = time.monotonic()
    with pytest.raises(Unavailable):
        await bus.publish_durable("parley.nowhere.v1.x.y.z", b"", uuid.uuid4().hex)
    assert time.monotonic() - begun < 1.0


async def test_many_publications_are_under_way_together(bus: Bus) -> None:
    subject = subjects.message_appended(TENANT, str(uuid.uuid4()))
    futures = [await bus.publish_async(subject, b"x" * 200, uuid.uuid4().hex) for _ in range(2000)]
    async with asyncio.timeout(20):
        await asyncio.gather(*futures)


async def test_a_refused_message_comes_again_and_is_buried_at_the_end(bus: Bus) -> None:
    watched = consumer(backoff=(0.05, 0.05))
    buried: list[bytes] = []
    tries: list[int] = []

    async def refuse(message: Msg) -> None:
        tries.append(message.metadata.num_delivered or 0)
        message_is_bad = "no"
        raise ValueError(message_is_bad)

    async def note(message: Msg) -> None:
        buried.append(message.data)

    await bus.subscribe(subjects.dead_letter(watched.name), note)
    await bus.publish_durable(watched.subject.removesuffix(">") + "x", b"poison", uuid.uuid4().hex)
    async with running(bus.consume(watched, refuse)):
        await until(lambda: buried == [b"poison"])
    assert tries == [1, 2, 3]


async def test_while_nats_is_away_doorbells_drop_and_durable_messages_say_so(nats: Nats, bus: Bus) -> None:
    calls: list[str] = []

    async def notice() -> None:
        calls.append("again")

    forget = bus.on_reconnect(notice)
    nats.kill()
    await until(lambda: not bus.connected)
    assert not bus.publish("parley.x", b"")
    with pytest.raises(Unavailable):
        await bus.publish_durable(subjects.message_appended(TENANT, "x"), b"", "id")
    await nats.start()
    await until(lambda: calls == ["again"], 5)
    forget()
    forget()
    await bus.publish_durable(subjects.message_appended(TENANT, "x"), b"", uuid.uuid4().hex)


async def test_a_message_under_way_when_nats_dies_is_given_up_soon(nats: Nats, bus: Bus) -> None:
    nats.pause()
    future = await bus.publish_async(subjects.message_appended(TENANT, "x"), b"", uuid.uuid4().hex)
    nats.kill()
    begun = time.monotonic()
    with pytest.raises(Unavailable):
        await asyncio.wait_for(future, 5)
    assert time.monotonic() - begun < 2
    await nats.start()
    await until(lambda: bus.connected)


async def test_a_lost_store_is_declared_again_and_the_consumer_goes_on(nats: Nats, bus: Bus) -> None:
    watched = consumer()
    seen: list[bytes] = []

    async def note(message: Msg) -> None:
        seen.append(message.data)

    async with running(bus.consume(watched, note)):
        subject = watched.subject.removesuffix(">") + "x"
        await bus.publish_durable(subject, b"before", uuid.uuid4().hex)
        await until(lambda: seen == [b"before"])
        nats.kill()
        nats.wipe()
        await nats.start()
        await until(lambda: bus.connected)
        begun = time.monotonic()
        identifier = uuid.uuid4().hex
        async with asyncio.timeout(10):
            while True:
                try:
                    await bus.publish_durable(subject, b"after", identifier)
                    break
                except Unavailable:
                    await asyncio.sleep(0.05)
        await until(lambda: seen == [b"before", b"after"])
        assert time.monotonic() - begun < 8


async def test_a_bus_opens_only_when_nats_is_there(nats: Nats) -> None:
    nats.stop()
    late = Bus(nats.url, "session", Metrics("session"))
    begun = time.monotonic()
    with pytest.raises(Unavailable):
        await late.open()
    assert time.monotonic() - begun < 1.5
    await nats.start()
    await late.open()
    assert late.connected
    await late.close()


async def test_a_wrong_password_is_a_failure_to_open(nats: Nats) -> None:
    stranger = Bus(nats.url.replace("parley:", "parley:not"), "session", Metrics("session"))
    with pytest.raises(Unavailable):
        await stranger.open()

"""Listening: the ledger first, then live; every line once, in order, whatever happens to NATS."""

import asyncio
import uuid
from collections.abc import Sequence

import pytest
from parley.session.v1 import ledger_service_pb2 as ledger_pb
from parley.session.v1 import session_pb2 as pb
from parley.session.v1 import session_service_pb2 as service_pb

from services.common.bus.outbox import OutboxRelay
from services.common.errors import NotFound
from services.session.listening import Listener
from services.session.store.sessions import Sessions
from tests.integration.session_ledger.world import LedgerWorld, Person, Worker
from tests.waiting import until

pytestmark = pytest.mark.integration


async def converse(person: Person, worker: Worker, count: int) -> None:
    for number in range(count):
        await person.say(f"m{number}")
        await worker.serve(person)


@pytest.mark.parametrize("after", [0, 7, 20])
async def test_a_listener_gets_what_follows_its_number(person: Person, worker: Worker, after: int) -> None:
    await converse(person, worker, 10)
    async with person.listen(after) as heard:
        await until(lambda: len(heard.numbers) >= 20 - after and any(e.HasField("completed") for e in heard.events))
        await person.say("live")
        await until(lambda: 21 in heard.numbers)
    assert heard.numbers == list(range(after + 1, 22))
    assert [event.seq for event in heard.events] == list(range(1, len(heard.events) + 1))


async def test_listeners_who_come_while_people_write_miss_and_repeat_nothing(person: Person, worker: Worker) -> None:
    posters = [asyncio.create_task(converse(person, worker, 15)), asyncio.create_task(converse(person, worker, 15))]
    listeners = [person.listen(after) for after in (0, 0, 3, 5)]
    for listener in listeners:
        await listener.__aenter__()
        await until(lambda listener=listener: len(listener.events) > 0)  # type: ignore[misc]  # bound by its default
    await asyncio.gather(*posters)
    await worker.serve(person)
    for listener in listeners:
        await until(lambda listener=listener: listener.numbers[-1:] == [60])  # type: ignore[misc]  # as above
        assert listener.numbers == list(range(listener.after + 1, 61))
        await listener.__aexit__()


async def test_a_long_ledger_is_read_page_by_page(world: LedgerWorld, person: Person, worker: Worker) -> None:
    await person.say("talk")
    turn = await worker.claim_one(person)
    await worker.commit(turn, *(f"line {number}" for number in range(450)))
    async with person.listen() as heard:
        await until(lambda: len(heard.numbers) == 451)
    assert heard.numbers == list(range(1, 452))


async def test_long_messages_can_be_listed_and_listened_to(person: Person, worker: Worker) -> None:
    """More bytes than one answer over gRPC may have: the pages are smaller then."""
    long = "x" * 200_000
    for number in range(3):
        await person.say(f"m{number}")
        turn = await worker.claim_one(person)
        await worker.commit(turn, *[long] * 10)
    lines = await person.ledger()
    assert [line.seq for line in lines] == list(range(1, 34))
    async with person.listen() as heard:
        await until(lambda: len(heard.numbers) == 33)
    assert heard.numbers == list(range(1, 34))


async def test_nats_killed_while_people_write_loses_nothing(world: LedgerWorld, person: Person, worker: Worker) -> None:
    async with person.listen() as heard:
        await converse(person, worker, 5)
        world.nats.kill()
        await converse(person, worker, 5)
        await world.nats_is_back()
        await converse(person, worker, 5)
        await until(lambda: heard.numbers[-1:] == [30])
    assert heard.numbers == list(range(1, 31))


async def test_a_listener_who_comes_without_nats_reads_the_ledger_and_goes_live_later(
    world: LedgerWorld, person: Person, worker: Worker
) -> None:
    await converse(person, worker, 2)
    world.nats.kill()
    try:
        async with person.listen() as heard:
            await until(lambda: heard.numbers == [1, 2, 3, 4])
            await converse(person, worker, 1)
            await world.nats_is_back()
            await converse(person, worker, 1)
            await until(lambda: heard.numbers[-1:] == [8])
    finally:
        await world.nats_is_back()
    assert heard.numbers == list(range(1, 9))


async def test_a_wiped_nats_loses_nothing(world: LedgerWorld, person: Person, worker: Worker) -> None:
    async with person.listen() as heard:
        await converse(person, worker, 3)
        world.nats.kill()
        world.nats.wipe()
        await converse(person, worker, 3)
        await world.nats_is_back()
        await converse(person, worker, 3)
        await until(lambda: heard.numbers[-1:] == [18])
    assert heard.numbers == list(range(1, 19))


async def test_listeners_who_leave_while_they_are_let_in_leave_nothing_behind(
    world: LedgerWorld, person: Person, worker: Worker
) -> None:
    bus = world.chassis.bus
    await person.stands()
    before = (len(bus._client._subs), len(bus._reconnected))
    for hundredth in range(80):
        leaving = person.listen()
        await leaving.__aenter__()
        await asyncio.sleep(hundredth / 8000)  # somewhere between asking and being let in
        await leaving.__aexit__()
    await until(lambda: (len(bus._client._subs), len(bus._reconnected)) == before)
    async with person.listen() as heard:
        await until(lambda: len(heard.events) > 0)
        await person.say("live")
        await until(lambda: heard.numbers == [1], 3)


async def test_an_ended_session_ends_its_streams(person: Person, worker: Worker) -> None:
    await person.say("bye")
    async with person.listen() as heard:
        await until(lambda: heard.numbers == [1])
        turn = await worker.claim_one(person)
        await worker.commit(turn, "bye", end_session=True)
        await until(lambda: heard.ended)
    assert heard.numbers == [1, 2]
    async with person.listen() as late:
        await until(lambda: late.ended)
    assert late.numbers == [1, 2]


async def test_a_stream_of_a_session_that_is_not_there_is_refused(person: Person) -> None:
    request = service_pb.StreamEventsRequest(session=f"sessions/{uuid.uuid4()}")
    with person.acting(), pytest.raises(NotFound):
        async for _ in person.world.sessions.StreamEvents(request):
            pass


async def test_stream_turn_ends_with_its_own_turn(person: Person, worker: Worker) -> None:
    await converse(person, worker, 2)

    async def answer() -> None:
        while not answered.is_set():
            await worker.serve(person)
            await asyncio.sleep(0)

    answered = asyncio.Event()
    answering = asyncio.create_task(answer())
    for number in range(20):
        request = service_pb.PostMessageRequest(session=person.session, text=f"turn {number}")
        with person.acting():
            events = [event async for event in person.world.sessions.StreamTurn(request, timeout=10)]
        texts = [event.message.text for event in events if event.HasField("message")]
        assert texts == [f"turn {number}", f"echo turn {number}"]
        assert events[-1].HasField("completed")
    answered.set()
    await answering


class Interrupted(Sessions):
    """Between the two things a listener reads, a turn is committed."""

    between = staticmethod(lambda: asyncio.sleep(0))

    async def read(self, tenant: str, session: uuid.UUID) -> pb.Session:
        found = await super().read(tenant, session)
        await self.once()
        return found

    async def messages(self, tenant: str, session: uuid.UUID, after: int, limit: int) -> Sequence[pb.Message]:
        found = await super().messages(tenant, session, after, limit)
        await self.once()
        return found

    async def once(self) -> None:
        between, self.between = self.between, staticmethod(lambda: asyncio.sleep(0))
        await between()


@pytest.mark.parametrize("texts", [("answer",), ()])
async def test_a_commit_in_the_middle_of_reading_hides_neither_words_nor_the_end_of_the_turn(
    world: LedgerWorld, person: Person, worker: Worker, texts: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(OutboxRelay, "submit", lambda *_: None)  # told by the sweeper, when the reading is long over
    said = await person.say("question")
    turn: ledger_pb.Turn = await worker.claim_one(person)
    session = uuid.UUID(person.session.removeprefix("sessions/"))
    sessions = Interrupted(world.chassis.database)

    async def commit() -> None:
        await worker.commit(turn, *texts)

    sessions.between = commit  # type: ignore[assignment]  # a test's hook

    def done(event: pb.SessionEvent) -> bool:
        return event.completed.consumed_seq >= said.seq

    async with asyncio.timeout(10):
        listening = Listener(world.chassis.bus, sessions).events(person.tenant, session, 0, done)
        events = [event async for event in listening]
    assert [event.message.text for event in events if event.HasField("message")] == ["question", *texts]
    assert done(events[-1])

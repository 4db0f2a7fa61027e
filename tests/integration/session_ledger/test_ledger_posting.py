"""Posting: numbered without holes, once."""

import asyncio
import uuid

import pytest
from parley.session.v1 import ledger_service_pb2 as ledger_pb
from parley.session.v1 import session_pb2 as pb

from services.common.errors import AlreadyExists, FailedPrecondition, InvalidArgument, NotFound
from tests.integration.session_ledger.world import BOT, LedgerWorld, Person, Worker

pytestmark = pytest.mark.integration
POSTERS = 50


async def test_fifty_posters_get_numbers_without_holes(person: Person) -> None:
    async def post(poster: int) -> list[pb.Message]:
        return [await person.say(f"{poster}:{place}") for place in range(4)]

    posted = await asyncio.gather(*(post(poster) for poster in range(POSTERS)))
    lines = await person.ledger()
    assert [line.seq for line in lines] == list(range(1, POSTERS * 4 + 1))
    assert {line.name for line in lines} == {line.name for batch in posted for line in batch}
    for batch in posted:
        assert [line.seq for line in batch] == sorted(line.seq for line in batch)


async def test_what_is_acknowledged_is_what_the_ledger_holds(person: Person) -> None:
    said = await person.say("Grüße, 世界 🙂", action="value", attachments=[{"name": "a", "uri": "files/1", "size": 3}])
    (line,) = await person.ledger()
    assert line == said


async def test_the_same_request_is_one_message_however_often_and_at_once(person: Person) -> None:
    request_id = str(uuid.uuid4())
    posted = await asyncio.gather(*(person.say("once", request_id) for _ in range(20)))
    assert len({line.name for line in posted}) == 1
    assert {line.seq for line in posted} == {1}
    assert len(await person.ledger()) == 1


@pytest.mark.parametrize(
    "change", [{"text": "other"}, {"action": "chosen"}, {"attachments": [{"name": "a", "uri": "files/1"}]}]
)
async def test_a_request_id_with_another_body_is_refused(person: Person, change: dict[str, object]) -> None:
    request_id = str(uuid.uuid4())
    await person.say("first", request_id)
    with pytest.raises(AlreadyExists) as refused:
        await person.say(**{"text": "first", "request_id": request_id, **change})  # type: ignore[arg-type]  # a test's table
    assert refused.value.reason == "REQUEST_ID_REUSED"
    assert [line.text for line in await person.ledger()] == ["first"]


async def test_a_request_id_belongs_to_the_person_who_chose_it(world: LedgerWorld) -> None:
    request_id, tenant = str(uuid.uuid4()), str(uuid.uuid4())
    one, two = world.person(tenant), world.person(tenant)
    for someone in (one, two):
        await someone.open()
        assert (await someone.say("mine", request_id)).seq == 1


async def test_a_repeat_is_recognised_after_the_session_has_ended(person: Person, worker: Worker) -> None:
    request_id = str(uuid.uuid4())
    first = await person.say("last words", request_id)
    await worker.commit(await worker.claim_one(person), "bye", end_session=True)
    assert await person.say("last words", request_id) == first
    with pytest.raises(FailedPrecondition) as refused:
        await person.say("something new", str(uuid.uuid4()))
    assert refused.value.reason == "SESSION_CLOSED"


async def test_a_refused_post_leaves_its_key_free(person: Person, worker: Worker) -> None:
    request_id = str(uuid.uuid4())
    open_session, person.session = person.session, f"sessions/{uuid.uuid4()}"
    with pytest.raises(NotFound):
        await person.say("hello", request_id)
    person.session = open_session
    assert (await person.say("hello", request_id)).seq == 1


async def test_a_message_of_nothing_is_refused(person: Person) -> None:
    with pytest.raises(InvalidArgument):
        await person.say("")
    assert await person.ledger() == []


async def test_a_character_postgres_cannot_hold_loses_no_message(person: Person, worker: Worker) -> None:
    said = await person.say("a\0b")
    turn = await worker.claim_one(person)
    await worker.commit(turn, "c\0d")
    assert [line.text for line in await person.ledger()] == [said.text, "c\ufffdd"] == ["a\ufffdb", "c\ufffdd"]


def received(
    user: str, identifier: str, text: str = "hi", channel: str = "channels/sms"
) -> ledger_pb.ReceiveMessageRequest:
    return ledger_pb.ReceiveMessageRequest(
        channel=channel, external_user=user, external_id=identifier, bot=BOT, text=text
    )


async def test_a_channel_message_delivered_twice_is_one(world: LedgerWorld) -> None:
    with world.person().acting():
        first = await world.ledger.ReceiveMessage(received("+1", "m1"))
        again = await world.ledger.ReceiveMessage(received("+1", "m1"))
        other_channel = await world.ledger.ReceiveMessage(received("+1", "m1", channel="channels/mail"))
    assert (first.duplicate, again.duplicate, other_channel.duplicate) == (False, True, False)
    assert (again.session, again.seq) == (first.session, first.seq)
    assert other_channel.session != first.session


async def test_a_first_message_that_comes_many_times_at_once_opens_one_session(world: LedgerWorld) -> None:
    someone = world.person(str(uuid.uuid4()), "admin")
    with someone.acting():
        answers = await asyncio.gather(*(world.ledger.ReceiveMessage(received("+2", f"m{n % 4}")) for n in range(16)))
    assert len({answer.session for answer in answers}) == 1
    assert sum(not answer.duplicate for answer in answers) == 4
    someone.session = answers[0].session
    assert [line.seq for line in await someone.ledger()] == [1, 2, 3, 4]


async def test_a_late_repeat_opens_no_new_session(world: LedgerWorld, worker: Worker) -> None:
    someone = world.person(str(uuid.uuid4()), "admin")
    with someone.acting():
        first = await world.ledger.ReceiveMessage(received("+3", "m1"))
        someone.session = first.session
        await worker.commit(await worker.claim_one(someone), "bye", end_session=True)
        again = await world.ledger.ReceiveMessage(received("+3", "m1"))
        assert (again.duplicate, again.session) == (True, first.session)
        opened = await world.sql("SELECT id FROM session.user_sessions WHERE external_user = '+3'")
        assert len(opened) == 1
        later = await world.ledger.ReceiveMessage(received("+3", "m2"))
    assert later.session != first.session
    assert later.seq == 1

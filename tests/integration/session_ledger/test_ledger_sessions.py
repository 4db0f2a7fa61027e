"""Sessions: opened once, so many a person, over in time or by word."""

import asyncio
import uuid

import pytest
from parley.session.v1 import ledger_service_pb2 as ledger_pb
from parley.session.v1 import session_pb2 as pb
from parley.session.v1 import session_service_pb2 as service_pb

from services.common.errors import (
    Aborted,
    AlreadyExists,
    FailedPrecondition,
    InvalidArgument,
    NotFound,
    ResourceExhausted,
)
from tests.integration.session_ledger.world import BOT, LedgerWorld, Person, Worker
from tests.waiting import until

pytestmark = pytest.mark.integration


async def end(person: Person) -> pb.Session:
    with person.acting():
        ended: pb.Session = await person.world.sessions.EndSession(service_pb.EndSessionRequest(name=person.session))
    return ended


async def time_is_over(person: Person) -> None:
    """The idle time of a session passes."""
    session = uuid.UUID(person.session.removeprefix("sessions/"))
    for statement in (
        "UPDATE session.user_sessions SET expires_at = clock_timestamp() - interval '1 second' WHERE id = $1",
        "UPDATE session.session_wakeups SET wake_at = clock_timestamp() WHERE session_id = $1 AND reason = 'expiry'",
    ):
        await person.world.sql(statement, session)


async def test_a_new_session_wakes_so_that_the_bot_may_speak_first(world: LedgerWorld, worker: Worker) -> None:
    someone = world.person()
    await someone.open()
    turn = await worker.claim_one(someone)
    assert turn.HasField("timer")
    await worker.commit(turn, "welcome")
    assert [line.text for line in await someone.ledger()] == ["welcome"]
    assert await worker.claim(someone) == []


async def test_the_same_request_opens_one_session(world: LedgerWorld) -> None:
    someone, request_id = world.person(), str(uuid.uuid4())
    opened = await asyncio.gather(*(someone.open(request_id) for _ in range(10)))
    assert len({session.name for session in opened}) == 1


async def test_a_request_id_of_another_session_is_refused(world: LedgerWorld) -> None:
    someone, request_id = world.person(), str(uuid.uuid4())
    await someone.open(request_id)
    other = service_pb.CreateSessionRequest(session=pb.Session(bot=BOT, locale="fr"), request_id=request_id)
    with someone.acting(), pytest.raises(AlreadyExists) as refused:
        await world.sessions.CreateSession(other)
    assert refused.value.reason == "REQUEST_ID_REUSED"


async def test_a_bot_that_does_not_exist_opens_nothing(world: LedgerWorld) -> None:
    request = service_pb.CreateSessionRequest(session=pb.Session(bot="bots/nobody"))
    someone = world.person()
    with someone.acting(), pytest.raises(NotFound):
        await world.sessions.CreateSession(request)


@pytest.mark.parametrize(
    "wanted",
    [pb.Session(bot="nonsense"), pb.Session(bot=BOT, channel="channels/sms"), pb.Session(bot=BOT, locale="x" * 36)],
)
async def test_a_session_of_the_wrong_shape_is_refused(world: LedgerWorld, wanted: pb.Session) -> None:
    with world.person().acting(), pytest.raises(InvalidArgument):
        await world.sessions.CreateSession(service_pb.CreateSessionRequest(session=wanted))


async def test_a_person_has_only_so_many_sessions_even_when_asking_all_at_once(world: LedgerWorld) -> None:
    someone = world.person()
    limit = world.settings.maximum_sessions_per_person
    outcomes = await asyncio.gather(*(someone.open() for _ in range(limit + 10)), return_exceptions=True)
    refused = [outcome for outcome in outcomes if isinstance(outcome, BaseException)]
    assert len(outcomes) - len(refused) == limit
    assert all(isinstance(error, ResourceExhausted) and error.reason == "TOO_MANY_SESSIONS" for error in refused)
    someone.session = next(outcome.name for outcome in outcomes if not isinstance(outcome, BaseException))
    await end(someone)
    await someone.open()


async def test_a_repeat_is_recognised_at_the_limit(world: LedgerWorld) -> None:
    someone, request_id = world.person(), str(uuid.uuid4())
    first = await someone.open(request_id)
    for _ in range(world.settings.maximum_sessions_per_person - 1):
        await someone.open()
    assert (await someone.open(request_id)).name == first.name


async def test_ending_discards_the_turn_that_runs_and_is_heard(
    world: LedgerWorld, person: Person, worker: Worker
) -> None:
    await person.say("hi")
    turn = await worker.claim_one(person)
    async with person.listen() as heard:
        await until(lambda: heard.numbers == [1])
        ended = await end(person)
        await until(lambda: heard.ended)
    assert ended.state == pb.Session.STATE_ENDED
    with pytest.raises(Aborted):
        await worker.commit(turn, "too late")
    assert [line.text for line in await person.ledger()] == ["hi"]
    assert (await end(person)).update_time == ended.update_time
    assert await worker.claim(person) == []


async def test_a_session_nobody_uses_expires(person: Person, worker: Worker) -> None:
    async with person.listen() as heard:
        await until(lambda: len(heard.events) > 0)
        await time_is_over(person)
        await until(lambda: heard.ended)
    assert heard.events[-1].ended.state == pb.Session.STATE_EXPIRED
    assert (await person.stands()).state == pb.Session.STATE_EXPIRED
    with pytest.raises(FailedPrecondition):
        await person.say("anybody there?")


async def test_saying_something_prolongs_a_session(person: Person, worker: Worker) -> None:
    before = (await person.stands()).expire_time.ToMicroseconds()
    await person.say("hi")
    posted = (await person.stands()).expire_time.ToMicroseconds()
    await worker.serve(person)
    assert before < posted < (await person.stands()).expire_time.ToMicroseconds()


async def test_input_that_waits_keeps_a_session_from_expiring(person: Person, worker: Worker) -> None:
    await person.say("hi")
    await time_is_over(person)
    await worker.serve(person)
    session = await person.stands()
    assert (session.state, session.consumed_seq) == (pb.Session.STATE_ACTIVE, 1)


async def test_somebody_on_a_channel_gets_a_new_session_after_the_old_one_expired(
    world: LedgerWorld, worker: Worker
) -> None:
    someone = world.person(str(uuid.uuid4()), "admin")

    async def text(identifier: str) -> ledger_pb.ReceiveMessageResponse:
        request = ledger_pb.ReceiveMessageRequest(
            channel="channels/sms", external_user="+9", external_id=identifier, bot=BOT, text="hi"
        )
        with someone.acting():
            answer: ledger_pb.ReceiveMessageResponse = await world.ledger.ReceiveMessage(request)
        return answer

    someone.session = (await text("1")).session
    await worker.serve(someone)
    await time_is_over(someone)

    async def expired() -> bool:
        return (await someone.stands()).state == pb.Session.STATE_EXPIRED

    await until(expired)
    after = await text("2")
    assert (after.session != someone.session, after.seq) == (True, 1)


async def test_sessions_are_listed_newest_first_and_only_ones_own(world: LedgerWorld) -> None:
    someone = world.person()
    names = [(await someone.open()).name for _ in range(5)]
    stranger = world.person(someone.tenant)
    await stranger.open()
    request = service_pb.ListSessionsRequest(page_size=2, user=stranger.who.subject)
    found: list[str] = []
    with someone.acting():
        while True:
            page = await world.sessions.ListSessions(request)
            found.extend(session.name for session in page.sessions)
            if not page.next_page_token:
                break
            request.page_token = page.next_page_token
    assert found == list(reversed(names))

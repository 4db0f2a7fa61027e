"""Turns: one worker at a time, fenced by epoch, nothing lost and nothing twice."""

import asyncio
import time
import uuid

import pytest
from google.protobuf import struct_pb2, timestamp_pb2
from google.rpc import status_pb2
from parley.session.v1 import ledger_service_pb2 as ledger_pb
from parley.session.v1 import session_pb2 as pb

from services.common.errors import Aborted, AlreadyExists
from tests.integration.session_ledger.world import LEASE, LedgerWorld, Person, Worker, echo
from tests.waiting import until

pytestmark = pytest.mark.integration


async def rows_of(world: LedgerWorld, person: Person) -> dict[str, list[object]]:
    """Everything the database holds of a session."""
    session = uuid.UUID(person.session.removeprefix("sessions/"))
    made: dict[str, list[object]] = {}
    for table in ("message_history", "session_wakeups", "turn_journal", "outbox"):
        made[table] = list(await world.sql(f"SELECT t::text FROM session.{table} t WHERE session_id = $1", session))
    made["user_sessions"] = list(await world.sql("SELECT u::text FROM session.user_sessions u WHERE id = $1", session))
    made["variables"] = list(
        await world.sql("SELECT v::text FROM session.variables v WHERE tenant_id = $1", uuid.UUID(person.tenant))
    )
    return made


async def told(world: LedgerWorld, person: Person) -> None:
    """The relay has done with the outbox of a session, so that it holds still."""
    session = uuid.UUID(person.session.removeprefix("sessions/"))

    async def empty() -> bool:
        return not await world.sql("SELECT 1 FROM session.outbox WHERE session_id = $1 AND NOT hold", session)

    await until(empty)


async def test_a_claimed_session_is_not_claimed_again(person: Person, worker: Worker, another: Worker) -> None:
    await person.say("hi")
    claims = await asyncio.gather(*((worker, another)[n % 2].claim(person) for n in range(10)))
    assert sum(len(turns) for turns in claims) == 1


async def test_a_session_without_work_is_not_claimed(person: Person, worker: Worker) -> None:
    assert await worker.claim(person) == []


async def test_a_claim_brings_all_a_worker_needs(person: Person, worker: Worker) -> None:
    await person.say("first")
    await person.say("second", action="picked")
    turn = await worker.claim_one(person)
    assert (turn.input.text, turn.input.seq, turn.more_pending, turn.turn) == ("first", 1, True, 2)
    assert (turn.bot, turn.channel, turn.originator.subject) == ("bots/hello", "channels/web", person.who.subject)
    committed = await worker.commit(turn, "one", state=b"state", bot_version="bots/hello/versions/1")
    assert (committed.last_seq, committed.more_pending) == (3, True)
    after = await worker.claim_one(person)
    assert (after.input.text, after.input.action, after.more_pending) == ("second", "picked", False)
    assert (after.state, after.bot_version) == (b"state", "bots/hello/versions/1")


async def test_a_lease_that_ran_out_is_claimed_with_a_higher_epoch(
    person: Person, worker: Worker, another: Worker
) -> None:
    await person.say("hi")
    first = await worker.claim_one(person, lease=0.2)
    second: list[ledger_pb.Turn] = []

    async def claimed() -> bool:
        second.extend(await another.claim(person))
        return bool(second)

    await until(claimed)
    assert second[0].lease.epoch > first.lease.epoch
    assert second[0].input == first.input


async def test_a_fenced_worker_leaves_nothing_behind(
    world: LedgerWorld, person: Person, worker: Worker, another: Worker
) -> None:
    await person.say("hi")
    stale = await worker.claim_one(person)
    await world.lapse(person.session)
    fresh = await another.claim_one(person)
    await told(world, person)
    before = await rows_of(world, person)
    change = ledger_pb.VariableChange(
        scope=ledger_pb.VariableChange.SCOPE_USER, key="k", value=struct_pb2.Value(string_value="stale")
    )
    entry = ledger_pb.JournalEntry(key="effect", kind="http", result=b"{}")
    for attempt in (
        worker.commit(stale, "stale", variables=[change], end_session=True),
        worker.checkpoint(stale, "stale", journal=[entry], state=b"stale"),
        worker.renew(stale),
    ):
        with pytest.raises(Aborted) as fenced:
            await attempt
        assert fenced.value.reason == "LEASE_LOST"
    await worker.abandon(stale)
    assert await rows_of(world, person) == before
    await another.commit(fresh, *echo(fresh))
    assert [line.text for line in await person.ledger()] == ["hi", "echo hi"]


async def test_the_epoch_alone_does_not_open_a_session(person: Person, worker: Worker) -> None:
    await person.say("hi")
    turn = await worker.claim_one(person)
    forged = ledger_pb.Turn()
    forged.CopyFrom(turn)
    forged.lease.token = str(uuid.uuid4())
    with pytest.raises(Aborted):
        await worker.commit(forged, "forged")
    await worker.commit(turn, "true")
    assert [line.text for line in await person.ledger()] == ["hi", "true"]


async def test_a_lapsed_lease_that_nobody_took_still_commits(
    world: LedgerWorld, person: Person, worker: Worker
) -> None:
    await person.say("hi")
    turn = await worker.claim_one(person)
    await world.lapse(person.session)
    await worker.commit(turn, "late but alone")
    assert [line.text for line in await person.ledger()] == ["hi", "late but alone"]


async def test_a_renewed_lease_lasts(person: Person, worker: Worker, another: Worker) -> None:
    await person.say("hi")
    turn = await worker.claim_one(person, lease=0.3)
    first = await worker.renew(turn, 0.3)
    later = await worker.renew(turn, LEASE)
    assert (later - first).total_seconds() > LEASE - 2
    claimed_until = time.monotonic() + 0.3
    await until(lambda: time.monotonic() > claimed_until)
    assert await another.claim(person) == []


async def test_a_commit_sent_twice_is_recognised_and_writes_once(
    world: LedgerWorld, person: Person, worker: Worker
) -> None:
    await person.say("hi")
    await person.say("there")
    turn = await worker.claim_one(person)
    await worker.commit(turn, "once")
    await told(world, person)
    before = await rows_of(world, person)
    with pytest.raises(Aborted) as again:
        await worker.commit(turn, "once")
    assert again.value.reason == "LEASE_LOST"
    assert await rows_of(world, person) == before
    assert (await worker.claim_one(person)).input.text == "there"


async def test_commits_of_one_turn_at_the_same_time_are_one(person: Person, worker: Worker) -> None:
    await person.say("hi")
    turn = await worker.claim_one(person)
    outcomes = await asyncio.gather(*(worker.commit(turn, "once") for _ in range(8)), return_exceptions=True)
    assert sum(not isinstance(outcome, BaseException) for outcome in outcomes) == 1
    assert [line.text for line in await person.ledger()] == ["hi", "once"]


async def test_an_abandoned_turn_comes_back_after_its_delay(person: Person, worker: Worker, another: Worker) -> None:
    await person.say("hi")
    turn = await worker.claim_one(person)
    await worker.abandon(turn, delay=0.4)
    assert await another.claim(person) == []
    found: list[ledger_pb.Turn] = []

    async def claimed() -> bool:
        found.extend(await another.claim())
        return any(item.lease.key == person.key for item in found)

    await until(claimed, 10)
    mine = next(item for item in found if item.lease.key == person.key)
    assert (mine.input.text, mine.turn) == ("hi", turn.turn)


async def test_an_abandoned_turn_without_delay_comes_back_at_once(person: Person, worker: Worker) -> None:
    await person.say("hi")
    await worker.abandon(await worker.claim_one(person))
    assert (await worker.claim_one(person)).input.text == "hi"


async def test_what_is_said_during_a_turn_is_served_in_the_next(person: Person, worker: Worker) -> None:
    await person.say("one")
    turn = await worker.claim_one(person)
    assert not turn.more_pending
    await person.say("two")
    committed = await worker.commit(turn, *echo(turn))
    assert committed.more_pending
    after = await worker.claim_one(person)
    assert after.input.text == "two"
    assert not (await worker.commit(after, *echo(after))).more_pending
    assert [line.text for line in await person.ledger()] == ["one", "two", "echo one", "echo two"]


async def test_posting_and_committing_at_once_loses_no_wake_up(
    world: LedgerWorld, person: Person, worker: Worker
) -> None:
    """The post and the commit meet in every order; afterwards either the commit saw the input, or a sweep finds it."""
    for number in range(30):
        await person.say(f"a{number}")
        turn = await worker.claim_one(person)
        await asyncio.gather(worker.commit(turn, *echo(turn)), person.say(f"b{number}"))
        ready = await world.sql(
            "SELECT reason FROM session.session_wakeups WHERE session_id = $1 AND wake_at <= clock_timestamp()",
            uuid.UUID(person.session.removeprefix("sessions/")),
        )
        assert [row["reason"] for row in ready] == ["input"]
        await worker.serve(person)
    assert (await person.stands()).consumed_seq == max(
        line.seq for line in await person.ledger() if line.role == pb.Message.ROLE_USER
    )


async def test_the_bell_rings_for_what_was_posted_and_for_what_was_forgotten(
    world: LedgerWorld, person: Person, worker: Worker
) -> None:
    rung: list[bytes] = []

    async def note(message: object) -> None:
        rung.append(message.data)  # type: ignore[attr-defined]  # nats has no stubs

    session = person.session.removeprefix("sessions/")
    subscription = await world.chassis.bus.subscribe(f"parley.session.v1.turn.ready.{person.tenant}.{session}", note)
    await world.chassis.bus.flush()
    await person.say("hi")
    await until(lambda: len(rung) >= 3)  # the first is the post's, the others are the sweeper's: nobody claims
    turn = await worker.claim_one(person)
    await worker.commit(turn)
    await subscription.unsubscribe()
    assert set(rung) == {uuid.UUID(session).bytes}


async def test_what_a_checkpoint_says_is_seen_at_once_and_not_again(person: Person, worker: Worker) -> None:
    await person.say("hi")
    async with person.listen() as heard:
        await until(lambda: heard.numbers == [1])
        turn = await worker.claim_one(person)
        assert await worker.checkpoint(turn, "one moment") == 2
        await until(lambda: heard.numbers == [1, 2])
        await worker.commit(turn, "done", said=1)
        await until(lambda: heard.numbers == [1, 2, 3])
    lines = await person.ledger()
    assert [(line.text, line.turn, line.ordinal) for line in lines[1:]] == [("one moment", 2, 0), ("done", 2, 1)]


async def test_after_a_crash_the_turn_goes_on_from_its_checkpoint(
    world: LedgerWorld, person: Person, worker: Worker, another: Worker
) -> None:
    await person.say("hi")
    turn = await worker.claim_one(person)
    entry = ledger_pb.JournalEntry(key="pay", kind="http", result=b'{"paid": true}')
    await worker.checkpoint(turn, "one moment", journal=[entry], state=b"half way", bot_version="bots/hello/versions/2")
    await world.lapse(person.session)
    resumed = await another.claim_one(person)
    assert (resumed.turn, resumed.said, resumed.state) == (turn.turn, 1, b"half way")
    assert list(resumed.journal) == [entry]
    assert (resumed.input, resumed.bot_version) == (turn.input, "bots/hello/versions/2")
    await another.commit(resumed, "done")
    assert [line.text for line in await person.ledger()] == ["hi", "one moment", "done"]
    await person.say("more")
    after = await worker.claim_one(person)
    assert (after.said, list(after.journal)) == (0, [])


async def test_a_turn_that_repeats_its_words_is_refused_whole(person: Person, worker: Worker) -> None:
    await person.say("hi")
    turn = await worker.claim_one(person)
    await worker.checkpoint(turn, "one moment")
    with pytest.raises(AlreadyExists):
        await worker.commit(turn, "one moment", "done", said=0)
    assert [line.text for line in await person.ledger()] == ["hi", "one moment"]
    await worker.commit(turn, "done", said=1)
    assert (await person.stands()).consumed_seq == 1


async def test_a_checkpoint_prolongs_the_lease(
    world: LedgerWorld, person: Person, worker: Worker, another: Worker
) -> None:
    await person.say("hi")
    turn = await worker.claim_one(person)
    await world.lapse(person.session)
    await worker.checkpoint(turn, "still here")
    assert await another.claim(person) == []


async def test_a_failed_turn_consumes_its_input_and_says_so(person: Person, worker: Worker) -> None:
    await person.say("hi")
    async with person.listen() as heard:
        await until(lambda: heard.numbers == [1])
        turn = await worker.claim_one(person)
        await worker.commit(turn, "sorry", error=status_pb2.Status(code=13, message="broken"))
        await until(lambda: any(event.HasField("failed") for event in heard.events))
    failed = next(event.failed for event in heard.events if event.HasField("failed"))
    assert (failed.turn, failed.consumed_seq, failed.error.message) == (2, 1, "broken")
    assert await worker.claim(person) == []


async def test_a_timer_wakes_its_session_when_it_is_due(world: LedgerWorld, person: Person, worker: Worker) -> None:
    await person.say("later")
    turn = await worker.claim_one(person)
    due = timestamp_pb2.Timestamp()
    due.GetCurrentTime()
    due.nanos, due.seconds = 0, due.seconds + 2
    await worker.commit(turn, waiting=pb.Waiting(kind=pb.Waiting.KIND_TIMER, until=due))
    assert await worker.claim(person) == []
    assert (await person.stands()).waiting.until == due
    found: list[ledger_pb.Turn] = []

    async def claimed() -> bool:
        found.extend(await worker.claim(person))
        return bool(found)

    await until(claimed, 10)
    assert found[0].timer == due
    await worker.commit(found[0], "time is up")
    assert await worker.claim(person) == []


async def test_input_goes_before_a_timer_that_is_due_too(world: LedgerWorld, worker: Worker) -> None:
    someone = world.person()
    await someone.open()
    await someone.say("first words")
    turn = await worker.claim_one(someone)
    assert turn.input.text == "first words"


async def test_one_call_claims_sessions_of_many_tenants(world: LedgerWorld, worker: Worker) -> None:
    people = [world.person() for _ in range(5)]
    for someone in people:
        await someone.open()
        await someone.say("hi")
    turns = await worker.claim(*people)
    assert {(turn.lease.key.tenant, turn.lease.key.session) for turn in turns} == {
        (someone.tenant, someone.session) for someone in people
    }
    assert all(turn.originator.tenant == turn.lease.key.tenant for turn in turns)

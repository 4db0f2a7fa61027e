"""Each safeguard is needed: with it taken out, the checker that all other tests rely on finds the damage."""

import contextlib
import uuid
from collections.abc import AsyncIterator

import pytest
from parley.session.v1 import ledger_service_pb2 as ledger_pb

from services.common.errors import Aborted
from tests.integration.session_ledger.checking import Journal, problems
from tests.integration.session_ledger.world import LedgerWorld, Person, Worker, echo

pytestmark = pytest.mark.integration
FENCE = "AND u.epoch = p_epoch AND u.lease_token = p_token"


@contextlib.asynccontextmanager
async def without(world: LedgerWorld, function: str, part: str, instead: str = "") -> AsyncIterator[None]:
    """A SQL function of the test's own database with a part taken out; put back afterwards."""
    definition = "SELECT pg_get_functiondef($1::regproc) AS text"
    (row,) = await world.sql(definition, f"session.{function}")
    whole = row["text"]
    assert part in whole, f"{function} has no {part!r} any more: this test proves nothing"
    await world.sql(whole.replace(part, instead))
    try:
        yield
    finally:
        await world.sql(whole)


async def two_workers(world: LedgerWorld, person: Person) -> Journal:
    """One stalls and loses its lease, another does the turn, the first wakes up and goes on."""
    journal = Journal()
    first, second = Worker(world, "first"), Worker(world, "second")
    journal.posted["hi"] = (await person.say("hi")).seq
    stale = await first.claim_one(person)
    await world.lapse(person.session)
    fresh = await second.claim_one(person)
    await second.commit(fresh, *echo(fresh))
    journal.committed.append((fresh.turn, fresh.lease.epoch, fresh.input.seq))
    with contextlib.suppress(Aborted):
        await first.commit(stale, "something else", *echo(stale), said=1)
        journal.committed.append((stale.turn, stale.lease.epoch, stale.input.seq))
    return journal


async def test_with_the_fence_a_stale_commit_does_nothing(world: LedgerWorld, person: Person) -> None:
    assert await problems(world, person, await two_workers(world, person)) == []


async def test_the_fence_of_a_commit_is_needed(world: LedgerWorld, person: Person) -> None:
    async with without(world, "commit_turn", FENCE):
        found = await problems(world, person, await two_workers(world, person))
    assert any("was committed 2 times" in problem for problem in found)
    assert any(problem.startswith("asked ['hi'], answered ['echo hi', 'echo hi']") for problem in found)


async def test_the_token_is_needed_beside_the_epoch(world: LedgerWorld, person: Person) -> None:
    """A claim lost in a crash of the database gives its epoch to another worker; only the token tells them apart."""
    first, second = Worker(world, "first"), Worker(world, "second")
    await person.say("hi")
    stale = await first.claim_one(person)
    await world.sql(
        "UPDATE session.user_sessions SET epoch = epoch - 1, lease_until = NULL, lease_token = NULL WHERE id = $1",
        uuid.UUID(person.session.removeprefix("sessions/")),
    )
    fresh = await second.claim_one(person)
    assert fresh.lease.epoch == stale.lease.epoch
    with pytest.raises(Aborted):
        await first.commit(stale, "stale")
    async with without(world, "commit_turn", "AND u.lease_token = p_token"):
        await first.commit(stale, "stale")
    assert [line.text for line in await person.ledger()] == ["hi", "stale"]


def said(turn: ledger_pb.Turn, count: int) -> ledger_pb.Turn:
    """The turn as a worker holds it that has said so much."""
    made = ledger_pb.Turn()
    made.CopyFrom(turn)
    made.said = count
    return made


async def checkpoint_of_a_stale_worker(world: LedgerWorld, person: Person) -> Journal:
    journal = Journal()
    first, second = Worker(world, "first"), Worker(world, "second")
    journal.posted["hi"] = (await person.say("hi")).seq
    stale = await first.claim_one(person)
    await world.lapse(person.session)
    fresh = await second.claim_one(person)
    await second.commit(fresh, *echo(fresh))
    with contextlib.suppress(Aborted):
        entry = ledger_pb.JournalEntry(key="effect", kind="http", result=b"{}")
        await first.checkpoint(said(stale, 1), *echo(stale), journal=[entry])
    return journal


async def test_the_fence_of_a_checkpoint_is_needed(world: LedgerWorld, person: Person) -> None:
    async with without(world, "checkpoint_turn", FENCE):
        found = await problems(world, person, await checkpoint_of_a_stale_worker(world, person))
    assert any(problem.startswith("asked ['hi'], answered ['echo hi', 'echo hi']") for problem in found)
    assert "a journal was left behind" in found


async def test_with_the_fence_a_stale_checkpoint_does_nothing(world: LedgerWorld, person: Person) -> None:
    assert await problems(world, person, await checkpoint_of_a_stale_worker(world, person)) == []


async def posted_twice(person: Person) -> Journal:
    request_id = str(uuid.uuid4())
    journal = Journal({"hi": (await person.say("hi", request_id)).seq})
    await person.say("hi", request_id)
    await Worker(person.world).serve(person)
    return journal


async def test_the_keys_of_messages_are_needed(world: LedgerWorld, person: Person) -> None:
    async with without(world, "post_message", "ON CONFLICT DO NOTHING;", "ON CONFLICT DO NOTHING; FOUND := true;"):
        found = await problems(world, person, await posted_twice(person))
    assert "'hi' is 2 times in the ledger" in found


async def test_with_the_keys_a_repeat_is_one_message(world: LedgerWorld, person: Person) -> None:
    assert await problems(world, person, await posted_twice(person)) == []


async def said_while_a_turn_ran(world: LedgerWorld, person: Person) -> Journal:
    worker, journal = Worker(world), Journal()
    journal.posted["one"] = (await person.say("one")).seq
    turn = await worker.claim_one(person)
    journal.posted["two"] = (await person.say("two")).seq
    await worker.commit(turn, *echo(turn))
    session = uuid.UUID(person.session.removeprefix("sessions/"))
    ready = "SELECT 1 FROM session.session_wakeups WHERE session_id = $1 AND wake_at <= clock_timestamp()"
    if await world.sql(ready, session):
        await worker.serve(person)
    return journal


async def test_the_wake_up_that_a_commit_leaves_behind_is_needed(world: LedgerWorld, person: Person) -> None:
    pending = "wake_at = CASE WHEN s.pending THEN clock_timestamp() ELSE least(p_until, s.expires_at) END"
    async with without(world, "commit_turn", pending, "wake_at = least(p_until, s.expires_at)"):
        found = await problems(world, person, await said_while_a_turn_ran(world, person))
    assert "input up to 2, consumed up to 1" in found


async def test_with_the_wake_up_what_was_said_meanwhile_is_served(world: LedgerWorld, person: Person) -> None:
    assert await problems(world, person, await said_while_a_turn_ran(world, person)) == []


async def test_row_security_is_needed(world: LedgerWorld, person: Person) -> None:
    """Without it a service that names no tenant sees everybody."""
    assert await world.chassis.database.call("SELECT 1 FROM session.user_sessions") == []
    await world.sql("ALTER TABLE session.user_sessions DISABLE ROW LEVEL SECURITY")
    try:
        assert await world.chassis.database.call("SELECT 1 FROM session.user_sessions") != []
    finally:
        await world.sql("ALTER TABLE session.user_sessions ENABLE ROW LEVEL SECURITY")


async def test_what_was_taken_out_is_back(world: LedgerWorld) -> None:
    rows = await world.sql("SELECT pg_get_functiondef(p.oid) AS text FROM pg_proc p WHERE p.proname = 'commit_turn'")
    async with without(world, "commit_turn", FENCE):
        pass
    assert rows == await world.sql(
        "SELECT pg_get_functiondef(p.oid) AS text FROM pg_proc p WHERE p.proname = 'commit_turn'"
    )

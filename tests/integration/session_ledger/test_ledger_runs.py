"""Scripts that no person starts: once a name, one after the other, unheard by channels."""

import asyncio
import uuid

import pytest
from parley.session.v1 import ledger_service_pb2 as ledger_pb
from parley.session.v1 import session_pb2 as pb

from services.common import context
from services.common.errors import AlreadyExists
from services.common.security.principal import Principal, service_principal
from tests.integration.session_ledger.world import LedgerWorld, Person, Worker

pytestmark = pytest.mark.integration


async def start(world: LedgerWorld, tenant: str, name: str = "due 1", **more: object) -> ledger_pb.StartRunResponse:
    run = pb.Run(cause="schedule", script="report", variables='{"secret": 1}', **more.pop("run", {}))  # type: ignore[arg-type]
    request = ledger_pb.StartRunRequest(bot="bots/hello", runner="nightly", external_id=name, run=run, **more)  # type: ignore[arg-type]
    with context.acting_for(service_principal("engine", tenant)):
        answer: ledger_pb.StartRunResponse = await world.ledger.StartRun(request)
    return answer


def reader(world: LedgerWorld, tenant: str, session: str) -> Person:
    """Somebody who may see all sessions of a tenant."""
    return Person(world, Principal(tenant, f"users/{uuid.uuid4()}", frozenset({"admin"})), session)


async def test_a_run_is_started_once_however_often_and_at_once(world: LedgerWorld) -> None:
    tenant = str(uuid.uuid4())
    answers = await asyncio.gather(*(start(world, tenant) for _ in range(10)))
    assert {answer.seq for answer in answers} == {1}
    assert len({answer.session for answer in answers}) == 1
    assert sum(not answer.duplicate for answer in answers) == 1


async def test_another_run_under_the_same_name_is_refused(world: LedgerWorld) -> None:
    tenant = str(uuid.uuid4())
    await start(world, tenant)
    with pytest.raises(AlreadyExists):
        await start(world, tenant, run={"entry": "another"})


async def test_the_worker_gets_what_it_begins_with_and_nobody_else(world: LedgerWorld) -> None:
    tenant = str(uuid.uuid4())
    started = await start(world, tenant)
    person = reader(world, tenant, started.session)
    async with person.listen() as listening:
        turn = await Worker(world).claim_one(person)
        assert (turn.input.run.script, turn.input.run.variables) == ("report", '{"secret": 1}')
        assert (turn.originator.subject, list(turn.originator.roles)) == ("services/schedule", ["service"])
        assert turn.channel == "channels/schedule"
        await Worker(world).commit(turn, "done")
        (line, reply) = await person.ledger()
        assert (line.run.script, line.run.variables, reply.text) == ("report", "", "done")
    assert all(not event.message.run.variables for event in listening.events)


async def test_a_session_of_runs_does_not_begin_by_itself_and_is_no_channel(world: LedgerWorld) -> None:
    tenant = str(uuid.uuid4())
    started = await start(world, tenant)
    person, worker = reader(world, tenant, started.session), Worker(world)
    turn = await worker.claim_one(person)
    assert turn.WhichOneof("cause") == "input"
    await worker.commit(turn, "said to nobody", waiting=pb.Waiting(kind=pb.Waiting.KIND_NONE))
    assert await worker.claim(person) == [], "neither a first word nor anything else is due"
    held = await world.sql("SELECT 1 FROM session.outbox WHERE tenant_id = $1 AND hold", uuid.UUID(tenant))
    assert held == [], "nobody will ever confirm a delivery"


async def test_runs_do_not_pile_up(world: LedgerWorld) -> None:
    tenant = str(uuid.uuid4())
    first = await start(world, tenant, most_waiting=1)
    person, worker = reader(world, tenant, first.session), Worker(world)
    turn = await worker.claim_one(person)
    assert (await start(world, tenant, "due 2", most_waiting=1)).seq == 0, "the first is still under way"
    assert (await start(world, tenant, most_waiting=1)).duplicate, "it is known, though it waits"
    await worker.commit(turn)
    later = await start(world, tenant, "due 3", most_waiting=1)
    assert (later.session, later.seq) == (first.session, 2)


async def test_a_run_whose_session_has_ended_gets_a_new_one(world: LedgerWorld) -> None:
    tenant = str(uuid.uuid4())
    first = await start(world, tenant)
    person, worker = reader(world, tenant, first.session), Worker(world)
    await worker.commit(await worker.claim_one(person), end_session=True)
    assert (await start(world, tenant)).duplicate
    assert (await start(world, tenant, "due 2")).session != first.session


async def test_short_names_of_tenants(world: LedgerWorld) -> None:
    with context.acting_for(service_principal("engine")):
        default = await world.ledger.FindTenant(ledger_pb.FindTenantRequest())
        named = await world.ledger.FindTenant(ledger_pb.FindTenantRequest(slug="default"))
        nobody = await world.ledger.FindTenant(ledger_pb.FindTenantRequest(slug="nobody"))
    assert uuid.UUID(default.tenant)
    assert (named.tenant, nobody.tenant) == (default.tenant, "")

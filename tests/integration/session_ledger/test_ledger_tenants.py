"""Another tenant's sessions do not exist: over every RPC, and in every table."""

import uuid
from collections.abc import Callable
from typing import Any

import asyncpg
import grpc
import pytest
from google.protobuf import struct_pb2
from parley.session.v1 import ledger_service_pb2 as ledger_pb
from parley.session.v1 import ledger_service_pb2_grpc as ledger_grpc
from parley.session.v1 import session_service_pb2 as service_pb
from parley.session.v1 import session_service_pb2_grpc as service_grpc
from parley.session.v1 import variable_service_pb2 as variable_pb
from parley.session.v1 import variable_service_pb2_grpc as variable_grpc

from services.common import context
from services.common.errors import Aborted, NotFound, ParleyError, PermissionDenied, from_status
from services.common.security.principal import service_principal
from tests.integration.session_ledger.world import LedgerWorld, Person, Worker, seconds
from tests.waiting import until

pytestmark = [pytest.mark.integration, pytest.mark.filterwarnings("ignore:EdDSA is deprecated")]
TABLES = (
    "user_sessions", "message_history", "message_keys", "session_wakeups", "turn_journal", "variables", "outbox",
    "tickets",
)  # fmt: skip
Ask = Callable[[str], Any]
PEOPLE: dict[str, tuple[type, Ask]] = {
    "GetSession": (service_grpc.SessionServiceStub, lambda s: service_pb.GetSessionRequest(name=s)),
    "EndSession": (service_grpc.SessionServiceStub, lambda s: service_pb.EndSessionRequest(name=s)),
    "PostMessage": (service_grpc.SessionServiceStub, lambda s: service_pb.PostMessageRequest(session=s, text="x")),
    "ListMessages": (service_grpc.SessionServiceStub, lambda s: service_pb.ListMessagesRequest(parent=s)),
    "StreamEvents": (service_grpc.SessionServiceStub, lambda s: service_pb.StreamEventsRequest(session=s)),
    "StreamTurn": (service_grpc.SessionServiceStub, lambda s: service_pb.PostMessageRequest(session=s, text="x")),
    "CancelTurn": (service_grpc.SessionServiceStub, lambda s: service_pb.CancelTurnRequest(session=s)),
    "CreateTicket": (service_grpc.SessionServiceStub, lambda s: service_pb.CreateTicketRequest(session=s)),
    "ListVariables": (variable_grpc.VariableServiceStub, lambda s: variable_pb.ListVariablesRequest(parent=s)),
    "MergeVariables": (
        variable_grpc.VariableServiceStub,
        lambda s: variable_pb.MergeVariablesRequest(
            parent=s, variables=[variable_pb.Variable(key="k", value=struct_pb2.Value(number_value=1))]
        ),
    ),
}
WITHOUT_A_SESSION = {"CreateSession", "ListSessions"}


async def contents(world: LedgerWorld, tenant: str) -> dict[str, list[str]]:
    """Every row of a tenant."""
    made = {}
    for table in TABLES:
        rows = await world.sql(f"SELECT t::text FROM session.{table} t WHERE tenant_id = $1", uuid.UUID(tenant))
        made[table] = sorted(row["t"] for row in rows)
    return made


async def ask(world: LedgerWorld, person: Person, stub: type, name: str, request: Any) -> None:
    """With the person's own token, as the edge passes it on. The error of the tree."""
    metadata = (("authorization", f"Bearer {world.token_of(person.who)}"),)
    call = getattr(stub(world.plain), name)(request, timeout=10, metadata=metadata)
    try:
        if name.startswith("Stream"):
            async for _ in call:
                return
        else:
            await call
    except grpc.aio.AioRpcError as error:
        raise from_status(error) from None


@pytest.fixture
async def victim(world: LedgerWorld, worker: Worker) -> Person:
    """Somebody with a row in every table of the ledger."""
    made = world.person(str(uuid.uuid4()), "admin")
    await made.open()
    await worker.serve(made)
    await made.say("secret", str(uuid.uuid4()))
    turn = await worker.claim_one(made)
    change = ledger_pb.VariableChange(
        scope=ledger_pb.VariableChange.SCOPE_SESSION, key="k", value=struct_pb2.Value(string_value="secret")
    )
    await worker.commit(turn, "answer", variables=[change])
    request = ledger_pb.ReceiveMessageRequest(
        channel="channels/sms", external_user="+1", external_id="1", bot="bots/hello", text="hi"
    )
    with made.acting():
        on_channel = world.person(made.tenant, "admin")
        on_channel.session = (await world.ledger.ReceiveMessage(request)).session
        await world.sessions.CreateTicket(service_pb.CreateTicketRequest(session=made.session))
    turn = await worker.claim_one(on_channel)
    entry = ledger_pb.JournalEntry(key="effect", kind="http", result=b"secret")
    await worker.checkpoint(turn, "held", journal=[entry])
    return made


def test_every_rpc_that_names_a_session_is_tried() -> None:
    named = set(service_pb.DESCRIPTOR.services_by_name["SessionService"].methods_by_name) - WITHOUT_A_SESSION
    variables = set(variable_pb.DESCRIPTOR.services_by_name["VariableService"].methods_by_name)
    assert set(PEOPLE) == named | variables


@pytest.mark.parametrize("name", sorted(PEOPLE))
async def test_another_tenants_session_is_not_found_and_stays_as_it_is(
    world: LedgerWorld, victim: Person, name: str
) -> None:
    stub, request = PEOPLE[name]
    before = await held_still(world, victim.tenant)
    stranger = world.person(str(uuid.uuid4()), "owner")
    with pytest.raises(NotFound) as foreign:
        await ask(world, stranger, stub, name, request(victim.session))
    nowhere = f"sessions/{uuid.uuid4()}"
    with pytest.raises(NotFound) as absent:
        await ask(world, stranger, stub, name, request(nowhere))
    assert foreign.value.message.replace(victim.session, "") == absent.value.message.replace(nowhere, "")
    assert await contents(world, victim.tenant) == before
    assert not any((await contents(world, stranger.tenant)).values())


@pytest.mark.parametrize("name", sorted(PEOPLE))
async def test_a_neighbours_session_is_not_found_either(world: LedgerWorld, victim: Person, name: str) -> None:
    stub, request = PEOPLE[name]
    before = await held_still(world, victim.tenant)
    neighbour = world.person(victim.tenant, "visitor")
    with pytest.raises(ParleyError) as refused:
        await ask(world, neighbour, stub, name, request(victim.session))
    expected = PermissionDenied if "Variables" in name else NotFound
    assert isinstance(refused.value, expected)
    assert await contents(world, victim.tenant) == before


async def test_a_list_shows_nothing_of_another_tenant(world: LedgerWorld, victim: Person) -> None:
    stranger = world.person(str(uuid.uuid4()), "owner")
    with stranger.acting():
        for request in (service_pb.ListSessionsRequest(), service_pb.ListSessionsRequest(user=victim.who.subject)):
            assert list((await world.sessions.ListSessions(request)).sessions) == []


async def test_a_page_token_of_another_tenant_is_refused(world: LedgerWorld, victim: Person) -> None:
    for _ in range(2):
        await victim.open()
    with victim.acting():
        page = await world.sessions.ListSessions(service_pb.ListSessionsRequest(page_size=1))
    stranger = world.person(str(uuid.uuid4()), "owner")
    request = service_pb.ListSessionsRequest(page_size=1, page_token=page.next_page_token)
    with stranger.acting(), pytest.raises(ParleyError):
        await world.sessions.ListSessions(request)


async def held_still(world: LedgerWorld, tenant: str) -> dict[str, list[str]]:
    """The rows of a tenant, when the relay has told what there was to tell."""

    async def told() -> bool:
        waiting = "SELECT 1 FROM session.outbox WHERE tenant_id = $1 AND (NOT hold OR published_at IS NULL)"
        return not await world.sql(waiting, uuid.UUID(tenant))

    await until(told)
    return await contents(world, tenant)


async def test_a_lease_says_nothing_under_another_tenant(world: LedgerWorld, victim: Person, worker: Worker) -> None:
    await victim.say("hi")
    turn = await worker.claim_one(victim)
    before = await held_still(world, victim.tenant)
    foreign = ledger_pb.Turn()
    foreign.CopyFrom(turn)
    foreign.lease.key.tenant = str(uuid.uuid4())
    for attempt in (worker.commit(foreign, "x"), worker.checkpoint(foreign, "x"), worker.renew(foreign)):
        with pytest.raises(Aborted):
            await attempt
    await worker.abandon(foreign)
    assert await contents(world, victim.tenant) == before
    assert not any((await contents(world, foreign.lease.key.tenant)).values())


async def test_a_session_is_not_claimed_under_another_tenant(world: LedgerWorld, victim: Person) -> None:
    await victim.say("hi")
    request = ledger_pb.ClaimTurnsRequest(
        worker="w",
        limit=1,
        lease=seconds(30),
        sessions=[ledger_pb.SessionKey(tenant=str(uuid.uuid4()), session=victim.session)],
    )
    with context.acting_for(service_principal("engine")):
        assert list((await world.ledger.ClaimTurns(request)).turns) == []


@pytest.mark.parametrize("name", sorted(ledger_pb.DESCRIPTOR.services_by_name["LedgerService"].methods_by_name))
async def test_people_cannot_call_the_ledger(world: LedgerWorld, name: str) -> None:
    method = ledger_pb.DESCRIPTOR.services_by_name["LedgerService"].methods_by_name[name]
    request = getattr(ledger_pb, method.input_type.name)()
    with pytest.raises(PermissionDenied) as refused:
        await ask(world, world.person("", "owner"), ledger_grpc.LedgerServiceStub, name, request)
    assert refused.value.reason == "INTERNAL_ONLY"


async def tables_of(world: LedgerWorld) -> dict[str, asyncpg.Record]:
    rows = await world.sql(
        """SELECT c.relname, c.relrowsecurity, c.relforcerowsecurity, EXISTS (
        SELECT 1 FROM pg_attribute a
        WHERE a.attrelid = c.oid AND a.attname = 'tenant_id' AND a.attnotnull) AS has_tenant
        FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = 'session' AND c.relkind = 'r'"""
    )
    return {row["relname"]: row for row in rows}


async def test_every_table_names_its_tenant_and_forces_row_security(world: LedgerWorld) -> None:
    tables = await tables_of(world)
    assert set(TABLES) < set(tables)
    unprotected = {
        name
        for name, row in tables.items()
        if not (row["relrowsecurity"] and row["relforcerowsecurity"] and row["has_tenant"])
    }
    assert unprotected <= {"alembic_version"}


async def seen(connection: asyncpg.Connection, table: str, tenant: str | None) -> int:
    async with connection.transaction():
        if tenant is not None:
            await connection.execute("SELECT set_config('app.tenant_id', $1, true)", tenant)
        return int(await connection.fetchval(f"SELECT count(*) FROM session.{table}"))


async def test_no_table_shows_a_row_of_another_tenant(world: LedgerWorld, victim: Person) -> None:
    assert world.settings.postgres_dsn is not None
    connection = await asyncpg.connect(world.settings.postgres_dsn.get_secret_value())
    try:
        for table in set(await tables_of(world)) - {"alembic_version"}:
            assert await seen(connection, table, str(uuid.uuid4())) == 0, table
            assert await seen(connection, table, None) == 0, table
            assert await seen(connection, table, "") == 0, table
        for table in TABLES:
            assert await seen(connection, table, victim.tenant) > 0, table
    finally:
        await connection.close()


async def test_no_table_takes_a_row_for_another_tenant(world: LedgerWorld, victim: Person) -> None:
    assert world.settings.postgres_dsn is not None
    connection = await asyncpg.connect(world.settings.postgres_dsn.get_secret_value())
    before = await held_still(world, victim.tenant)
    try:
        for tenant in (str(uuid.uuid4()), ""):
            for table in TABLES:
                async with connection.transaction():
                    await connection.execute("SELECT set_config('app.tenant_id', $1, true)", tenant)
                    assert await connection.execute(f"DELETE FROM session.{table}") == "DELETE 0"
                    assert await connection.execute(f"UPDATE session.{table} SET tenant_id = tenant_id") == "UPDATE 0"
                row = await example(world, table, victim.tenant)
                with pytest.raises(asyncpg.InsufficientPrivilegeError):
                    await insert(connection, table, tenant, row)
    finally:
        await connection.close()
    assert await contents(world, victim.tenant) == before


async def insert(connection: asyncpg.Connection, table: str, tenant: str, row: str) -> None:
    async with connection.transaction():
        await connection.execute("SELECT set_config('app.tenant_id', $1, true)", tenant)
        await connection.execute(
            f"INSERT INTO session.{table} SELECT (jsonb_populate_record(NULL::session.{table}, $1)).*", row
        )


async def example(world: LedgerWorld, table: str, tenant: str) -> str:
    """A row of the tenant, as JSON."""
    rows = await world.sql(
        f"SELECT to_jsonb(t)::text AS row FROM session.{table} t WHERE tenant_id = $1", uuid.UUID(tenant)
    )
    return str(rows[0]["row"])

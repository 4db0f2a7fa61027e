"""The database's object against a real PostgreSQL: tenants apart, errors of the tree, connections that come back."""

import asyncio
import time
import uuid
from collections.abc import AsyncIterator

import pytest
from sqlalchemy import text

from services.common import context
from services.common.db import rls
from services.common.db.engine import Database
from services.common.errors import (
    Aborted,
    AlreadyExists,
    DeadlineExceeded,
    Internal,
    ParleyError,
    PermissionDenied,
    Unavailable,
)
from services.common.security.principal import Principal
from tests.servers import Postgres, Statements

pytestmark = pytest.mark.integration
ONE, TWO = str(uuid.uuid4()), str(uuid.uuid4())
SCHEMA = "chassis_test"


@pytest.fixture(scope="module")
async def schema(postgres: Postgres) -> AsyncIterator[None]:
    operations = Statements()
    operations.execute(f"CREATE SCHEMA {SCHEMA}")
    operations.execute(f"CREATE TABLE {SCHEMA}.notes (id uuid PRIMARY KEY, tenant_id uuid NOT NULL, body text)")
    operations.execute(
        f"CREATE TABLE {SCHEMA}.jobs (id uuid PRIMARY KEY, tenant_id uuid NOT NULL, body text)",
    )
    rls.open_schema(operations, SCHEMA)
    rls.protect(operations, SCHEMA, "notes")
    rls.protect(operations, SCHEMA, "jobs", relay=True)
    await postgres.as_owner(*operations.all)
    yield
    await postgres.as_owner(f"DROP SCHEMA {SCHEMA} CASCADE")


@pytest.fixture
async def database(postgres: Postgres, schema: None) -> AsyncIterator[Database]:
    made = Database(postgres.app_dsn, schema=SCHEMA, pool_size=4, name="test")
    await made.open()
    yield made
    await made.close()


@pytest.fixture
async def relay(postgres: Postgres, schema: None) -> AsyncIterator[Database]:
    made = Database(postgres.relay_dsn, schema=SCHEMA, pool_size=2, name="test-relay")
    await made.open()
    yield made
    await made.close()


async def add(database: Database, tenant: str, table: str = "notes", row: uuid.UUID | None = None) -> uuid.UUID:
    made = row or uuid.uuid4()
    async with database.unit_of_work(tenant) as connection:
        await connection.execute(
            text(f"INSERT INTO {SCHEMA}.{table} VALUES (:id, :tenant, 'x')"), {"id": made, "tenant": tenant}
        )
    return made


async def count(database: Database, tenant: str, table: str = "notes") -> int:
    async with database.unit_of_work(tenant) as connection:
        return int((await connection.execute(text(f"SELECT count(*) FROM {SCHEMA}.{table}"))).scalar_one())


async def test_a_tenant_sees_its_own_rows_only(database: Database) -> None:
    mine, theirs = str(uuid.uuid4()), str(uuid.uuid4())
    await add(database, mine)
    assert await count(database, mine) == 1
    assert await count(database, theirs) == 0


async def test_a_row_for_another_tenant_cannot_be_written(database: Database) -> None:
    with pytest.raises(ParleyError) as refused:
        async with database.unit_of_work(ONE) as connection:
            await connection.execute(
                text(f"INSERT INTO {SCHEMA}.notes VALUES (:id, :tenant, 'x')"), {"id": uuid.uuid4(), "tenant": TWO}
            )
    assert isinstance(refused.value, Internal)
    assert "notes" not in str(refused.value)


async def test_a_connection_that_went_back_has_forgotten_its_tenant(database: Database) -> None:
    await add(database, ONE)
    for _ in range(8):
        assert await database.call(f"SELECT id FROM {SCHEMA}.notes") == []


async def test_the_relay_sees_every_tenant_but_only_where_it_may(database: Database, relay: Database) -> None:
    first, second = await add(database, ONE, "jobs"), await add(database, TWO, "jobs")
    found = {row["id"] for row in await relay.call(f"SELECT id FROM {SCHEMA}.jobs")}
    assert {first, second} <= found
    with pytest.raises(Internal):
        await relay.call(f"SELECT id FROM {SCHEMA}.notes")


async def write_and_refuse(database: Database) -> None:
    async with database.unit_of_work(ONE) as connection:
        values = {"id": uuid.uuid4(), "tenant": ONE}
        await connection.execute(text(f"INSERT INTO {SCHEMA}.notes VALUES (:id, :tenant, 'x')"), values)
        raise PermissionDenied("no")


async def test_nothing_is_kept_of_a_block_that_raised(database: Database) -> None:
    before = await count(database, ONE)
    with pytest.raises(PermissionDenied):
        await write_and_refuse(database)
    assert await count(database, ONE) == before


async def test_the_same_identifier_twice_already_exists(database: Database) -> None:
    made = await add(database, ONE)
    with pytest.raises(AlreadyExists):
        await add(database, ONE, row=made)


async def touch(database: Database, row: uuid.UUID) -> None:
    async with database.unit_of_work(ONE) as connection:
        await connection.execute(text("SET LOCAL lock_timeout = '50ms'"))
        await connection.execute(text(f"UPDATE {SCHEMA}.notes SET body = 'y' WHERE id = :id"), {"id": row})


async def test_two_writers_that_meet_are_told_to_try_again(database: Database) -> None:
    made = await add(database, ONE)
    async with database.unit_of_work(ONE) as first:
        await first.execute(text(f"UPDATE {SCHEMA}.notes SET body = 'x' WHERE id = :id"), {"id": made})
        with pytest.raises(Aborted):
            await touch(database, made)
    await touch(database, made)


async def test_a_statement_ends_with_the_call_it_serves(database: Database) -> None:
    who = Principal(ONE, "users/x", frozenset({"user"}))
    begun = time.monotonic()
    with context.acting_for(who, seconds=0.2), pytest.raises(DeadlineExceeded):
        await database.call("SELECT pg_sleep(5)")
    assert time.monotonic() - begun < 1.5
    await database.ping()


async def test_a_wrong_statement_is_a_fault_and_not_an_outage(database: Database) -> None:
    with pytest.raises(Internal):
        await database.call("SELECT $1::int", "seven")
    with pytest.raises(Internal):
        await database.call("SELECT $1::int, $2::int", 1)


async def test_more_callers_than_connections_take_turns(database: Database) -> None:
    answers = await asyncio.gather(*(database.call("SELECT $1::int AS number", number) for number in range(200)))
    assert [rows[0]["number"] for rows in answers] == list(range(200))
    assert database.size <= 4


async def test_one_process_leads(postgres: Postgres, relay: Database) -> None:
    other = Database(postgres.relay_dsn, schema=SCHEMA, pool_size=2, name="test-other")
    await other.open()
    async with relay.leading("outbox") as first, other.leading("outbox") as second, other.leading("else") as third:
        assert (first, second, third) == (True, False, True)
    async with other.leading("outbox") as now:
        assert now
    await other.close()


async def lead_and_refuse(relay: Database) -> None:
    async with relay.leading("outbox") as leads:
        assert leads
        raise PermissionDenied("no")


async def test_a_leader_that_failed_leads_no_longer(postgres: Postgres, relay: Database) -> None:
    with pytest.raises(PermissionDenied):
        await lead_and_refuse(relay)
    other = Database(postgres.relay_dsn, schema=SCHEMA, pool_size=1, name="test-other")
    await other.open()
    async with other.leading("outbox") as now:
        assert now
    await other.close()


async def test_a_killed_server_is_unavailable_and_comes_back(postgres: Postgres, database: Database) -> None:
    await asyncio.gather(*(database.call("SELECT pg_sleep(0.02)") for _ in range(4)))
    under_way = asyncio.create_task(database.call("SELECT pg_sleep(20)"))
    await count(database, ONE)
    postgres.kill()
    with pytest.raises(Unavailable):
        await under_way
    with pytest.raises(Unavailable) as refused:
        await database.call("SELECT 1")
    assert refused.value.retryable
    with pytest.raises(Unavailable):
        await count(database, ONE)
    await postgres.start()
    await database.ping()
    await asyncio.gather(*(database.call("SELECT 1") for _ in range(20)))
    assert await count(database, str(uuid.uuid4())) == 0


async def test_it_opens_only_when_the_server_is_there(postgres: Postgres, schema: None) -> None:
    postgres.stop()
    late = Database(postgres.app_dsn, schema=SCHEMA, pool_size=2, name="test")
    with pytest.raises(Unavailable):
        await late.call("SELECT 1")
    with pytest.raises(Unavailable):
        await late.open()
    await postgres.start()
    await late.open()
    await late.ping()
    await late.close()
    with pytest.raises(Unavailable):
        await late.ping()

"""What is kept of calls: bounded series of metrics, rows for as long as the setting says."""

import uuid

import asyncpg
import pytest
from parley.llm.v1 import llm_service_pb2 as pb

from services.common import errors
from services.llm.usage import UsagePurge
from tests.doubles.openai_server import Behaviour
from tests.integration.llm.conftest import LlmWorld
from tests.waiting import until

pytestmark = pytest.mark.integration
MESSAGE = pb.ChatMessage(role=pb.ChatMessage.ROLE_USER, text="Hello")
OLD = """INSERT INTO llm.usage (tenant_id, id, model, operation, outcome, created_at)
SELECT $1, gen_random_uuid(), 'openai/double', 'complete', 'ok', now() - make_interval(days => $2)
FROM generate_series(1, $3)"""


def series(llm: LlmWorld) -> set[str]:
    text = llm.chassis.metrics.exposition().decode()
    return {line.split('"')[1] for line in text.splitlines() if line.startswith("llm_requests_total{")}


async def test_names_that_callers_make_up_are_one_series(llm: LlmWorld) -> None:
    with llm.caller.acting(str(uuid.uuid4())):
        for number in range(5):
            await llm.stub.Complete(pb.CompleteRequest(messages=[MESSAGE], model=f"extractive/made-up-{number}"))
            await llm.stub.Embed(pb.EmbedRequest(texts=["one"], model=f"openai/made-up-{number}"))
        await llm.stub.Complete(pb.CompleteRequest(messages=[MESSAGE], model="fast"))
    assert not any("made-up" in name for name in series(llm))
    assert {"other", "openai/double"} <= series(llm)


async def count(llm: LlmWorld, tenant: uuid.UUID) -> int:
    connection = await asyncpg.connect(llm.postgres.app_dsn)
    try:
        await connection.execute("SELECT set_config('app.tenant_id', $1, false)", str(tenant))
        return int(await connection.fetchval("SELECT count(*) FROM llm.usage"))
    finally:
        await connection.close()


async def insert(llm: LlmWorld, tenant: uuid.UUID, days: int, rows: int) -> None:
    connection = await asyncpg.connect(llm.postgres.app_dsn)
    try:
        await connection.execute("SELECT set_config('app.tenant_id', $1, false)", str(tenant))
        await connection.execute(OLD, tenant, days, rows)
    finally:
        await connection.close()


async def test_old_rows_of_every_tenant_go_in_batches_and_young_ones_stay(llm: LlmWorld) -> None:
    tenants = [uuid.uuid4(), uuid.uuid4()]
    for tenant in tenants:
        await insert(llm, tenant, 301, 7)
        await insert(llm, tenant, 299, 2)
    purge = UsagePurge(llm.chassis.relay_database, days=300, seconds=60)
    assert await purge.once(rows=3) >= 14
    assert [await count(llm, tenant) for tenant in tenants] == [2, 2]


async def test_the_service_removes_them_by_itself(llm: LlmWorld) -> None:
    tenant = uuid.uuid4()
    await insert(llm, tenant, 500, 3)

    async def gone() -> bool:
        return await count(llm, tenant) == 0

    await until(gone)


async def test_a_completion_that_is_repeated_is_answered_once(llm: LlmWorld) -> None:
    tenant, once = str(uuid.uuid4()), str(uuid.uuid4())
    llm.double.behaviour = Behaviour(text="the first")
    request = pb.CompleteRequest(messages=[MESSAGE], request_id=once)
    with llm.caller.acting(tenant):
        first = await llm.stub.Complete(request)
        llm.double.behaviour = Behaviour(text="the second")
        assert await llm.stub.Complete(request) == first
        assert len(llm.double.requests) == 1
        with pytest.raises(errors.AlreadyExists) as caught:
            await llm.stub.Complete(pb.CompleteRequest(messages=[MESSAGE, MESSAGE], request_id=once))
        assert caught.value.reason == "REQUEST_ID_REUSED"
    with llm.caller.acting(str(uuid.uuid4())):
        assert (await llm.stub.Complete(request)).text == "the second"
    await until(lambda: written(llm, uuid.UUID(tenant), 1))


async def written(llm: LlmWorld, tenant: uuid.UUID, rows: int) -> bool:
    return await count(llm, tenant) == rows


async def test_a_completion_that_failed_is_tried_again_with_its_id(llm: LlmWorld) -> None:
    request = pb.CompleteRequest(messages=[MESSAGE], request_id=str(uuid.uuid4()))
    with llm.caller.acting(str(uuid.uuid4())):
        llm.double.behaviour = Behaviour(fault="bad_key")
        with pytest.raises(errors.FailedPrecondition):
            await llm.stub.Complete(request)
        llm.double.behaviour = Behaviour(text="now")
        assert (await llm.stub.Complete(request)).text == "now"

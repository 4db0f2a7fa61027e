"""Vectors, local and from a vendor; what was used is on the tenant's account and nobody else's."""

import asyncio
import uuid

import asyncpg
import numpy as np
import pytest
from parley.llm.v1 import llm_service_pb2 as pb

from services.common import errors
from services.llm.embedders.local import MODEL, LocalEmbedder
from tests.integration.llm.conftest import LlmWorld
from tests.waiting import until

pytestmark = pytest.mark.integration
LOCAL = f"local/{MODEL}"


async def embed(llm: LlmWorld, tenant: str, *texts: str, model: str = "", query: bool = True) -> np.ndarray:
    purpose = pb.EmbedRequest.PURPOSE_QUERY if query else pb.EmbedRequest.PURPOSE_PASSAGE
    with llm.caller.acting(tenant):
        made = await llm.stub.Embed(pb.EmbedRequest(model=model, texts=texts, purpose=purpose))
    return np.array([list(vector.values) for vector in made.vectors])


async def test_local_vectors_have_length_one_and_cross_languages(llm: LlmWorld) -> None:
    tenant = str(uuid.uuid4())
    question = await embed(llm, tenant, "Сколько дней на возврат товара?", model=LOCAL)
    passages = await embed(
        llm, tenant, "A product may be returned within 30 days.", "The moon is made of rock.", model=LOCAL, query=False
    )
    assert np.allclose(np.linalg.norm(np.vstack([question, passages]), axis=1), 1.0, atol=1e-5)
    near, far = passages @ question[0]
    assert near > far + 0.02


async def test_the_same_text_is_worked_on_once() -> None:
    embedder = LocalEmbedder(threads=1, cache_entries=8, queue_texts=64)
    runs: list[int] = []
    run = embedder._run
    embedder._run = lambda texts, query: runs.append(len(texts)) or run(texts, query)  # type: ignore[method-assign, func-returns-value]
    try:
        made = await asyncio.gather(*(embedder.embed(MODEL, ["same", "same"], query=True) for _ in range(20)))
        assert all(np.array_equal(vectors[0], made[0][0]) for vectors in made)
        await embedder.embed(MODEL, ["same"], query=True)
        assert runs == [1]
        await asyncio.gather(*(embedder.embed(MODEL, [f"text {number}"], query=True) for number in range(20)))
        assert sum(runs) == 21
        assert len(runs) <= 4
        assert len(embedder._cache) == 8
    finally:
        await embedder.close()


async def test_a_crowd_is_refused_not_queued_for_ever() -> None:
    embedder = LocalEmbedder(threads=1, cache_entries=8, queue_texts=4)
    try:
        with pytest.raises(errors.ResourceExhausted):
            await embedder.embed(MODEL, [f"text {number}" for number in range(5)], query=True)
    finally:
        await embedder.close()


async def test_vectors_of_a_vendor_keep_their_order(llm: LlmWorld) -> None:
    tenant = str(uuid.uuid4())
    both = await embed(llm, tenant, "one", "two")
    alone = await embed(llm, tenant, "two")
    assert np.allclose(both[1], alone[0])
    assert not np.allclose(both[0], both[1])
    assert np.allclose(np.linalg.norm(both, axis=1), 1.0, atol=1e-5)


async def test_usage_is_written_once_for_its_tenant_only(llm: LlmWorld) -> None:
    tenant, other = str(uuid.uuid4()), str(uuid.uuid4())
    message = pb.ChatMessage(role=pb.ChatMessage.ROLE_USER, text="Hello")
    with llm.caller.acting(tenant):
        await llm.stub.Complete(pb.CompleteRequest(messages=[message], bot="hello"))
        with pytest.raises(errors.ResourceExhausted):
            await llm.stub.Complete(pb.CompleteRequest(messages=[message], model="openai/rate_limited"))
    await embed(llm, other, "one")

    async def rows(seen_by: str) -> list[asyncpg.Record]:
        connection = await asyncpg.connect(llm.postgres.app_dsn)
        try:
            await connection.execute("SELECT set_config('app.tenant_id', $1, false)", seen_by)
            return list(await connection.fetch("SELECT * FROM llm.usage ORDER BY created_at"))
        finally:
            await connection.close()

    async def written() -> bool:
        return len(await rows(tenant)) == 2 and len(await rows(other)) == 1

    await until(written)
    mine = await rows(tenant)
    assert [(row["operation"], row["outcome"], row["bot"]) for row in mine] == [
        ("complete", "ok", "hello"),
        ("complete", "LIMIT_REACHED", ""),
    ]
    assert mine[0]["output_tokens"] == 3
    text = llm.chassis.metrics.exposition().decode()
    assert 'llm_requests_total{model="other",outcome="LIMIT_REACHED"}' in text

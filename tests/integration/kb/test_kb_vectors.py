"""One contract, two adapters."""

import os
import signal
import subprocess
import sys
import uuid
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from qdrant_client import AsyncQdrantClient

from services.common.errors import FailedPrecondition, Unavailable
from services.kb.vectors.cluster import ClusterIndex
from services.kb.vectors.edge import EdgeIndex
from services.kb.vectors.port import Kept, Point, Scope, Vector, VectorIndex

pytestmark = pytest.mark.integration
SIZE = 16
MINE, OTHERS = Scope("tenant-a", "shop"), Scope("tenant-b", "shop")
ROOT = Path(__file__).resolve().parents[3]


def vector(*values: float) -> Vector:
    made = np.zeros(SIZE, dtype=np.float32)
    made[: len(values)] = values
    return made / np.linalg.norm(made)


def point(dense: Vector | None, words: dict[int, float], scope: Scope = MINE, **more: object) -> Point:
    values = {"collection": "docs", "document": uuid.uuid4(), "revision": 1, "written": 7, **more}
    return Point(uuid.uuid4(), scope, dense=dense, words=words, **values)  # type: ignore[arg-type]


@pytest.fixture(params=["edge", "cluster"])
async def index(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[VectorIndex]:
    made: VectorIndex
    if request.param == "edge":
        made = EdgeIndex(tmp_path / "index", SIZE)
    else:
        made = ClusterIndex(AsyncQdrantClient(":memory:"), "kb", SIZE, indexed=False)
    await made.open()
    yield made
    await made.close()


async def test_both_rankings_and_the_cosine_of_all(index: VectorIndex) -> None:
    near = point(vector(1, 0.1), {1: 1.0})
    far = point(vector(0.1, 1), {2**32 - 1: 2.0})
    rest = [point(vector(0, 0, 1, number), {3: 1.0}) for number in range(5)]
    await index.upsert([near, far, *rest])
    found = await index.search(MINE, vector(1), {2**32 - 1: 1.0}, 1)
    assert [hit.id for hit in found.dense] == [near.id]
    assert [hit.id for hit in found.words] == [far.id]
    assert found.dense[0].score == pytest.approx(0.995, abs=0.01)
    assert found.similarities[far.id] == pytest.approx(0.0995, abs=0.01)


async def test_a_scope_sees_its_own_only(index: VectorIndex) -> None:
    mine = point(vector(1), {1: 1.0})
    await index.upsert(
        [
            mine,
            point(vector(1), {1: 1.0}, OTHERS),
            point(vector(1), {1: 1.0}, Scope("tenant-a", "other-bot")),
            point(vector(1), {1: 1.0}, Scope("tenant-a/shop", "x")),
        ]
    )
    found = await index.search(MINE, vector(1), {1: 1.0}, 10)
    assert {hit.id for hit in (*found.dense, *found.words)} == {mine.id} == set(found.similarities)


async def test_collections_narrow_it(index: VectorIndex) -> None:
    docs, faq, rest = (point(vector(1), {1: 1.0}, collection=name) for name in ("docs", "faq", "rest"))
    await index.upsert([docs, faq, rest])
    narrow = Scope("tenant-a", "shop", ("docs", "faq"))
    found = await index.search(narrow, vector(1), {}, 10)
    assert {hit.id for hit in found.dense} == {docs.id, faq.id}
    assert found.words == []


async def test_rare_words_weigh_more(index: VectorIndex) -> None:
    rare = point(vector(1), {1: 1.0, 2: 1.0})
    await index.upsert([rare, *(point(vector(1), {1: 1.0}) for _ in range(20))])
    found = await index.search(MINE, vector(1), {1: 1.0, 2: 1.0}, 2)
    assert found.words[0].id == rare.id
    assert found.words[0].score > 2 * found.words[1].score


async def test_rarity_is_counted_in_what_is_searched_only(index: VectorIndex) -> None:
    """A word that is everywhere at another tenant's, or in another collection, is no less rare here."""
    ours = [point(vector(1), {1: 1.0}), *(point(vector(1), {2: 1.0}) for _ in range(20))]
    await index.upsert(ours)
    before = await index.search(MINE, vector(1), {1: 1.0, 2: 1.0}, 30)
    await index.upsert([point(vector(1), {1: 1.0}, OTHERS) for _ in range(200)])
    await index.upsert([point(vector(1), {1: 1.0}, collection="other") for _ in range(200)])
    after = await index.search(Scope("tenant-a", "shop", ("docs",)), vector(1), {1: 1.0, 2: 1.0}, 30)
    assert after.words[0].id == before.words[0].id == ours[0].id
    assert [hit.score for hit in after.words] == pytest.approx([hit.score for hit in before.words], rel=1e-5)


async def test_documents_and_points_are_removed(index: VectorIndex) -> None:
    document = uuid.uuid4()
    old = point(vector(1), {1: 1.0}, document=document, revision=1)
    new = point(vector(1), {1: 1.0}, document=document, revision=2)
    others = point(vector(1), {1: 1.0}, OTHERS, document=document)
    single = point(vector(1), {1: 1.0})
    await index.upsert([old, new, others, single])
    await index.remove_document(MINE, document, but_revision=2)
    assert (await index.everything()).keys() == {new.id, others.id, single.id}
    await index.remove_document(MINE, document)
    await index.remove([single.id])
    assert await index.everything() == {others.id: Kept(7, True)}


async def test_a_point_without_a_vector_is_found_by_its_words(index: VectorIndex) -> None:
    bare, whole = point(None, {1: 1.0}), point(vector(1), {1: 1.0})
    await index.upsert([bare, whole])
    found = await index.search(MINE, vector(1), {1: 1.0}, 10)
    assert {hit.id for hit in found.words} == {bare.id, whole.id}
    assert [hit.id for hit in found.dense] == [whole.id]
    assert found.similarities.keys() == {whole.id}
    assert await index.everything() == {bare.id: Kept(7, False), whole.id: Kept(7, True)}
    await index.upsert([replace(bare, dense=vector(0, 1))])
    assert len((await index.search(MINE, vector(1), {}, 10)).dense) == 2


async def test_an_index_of_another_model_is_made_anew(tmp_path: Path) -> None:
    for model, size, before in (("a@16", SIZE, 0), ("a@16", SIZE, 1), ("b@16", SIZE, 0), ("b@8", 8, 0)):
        index = EdgeIndex(tmp_path / "index", size, model)
        await index.open()
        assert len(await index.everything()) == before
        await index.upsert([point(vector(1)[:size], {1: 1.0})])
        await index.close()


async def test_writing_again_replaces(index: VectorIndex) -> None:
    one = point(vector(1), {1: 1.0})
    await index.upsert([one])
    await index.upsert([one])
    assert len(await index.everything()) == 1


async def test_the_local_index_survives_kill_9_and_is_held_by_one_process(tmp_path: Path) -> None:
    program = f"""
import asyncio, sys, uuid
import numpy as np
from services.kb.vectors.edge import EdgeIndex
from services.kb.vectors.port import Kept, Point, Scope
async def main():
    index = EdgeIndex(__import__("pathlib").Path({str(tmp_path / "index")!r}), {SIZE})
    await index.open()
    vector = np.ones({SIZE}, "f4")
    await index.upsert([Point(uuid.uuid4(), Scope("t", "b"), "c", uuid.uuid4(), 1, vector, {{1: 1.0}}, 1)])
    print("written", flush=True)
    sys.stdin.read()
asyncio.run(main())
"""
    with subprocess.Popen(  # noqa: ASYNC220
        [sys.executable, "-c", program],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'build' / 'stubs'}"},
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"written\n"
        index = EdgeIndex(tmp_path / "index", SIZE)
        with pytest.raises(FailedPrecondition, match="another process"):
            await index.open()
        holder.send_signal(signal.SIGKILL)
        holder.wait(10)
        await index.open()
    assert len(await index.everything()) == 1
    await index.close()


async def test_a_damaged_index_is_made_anew(tmp_path: Path) -> None:
    index = EdgeIndex(tmp_path / "index", SIZE)
    await index.open()
    await index.upsert([point(vector(1), {1: 1.0})])
    await index.close()
    for file in (tmp_path / "index").rglob("*.json"):
        file.write_text("garbage")
    again = EdgeIndex(tmp_path / "index", SIZE)
    await again.open()
    assert await again.everything() == {}
    await again.close()


async def test_a_cluster_that_is_away_is_unavailable() -> None:
    index = ClusterIndex(AsyncQdrantClient("http://127.0.0.1:1", timeout=1, check_compatibility=False), "kb", SIZE)
    with pytest.raises(Unavailable):
        await index.search(MINE, vector(1), {}, 1)
    await index.close()

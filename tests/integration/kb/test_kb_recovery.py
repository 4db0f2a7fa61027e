"""Whatever dies in the middle: nothing stays INDEXING, nothing half is seen, the index comes back from PostgreSQL."""

import asyncio
import shutil
import uuid
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from parley.drive.v1 import file_service_pb2 as drive
from parley.drive.v1 import file_service_pb2_grpc
from parley.kb.v1 import kb_service_pb2 as pb
from parley.kb.v1 import kb_service_pb2_grpc

from services.common import errors
from services.common.config import Settings
from services.common.service import Chassis
from services.kb.server import KbService
from services.kb.vectors.edge import EdgeIndex
from services.kb.vectors.port import Point
from tests.integration.kb.conftest import KbWorld, kb_settings
from tests.integration.llm.running import Caller, running
from tests.waiting import until

pytestmark = pytest.mark.integration
TEXT = "# Returns\n\nYou may return an article within 30 days of delivery.\n"
QUESTION = "How long do I have to return an article?"


async def test_an_import_whose_holder_died_is_tried_again(kb: KbWorld) -> None:
    live = await kb.live("a.md", TEXT)
    relay = kb.chassis.relay_database
    identifier = uuid.UUID(live.name.rpartition("/")[2])
    await relay.call(
        "UPDATE kb.kb_documents SET state = 'INDEXING', wanted = 2, "
        "lease = gen_random_uuid(), attempts = 1, source = $2, "
        "due = now() WHERE id = $1",
        identifier,
        TEXT.replace("30", "60").encode(),
    )
    settled = await kb.settled(live)
    assert (settled.state, settled.revision) == (pb.Document.STATE_LIVE, 2)
    assert "60 days" in (await kb.search(QUESTION)).passages[0].text


async def test_one_that_is_tried_too_often_is_given_up_with_a_reason(kb: KbWorld) -> None:
    live = await kb.live("a.md", TEXT)
    identifier = uuid.UUID(live.name.rpartition("/")[2])
    await kb.chassis.relay_database.call(
        "UPDATE kb.kb_documents SET state = 'INDEXING', lease = gen_random_uuid(), attempts = 8, "
        "due = now() WHERE id = $1",
        identifier,
    )
    settled = await kb.settled(live)
    assert settled.state == pb.Document.STATE_FAILED
    assert "8 times" in settled.reason
    assert (await kb.search(QUESTION)).passages


async def test_half_an_import_is_not_seen(kb: KbWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    await kb.live("a.md", TEXT)
    reached, go = asyncio.Event(), asyncio.Event()
    index = kb.service._index
    assert index is not None
    upsert = index.upsert

    async def slow(points: Sequence[Point]) -> None:
        await upsert(points)
        reached.set()
        await go.wait()

    monkeypatch.setattr(index, "upsert", slow)
    queued = await kb.put("a.md", TEXT.replace("30 days", "99 days"))
    await asyncio.wait_for(reached.wait(), 10)
    assert (await kb.get(queued.name)).state == pb.Document.STATE_INDEXING
    texts = [item.text for item in (await kb.search(QUESTION + " please")).passages]
    assert texts
    assert not any("99 days" in text for text in texts)
    go.set()
    await kb.settled(queued)
    assert "99 days" in (await kb.search(QUESTION)).passages[0].text


async def test_an_import_that_was_superseded_does_not_go_live(kb: KbWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    reached, go = asyncio.Event(), asyncio.Event()
    index = kb.service._index
    assert index is not None
    upsert = index.upsert

    async def slow(points: Sequence[Point]) -> None:
        await upsert(points)
        reached.set()
        await go.wait()

    monkeypatch.setattr(index, "upsert", slow)
    await kb.put("a.md", TEXT.replace("30 days", "11 days"))
    await asyncio.wait_for(reached.wait(), 10)
    newer = await kb.put("a.md", TEXT.replace("30 days", "22 days"))
    go.set()
    settled = await kb.settled(newer)
    assert (settled.state, settled.revision) == (pb.Document.STATE_LIVE, 2)
    assert "22 days" in (await kb.search(QUESTION)).passages[0].text


async def test_a_comparison_leaves_the_points_of_an_import_that_is_slow(
    kb: KbWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """kb_orphan_seconds is 0 here: every point is old enough to be removed."""
    reached, go = asyncio.Event(), asyncio.Event()
    index, reconciler = kb.service._index, kb.service.reconciler
    assert index is not None
    assert reconciler is not None
    upsert = index.upsert

    async def slow(points: Sequence[Point]) -> None:
        await upsert(points)
        reached.set()
        await go.wait()

    monkeypatch.setattr(index, "upsert", slow)
    queued = await kb.put("slow.md", TEXT)
    await asyncio.wait_for(reached.wait(), 10)
    await reconciler.once()
    go.set()
    assert (await kb.settled(queued)).state == pb.Document.STATE_LIVE
    live = (await reconciler._imports.standing(reconciler._model)).live
    assert live.keys() <= (await index.everything()).keys()
    assert (await kb.search(QUESTION)).passages


async def second(kb: KbWorld, folder: Path, **more: Any) -> KbWorld:
    settings = kb_settings(kb.keys, kb.postgres, folder, kb.llm_port, **more)
    caller = Caller(kb.keys, kb=settings.port)
    stub = kb_service_pb2_grpc.KbServiceStub(caller.mesh.channel("kb"))
    return KbWorld(KbService(), kb.chassis, settings, caller, stub, kb.keys, kb.llm_port, kb.postgres, kb.tenant)


async def answers(world: KbWorld) -> bool:
    try:
        return bool((await world.search(QUESTION)).passages)
    except errors.Unavailable:
        return False


async def test_a_lost_index_is_made_again_without_a_model(kb: KbWorld, tmp_path: Path) -> None:
    await kb.live("a.md", TEXT)
    other = await second(kb, tmp_path / "fresh", llm_address="127.0.0.1:1", kb_poll_seconds=600)
    async with running(other.service, other.settings):
        reconciler = other.service.reconciler
        assert reconciler is not None
        await asyncio.wait_for(reconciler.done.wait(), 20)
        index = other.service._index
        assert index is not None
        first = kb.service._index
        assert first is not None
        live = (await reconciler._imports.standing(reconciler._model)).live
        assert live
        assert all(live.values())
        assert live.keys() <= (await index.everything()).keys()
        await index.remove(list(live)[:1])
        assert await reconciler.once() == (1, 0)
    await other.caller.mesh.close()


async def test_a_damaged_index_is_made_again(kb: KbWorld, tmp_path: Path) -> None:
    await kb.live("a.md", TEXT)
    folder = tmp_path / "damaged"
    for _ in range(2):
        other = await second(kb, folder, kb_poll_seconds=600)
        async with running(other.service, other.settings):
            await until(lambda world=other: answers(world), 20)  # type: ignore[misc]
        await other.caller.mesh.close()
        for file in (folder / "index").rglob("*.json"):
            file.write_text("garbage")
    shutil.rmtree(folder)


async def test_a_second_process_on_the_same_folder_does_not_start(kb: KbWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.kb.server.HELD_SECONDS", 0.1)
    other = await second(kb, kb.settings.data_dir)
    with pytest.raises(OSError, match="held by another process"):
        async with running(other.service, other.settings):
            pass
    await other.caller.mesh.close()


async def test_without_a_model_a_new_question_is_unavailable(kb: KbWorld, tmp_path: Path) -> None:
    await kb.live("a.md", TEXT)
    other = await second(kb, tmp_path / "away", llm_address="127.0.0.1:1", kb_poll_seconds=600, rpc_timeout=0.5)
    async with running(other.service, other.settings):
        assert other.service.reconciler is not None
        await asyncio.wait_for(other.service.reconciler.done.wait(), 20)
        with pytest.raises(errors.Unavailable):
            await other.search("something never asked before")
    await other.caller.mesh.close()


async def test_an_index_that_breaks_while_it_serves_is_made_again(kb: KbWorld, tmp_path: Path) -> None:
    await kb.live("a.md", TEXT)
    other = await second(kb, tmp_path / "breaks", kb_poll_seconds=600)
    async with running(other.service, other.settings):
        await until(lambda: answers(other), 20)
        index = other.service._index
        assert isinstance(index, EdgeIndex)
        assert other.service.reconciler is not None
        good = index._shard
        index._shard = object()
        await until(lambda: answers(other), 20)
        assert index._shard is not good
        standing = await other.service.reconciler._imports.standing(other.service.reconciler._model)
        assert (await index.everything()).keys() >= standing.live.keys()
    await other.caller.mesh.close()


class FileDouble(file_service_pb2_grpc.FileServiceServicer):
    """A drive with one file, and one that is cut off."""

    async def ReadFile(self, request: drive.ReadFileRequest, context_: object) -> AsyncIterator[drive.ReadFileEvent]:
        raw = TEXT.encode()
        yield drive.ReadFileEvent(seq=1, data=raw[:10])
        if request.name.endswith("0"):
            yield drive.ReadFileEvent(seq=2, data=raw[10:])
            yield drive.ReadFileEvent(seq=3, completed=drive.File(name=request.name))


class DriveDouble:
    """Registers it on a chassis."""

    name = "drive"

    async def open(self, chassis: Chassis) -> None:
        from parley.drive.v1 import file_service_pb2

        chassis.server.add(
            file_service_pb2_grpc.add_FileServiceServicer_to_server,
            FileDouble(),
            file_service_pb2.DESCRIPTOR.services_by_name["FileService"],
        )

    async def close(self) -> None:
        """Nothing."""


async def test_a_file_of_the_drive_is_taken_in_whole_or_not_at_all(kb: KbWorld, tmp_path: Path) -> None:
    drive_settings = kb.keys.settings(Settings, "drive")
    other = await second(kb, tmp_path / "files", drive_address=f"127.0.0.1:{drive_settings.port}")
    async with running(DriveDouble(), drive_settings), running(other.service, other.settings):
        parent, file = "bots/hello/collections/docs", f"files/{uuid.UUID(int=0)}"
        with kb.caller.acting(kb.tenant):
            queued = await other.stub.ImportDocument(pb.ImportDocumentRequest(parent=parent, path="f.md", file=file))
            cut = pb.ImportDocumentRequest(parent=parent, path="g.md", file=f"files/{uuid.UUID(int=1)}")
            with pytest.raises(errors.Unavailable):
                await other.stub.ImportDocument(cut)
        assert (await other.settled(queued)).state == pb.Document.STATE_LIVE
    await other.caller.mesh.close()

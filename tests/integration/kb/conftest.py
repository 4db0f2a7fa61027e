"""kb and llm over gRPC, with real PostgreSQL and Valkey and the real local embeddings."""

import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from parley.kb.v1 import kb_service_pb2 as pb
from parley.kb.v1 import kb_service_pb2_grpc

from services.common.db import migrate
from services.common.service import Chassis
from services.kb.config import KbSettings
from services.kb.server import KbService
from services.llm.config import LlmSettings
from services.llm.server import LlmService
from tests.integration.llm.running import Caller, Keys, running
from tests.servers import Postgres, RunningServer
from tests.waiting import until

FINAL = {pb.Document.STATE_LIVE, pb.Document.STATE_FAILED}


@dataclass
class KbWorld:
    """The service, its caller and what it stands on."""

    service: KbService
    chassis: Chassis
    settings: KbSettings
    caller: Caller
    stub: Any
    keys: Keys
    llm_port: int
    postgres: Postgres
    tenant: str = field(default_factory=lambda: str(uuid.uuid4()))

    async def put(self, path: str, content: str | bytes, bot: str = "hello", **more: Any) -> pb.Document:
        raw = content.encode() if isinstance(content, str) else content
        parent = f"bots/{bot}/collections/{more.pop('collection', 'docs')}"
        request = pb.ImportDocumentRequest(parent=parent, path=path, content=raw, **more)
        with self.caller.acting(self.tenant):
            made: pb.Document = await self.stub.ImportDocument(request)
        return made

    async def get(self, name: str) -> pb.Document:
        with self.caller.acting(self.tenant):
            made: pb.Document = await self.stub.GetDocument(pb.GetDocumentRequest(name=name))
        return made

    async def settled(self, document: pb.Document) -> pb.Document:
        async def final() -> bool:
            return (await self.get(document.name)).state in FINAL

        await until(final, 30)
        return await self.get(document.name)

    async def live(self, path: str, content: str | bytes, **more: Any) -> pb.Document:
        made = await self.settled(await self.put(path, content, **more))
        assert made.state == pb.Document.STATE_LIVE, made.reason
        return made

    async def search(self, query: str, bot: str = "hello", **more: Any) -> pb.SearchResponse:
        with self.caller.acting(self.tenant):
            made: pb.SearchResponse = await self.stub.Search(pb.SearchRequest(bot=f"bots/{bot}", query=query, **more))
        return made


def kb_settings(keys: Keys, postgres: Postgres, folder: Path, llm_port: int, **more: Any) -> KbSettings:
    values = {
        "postgres_dsn": postgres.app_dsn,
        "postgres_relay_dsn": postgres.relay_dsn,
        "data_dir": folder,
        "llm_address": f"127.0.0.1:{llm_port}",
        "kb_poll_seconds": 0.05,
        "kb_retry_seconds": 0.02,
        "kb_lease_seconds": 5.0,
        "kb_orphan_seconds": 0,
        **more,
    }
    return keys.settings(KbSettings, "kb", **values)


@pytest.fixture(scope="session")
async def kb_running(
    postgres: Postgres, valkey: RunningServer, valkey_url: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[KbWorld]:
    await migrate.run(postgres.owner_dsn, ["kb", "llm"], checking=False)
    folder = tmp_path_factory.mktemp("kb")
    keys = Keys(folder)
    llm_settings = keys.settings(LlmSettings, "llm", postgres_dsn=postgres.app_dsn)
    settings = kb_settings(keys, postgres, folder / "data", llm_settings.port, valkey_url=valkey_url)
    service = KbService()
    async with running(LlmService(), llm_settings), running(service, settings) as chassis:
        assert service.reconciler is not None
        await service.reconciler.done.wait()
        caller = Caller(keys, kb=settings.port)
        stub = kb_service_pb2_grpc.KbServiceStub(caller.mesh.channel("kb"))
        yield KbWorld(service, chassis, settings, caller, stub, keys, llm_settings.port, postgres)
        await caller.mesh.close()


@pytest.fixture
def kb(kb_running: KbWorld) -> KbWorld:
    kb_running.tenant = str(uuid.uuid4())
    return kb_running

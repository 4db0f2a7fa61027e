"""Wiring of the kb service: the only place that knows concretes."""

import asyncio
import hashlib

from parley.drive.v1 import file_service_pb2_grpc
from parley.kb.v1 import kb_service_pb2, kb_service_pb2_grpc
from parley.llm.v1 import llm_service_pb2_grpc

from services.common.db import requests
from services.common.errors import FailedPrecondition
from services.common.service import Chassis
from services.kb.api.knowledge import KbApi, ReadFile
from services.kb.config import KbSettings
from services.kb.domain.embedding import Embeddings
from services.kb.importing import Importer
from services.kb.reconciling import Reconciler
from services.kb.reembedding import Reembedder
from services.kb.searching import Searcher
from services.kb.store.documents import Documents
from services.kb.store.imports import Imports
from services.kb.store.stale import StaleDocuments
from services.kb.vectors.port import VectorIndex

HELD_SECONDS, LOOK_SECONDS = 10.0, 0.2


class KbService:
    """Documents and searches."""

    name = "kb"

    def __init__(self) -> None:
        self._index: VectorIndex | None = None
        self.reconciler: Reconciler | None = None

    async def open(self, chassis: Chassis) -> None:
        """Build and register."""
        settings = chassis.settings
        if not isinstance(settings, KbSettings):
            message = "the kb service needs KbSettings"
            raise TypeError(message)
        stub = llm_service_pb2_grpc.LlmServiceStub(chassis.mesh.channel("llm"))
        embeddings = Embeddings(stub.Embed, settings.kb_embedding_model, settings.kb_embedding_dimensions)
        self._index = index = make_index(settings, embeddings.identity)
        if not settings.qdrant_url:
            await take(index)
        imports = Imports(chassis.database, chassis.relay_database)
        self.reconciler = reconciler = Reconciler(settings, imports, index, embeddings.identity)
        stale = StaleDocuments(chassis.database, chassis.relay_database, embeddings.identity)
        again = Reembedder(settings, stale, index, embeddings, chassis.metrics, reconciler.done.is_set)
        importer = Importer(settings, imports, index, embeddings, again.step)
        searcher = Searcher(
            index,
            imports,
            embeddings,
            chassis.cache,
            floor=settings.kb_similarity_floor,
            seconds=settings.kb_cache_seconds,
        )
        asked = requests.RequestLog("kb", settings.page_token_secret)
        documents = Documents(chassis.database, asked)
        api = KbApi(settings, documents, importer, searcher, index, reconciler, file_reader(chassis), asked)
        chassis.server.add(
            kb_service_pb2_grpc.add_KbServiceServicer_to_server,
            api,
            kb_service_pb2.DESCRIPTOR.services_by_name["KbService"],
        )
        chassis.operations.require("index", reconciler.check)
        chassis.tasks.spawn("index", reconciler.run)
        chassis.tasks.spawn("imports", importer.run)
        chassis.tasks.spawn("old requests", lambda: requests.keep_tidy(chassis.relay_database, settings.request_days))

    async def close(self) -> None:
        """Let go of the index."""
        if self._index is not None:
            await self._index.close()


async def take(index: VectorIndex) -> None:
    """Open the local index; a process that ends may still hold it for a moment. OSError when it does not let go."""
    loop = asyncio.get_running_loop()
    end = loop.time() + HELD_SECONDS
    while True:
        try:
            await index.open()
        except FailedPrecondition as error:
            if loop.time() > end:
                raise OSError(error.message) from None
            await asyncio.sleep(LOOK_SECONDS)
        else:
            return


def make_index(settings: KbSettings, model: str) -> VectorIndex:
    """A cluster when one is configured, a collection a model; else the index of this process."""
    if settings.qdrant_url:
        from qdrant_client import AsyncQdrantClient  # noqa: PLC0415 - each adapter's library only where it is used

        from services.kb.vectors.cluster import ClusterIndex  # noqa: PLC0415

        key = settings.qdrant_api_key.get_secret_value() if settings.qdrant_api_key else None
        client = AsyncQdrantClient(url=settings.qdrant_url, api_key=key, timeout=10, check_compatibility=False)
        name = f"{settings.qdrant_collection}_{hashlib.blake2b(model.encode(), digest_size=6).hexdigest()}"
        return ClusterIndex(client, name, settings.kb_embedding_dimensions)
    from services.kb.vectors.edge import EdgeIndex  # noqa: PLC0415

    return EdgeIndex(settings.data_dir / "index", settings.kb_embedding_dimensions, model)


def file_reader(chassis: Chassis) -> ReadFile | None:
    """The drive, where there is one."""
    if not chassis.settings.drive_address:
        return None
    stub = file_service_pb2_grpc.FileServiceStub(chassis.mesh.channel("drive"))
    reader: ReadFile = stub.ReadFile
    return reader

"""KbService on the wire."""

import contextlib
import hashlib
import uuid
from collections.abc import AsyncIterator, Callable
from typing import Any

import grpc.aio
from google.protobuf import empty_pb2
from parley.drive.v1 import file_service_pb2 as drive
from parley.kb.v1 import kb_service_pb2 as pb
from parley.kb.v1 import kb_service_pb2_grpc as kb_grpc

from services.common import context
from services.common.db.requests import RequestLog
from services.common.errors import InvalidArgument, ParleyError, PermissionDenied, Unavailable, from_proto
from services.common.identifiers import parse_name, parse_uuid
from services.common.pagination import PageTokens, page_size
from services.common.telemetry.logs import logger
from services.kb.config import KbSettings
from services.kb.domain.parsing import content_type_of
from services.kb.importing import Importer
from services.kb.reconciling import Reconciler
from services.kb.searching import Searcher
from services.kb.store.documents import Documents, Place
from services.kb.vectors.port import Scope, VectorIndex

log = logger(__name__)
Wire = grpc.aio.ServicerContext[Any, Any]
ReadFile = Callable[[drive.ReadFileRequest], AsyncIterator[drive.ReadFileEvent]]
FIRST = uuid.UUID(int=0)
DEFAULT_PAGE, LARGEST_PAGE = 50, 200
DEFAULT_PASSAGES, MOST_PASSAGES = 5, 50


class KbApi(kb_grpc.KbServiceServicer):
    """Documents and searches of the caller's tenant."""

    def __init__(
        self,
        settings: KbSettings,
        documents: Documents,
        importer: Importer,
        searcher: Searcher,
        index: VectorIndex,
        reconciler: Reconciler,
        read_file: ReadFile | None,
        requests: RequestLog,
    ) -> None:
        self._settings = settings
        self._documents = documents
        self._importer = importer
        self._searcher = searcher
        self._index = index
        self._reconciler = reconciler
        self._read_file = read_file
        self._requests = requests
        self._tokens = PageTokens(settings.page_token_secret)

    async def ImportDocument(self, request: pb.ImportDocumentRequest, context_: Wire) -> pb.Document:  # noqa: N802
        """Queues it; GetDocument tells how far it is."""
        bot, collection = parse_name("bots/*/collections/*", request.parent, "parent")
        path = clean_path(request.path)
        content_type = content_type_of(path, request.content_type)
        source = request.content if request.WhichOneof("source") == "content" else await self._file(request.file)
        place, asked = Place(tenant_of(), bot, collection), await self._requests.asked(request)
        made = await self._documents.put(
            place,
            path,
            content_type,
            hashlib.sha256(source).hexdigest(),
            source,
            asked,
        )
        self._importer.ring()
        return made

    async def GetDocument(self, request: pb.GetDocumentRequest, context_: Wire) -> pb.Document:  # noqa: N802
        """A document's state."""
        place, identifier = located(request.name)
        return await self._documents.get(place, identifier)

    async def ListDocuments(  # noqa: N802
        self, request: pb.ListDocumentsRequest, context_: Wire
    ) -> pb.ListDocumentsResponse:
        """By path."""
        bot, collection = parse_name("bots/*/collections/*", request.parent, "parent")
        place = Place(tenant_of(), bot, collection)
        limit = page_size(request.page_size, DEFAULT_PAGE, LARGEST_PAGE)
        filters = (place.tenant, request.parent)
        position = self._tokens.read(filters, request.page_token)
        after = (position[0], uuid.UUID(position[1])) if position else ("", FIRST)
        found = await self._documents.list(place, after, limit + 1)
        response = pb.ListDocumentsResponse(documents=found[:limit])
        if len(found) > limit:
            last = found[limit - 1]
            response.next_page_token = self._tokens.make(filters, (last.path, last.name.rpartition("/")[2]))
        return response

    async def DeleteDocument(self, request: pb.DeleteDocumentRequest, context_: Wire) -> empty_pb2.Empty:  # noqa: N802
        """Gone with its text and vectors. A point the index may keep is never shown: PostgreSQL has no such chunk."""
        place, identifier = located(request.name)
        await self._documents.delete(place, identifier, await self._requests.asked(request))
        try:
            await self._index.remove_document(Scope(place.tenant, place.bot), identifier)
        except (ParleyError, TimeoutError) as error:
            log.warning("points stay for now", document=str(identifier), error=type(error).__name__)
        return empty_pb2.Empty()

    async def Search(self, request: pb.SearchRequest, context_: Wire) -> pb.SearchResponse:  # noqa: N802
        """Passages, best first."""
        (bot,) = parse_name("bots/*", request.bot, "bot")
        scope = Scope(tenant_of(), bot, tuple(request.collections))
        if not request.query.strip():
            raise InvalidArgument.field("query", "a question")
        limit = page_size(request.limit, DEFAULT_PASSAGES, MOST_PASSAGES)
        await self._reconciler.check()
        return await self._searcher.search(scope, request.query, limit)

    async def _file(self, name: str) -> bytes:
        """Bytes from the drive, with the caller's own rights. ParleyError."""
        if self._read_file is None:
            raise Unavailable("this installation has no drive: send the bytes as content")
        most = self._settings.kb_largest_file_bytes
        data = bytearray()
        async with contextlib.aclosing(self._read_file(drive.ReadFileRequest(name=name))) as events:  # type: ignore[type-var]
            async for event in events:
                kind = event.WhichOneof("event")
                if kind == "failed":
                    raise from_proto(event.failed)
                if kind == "completed":
                    return bytes(data)
                data += event.data
                if len(data) > most:
                    raise InvalidArgument.field("file", f"at most {most} bytes")
        raise Unavailable("the drive's answer was cut off; try again")


def tenant_of() -> str:
    """The caller's tenant. PermissionDenied for a service that acts for nobody."""
    tenant = context.principal().tenant_id
    if not tenant:
        raise PermissionDenied("this is done for somebody, and the calling service did not say for whom")
    return tenant


def located(name: str) -> tuple[Place, uuid.UUID]:
    """Where a document is. InvalidArgument."""
    bot, collection, identifier = parse_name("bots/*/collections/*/documents/*", name)
    return Place(tenant_of(), bot, collection), parse_uuid(identifier, "name")


def clean_path(path: str) -> str:
    """A path within the collection. InvalidArgument for one that leads elsewhere or holds control characters."""
    parts = path.split("/")
    if path.startswith("/") or any(part in {"", ".", ".."} for part in parts) or not path.isprintable():
        raise InvalidArgument.field("path", 'a path such as "policies/returns.md"', path)
    return path

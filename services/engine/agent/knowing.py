"""Documents of a bot, by way of the knowledge service."""

from collections.abc import Sequence

from parley.kb.v1 import kb_service_pb2 as kb_pb
from parley.kb.v1 import kb_service_pb2_grpc as kb_grpc

from services.common.rpc.client import Mesh
from services.engine.agent.answering import lending
from services.engine.keywords.world import World
from services.engine.program.values import Value

MOST_DOCUMENTS = 10_000
PAGE = 200
STATES = {
    kb_pb.Document.STATE_QUEUED: "queued",
    kb_pb.Document.STATE_PARSING: "parsing",
    kb_pb.Document.STATE_INDEXING: "indexing",
    kb_pb.Document.STATE_LIVE: "live",
    kb_pb.Document.STATE_FAILED: "failed",
}


class MeshKnowledge:
    """What keywords ask of documents."""

    def __init__(self, mesh: Mesh, floor: float) -> None:
        self._kb = kb_grpc.KbServiceStub(mesh.channel("kb"))
        self._floor = floor

    async def search(self, world: World, query: str, collections: Sequence[str], limit: int) -> list[dict[str, Value]]:
        """Passages near enough to the question, best first. ParleyError."""
        if not query.strip():
            return []
        request = kb_pb.SearchRequest(
            bot=world.bot, query=query[:4096], collections=collections, limit=limit, locale=world.locale
        )
        with lending():
            found = await self._kb.Search(request)
        return [passage(item) for item in found.passages if item.similarity >= self._floor]

    async def documents(self, world: World, collection: str = "") -> list[dict[str, Value]]:
        """Documents of a collection, or of all. ParleyError."""
        made: list[dict[str, Value]] = []
        token = ""
        while len(made) < MOST_DOCUMENTS:
            request = kb_pb.ListDocumentsRequest(
                parent=f"{world.bot}/collections/{collection or '-'}", page_size=PAGE, page_token=token
            )
            with lending():
                page = await self._kb.ListDocuments(request)
            made += map(document, page.documents)
            token = page.next_page_token
            if not token:
                break
        return made


def passage(item: kb_pb.Passage) -> dict[str, Value]:
    """As scripts see it."""
    return {
        "text": item.text,
        "title": item.title,
        "path": item.path,
        "document": item.document,
        "collection": item.collection,
        "start": item.start,
        "score": round(item.score, 4),
        "similarity": round(item.similarity, 4),
    }


def document(item: kb_pb.Document) -> dict[str, Value]:
    """As scripts see it."""
    return {
        "path": item.path,
        "title": item.title,
        "collection": item.name.split("/")[3],
        "state": STATES.get(item.state, ""),
        "chunks": item.chunk_count,
        "content_type": item.content_type,
        "created": item.create_time.ToNanoseconds() / 1e9,
        "changed": item.update_time.ToNanoseconds() / 1e9,
    }

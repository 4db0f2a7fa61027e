"""Search: by meaning and by words, within one bot, only what is live."""

import hashlib
import uuid
from typing import Any

from google.protobuf.message import DecodeError
from parley.kb.v1 import kb_service_pb2 as pb

from services.common.cache import Cache
from services.kb.domain.embedding import Embeddings
from services.kb.domain.ranking import Candidate, choose, fuse
from services.kb.domain.words import query_words
from services.kb.store.imports import Imports
from services.kb.vectors.port import Scope, VectorIndex

CANDIDATES = 30
VERSION = "1"


class Searcher:
    """Answers are kept in Valkey under the revision they were found in, so a change of the documents voids them."""

    def __init__(
        self, index: VectorIndex, imports: Imports, embeddings: Embeddings, cache: Cache, *, floor: float, seconds: int
    ) -> None:
        self._index = index
        self._imports = imports
        self._embeddings = embeddings
        self._cache = cache
        self._floor = floor
        self._seconds = seconds

    async def search(self, scope: Scope, question: str, limit: int) -> pb.SearchResponse:
        """Passages, best first; none when nothing fits. ParleyError."""
        revision = await self._imports.bot_revision(scope)
        if not revision:
            return pb.SearchResponse(revision="0")
        asked = " ".join(question.split())
        key = self._key(scope, asked, limit, revision)
        kept = await self._cache.get(key)
        if kept is not None:
            try:
                return pb.SearchResponse.FromString(kept)
            except DecodeError:
                await self._cache.delete(key)
        response = await self._find(scope, asked, limit, revision)
        await self._cache.set(key, response.SerializeToString(), self._seconds)
        return response

    async def _find(self, scope: Scope, question: str, limit: int, revision: int) -> pb.SearchResponse:
        vector = await self._embeddings.question(question)
        found = await self._index.search(scope, vector, query_words(question), CANDIDATES + limit)
        rows = await self._imports.passages(scope, [identifier for identifier, _ in fuse(found)])
        live = {identifier: candidate_of(row) for identifier, row in rows.items()}
        chosen = choose(question, found, live, self._floor, limit)
        return pb.SearchResponse(passages=[message_of(scope, item) for item in chosen], revision=str(revision))

    def _key(self, scope: Scope, question: str, limit: int, revision: int) -> str:
        collections = ",".join(sorted(scope.collections)) or "-"
        parts = (VERSION, scope.bot, question, str(limit), str(revision), self._embeddings.identity, str(self._floor))
        digest = hashlib.blake2b("\x1f".join(parts).encode(), digest_size=16).hexdigest()
        return f"kb:{scope.tenant}:{collections}:{digest}"


def candidate_of(row: Any) -> Candidate:  # noqa: ANN401 - asyncpg's record
    """A row as the ranking sees it."""
    return Candidate(
        id=row["id"],
        document=row["document_id"],
        title=row["title"],
        path=row["path"],
        collection=row["collection"],
        start=row["start_at"],
        end=row["end_at"],
        text=row["body"],
    )


def message_of(scope: Scope, found: Candidate) -> pb.Passage:
    """A passage on the wire."""
    return pb.Passage(
        document=document_name(scope.bot, found.collection, found.document),
        title=found.title,
        path=found.path,
        text=found.text,
        start=found.start,
        end=found.end,
        score=found.score,
        similarity=found.similarity or 0.0,
        collection=found.collection,
    )


def document_name(bot: str, collection: str, identifier: uuid.UUID) -> str:
    """A resource name."""
    return f"bots/{bot}/collections/{collection}/documents/{identifier}"

"""The index of an installation with several kb processes: a Qdrant cluster."""

import asyncio
import contextlib
import uuid
from collections.abc import Awaitable, Sequence
from typing import TypeVar

from qdrant_client import AsyncQdrantClient, models
from qdrant_client.http.exceptions import ResponseHandlingException, UnexpectedResponse

from services.common.errors import Unavailable
from services.kb.vectors.port import DENSE, WORDS, Found, Hit, Kept, Point, Scope, Vector, kept

T = TypeVar("T")
AT_ONCE = 64
PAGE = 2000
SECONDS = 10.0
AWAY = (ResponseHandlingException, UnexpectedResponse, OSError, TimeoutError)


class ClusterIndex:
    """One collection for all tenants. `indexed` is False only for the client's in-process mode, which blocks the loop
    and has no payload indexes: tests use it.
    """

    def __init__(self, client: AsyncQdrantClient, collection: str, dimensions: int, *, indexed: bool = True) -> None:
        self._client = client
        self._name = collection
        self._dimensions = dimensions
        self._indexed = indexed
        self.broken = asyncio.Event()

    async def open(self) -> None:
        """Make the collection and its indexes, unless they are there."""
        if not await asked(self._client.collection_exists(self._name)):
            with contextlib.suppress(Unavailable):  # another process may have made it meanwhile
                await asked(self._create())
        if not await asked(self._client.collection_exists(self._name)):
            raise Unavailable("the index cannot be made")
        if self._indexed:
            await self._index()

    async def _create(self) -> None:
        await self._client.create_collection(
            self._name,
            vectors_config={DENSE: models.VectorParams(size=self._dimensions, distance=models.Distance.COSINE)},
            sparse_vectors_config={WORDS: models.SparseVectorParams(modifier=models.Modifier.IDF)},
        )

    async def _index(self) -> None:
        tenant = models.KeywordIndexParams(type=models.KeywordIndexType.KEYWORD, is_tenant=True)
        await asked(self._client.create_payload_index(self._name, "scope", tenant))
        for field in ("collection", "document"):
            await asked(self._client.create_payload_index(self._name, field, models.PayloadSchemaType.KEYWORD))

    async def close(self) -> None:
        """Close the connections."""
        await self._client.close()

    async def upsert(self, points: Sequence[Point]) -> None:
        """Waits until they can be found."""
        for first in range(0, len(points), AT_ONCE):
            made = [
                models.PointStruct(id=str(point.id), vector=vectors_of(point), payload=point.payload())
                for point in points[first : first + AT_ONCE]
            ]
            await asked(self._client.upsert(self._name, made, wait=True))

    async def remove_document(self, scope: Scope, document: uuid.UUID, *, but_revision: int | None = None) -> None:
        """By filter."""
        kept: list[models.Condition] = [] if but_revision is None else [equals("revision", but_revision)]
        where = models.Filter(must=[equals("scope", scope.key), equals("document", str(document))], must_not=kept)
        await asked(self._client.delete(self._name, models.FilterSelector(filter=where), wait=True))

    async def remove(self, ids: Sequence[uuid.UUID]) -> None:
        """By id."""
        if ids:
            selector = models.PointIdsList(points=[str(item) for item in ids])
            await asked(self._client.delete(self._name, selector, wait=True))

    async def search(self, scope: Scope, dense: Vector, words: dict[int, float], limit: int) -> Found:
        """Both rankings in one request; then the cosines of what only the words found."""
        where = within(scope)
        meaning = dense.tolist()
        requests = [models.QueryRequest(query=meaning, using=DENSE, filter=where, limit=limit)]
        if words:
            counted = models.SearchParams(idf=models.IdfCorpusParams(corpus=where))  # rarity: within the same filter
            requests.append(
                models.QueryRequest(query=sparse(words), using=WORDS, filter=where, params=counted, limit=limit)
            )
        answers = await asked(self._client.query_batch_points(self._name, requests))
        found = [[Hit(uuid.UUID(str(point.id)), point.score) for point in answer.points] for answer in answers]
        by_meaning, by_words = found[0], found[1] if words else []
        similarities = {hit.id: hit.score for hit in by_meaning}
        missing = [str(hit.id) for hit in by_words if hit.id not in similarities]
        if missing:
            only = models.Filter(must=[where, models.HasIdCondition(has_id=list(missing))])
            answer = await asked(
                self._client.query_points(self._name, meaning, using=DENSE, query_filter=only, limit=len(missing))
            )
            similarities |= {uuid.UUID(str(point.id)): point.score for point in answer.points}
        return Found(by_meaning, by_words, similarities)

    async def everything(self) -> dict[uuid.UUID, Kept]:
        """Page by page."""
        found: dict[uuid.UUID, Kept] = {}
        offset = None
        while True:
            page, offset = await asked(
                self._client.scroll(self._name, limit=PAGE, offset=offset, with_payload=["written", "meant"])
            )
            found |= {uuid.UUID(str(record.id)): kept(record.payload or {}) for record in page}
            if offset is None:
                return found


async def asked(waiting: Awaitable[T]) -> T:
    """The cluster's answer in time. Unavailable."""
    try:
        async with asyncio.timeout(SECONDS):
            return await waiting
    except AWAY as error:
        raise Unavailable("the index is away; try again") from error


def vectors_of(point: Point) -> dict[str, models.Vector]:
    """What a point is found by."""
    words: dict[str, models.Vector] = {WORDS: sparse(point.words)}
    return words if point.dense is None else {DENSE: point.dense.tolist(), **words}


def equals(key: str, value: str | int) -> models.FieldCondition:
    """A condition."""
    return models.FieldCondition(key=key, match=models.MatchValue(value=value))


def within(scope: Scope) -> models.Filter:
    """The filter every search carries."""
    must: list[models.Condition] = [equals("scope", scope.key)]
    if scope.collections:
        must.append(models.FieldCondition(key="collection", match=models.MatchAny(any=list(scope.collections))))
    return models.Filter(must=must)


def sparse(words: dict[int, float]) -> models.SparseVector:
    """The client's sparse vector."""
    return models.SparseVector(indices=list(words), values=list(words.values()))

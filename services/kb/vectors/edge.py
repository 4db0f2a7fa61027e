"""The index in this process: qdrant-edge, one shard, one thread that alone touches it."""

import asyncio
import contextlib
import fcntl
import os
import shutil
import uuid
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

import qdrant_edge as edge

from services.common.errors import FailedPrecondition, ParleyError, Unavailable
from services.common.telemetry.logs import logger
from services.kb.vectors.port import DENSE, WORDS, Found, Hit, Kept, Point, Scope, Vector, kept

log = logger(__name__)
T = TypeVar("T")
AT_ONCE = 64
PAGE = 2000
KEYWORDS = ("scope", "collection", "document")
SECONDS = 20.0


class EdgeIndex:
    """A shard under a folder, with vectors of one model. A missing or damaged one, or another model's, is made anew,
    empty: the caller fills it from PostgreSQL.
    """

    def __init__(self, folder: Path, dimensions: int, model: str = "") -> None:
        self._folder = folder
        self._model = model
        self._dimensions = dimensions
        self._shard: Any = None
        self._lock: int | None = None
        self.broken = asyncio.Event()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="index")

    async def open(self) -> None:
        """FailedPrecondition when another process holds the folder."""
        await self._run(self._open)

    def _open(self) -> None:
        if self._shard is not None:
            return
        self._folder.mkdir(parents=True, exist_ok=True)
        self._hold()
        if self.broken.is_set():
            self._wipe()
        self._own()
        if any(self._folder.iterdir()):
            try:
                self._shard = edge.EdgeShard.load(str(self._folder), self._config())
            except BaseException as error:  # noqa: BLE001 - a panic of the engine is no Exception
                log.warning("index damaged, made anew", folder=str(self._folder), error=str(error)[:200])
                self._wipe()
            else:
                return
        self._shard = edge.EdgeShard.create(str(self._folder), self._config())
        self.broken.clear()
        for name in KEYWORDS:
            self._shard.update(edge.UpdateOperation.create_field_index(name, edge.PayloadSchemaType.Keyword))

    def _hold(self) -> None:
        """A lock of our own: the engine damages a shard that a second process merely tries to load."""
        if self._lock is not None:
            return
        descriptor = os.open(self._folder.with_suffix(".lock"), os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(descriptor)
            raise FailedPrecondition(
                f"the index in {self._folder} is held by another process: "
                "run one kb process per PARLEY_DATA_DIR, or set PARLEY_QDRANT_URL"
            ) from None
        self._lock = descriptor

    def _own(self) -> None:
        """What another model's vectors are in is not opened. The mark is written when the old index is gone."""
        mark = self._folder.with_suffix(".model")
        if mark.is_file() and mark.read_text() == self._model:
            return
        if any(self._folder.iterdir()):
            log.info("index of another model, made anew", folder=str(self._folder))
            self._wipe()
        mark.write_text(self._model)

    def _wipe(self) -> None:
        shutil.rmtree(self._folder)
        self._folder.mkdir(parents=True)

    def _config(self) -> Any:  # noqa: ANN401 - the library has no types
        return edge.EdgeConfig(
            vectors={DENSE: edge.EdgeVectorParams(size=self._dimensions, distance=edge.Distance.Cosine)},
            sparse_vectors={WORDS: edge.EdgeSparseVectorParams(modifier=edge.Modifier.Idf)},
        )

    async def close(self) -> None:
        """Flush and let go."""
        if self._shard is not None:
            shard, self._shard = self._shard, None
            with contextlib.suppress(Exception):  # what cannot be flushed is made again
                await asyncio.get_running_loop().run_in_executor(self._thread, shard.close)
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None
        self._thread.shutdown(wait=False)

    async def upsert(self, points: Sequence[Point]) -> None:
        """In small steps, so that a search never waits long."""
        for first in range(0, len(points), AT_ONCE):
            await self._run(self._upsert, points[first : first + AT_ONCE])

    def _upsert(self, points: Sequence[Point]) -> None:
        made = [edge.Point(str(point.id), vectors_of(point), point.payload()) for point in points]
        self._shard.update(edge.UpdateOperation.upsert_points(made))

    async def remove_document(self, scope: Scope, document: uuid.UUID, *, but_revision: int | None = None) -> None:
        """By filter."""
        kept: list[Any] = (
            [] if but_revision is None else [edge.FieldCondition("revision", match=edge.MatchValue(but_revision))]
        )
        where = edge.Filter(
            must=[
                edge.FieldCondition("scope", match=edge.MatchValue(scope.key)),
                edge.FieldCondition("document", match=edge.MatchValue(str(document))),
            ],
            must_not=kept,
        )
        await self._run(self._update, edge.UpdateOperation.delete_points_by_filter(where))

    async def remove(self, ids: Sequence[uuid.UUID]) -> None:
        """By id."""
        if ids:
            await self._run(self._update, edge.UpdateOperation.delete_points(list(ids)))

    def _update(self, operation: Any) -> None:  # noqa: ANN401
        self._shard.update(operation)
        self._shard.flush()

    async def search(self, scope: Scope, dense: Vector, words: dict[int, float], limit: int) -> Found:
        """Both rankings in one pass; then the cosines of what only the words found."""
        return await self._run(self._search, scope, dense, words, limit)

    def _search(self, scope: Scope, dense: Vector, words: dict[int, float], limit: int) -> Found:
        where = within(scope)
        meaning = dense.tolist()
        requests = [nearest(meaning, DENSE, where, limit)]
        if words:
            requests.append(rare(sparse(words), where, limit))
        answers = self._shard.query_batch(edge.QueryBatchRequest(requests))
        found = [[Hit(as_uuid(point.id), float(point.score)) for point in answer] for answer in answers]
        by_meaning, by_words = found[0], found[1] if words else []
        similarities = {hit.id: hit.score for hit in by_meaning}
        missing = [hit.id for hit in by_words if hit.id not in similarities]
        if missing:
            only = edge.Filter(must=[*where.must, edge.HasIdCondition(set(missing))])
            for point in self._shard.query(nearest(meaning, DENSE, only, len(missing))):
                similarities[as_uuid(point.id)] = float(point.score)
        return Found(by_meaning, by_words, similarities)

    async def everything(self) -> dict[uuid.UUID, Kept]:
        """Page by page."""
        found: dict[uuid.UUID, Kept] = {}
        offset: Any = None
        while True:
            page, offset = await self._run(self._page, offset)
            found.update(page)
            if offset is None:
                return found

    def _page(self, offset: Any) -> tuple[dict[uuid.UUID, Kept], Any]:  # noqa: ANN401
        wanted = edge.ScrollRequest(offset=offset, limit=PAGE, with_payload=["written", "meant"])
        records, following = self._shard.scroll(wanted)
        return {as_uuid(record.id): kept(record.payload or {}) for record in records}, following

    async def _run(self, work: Callable[..., T], *arguments: Any) -> T:  # noqa: ANN401
        if self._shard is None and work != self._open:
            raise Unavailable("the index is not open")
        loop = asyncio.get_running_loop()
        try:
            return await asyncio.wait_for(loop.run_in_executor(self._thread, work, *arguments), SECONDS)
        except (ParleyError, TimeoutError, OSError):
            raise
        except Exception as error:
            log.exception("the index failed and is made anew", folder=str(self._folder))
            self._shard = None
            self.broken.set()
            raise Unavailable("the index is being made anew; try again") from error


def vectors_of(point: Point) -> dict[str, Any]:
    """What a point is found by."""
    words = {WORDS: sparse(point.words)}
    return words if point.dense is None else {DENSE: point.dense.tolist(), **words}


def nearest(query: Any, using: str, where: Any, limit: int) -> Any:  # noqa: ANN401
    """A request for the nearest within a filter."""
    return edge.QueryRequest(limit=limit, query=edge.Query.Nearest(query, using=using), filter=where)


def rare(words: Any, where: Any, limit: int) -> Any:  # noqa: ANN401
    """The nearest by words; how rare a word is, is counted within the same filter."""
    counted = edge.SearchParams(idf=edge.IdfParams(corpus=where))
    return edge.QueryRequest(limit=limit, query=edge.Query.Nearest(words, using=WORDS), filter=where, params=counted)


def within(scope: Scope) -> Any:  # noqa: ANN401
    """The filter every search carries."""
    must: list[Any] = [edge.FieldCondition("scope", match=edge.MatchValue(scope.key))]
    if scope.collections:
        must.append(edge.FieldCondition("collection", match=edge.MatchAny(list(scope.collections))))
    return edge.Filter(must=must)


def sparse(words: dict[int, float]) -> Any:  # noqa: ANN401
    """The engine's sparse vector."""
    return edge.SparseVector(list(words), list(words.values()))


def as_uuid(value: object) -> uuid.UUID:
    """The engine gives back a UUID or its text."""
    return value if isinstance(value, uuid.UUID) else uuid.UUID(str(value))

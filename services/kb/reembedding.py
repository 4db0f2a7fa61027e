"""When the embedding model is another one, what is live is embedded anew, a portion at a time, behind the imports.

Until then a chunk is found by its words alone: vectors of two models cannot be compared.
"""

import time
from collections.abc import Callable

from prometheus_client import Gauge

from services.common import context
from services.common.errors import Aborted, ParleyError
from services.common.security.principal import service_principal
from services.common.telemetry.logs import logger
from services.common.telemetry.metrics import Metrics
from services.kb.config import KbSettings
from services.kb.domain.embedding import PASSAGES_AT_ONCE, Embeddings
from services.kb.importing import LONGEST_WAIT, PERMANENT, digest_of, embedded_text, searched_words
from services.kb.store.stale import Renewed, StaleDocument, StaleDocuments
from services.kb.vectors.port import Point, VectorIndex

log = logger(__name__)
PERMANENT_WAIT = 3600.0


class Reembedder:
    """step() does one portion. What is done is in PostgreSQL: a process that dies loses a portion at most."""

    def __init__(
        self,
        settings: KbSettings,
        stale: StaleDocuments,
        index: VectorIndex,
        embeddings: Embeddings,
        metrics: Metrics,
        ready: Callable[[], bool],
    ) -> None:
        self._settings = settings
        self._stale = stale
        self._index = index
        self._embeddings = embeddings
        self._ready = ready
        self._failures = 0
        self._not_before = 0.0
        self._waiting: int | None = None
        self._left = Gauge(
            "kb_documents_to_embed", "Live documents whose vectors are another model's", registry=metrics.registry
        )

    async def step(self) -> bool:
        """Whether there was something to do. Not before the index holds everything, nor soon after a failure."""
        if not self._ready() or time.monotonic() < self._not_before:
            return False
        try:
            document = await self._stale.claim(self._settings.kb_lease_seconds)
            if document is None:
                await self._count(finished=False)
                return False
            await self._try(document)
        except ParleyError as error:
            log.debug("embedding anew postponed", error=type(error).__name__)
            self._pause()
        return True

    async def _try(self, document: StaleDocument) -> None:
        try:
            with context.acting_for(service_principal("kb", str(document.tenant))):
                await self._portion(document)
        except Aborted:
            log.info("embedding anew superseded", document=str(document.id))
        except (ParleyError, TimeoutError) as error:
            await self._put_off(document, error)
        else:
            self._failures = 0

    async def _portion(self, document: StaleDocument) -> None:
        """The index first: what PostgreSQL says is done, is done everywhere."""
        rows = await self._stale.chunks(document, PASSAGES_AT_ONCE)
        texts = [embedded_text(row["heading"], row["body"]) for row in rows]
        vectors = await self._embeddings.passages(texts) if texts else []
        points = [
            Point(
                row["id"],
                document.scope,
                document.collection,
                document.id,
                document.revision,
                vector,
                searched_words(document.title, row["heading"], row["body"]),
                written=int(time.time()),
            )
            for row, vector in zip(rows, vectors, strict=True)
        ]
        await self._index.upsert(points)
        model = self._embeddings.identity
        renewed = [
            Renewed(row["id"], digest_of(model, text), vector)
            for row, text, vector in zip(rows, texts, vectors, strict=True)
        ]
        if not await self._stale.put(document, renewed):
            await self._count(finished=True)
            log.info("document embedded anew", document=str(document.id), model=model, left=self._waiting)

    async def _count(self, *, finished: bool) -> None:
        """For the gauge; not asked again while nothing waits."""
        if finished or self._waiting != 0:
            self._waiting = await self._stale.left()
            self._left.set(self._waiting)

    async def _put_off(self, document: StaleDocument, error: Exception) -> None:
        """The others wait too: what fails for one most likely fails for all."""
        seconds = self._pause()
        if isinstance(error, ParleyError) and error.code.name in PERMANENT:
            seconds = PERMANENT_WAIT
        log.warning("not embedded anew", document=str(document.id), error=type(error).__name__, seconds=seconds)
        await self._stale.put_off(document, seconds)

    def _pause(self) -> float:
        """Seconds until the next step; doubles with every failure that follows another."""
        wait: float = min(self._settings.kb_retry_seconds * 2 ** min(self._failures, 16), LONGEST_WAIT)
        self._failures += 1
        self._not_before = time.monotonic() + wait
        return wait

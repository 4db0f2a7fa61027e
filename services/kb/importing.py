"""Imports: claimed from PostgreSQL, so that one which a dead process left behind is found and tried again."""

import asyncio
import hashlib
import random
import re
import time
from collections.abc import Awaitable, Callable, Sequence

from services.common import context
from services.common.errors import Aborted, ParleyError
from services.common.identifiers import derived_id
from services.common.security.principal import service_principal
from services.common.telemetry.logs import logger
from services.kb.config import KbSettings
from services.kb.domain.chunking import Chunk, cut
from services.kb.domain.embedding import PASSAGES_AT_ONCE, Embeddings
from services.kb.domain.parsing import Parsed, parse
from services.kb.domain.words import passage_words
from services.kb.store.imports import ChunkRow, Imports, Job
from services.kb.vectors.port import Point, Vector, VectorIndex

log = logger(__name__)
LONGEST_WAIT = 60.0
HEADING_MARKS = re.compile(r"^[ \t]*#{1,6}[ \t]+", re.MULTILINE)
PERMANENT = frozenset({"INVALID_ARGUMENT", "UNIMPLEMENTED", "PERMISSION_DENIED", "FAILED_PRECONDITION"})


class Importer:
    """Takes one import after the other; ring() says that there is one. `idle` does a little of what can wait, and says
    whether there was any.
    """

    def __init__(
        self,
        settings: KbSettings,
        imports: Imports,
        index: VectorIndex,
        embeddings: Embeddings,
        idle: Callable[[], Awaitable[bool]],
    ) -> None:
        self._settings = settings
        self._imports = imports
        self._index = index
        self._embeddings = embeddings
        self._idle = idle
        self._rung = asyncio.Event()

    def ring(self) -> None:
        """Something waits."""
        self._rung.set()

    async def run(self) -> None:
        """For ever. While PostgreSQL is away it looks again later."""
        while True:
            self._rung.clear()
            try:
                job = await self._imports.claim(self._settings.kb_lease_seconds, self._settings.kb_attempts)
            except ParleyError as error:
                log.debug("imports postponed", error=type(error).__name__)
                job = None
            if job is not None:
                await self._do(job)
                continue
            if await self._idle():
                continue
            try:
                async with asyncio.timeout(self._settings.kb_poll_seconds * random.uniform(0.8, 1.2)):  # noqa: S311
                    await self._rung.wait()
            except TimeoutError:
                continue

    async def _do(self, job: Job) -> None:
        """An import, to its end or to its next try."""
        try:
            with context.acting_for(service_principal("kb", str(job.tenant))):
                await self._take_in(job)
        except Aborted:
            log.info("import superseded", document=str(job.document))
        except ParleyError as error:
            await self._put_off(job, error)
        except Exception as error:
            log.exception("import failed", document=str(job.document))
            await self._give_up(job, f"internal error ({type(error).__name__})")

    async def _take_in(self, job: Job) -> None:
        parsed = await asyncio.to_thread(parse, job.source, job.content_type, job.path)
        chunks = await asyncio.to_thread(cut, parsed.text)
        await self._imports.report(job, "INDEXING", seconds=self._settings.kb_lease_seconds)
        known = await self._imports.known_vectors(job)
        for first in range(0, len(chunks), PASSAGES_AT_ONCE):
            await self._portion(job, parsed, chunks[first : first + PASSAGES_AT_ONCE], known)
        await self._imports.go_live(job, parsed.title, parsed.text, self._embeddings.identity, len(chunks))
        log.info("document live", document=str(job.document), revision=job.revision, chunks=len(chunks))
        # From here on nothing may fail the import: what stays behind is not seen, and removed by the next comparison.
        try:
            await self._index.remove_document(job.scope, job.document, but_revision=job.revision)
        except (ParleyError, TimeoutError) as error:
            log.warning("old points stay", document=str(job.document), error=type(error).__name__)

    async def _portion(self, job: Job, parsed: Parsed, chunks: Sequence[Chunk], known: dict[bytes, Vector]) -> None:
        """A few chunks: embed what is new, keep the rows and with them the lease, then the points."""
        digests = [digest_of(self._embeddings.identity, embedded_text(chunk.heading, chunk.text)) for chunk in chunks]
        fresh = [index for index, digest in enumerate(digests) if digest not in known]
        if fresh:
            texts = [embedded_text(chunks[index].heading, chunks[index].text) for index in fresh]
            made = await self._embeddings.passages(texts)
            known.update(zip((digests[index] for index in fresh), made, strict=True))
        rows = [row_of(job, chunk, digest, known[digest]) for chunk, digest in zip(chunks, digests, strict=True)]
        await self._imports.put_chunks(job, rows, self._embeddings.identity, self._settings.kb_lease_seconds)
        await self._index.upsert([point_of(job, parsed.title, row) for row in rows])

    async def _put_off(self, job: Job, error: ParleyError) -> None:
        """Another try later, unless no try can help."""
        if error.code.name in PERMANENT:
            await self._give_up(job, error.message)
            return
        wait = min(self._settings.kb_retry_seconds * 2 ** (job.attempts - 1), LONGEST_WAIT)
        log.warning("import put off", document=str(job.document), error=type(error).__name__, seconds=wait)
        await self._say(job, "QUEUED", error.message, wait)

    async def _give_up(self, job: Job, reason: str) -> None:
        log.warning("import given up", document=str(job.document), why=reason)
        await self._say(job, "FAILED", reason, 0.0)

    async def _say(self, job: Job, state: str, reason: str, seconds: float) -> None:
        """If it cannot be said, the lease ends by itself and the import is tried again."""
        try:
            await self._imports.report(job, state, reason, seconds)
        except ParleyError as error:
            log.warning("import's end not recorded", document=str(job.document), error=type(error).__name__)


def embedded_text(heading: str, text: str) -> str:
    """What is embedded: the bare words, with their nearest heading when they do not begin with it.

    Titles and paths of headings in front made unrelated questions come nearer (docs/architecture/knowledge.md).
    """
    bare = HEADING_MARKS.sub("", text)
    nearest = heading.rpartition(" > ")[2]
    return f"{nearest}\n{bare}" if nearest and not text.startswith("#") else bare


def searched_words(title: str, heading: str, text: str) -> dict[int, float]:
    """Words a chunk is found by: its own, its headings', its document's title's."""
    return passage_words(f"{title}\n{heading}\n{text}")


def digest_of(model: str, text: str) -> bytes:
    """Equal when the vector would be."""
    return hashlib.blake2b(f"{model}\x1f{text}".encode(), digest_size=16).digest()


def row_of(job: Job, chunk: Chunk, digest: bytes, vector: Vector) -> ChunkRow:
    """A chunk to keep; doing a revision again gives the same identifiers."""
    identifier = derived_id(job.tenant, job.document, job.revision, chunk.ordinal)
    return ChunkRow(identifier, chunk.ordinal, chunk.start, chunk.end, chunk.heading, chunk.text, digest, vector)


def point_of(job: Job, title: str, row: ChunkRow) -> Point:
    """A chunk to find."""
    words = searched_words(title, row.heading, row.body)
    return Point(
        row.id, job.scope, job.collection, job.document, job.revision, row.vector, words, written=int(time.time())
    )

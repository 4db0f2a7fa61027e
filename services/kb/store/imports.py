"""What the importer and the searcher ask of PostgreSQL: one round trip each."""

import uuid
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from services.common.db.engine import Database
from services.common.errors import Aborted
from services.kb.vectors.port import Scope, Vector

CLAIM = "SELECT * FROM kb.claim($1, $2, $3)"
PUT = "SELECT kb.put_chunks($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)"
LIVE = "SELECT kb.go_live($1, $2, $3, $4, $5, $6, $7, $8)"
REPORT = "SELECT kb.report($1, $2, $3, $4, $5, $6)"
KNOWN = "SELECT * FROM kb.known_vectors($1, $2)"
STANDING = """SELECT c.id, d.revision = c.revision AS live, c.embedding_id = $1 AS meant
FROM kb.chunks c JOIN kb.kb_documents d ON d.tenant_id = c.tenant_id AND d.id = c.document_id
WHERE d.revision = c.revision OR (d.wanted = c.revision AND d.state IN ('QUEUED', 'PARSING', 'INDEXING'))"""
POINTS = """SELECT c.id, c.tenant_id, d.bot, d.collection, c.document_id, c.revision,
CASE WHEN c.embedding_id = $2 THEN c.vector END AS vector, c.heading, c.body,
d.title, extract(epoch FROM c.created_at)::bigint AS written FROM kb.chunks c JOIN kb.kb_documents d
ON d.tenant_id = c.tenant_id AND d.id = c.document_id WHERE c.id = ANY ($1)"""
BOT_REVISION = "SELECT kb.bot_revision($1, $2)"
PASSAGES = "SELECT * FROM kb.read_passages($1, $2, $3)"
AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Job:
    """An import this process holds the lease of."""

    tenant: uuid.UUID
    document: uuid.UUID
    bot: str
    collection: str
    path: str
    content_type: str
    source: bytes
    revision: int
    attempts: int
    lease: uuid.UUID

    @property
    def scope(self) -> Scope:
        """Whose it is."""
        return Scope(str(self.tenant), self.bot)


@dataclass(frozen=True, slots=True)
class ChunkRow:
    """A chunk as it is kept."""

    id: uuid.UUID
    ordinal: int
    start: int
    end: int
    heading: str
    body: str
    digest: bytes
    vector: Vector


@dataclass(frozen=True, slots=True)
class Standing:
    """Chunks of all tenants. live: of live revisions, and whether their vectors are the model's. coming: of imports
    that are under way or will be tried again.
    """

    live: dict[uuid.UUID, bool]
    coming: set[uuid.UUID]


class Imports:
    """`relay` sees the imports of all tenants; `database` one tenant's."""

    def __init__(self, database: Database, relay: Database) -> None:
        self._database = database
        self._relay = relay

    async def claim(self, seconds: float, attempts: int) -> Job | None:
        """The next import that is due."""
        lease = uuid.uuid4()
        rows = await self._relay.call(CLAIM, lease, seconds, attempts)
        if not rows:
            return None
        row = rows[0]
        return Job(
            row["tenant_id"],
            row["id"],
            row["bot"],
            row["collection"],
            row["path"],
            row["content_type"],
            row["source"] or b"",
            row["wanted"],
            row["attempts"],
            lease,
        )

    async def put_chunks(self, job: Job, rows: Sequence[ChunkRow], model: str, seconds: float) -> None:
        """Keep chunks of the coming revision, and the lease. Aborted when it was lost."""
        columns: list[list[Any]] = [
            [row.id for row in rows],
            [row.ordinal for row in rows],
            [row.start for row in rows],
            [row.end for row in rows],
            [row.heading for row in rows],
            [row.body for row in rows],
            [row.digest for row in rows],
            [row.vector.astype("<f4").tobytes() for row in rows],
        ]
        held(
            await self._database.call(PUT, job.tenant, job.document, job.revision, job.lease, model, *columns, seconds)
        )

    async def go_live(self, job: Job, title: str, content: str, model: str, count: int) -> None:
        """Switch to the coming revision. Aborted when the lease was lost."""
        held(
            await self._database.call(
                LIVE, job.tenant, job.document, job.revision, job.lease, title, content, model, count
            )
        )

    async def report(self, job: Job, state: str, reason: str = "", seconds: float = 0.0) -> None:
        """Say how far it is; `seconds` until the next try, or until the lease ends. Aborted when it was lost."""
        held(await self._database.call(REPORT, job.tenant, job.document, job.lease, state, reason[:500], seconds))

    async def known_vectors(self, job: Job) -> dict[bytes, Vector]:
        """Vectors of the document's chunks by digest of what was embedded."""
        rows = await self._database.call(KNOWN, job.tenant, job.document)
        return {row["digest"]: np.frombuffer(row["vector"], dtype="<f4") for row in rows}

    async def standing(self, model: str) -> Standing:
        """What an index with vectors of a model is compared with."""
        rows = await self._relay.call(STANDING, model)
        return Standing(
            {row["id"]: row["meant"] for row in rows if row["live"]}, {row["id"] for row in rows if not row["live"]}
        )

    async def points(self, ids: Sequence[uuid.UUID], model: str) -> AsyncIterator[list[Any]]:
        """Rows to make points of, in portions; `vector` is None where it is another model's."""
        for first in range(0, len(ids), AT_ONCE):
            yield await self._relay.call(POINTS, list(ids[first : first + AT_ONCE]), model)

    async def bot_revision(self, scope: Scope) -> int:
        """What searches of a bot see now."""
        return int((await self._database.call(BOT_REVISION, scope.tenant, scope.bot))[0][0])

    async def passages(self, scope: Scope, ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, Any]:
        """Live chunks by id."""
        rows = await self._database.call(PASSAGES, scope.tenant, scope.bot, list(ids))
        return {row["id"]: row for row in rows}


def held(rows: Sequence[Any]) -> None:
    """Aborted when the lease was not ours any more."""
    if not rows[0][0]:
        raise Aborted("the import belongs to another process now", reason="LEASE_LOST")

"""Documents whose vectors are another model's: one round trip a question."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from services.common.db.engine import Database
from services.common.errors import Aborted
from services.kb.vectors.port import Scope, Vector

CLAIM = "SELECT * FROM kb.claim_stale($1, $2, $3)"
CHUNKS = "SELECT * FROM kb.stale_chunks($1, $2, $3, $4, $5)"
PUT = "SELECT kb.put_vectors($1, $2, $3, $4, $5, $6, $7, $8)"
PUT_OFF = "SELECT kb.put_off_stale($1, $2, $3, $4)"
LEFT = "SELECT count(*) FROM kb.kb_documents WHERE revision > 0 AND (embedding_id < $1 OR embedding_id > $1)"


@dataclass(frozen=True, slots=True)
class StaleDocument:
    """One this process holds the lease of; `revision` is the live one."""

    tenant: uuid.UUID
    id: uuid.UUID
    bot: str
    collection: str
    title: str
    revision: int
    lease: uuid.UUID

    @property
    def scope(self) -> Scope:
        """Whose it is."""
        return Scope(str(self.tenant), self.bot)


@dataclass(frozen=True, slots=True)
class Renewed:
    """A chunk's new vector, and the digest of what was embedded."""

    id: uuid.UUID
    digest: bytes
    vector: Vector


class StaleDocuments:
    """`relay` sees those of all tenants; `database` one tenant's. `model` is the present one's identity."""

    def __init__(self, database: Database, relay: Database, model: str) -> None:
        self._database = database
        self._relay = relay
        self._model = model

    async def claim(self, seconds: float) -> StaleDocument | None:
        """The next one that is due, for so long."""
        lease = uuid.uuid4()
        rows = await self._relay.call(CLAIM, lease, seconds, self._model)
        if not rows:
            return None
        row = rows[0]
        return StaleDocument(
            row["tenant_id"], row["id"], row["bot"], row["collection"], row["title"], row["revision"], lease
        )

    async def chunks(self, document: StaleDocument, limit: int) -> list[Any]:
        """The first of its chunks that have no vector of the model: id, heading, body."""
        return await self._database.call(CHUNKS, document.tenant, document.id, document.revision, self._model, limit)

    async def put(self, document: StaleDocument, rows: Sequence[Renewed]) -> int:
        """Keep vectors and give the lease back; how many chunks are left. Aborted when the lease was lost."""
        columns: list[list[Any]] = [
            [row.id for row in rows],
            [row.digest for row in rows],
            [row.vector.astype("<f4").tobytes() for row in rows],
        ]
        answer = await self._database.call(
            PUT, document.tenant, document.id, document.revision, document.lease, self._model, *columns
        )
        if answer[0][0] is None:
            raise Aborted("the document belongs to another process or import now", reason="LEASE_LOST")
        return int(answer[0][0])

    async def put_off(self, document: StaleDocument, seconds: float) -> None:
        """Give the lease back; not due for so long."""
        await self._database.call(PUT_OFF, document.tenant, document.id, document.lease, seconds)

    async def left(self) -> int:
        """Documents of all tenants."""
        return int((await self._relay.call(LEFT, self._model))[0][0])

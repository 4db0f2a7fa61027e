"""What the sweeper finds and forgets, across tenants, as the relay's role."""

import datetime
import uuid
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass

from services.common.db.engine import Database

EXPIRE = """WITH gone AS (
    DELETE FROM drive.files f USING (
        SELECT tenant_id, id FROM drive.files WHERE state = 'UPLOADING' AND expires_at <= now()
        ORDER BY expires_at LIMIT $1 FOR UPDATE SKIP LOCKED
    ) late WHERE f.tenant_id = late.tenant_id AND f.id = late.id RETURNING 1
) SELECT count(*) FROM gone"""
TAKE = """UPDATE drive.garbage g SET taken = true, due = now() + $2::interval FROM (
    SELECT tenant_id, id FROM drive.garbage WHERE due <= now() ORDER BY due LIMIT $1 FOR UPDATE SKIP LOCKED
) over WHERE g.tenant_id = over.tenant_id AND g.id = over.id RETURNING g.id, g.object_key"""
FORGET = "DELETE FROM drive.garbage WHERE id = ANY ($1::uuid[])"


@dataclass(frozen=True, slots=True)
class Discarded:
    """An entry that was taken, and the key of the object to remove."""

    id: uuid.UUID
    key: str


class Garbage:
    """Uploads nobody completed, objects no file has."""

    def __init__(self, relay: Database) -> None:
        self._relay = relay

    def leading(self) -> AbstractAsyncContextManager[bool]:
        """Whether this process sweeps now."""
        return self._relay.leading("sweep")

    async def expire(self, most: int) -> int:
        """Forget uploads whose time is over; how many."""
        return int((await self._relay.call(EXPIRE, most))[0][0])

    async def take(self, most: int, lease: float) -> list[Discarded]:
        """Entries that are due. They cannot go live any more; unless forgotten, they are due again after the lease."""
        rows = await self._relay.call(TAKE, most, datetime.timedelta(seconds=lease))
        return [Discarded(row["id"], row["object_key"]) for row in rows]

    async def forget(self, identifiers: Sequence[uuid.UUID]) -> None:
        """Their objects are gone."""
        await self._relay.call(FORGET, list(identifiers))

"""request_id: what was asked with it before, and what was answered."""

import hashlib
import json
import uuid
from dataclasses import dataclass

from google.protobuf.message import Message
from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.common.errors import AlreadyExists
from services.drive.domain.viewing import Viewer

CLAIM = text("""INSERT INTO drive.requests (tenant_id, subject, request_id, digest)
VALUES (:tenant, :subject, :request_id, :digest) ON CONFLICT DO NOTHING""")
EARLIER = text("""SELECT digest, response FROM drive.requests
WHERE tenant_id = :tenant AND subject = :subject AND request_id = :request_id""")
ANSWER = text("""UPDATE drive.requests SET response = :response
WHERE tenant_id = :tenant AND subject = :subject AND request_id = :request_id""")


@dataclass(frozen=True, slots=True)
class Once:
    """A request_id and a digest of what was asked with it. An empty id is no id: each such request is a new one."""

    request_id: str
    digest: bytes

    async def earlier(self, connection: AsyncConnection, viewer: Viewer) -> bytes | None:
        """The answer of the same request, None when there was none. AlreadyExists when the id came with another."""
        if not self.request_id:
            return None
        return self._checked((await connection.execute(EARLIER, self._key(viewer))).one_or_none())

    async def claim(self, connection: AsyncConnection, viewer: Viewer) -> bytes | None:
        """None: the work is ours, in this transaction, and answer() ends it. Else the earlier answer.

        Waits for another transaction with the same id. AlreadyExists when the id came with another request.
        """
        if not self.request_id:
            return None
        if (await connection.execute(CLAIM, {**self._key(viewer), "digest": self.digest})).rowcount:
            return None
        return self._checked((await connection.execute(EARLIER, self._key(viewer))).one_or_none())

    async def answer(self, connection: AsyncConnection, viewer: Viewer, made: Message) -> None:
        """Keep what was answered."""
        if self.request_id:
            await connection.execute(ANSWER, {**self._key(viewer), "response": made.SerializeToString()})

    def _checked(self, row: Row[tuple[bytes, bytes]] | None) -> bytes | None:
        if row is None:
            return None
        if bytes(row.digest) != self.digest:
            raise AlreadyExists("this request_id came with another request", reason="REQUEST_ID_REUSED")
        return bytes(row.response or b"")

    def _key(self, viewer: Viewer) -> dict[str, object]:
        return {
            "tenant": uuid.UUID(viewer.tenant),
            "subject": viewer.subject,
            "request_id": uuid.UUID(self.request_id),
        }


def once(request: Message, *asked: object) -> Once:
    """Of a request and what it asks for, as JSON values; bytes are given as their digest."""
    said = json.dumps([request.DESCRIPTOR.full_name, *asked]).encode()
    return Once(getattr(request, "request_id", ""), hashlib.blake2b(said, digest_size=32).digest())

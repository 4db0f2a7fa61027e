"""request_id: what is asked twice is done once."""

import hmac
import uuid
from collections.abc import Awaitable, Callable
from typing import TypeVar

from google.protobuf.message import Message
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.common import context
from services.common.errors import AlreadyExists

M = TypeVar("M", bound=Message)
# xmax is 0 in a row that this statement inserted; a second caller waits here until the first has committed.
CLAIM = text("""INSERT INTO channels.requests AS r (tenant_id, subject, request_id, digest)
VALUES (:tenant, :subject, :request_id, :digest)
ON CONFLICT (tenant_id, subject, request_id) DO UPDATE SET digest = r.digest
RETURNING r.digest, r.answer, r.xmax = 0 AS first""")
ANSWER = text("""UPDATE channels.requests SET answer = :answer
WHERE tenant_id = :tenant AND subject = :subject AND request_id = :request_id""")


class Requests:
    """Answers by (tenant, subject, request_id), kept in the transaction that does the work."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    async def once(
        self, connection: AsyncConnection, request: Message, kind: type[M], work: Callable[[], Awaitable[M]]
    ) -> M:
        """What `work` answers, or what it answered when this request came before.

        AlreadyExists REQUEST_ID_REUSED when the id came with another request.
        """
        given: str = getattr(request, "request_id", "")
        if not given:
            return await work()
        who = context.principal()
        key: dict[str, object] = {
            "tenant": uuid.UUID(who.tenant_id),
            "subject": who.subject,
            "request_id": uuid.UUID(given),
        }
        digest = self._digest(request)
        row = (await connection.execute(CLAIM, {**key, "digest": digest})).one()
        if not hmac.compare_digest(row.digest, digest):
            raise AlreadyExists("this request_id came with another request", reason="REQUEST_ID_REUSED")
        if not row.first:
            return kind.FromString(row.answer)
        made = await work()
        await connection.execute(ANSWER, {**key, "answer": made.SerializeToString()})
        return made

    def _digest(self, request: Message) -> bytes:
        name = request.DESCRIPTOR.full_name.encode()
        return hmac.digest(self._key, name + b"\n" + request.SerializeToString(deterministic=True), "sha256")

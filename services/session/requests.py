"""request_id: a mutation that is sent twice happens once, and both are answered alike."""

import hmac
import uuid
from collections.abc import Awaitable, Callable
from typing import TypeVar

from google.protobuf.message import Message
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.common.errors import AlreadyExists
from services.common.security.principal import Principal

M = TypeVar("M", bound=Message)

CLAIM = text("""INSERT INTO session.requests (tenant_id, subject, request_id, method, digest)
VALUES (:tenant, :subject, :request_id, :method, :digest) ON CONFLICT DO NOTHING""")
EARLIER = text("""SELECT method, digest, response FROM session.requests
WHERE tenant_id = :tenant AND subject = :subject AND request_id = :request_id""")
ANSWER = text("""UPDATE session.requests SET response = :response
WHERE tenant_id = :tenant AND subject = :subject AND request_id = :request_id""")


class RequestLog:
    """Remembers answers by (tenant, subject, request_id) in the transaction that does the work.

    A second caller with the same id waits for the first to commit, and gets its answer; if the first fails, the second
    does the work. Digests are keyed, so a stored one tells nothing about a password in the request.
    """

    def __init__(self, key: bytes) -> None:
        self._key = key

    def digest(self, request: Message) -> bytes:
        """A keyed hash of a request."""
        return hmac.digest(self._key, request.SerializeToString(deterministic=True), "sha256")

    async def once(
        self,
        connection: AsyncConnection,
        principal: Principal,
        request: Message,
        answer: type[M],
        work: Callable[[], Awaitable[M]],
        *,
        secrets: tuple[str, ...] = (),
    ) -> M:
        """Do `work` unless this request did it before. The transaction must be of the principal's tenant.

        The method is the type of the request. `secrets`: fields of the answer that are shown once and not kept.
        Raises AlreadyExists REQUEST_ID_REUSED when the id came with another request.
        """
        request_id: str = getattr(request, "request_id", "")
        if not request_id:
            return await work()
        key: dict[str, object] = {
            "tenant": uuid.UUID(principal.tenant_id),
            "subject": principal.subject,
            "request_id": uuid.UUID(request_id),
        }
        claim: dict[str, object] = {"method": request.DESCRIPTOR.full_name, "digest": self.digest(request)}
        if (await connection.execute(CLAIM, {**key, **claim})).rowcount == 0:
            return await self._earlier(connection, key, claim, answer)
        made = await work()
        await connection.execute(ANSWER, {**key, "response": without(made, secrets).SerializeToString()})
        return made

    async def _earlier(
        self, connection: AsyncConnection, key: dict[str, object], claim: dict[str, object], answer: type[M]
    ) -> M:
        row = (await connection.execute(EARLIER, key)).one()
        if (row.method, row.digest) != (claim["method"], claim["digest"]):
            raise AlreadyExists("this request_id came with another request", reason="REQUEST_ID_REUSED")
        return answer.FromString(row.response)


def without(message: M, fields: tuple[str, ...]) -> M:
    """A copy with some fields cleared."""
    copy = type(message)()
    copy.CopyFrom(message)
    for field in fields:
        copy.ClearField(field)
    return copy

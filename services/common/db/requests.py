"""What a request_id did: a mutation that is sent twice is done once, and both are answered alike."""

import asyncio
import hashlib
import hmac
import uuid
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, TypeVar

from google.protobuf.message import Message
from pydantic import SecretStr
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.common import context
from services.common.db import rls
from services.common.db.engine import Database
from services.common.errors import AlreadyExists, ParleyError
from services.common.telemetry.logs import logger

log = logger(__name__)
M = TypeVar("M", bound=Message)
LARGE_BYTES = 65_536
BATCH = 5000
TIDY_SECONDS = 600.0

TABLE = (
    """CREATE TABLE SCHEMA.requests (
    tenant_id uuid NOT NULL,
    subject varchar(255) NOT NULL,
    request_id uuid NOT NULL,
    digest bytea NOT NULL,
    response bytea NOT NULL DEFAULT '',
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, subject, request_id))""",
    "CREATE INDEX requests_by_time ON SCHEMA.requests (created_at)",
)
EARLIER = """SELECT digest, response FROM SCHEMA.requests
WHERE tenant_id = :tenant AND subject = :subject AND request_id = :request_id"""
# xmax is 0 in a row that this statement inserted; a second caller waits here until the first has committed.
CLAIM = """INSERT INTO SCHEMA.requests AS r (tenant_id, subject, request_id, digest)
VALUES (:tenant, :subject, :request_id, :digest)
ON CONFLICT (tenant_id, subject, request_id) DO UPDATE SET digest = r.digest
RETURNING r.digest, r.response, r.xmax = 0 AS first"""
ANSWER = """UPDATE SCHEMA.requests SET response = :response
WHERE tenant_id = :tenant AND subject = :subject AND request_id = :request_id"""
FORGET = """WITH gone AS (DELETE FROM SCHEMA.requests WHERE ctid = ANY (ARRAY(
    SELECT ctid FROM SCHEMA.requests WHERE created_at < now() - $1::interval LIMIT $2 FOR UPDATE SKIP LOCKED
)) RETURNING 1) SELECT count(*) FROM gone"""


@dataclass(frozen=True, slots=True)
class Asked:
    """Who asked under which id, and a keyed digest of what. Without an id each request is a new one."""

    key: Mapping[str, object] = field(default_factory=dict)
    digest: bytes = b""


UNNAMED = Asked()


class RequestLog:
    """Answers by (tenant, subject, request_id), kept in the transaction that does the work.

    A second caller with the same id waits for the first to commit, and gets its answer; if the first fails, the second
    does the work. Digests are keyed with what `secret` gives, so a stored one tells nothing of a password in a request.
    """

    def __init__(self, schema: str, secret: SecretStr) -> None:
        given = secret.get_secret_value().encode()
        self._key = hashlib.blake2b(given, digest_size=32, person=b"request digests").digest()
        self._earlier, self._claim, self._answer = (text(within(schema, one)) for one in (EARLIER, CLAIM, ANSWER))

    async def asked(self, request: Message) -> Asked:
        """A request of the person who calls. One is another when any of its bytes is."""
        given: str = getattr(request, "request_id", "")
        if not given:
            return UNNAMED
        who = context.principal()
        key = {"tenant": uuid.UUID(who.tenant_id), "subject": who.subject, "request_id": uuid.UUID(given)}
        said = request.DESCRIPTOR.full_name.encode() + b"\n" + request.SerializeToString(deterministic=True)
        digest = await asyncio.to_thread(self._digest, said) if len(said) > LARGE_BYTES else self._digest(said)
        return Asked(key, digest)

    def _digest(self, said: bytes) -> bytes:
        return hashlib.blake2b(said, key=self._key, digest_size=32).digest()

    async def once(
        self,
        connection: AsyncConnection,
        asked: Asked,
        kind: type[M],
        work: Callable[[], Awaitable[M]],
        *,
        secrets: tuple[str, ...] = (),
    ) -> M:
        """What `work` answers, or what it answered when this request came before.

        `secrets`: fields of the answer that are shown once and not kept. AlreadyExists REQUEST_ID_REUSED.
        """
        earlier = await self.claim(connection, asked, kind)
        if earlier is not None:
            return earlier
        made = await work()
        await self.answer(connection, asked, without(made, secrets))
        return made

    async def earlier(self, connection: AsyncConnection, asked: Asked, kind: type[M]) -> M | None:
        """The answer of the same request, None when there is none yet. AlreadyExists REQUEST_ID_REUSED."""
        if not asked.key:
            return None
        row = (await connection.execute(self._earlier, asked.key)).one_or_none()
        return None if row is None else kept(row, asked, kind)

    async def claim(self, connection: AsyncConnection, asked: Asked, kind: type[M]) -> M | None:
        """None: the work is ours, in this transaction, and answer() ends it. Else the earlier answer.

        AlreadyExists REQUEST_ID_REUSED.
        """
        if not asked.key:
            return None
        row = (await connection.execute(self._claim, {**asked.key, "digest": asked.digest})).one()
        return None if row.first else kept(row, asked, kind)

    async def answer(self, connection: AsyncConnection, asked: Asked, made: Message) -> None:
        """Keep what is answered."""
        if asked.key:
            await connection.execute(self._answer, {**asked.key, "response": made.SerializeToString()})


def kept(row: Any, asked: Asked, kind: type[M]) -> M:  # noqa: ANN401 - a row
    """The answer in a row. AlreadyExists REQUEST_ID_REUSED when it belongs to another request."""
    if not hmac.compare_digest(bytes(row.digest), asked.digest):
        raise AlreadyExists("this request_id came with another request", reason="REQUEST_ID_REUSED")
    return kind.FromString(bytes(row.response))


def without(message: M, fields: tuple[str, ...]) -> M:
    """A copy with some fields cleared."""
    copy = type(message)()
    copy.CopyFrom(message)
    for name in fields:
        copy.ClearField(name)
    return copy


def within(schema: str, statement: str) -> str:
    """A statement about the requests of one service."""
    return statement.replace("SCHEMA", schema)


def make_table(operations: Any, schema: str) -> None:  # noqa: ANN401 - alembic's op
    """The table `requests` of a service, for its migration: the same for all."""
    for statement in TABLE:
        operations.execute(within(schema, statement))
    rls.protect(operations, schema, "requests", relay=True)


async def forget(relay: Database, days: int) -> int:
    """Remove requests too old to be repeated, of all tenants, 5000 at most; how many went."""
    return int((await relay.call(within(relay.schema, FORGET), timedelta(days=days), BATCH))[0][0])


async def keep_tidy(relay: Database, days: int) -> None:
    """Forget old requests; for ever. Several processes may: what one removes the others pass over."""
    while True:
        gone = 0
        try:
            gone = await forget(relay, days)
        except ParleyError as error:
            log.debug("old requests stay for now", error=type(error).__name__)
        await asyncio.sleep(0 if gone >= BATCH else TIDY_SECONDS)

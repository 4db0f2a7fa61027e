"""The hot path: each transition of the ledger is one SQL function, one round trip, one transaction."""

import datetime
import uuid
from collections.abc import Sequence
from dataclasses import dataclass

import asyncpg
from parley.session.v1 import ledger_service_pb2 as ledger_pb

from services.common.db.engine import Database
from services.session.domain.replies import ReplyColumns

POST = "SELECT * FROM session.post_message($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)"
CLAIM = """SELECT c.* FROM unnest($1::uuid[], $2::uuid[]) AS k (tenant, session)
CROSS JOIN LATERAL session.claim_turn(k.tenant, k.session, $3, $4) AS c"""
RENEW = "SELECT session.renew_lease($1, $2, $3, $4, $5) AS until"
ABANDON = "SELECT session.abandon_turn($1, $2, $3, $4, $5) AS given_up"
JOURNAL = "SELECT * FROM session.read_journal($1, $2, $3)"
CHECKPOINT = """SELECT * FROM session.checkpoint_turn(
$1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23)"""
COMMIT = """SELECT * FROM session.commit_turn(
$1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24, $25,
$26, $27)"""
READY = """SELECT w.tenant_id, w.session_id FROM session.session_wakeups w
JOIN session.user_sessions u ON u.tenant_id = w.tenant_id AND u.id = w.session_id
WHERE w.wake_at <= clock_timestamp() - $1::interval AND w.reason <> 'expiry'
  AND (u.lease_until IS NULL OR u.lease_until < clock_timestamp())
ORDER BY w.wake_at LIMIT $2"""
EXPIRED = """SELECT tenant_id, session_id FROM session.session_wakeups
WHERE wake_at <= clock_timestamp() AND reason = 'expiry' ORDER BY wake_at LIMIT $1"""
CLOSE = "SELECT session.close_session($1, $2, $3, $4, $5, $6) AS last_seq"


@dataclass(frozen=True, slots=True)
class Announcement:
    """What a write tells the listeners, and the channel if there is one; written to the outbox with it."""

    event_id: uuid.UUID
    subject: str
    payload: bytes
    delivery_id: uuid.UUID | None = None
    delivery_subject: str | None = None
    delivery: bytes | None = None

    def arguments(self) -> tuple[object, ...]:
        """In the order of the SQL functions."""
        return (
            self.event_id,
            self.subject,
            self.payload,
            self.delivery_id,
            self.delivery_subject,
            self.delivery,
        )


@dataclass(frozen=True, slots=True)
class Fence:
    """Tenant, session, epoch and token of a lease."""

    tenant: uuid.UUID
    session: uuid.UUID
    epoch: int
    token: uuid.UUID

    @classmethod
    def of(cls, lease: ledger_pb.Lease) -> "Fence":
        """From its message, which validation has already checked."""
        return cls(
            uuid.UUID(lease.key.tenant),
            uuid.UUID(lease.key.session.removeprefix("sessions/")),
            lease.epoch,
            uuid.UUID(lease.token),
        )


@dataclass(frozen=True, slots=True)
class Posting:
    """One message to post."""

    tenant: uuid.UUID
    session: uuid.UUID
    subject: str
    key: str
    digest: bytes
    message_id: uuid.UUID
    text: str
    extras: bytes | None
    request_id: str
    timeout: datetime.timedelta


@dataclass(frozen=True, slots=True)
class Closing:
    """How a turn leaves its session."""

    consumed_seq: int
    waiting: str
    until: datetime.datetime | None
    ends: bool
    timeout: datetime.timedelta
    changes: Sequence[tuple[str, str, str | None]] = ()


class Ledger:
    """Post, claim, checkpoint, commit."""

    def __init__(self, database: Database, relay: Database) -> None:
        self._database = database
        self._relay = relay

    async def post(self, posting: Posting) -> asyncpg.Record:
        """Append input. The record's outcome is posted, duplicate, closed or missing."""
        rows = await self._database.call(
            POST,
            posting.tenant,
            posting.session,
            posting.subject,
            posting.key,
            posting.digest,
            posting.message_id,
            posting.text,
            posting.extras,
            posting.request_id,
            posting.timeout,
        )
        return rows[0]

    async def claim(
        self, keys: Sequence[tuple[uuid.UUID, uuid.UUID]], worker: str, lease: datetime.timedelta
    ) -> list[asyncpg.Record]:
        """Claim what is ready among (tenant, session) pairs; those that are not are left out."""
        ordered = sorted(set(keys))
        tenants, sessions = [key[0] for key in ordered], [key[1] for key in ordered]
        return await self._database.call(CLAIM, tenants, sessions, worker, lease)

    async def journal(self, tenant: uuid.UUID, session: uuid.UUID, turn: int) -> list[asyncpg.Record]:
        """Effects that an open turn has recorded."""
        return await self._database.call(JOURNAL, tenant, session, turn)

    async def renew(self, fence: Fence, duration: datetime.timedelta) -> datetime.datetime | None:
        """Prolong a lease; None when it belongs to another."""
        rows = await self._database.call(RENEW, fence.tenant, fence.session, fence.epoch, fence.token, duration)
        until: datetime.datetime | None = rows[0]["until"]
        return until

    async def abandon(self, fence: Fence, delay: datetime.timedelta) -> bool:
        """Give a turn back; False when it belonged to another already."""
        rows = await self._database.call(ABANDON, fence.tenant, fence.session, fence.epoch, fence.token, delay)
        return bool(rows[0]["given_up"])

    async def checkpoint(
        self,
        fence: Fence,
        turn: int,
        replies: ReplyColumns,
        request: ledger_pb.CheckpointTurnRequest,
        announcement: Announcement,
    ) -> asyncpg.Record | None:
        """Make part of a turn durable; None when the lease is lost."""
        journal = request.journal
        rows = await self._database.call(
            CHECKPOINT,
            fence.tenant,
            fence.session,
            fence.epoch,
            fence.token,
            request.lease_duration.ToTimedelta(),
            turn,
            *arrays(replies),
            request.state,
            request.bot_version,
            [entry.key for entry in journal],
            [entry.kind for entry in journal],
            [entry.result for entry in journal],
            *announcement.arguments(),
        )
        return rows[0] if rows else None

    async def commit(
        self,
        fence: Fence,
        turn: int,
        replies: ReplyColumns,
        state: tuple[bytes, str],
        closing: Closing,
        announcement: Announcement,
    ) -> asyncpg.Record | None:
        """End a turn; None when the lease is lost. `state` is the machine state and its bot version."""
        rows = await self._database.call(
            COMMIT,
            fence.tenant,
            fence.session,
            fence.epoch,
            fence.token,
            closing.consumed_seq,
            turn,
            *arrays(replies),
            *state,
            closing.waiting,
            closing.until,
            closing.ends,
            closing.timeout,
            [change[0] for change in closing.changes],
            [change[1] for change in closing.changes],
            [change[2] for change in closing.changes],
            *announcement.arguments(),
        )
        return rows[0] if rows else None

    async def ready(self, grace: datetime.timedelta, limit: int) -> list[tuple[uuid.UUID, uuid.UUID]]:
        """Sessions of all tenants that have waited longer than `grace` for a worker."""
        rows = await self._relay.call(READY, grace, limit)
        return [(row["tenant_id"], row["session_id"]) for row in rows]

    async def expired(self, limit: int) -> list[tuple[uuid.UUID, uuid.UUID]]:
        """Sessions of all tenants whose time is over."""
        rows = await self._relay.call(EXPIRED, limit)
        return [(row["tenant_id"], row["session_id"]) for row in rows]

    async def close(self, tenant: uuid.UUID, session: uuid.UUID, status: str, announcement: Announcement) -> int | None:
        """Close a session (`ended` now, `expired` if its time is over); its last seq, None when nothing changed."""
        rows = await self._database.call(
            CLOSE, tenant, session, status, announcement.event_id, announcement.subject, announcement.payload
        )
        last_seq: int | None = rows[0]["last_seq"]
        return last_seq


def arrays(replies: ReplyColumns) -> tuple[object, ...]:
    """In the order of the SQL functions."""
    return (replies.ids, replies.roles, replies.contents, replies.payloads, replies.ordinals, replies.tokens)

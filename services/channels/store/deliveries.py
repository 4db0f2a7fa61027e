"""Replies on their way out."""

import datetime
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from parley.channels.v1 import channel_service_pb2 as pb
from parley.session.v1 import ledger_service_pb2 as ledger_pb
from sqlalchemy import Row, text

from services.channels.domain.port import OpenChannel
from services.channels.store.channels import GET, Channels, key, missing
from services.common.db.engine import Database
from services.common.errors import InvalidArgument
from services.common.identifiers import parse_name, parse_uuid
from services.common.telemetry.logs import logger

STORE = "SELECT * FROM channels.store_delivery($1, $2, $3, $4, $5, $6, $7, $8, $9)"
CLAIM = "SELECT * FROM channels.claim_queues($1, $2, $3, $4, $5, $6, $7)"
TAKE = "SELECT * FROM channels.take_delivery($1, $2, $3, $4, $5)"
SETTLE = "SELECT channels.settle_delivery($1, $2, $3, $4, $5, $6, $7, $8, $9)"
LET_GO = """UPDATE channels.queues SET lease = NULL, due = clock_timestamp() WHERE lease = $1
AND tenant_id = $2 AND channel_id = $3 AND session_id = $4"""
RELEASE = "SELECT channels.release_held($1)"
GIVE_UP = "SELECT channels.give_up_disabled($1, $2, $3)"
NOW = "SELECT clock_timestamp()"
COLUMNS = """id, session_id, state, attempts, last_status, last_error, next_attempt_at, created_at, updated_at"""
LIST = text(
    f"""SELECT {COLUMNS} FROM channels.deliveries WHERE tenant_id = :tenant AND channel_id = :id
    AND (created_at, id) < (:before, :last) AND (:state = '' OR state = :state)
    ORDER BY created_at DESC, id DESC LIMIT :limit"""  # noqa: S608
)
FORGET = "SELECT channels.forget_old($1, $2, $3)"
log = logger(__name__)
NEWEST = (datetime.datetime(9999, 1, 1, tzinfo=datetime.UTC), uuid.UUID(int=2**128 - 1))
FAREWELL = "the channel stayed disabled for too long"
BATCH = 1000


@dataclass(frozen=True, slots=True)
class Queue:
    """A session whose replies this process sends now."""

    tenant: uuid.UUID
    channel: str
    session: uuid.UUID
    lease: uuid.UUID

    def arguments(self) -> tuple[object, ...]:
        """In the order of the SQL functions."""
        return (self.tenant, self.channel, self.session, self.lease)


@dataclass(frozen=True, slots=True)
class Job:
    """A reply to send. `attempts`: this one included; `age`: seconds since it came."""

    id: uuid.UUID
    channel: OpenChannel
    delivery: ledger_pb.Delivery
    attempts: int
    age: float


@dataclass(frozen=True, slots=True)
class Settlement:
    """What is noted of an attempt. `state`: PENDING, DELIVERED or FAILED; `wait`: seconds until the next one."""

    state: str
    status: int = 0
    error: str = ""
    wait: float = 0.0


class Deliveries:
    """`relay` sees the queues of all tenants; `database` one tenant's rows."""

    def __init__(self, database: Database, relay: Database, channels: Channels) -> None:
        self._database = database
        self._relay = relay
        self._channels = channels

    async def store(self, delivery: ledger_pb.Delivery, gap: float) -> tuple[str, bool]:
        """ "stored", "known" or "unknown" (no such channel), and whether it waits for one that may be missing.

        InvalidArgument for a delivery that cannot be read.
        """
        rows = await self._database.call(STORE, *columns(delivery), gap)
        return str(rows[0]["outcome"]), bool(rows[0]["held"])

    async def claim(
        self, seconds: float, limit: int, each: int, busy: Mapping[tuple[uuid.UUID, str], int]
    ) -> list[Queue]:
        """Sessions with something due, at most `each` of a channel less those of it that are `busy`."""
        lease = uuid.uuid4()
        tenants, channels = [item[0] for item in busy], [item[1] for item in busy]
        rows = await self._relay.call(CLAIM, lease, seconds, limit, each, tenants, channels, list(busy.values()))
        return [Queue(row["tenant_id"], row["channel_id"], row["session_id"], lease) for row in rows]

    async def take(self, queue: Queue, seconds: float) -> Job | None:
        """The next reply of a session, None when there is none now; then the lease is given back."""
        rows = await self._database.call(TAKE, *queue.arguments(), seconds)
        if not rows:
            return None
        row = rows[0]
        sealed = row["sealed"]
        channel = OpenChannel(
            tenant=queue.tenant,
            id=queue.channel,
            kind=row["kind"],
            bot=f"bots/{row['bot']}",
            uri=row["uri"],
            secrets=[self._channels.opened(queue.tenant, queue.channel, sealed)] if sealed else (),
        )
        return Job(row["id"], channel, ledger_pb.Delivery.FromString(row["payload"]), row["attempts"], row["age"])

    async def settle(self, queue: Queue, job: Job, settlement: Settlement) -> bool:
        """Note how an attempt ended. False when the lease was lost: then it was not noted."""
        told = (settlement.state, settlement.status, settlement.error, settlement.wait)
        return bool((await self._database.call(SETTLE, *queue.arguments(), job.id, *told))[0][0])

    async def let_go(self, queue: Queue) -> None:
        """Give a lease back at once."""
        await self._relay.call(LET_GO, queue.lease, queue.tenant, queue.channel, queue.session)

    async def now(self) -> datetime.datetime:
        """The database's clock."""
        found: datetime.datetime = (await self._relay.call(NOW))[0][0]
        return found

    async def release(self, until: datetime.datetime) -> int:
        """Let go what was held back before a time; how many sessions."""
        return int((await self._relay.call(RELEASE, until))[0][0])

    async def list(
        self, tenant: str, channel: str, state: str, before: tuple[datetime.datetime, uuid.UUID] | None, limit: int
    ) -> Sequence[tuple[pb.Delivery, tuple[datetime.datetime, uuid.UUID]]]:
        """Newest first, each with its position. NotFound."""
        moment, last = before or NEWEST
        values = key(tenant, channel) | {"state": state, "before": moment, "last": last, "limit": limit}
        async with self._database.unit_of_work(tenant) as connection:
            if (await connection.execute(GET, key(tenant, channel))).first() is None:
                raise missing(channel)
            rows = (await connection.execute(LIST, values)).all()
        return [(delivery_message(channel, row), (row.created_at, row.id)) for row in rows]

    async def tidy(self, budget: float, delivery_days: int, receipt_days: int) -> None:
        """Give up what disabled channels never took, and forget what is old."""
        while (await self._relay.call(GIVE_UP, budget, FAREWELL, BATCH))[0][0] >= BATCH:
            log.info("many replies given up")
        while (await self._relay.call(FORGET, delivery_days, receipt_days, BATCH))[0][0] >= BATCH:
            log.info("many old rows forgotten")


def columns(delivery: ledger_pb.Delivery) -> tuple[object, ...]:
    """In the order of store_delivery. InvalidArgument."""
    if not delivery.messages:
        raise InvalidArgument.field("messages", "one at least")
    first, last = delivery.messages[0], delivery.messages[-1]
    return (
        parse_uuid(delivery.tenant, "tenant"),
        parse_uuid(delivery.id, "id"),
        parse_name("channels/*", delivery.channel, "channel")[0],
        parse_uuid(parse_name("sessions/*", delivery.session, "session")[0], "session"),
        delivery.SerializeToString(),
        first.turn,
        first.ordinal,
        last.ordinal,
    )


def delivery_message(channel: str, row: Row[Any]) -> pb.Delivery:
    """A row as its message."""
    made = pb.Delivery(
        name=f"channels/{channel}/deliveries/{row.id}",
        state=pb.Delivery.State.Value(f"STATE_{row.state}"),
        attempts=row.attempts,
        last_status=row.last_status,
        last_error=row.last_error,
        session=f"sessions/{row.session_id}",
    )
    if row.state == "PENDING":
        made.next_attempt_time.FromDatetime(row.next_attempt_at)
    made.create_time.FromDatetime(row.created_at)
    made.update_time.FromDatetime(row.updated_at)
    return made

"""The outbox relay: what a commit promised to tell is told, at least once, whatever dies."""

import asyncio
import datetime
import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from services.common.bus.connection import ACK_SECONDS, Bus
from services.common.db.engine import Database
from services.common.errors import ParleyError
from services.common.telemetry.logs import logger
from services.common.telemetry.metrics import Metrics

log = logger(__name__)
BATCH_SECONDS = 0.05
SWEEP_SECONDS = 1.0
SWEEP_AGE = datetime.timedelta(seconds=2)
SWEEP_ROWS = 500
QUEUE_ROWS = 10_000
LEADER_LOCK = 0x7061_726C


@dataclass(frozen=True, slots=True)
class OutboxRow:
    """A row as it was written. `hold`: kept after publication until somebody confirms delivery."""

    id: uuid.UUID
    tenant_id: uuid.UUID
    subject: str
    payload: bytes
    durable: bool = True
    hold: bool = False


class OutboxRelay:
    """submit() right after the commit; run() marks what was acknowledged; sweep() finds what was forgotten."""

    def __init__(
        self, bus: Bus, relay: Database, metrics: Metrics, *, schema: str, redeliver_after: float = 30.0
    ) -> None:
        self._bus = bus
        self._relay = relay
        self._metrics = metrics
        self._schema = schema
        self._redeliver_after = datetime.timedelta(seconds=redeliver_after)
        self._done: list[OutboxRow] = []
        self._wake = asyncio.Event()
        self._publishing: set[asyncio.Task[None]] = set()

    def submit(self, rows: Sequence[OutboxRow]) -> None:
        """Publish now. What fails, or does not fit into the bound, stays for the sweeper."""
        if len(self._publishing) >= QUEUE_ROWS:
            return
        task = asyncio.create_task(self._publish(list(rows)))
        self._publishing.add(task)
        task.add_done_callback(self._publishing.discard)

    async def _publish(self, rows: list[OutboxRow]) -> None:
        try:
            futures = [await self._bus.publish_async(row.subject, row.payload, str(row.id)) for row in rows]
            async with asyncio.timeout(ACK_SECONDS):
                await asyncio.gather(*futures)
        except Exception as error:  # noqa: BLE001 - whatever it was, the row is still there
            log.debug("outbox row left to the sweeper", error=type(error).__name__)
            return
        self._done.extend(rows)
        self._wake.set()

    async def run(self) -> None:
        """Mark what was acknowledged, in batches; for ever."""
        while True:
            await self._wake.wait()
            await asyncio.sleep(BATCH_SECONDS)
            self._wake.clear()
            rows, self._done = self._done, []
            self._metrics.outbox_pending.set(len(self._publishing))
            try:
                await self._mark(rows)
            except ParleyError:
                log.debug("outbox not marked; the rows will be told again")

    async def _mark(self, rows: Sequence[OutboxRow]) -> None:
        told = [row.id for row in rows if not row.hold]
        held = [row.id for row in rows if row.hold]
        if told:
            await self._relay.call(f"DELETE FROM {self._schema}.outbox WHERE id = ANY($1::uuid[])", told)  # noqa: S608
        if held:
            await self._relay.call(
                f"UPDATE {self._schema}.outbox SET published_at = clock_timestamp() WHERE id = ANY($1::uuid[])",  # noqa: S608
                held,
            )

    async def sweep(self) -> None:
        """Tell again what nobody acknowledged; for ever. Several replicas may do so: ids make repeats recognisable."""
        while True:
            await asyncio.sleep(SWEEP_SECONDS)
            if not self._bus.connected:
                continue
            try:
                await self._sweep_once()
            except ParleyError:
                log.debug("outbox sweep postponed")

    async def _sweep_once(self) -> None:
        statement = f"""SELECT id, tenant_id, subject, payload, durable, hold FROM {self._schema}.outbox
        WHERE (published_at IS NULL AND created_at < clock_timestamp() - $1::interval)
           OR (hold AND published_at < clock_timestamp() - $2::interval)
        ORDER BY created_at, id LIMIT $3"""  # noqa: S608 - the schema is a constant of the service
        found = await self._relay.call(statement, SWEEP_AGE, self._redeliver_after, SWEEP_ROWS)
        rows = [OutboxRow(*tuple(row)) for row in found]
        if rows:
            log.info("outbox rows told again", rows=len(rows))
            await self._publish(rows)

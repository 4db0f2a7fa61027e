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
PUBLICATIONS = 2_000
UNMARKED_ROWS = 20_000


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
    """submit() right after the commit; run() marks what was acknowledged; sweep() finds what was forgotten.

    Rows are told at least once; the stream recognises a repeat by the row's id within two minutes, its readers always.
    """

    def __init__(
        self, bus: Bus, relay: Database, metrics: Metrics, *, schema: str, redeliver_after: float = 30.0
    ) -> None:
        self._bus = bus
        self._relay = relay
        self._metrics = metrics
        self._schema = schema
        self._redeliver_after = datetime.timedelta(seconds=redeliver_after)
        self._told: list[OutboxRow] = []
        self._wake = asyncio.Event()
        self._publishing: set[asyncio.Task[None]] = set()

    def submit(self, rows: Sequence[OutboxRow]) -> None:
        """Publish now. What fails, or does not fit into the bound, stays for the sweeper."""
        if not rows or len(self._publishing) >= PUBLICATIONS:
            return
        task = asyncio.create_task(self._tell_and_note(list(rows)))
        self._publishing.add(task)
        task.add_done_callback(self._publishing.discard)

    async def _tell_and_note(self, rows: list[OutboxRow]) -> None:
        told = await self._tell(rows)
        if told and len(self._told) < UNMARKED_ROWS:
            self._told.extend(told)
            self._wake.set()

    async def _tell(self, rows: Sequence[OutboxRow]) -> list[OutboxRow]:
        """Publish in order; the rows that arrived."""
        futures = [await self._publish(row) for row in rows]
        waiting = [future for future in futures if future is not None]
        if waiting:
            await asyncio.wait(waiting, timeout=ACK_SECONDS)
        return [row for row, future in zip(rows, futures, strict=True) if arrived(future)]

    async def _publish(self, row: OutboxRow) -> asyncio.Future[None] | None:
        try:
            if row.durable:
                return await self._bus.publish_async(row.subject, row.payload, str(row.id))
        except ParleyError as error:
            log.debug("outbox row left to the sweeper", error=type(error).__name__)
            return None
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        if self._bus.publish(row.subject, row.payload, self._bus.event_headers(row.subject, str(row.id))):
            future.set_result(None)
            return future
        return None

    async def run(self) -> None:
        """Mark what was acknowledged, in batches; for ever."""
        while True:
            await self._wake.wait()
            await asyncio.sleep(BATCH_SECONDS)
            self._wake.clear()
            rows, self._told = self._told, []
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
        """Tell again what nobody acknowledged; for ever. One process of all does it at a time."""
        while True:
            await asyncio.sleep(SWEEP_SECONDS)
            if not self._bus.connected:
                continue
            try:
                async with self._relay.leading("outbox") as leads:
                    while leads and await self._sweep_once():
                        log.debug("more outbox rows wait")
            except ParleyError as error:
                log.debug("outbox sweep postponed", error=type(error).__name__)

    async def _sweep_once(self) -> bool:
        """Whether to go on at once: there were as many as fit, and they arrived."""
        statement = f"""SELECT id, tenant_id, subject, payload, durable, hold FROM {self._schema}.outbox
        WHERE (published_at IS NULL AND created_at < clock_timestamp() - $1::interval)
           OR (hold AND published_at < clock_timestamp() - $2::interval)
        ORDER BY created_at, id LIMIT $3"""  # noqa: S608 - the schema is a constant of the service
        found = await self._relay.call(statement, SWEEP_AGE, self._redeliver_after, SWEEP_ROWS)
        rows = [OutboxRow(*tuple(row)) for row in found]
        told = await self._tell(rows)
        if told:
            log.info("outbox rows told again", rows=len(told))
            await self._mark(told)
        return len(told) == SWEEP_ROWS


def arrived(future: asyncio.Future[None] | None) -> bool:
    """Whether a publication was acknowledged; one that was not is given up."""
    if future is None or not future.done():
        if future is not None:
            future.cancel()
        return False
    return not future.cancelled() and future.exception() is None

"""What was used, written behind the answers: a bounded queue, in batches; a full queue loses rows and says so."""

import asyncio
import json
import random
import time
from collections import defaultdict
from dataclasses import dataclass

from prometheus_client import Counter

from services.common.db.engine import Database
from services.common.errors import ParleyError
from services.common.identifiers import uuid7
from services.common.telemetry.logs import logger
from services.common.telemetry.metrics import Metrics

log = logger(__name__)
ROWS_AT_ONCE = 500
ATTEMPTS = 5
WRITE = "SELECT llm.write_usage($1, $2::jsonb)"
PURGE = "SELECT llm.purge_usage($1, $2)"
PURGED_AT_ONCE = 5_000


@dataclass(frozen=True, slots=True)
class UsageRow:
    """One call of a model. outcome: "ok" or the reason of its failure."""

    tenant: str
    bot: str
    subject: str
    model: str
    operation: str
    outcome: str
    input_tokens: int
    output_tokens: int
    milliseconds: int


class UsageLog:
    """put() never waits; run() writes."""

    def __init__(self, database: Database, metrics: Metrics, *, rows: int, seconds: float) -> None:
        self._database = database
        self._queue: asyncio.Queue[tuple[str, dict[str, object]]] = asyncio.Queue(rows)
        self._seconds = seconds
        self._unwritten: list[tuple[str, dict[str, object]]] = []
        self.lost = Counter("llm_usage_lost", "Usage rows that could not be kept", registry=metrics.registry)

    def put(self, row: UsageRow) -> None:
        """Queue a row; without a tenant there is nobody to account it to."""
        if not row.tenant:
            return
        body = {name: getattr(row, name) for name in UsageRow.__slots__ if name != "tenant"}
        try:
            self._queue.put_nowait((row.tenant, {**body, "id": str(uuid7()), "at": time.time()}))
        except asyncio.QueueFull:
            self.lost.inc()

    async def run(self) -> None:
        """Write what comes; for ever. What is under way when it is cancelled stays for flush()."""
        while True:
            if not self._unwritten:
                self._unwritten.append(await self._queue.get())
                await asyncio.sleep(self._seconds)
            self._take()
            await self._write()

    async def flush(self) -> None:
        """Write what is left, once, at the end of the process."""
        self._take()
        while self._unwritten:
            await self._write(attempts=1)
            self._take()

    def _take(self) -> None:
        while len(self._unwritten) < ROWS_AT_ONCE and not self._queue.empty():
            self._unwritten.append(self._queue.get_nowait())

    async def _write(self, attempts: int = ATTEMPTS) -> None:
        """The batch, tenant by tenant. Rows have their own id, so that writing one again changes nothing."""
        tenants: dict[str, list[dict[str, object]]] = defaultdict(list)
        for tenant, body in self._unwritten:
            tenants[tenant].append(body)
        for tenant, rows in tenants.items():
            if not await self._written(tenant, rows, attempts):
                self.lost.inc(len(rows))
        self._unwritten.clear()

    async def _written(self, tenant: str, rows: list[dict[str, object]], attempts: int) -> bool:
        for attempt in range(attempts):
            try:
                await self._database.call(WRITE, tenant, json.dumps(rows))
            except ParleyError as error:
                log.warning("usage not written", rows=len(rows), error=type(error).__name__)
                if attempt + 1 < attempts:
                    await asyncio.sleep(min(0.2 * 2**attempt, 5.0))
            else:
                return True
        return False


class UsagePurge:
    """Forgets old rows of all tenants, as the sweepers' role; one of all processes at a time."""

    def __init__(self, relay: Database, *, days: int, seconds: float) -> None:
        self._relay = relay
        self._days = days
        self._seconds = seconds

    async def run(self) -> None:
        """For ever. While PostgreSQL is away it looks again later."""
        while True:
            await asyncio.sleep(self._seconds * random.uniform(0.8, 1.2))  # noqa: S311 - not a secret
            try:
                async with self._relay.leading("purge") as leads:
                    if leads:
                        await self.once()
            except ParleyError as error:
                log.debug("purge postponed", error=type(error).__name__)

    async def once(self, rows: int = PURGED_AT_ONCE) -> int:
        """Everything that is too old, in batches of `rows`, each a transaction of its own; how many rows that were."""
        gone = 0
        while count := int((await self._relay.call(PURGE, self._days, rows))[0][0]):
            gone += count
        if gone:
            log.info("old usage removed", rows=gone, days=self._days)
        return gone

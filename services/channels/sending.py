"""Sending: a session's replies one after the other, sessions side by side, processes share the work by leases."""

import asyncio
import contextlib
import time
import uuid
from collections import Counter

from services.channels.adapters.registry import Registry
from services.channels.config import ChannelsSettings
from services.channels.domain import retrying
from services.channels.domain.port import Outcome, Result
from services.channels.store.channels import Channels
from services.channels.store.deliveries import Deliveries, Job, Queue, Settlement
from services.common.errors import ParleyError
from services.common.telemetry.logs import logger

log = logger(__name__)
LONGEST_RUN = 64
TIDY_SECONDS = 600.0
GIVEN_UP = "given up: "
LONGEST_ERROR = 500
SETTLE_AGAIN_SECONDS = (0.1, 0.5, 2.0)


class Sender:
    """run() claims sessions that have something due; each is a task until its queue is empty or a reply must wait."""

    def __init__(
        self, settings: ChannelsSettings, registry: Registry, channels: Channels, deliveries: Deliveries
    ) -> None:
        self._settings = settings
        self._registry = registry
        self._channels = channels
        self._deliveries = deliveries
        self._wake = asyncio.Event()
        self._busy: Counter[tuple[uuid.UUID, str]] = Counter()
        self._tasks: set[asyncio.Task[None]] = set()

    def ring(self) -> None:
        """Something may be due."""
        self._wake.set()

    async def run(self) -> None:
        """Claim and send; for ever."""
        try:
            while True:
                if not await self._claim():
                    await self._pause()
        finally:
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)

    async def tidy(self) -> None:
        """Forget what is old; for ever."""
        settings = self._settings
        while True:
            await self._deliveries.tidy(settings.delivery_budget, settings.delivery_days, settings.receipt_days)
            await asyncio.sleep(TIDY_SECONDS)

    async def _claim(self) -> bool:
        """Whether to look again at once."""
        settings = self._settings
        self._wake.clear()
        room = settings.deliveries_at_once - len(self._tasks)
        if room <= 0:
            await asyncio.wait(self._tasks, return_when=asyncio.FIRST_COMPLETED)
            return True
        try:
            queues = await self._deliveries.claim(
                settings.delivery_lease, room, settings.deliveries_per_channel, self._busy
            )
        except ParleyError as error:
            log.debug("nothing claimed", error=type(error).__name__)
            return False
        for queue in queues:
            self._start(queue)
        return bool(queues)

    def _start(self, queue: Queue) -> None:
        which = (queue.tenant, queue.channel)
        self._busy[which] += 1
        task = asyncio.create_task(self._serve(queue))
        self._tasks.add(task)

        def over(done: asyncio.Task[None]) -> None:
            self._tasks.discard(done)
            self._busy[which] -= 1
            self._busy += Counter()  # those at nought go
            self._wake.set()

        task.add_done_callback(over)

    async def _pause(self) -> None:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._wake.wait(), self._settings.delivery_poll)

    async def _serve(self, queue: Queue) -> None:
        """One session. However it ends, another may go on with it: at once, or when the lease has run out."""
        try:
            for _ in range(LONGEST_RUN):
                if not await self._send_next(queue):
                    return
            await self._deliveries.let_go(queue)
        except asyncio.CancelledError:
            with contextlib.suppress(ParleyError):
                await self._deliveries.let_go(queue)
            raise
        except ParleyError as error:
            log.info("session left for later", session=str(queue.session), error=type(error).__name__)
        except Exception as error:
            log.exception("sending failed", session=str(queue.session), error=type(error).__name__)

    async def _send_next(self, queue: Queue) -> bool:
        """Whether the next reply of the session may be sent. ParleyError."""
        job = await self._deliveries.take(queue, self._settings.delivery_lease)
        if job is None:
            return False
        started = time.monotonic()
        outcome = await self._registry.of(job.channel.kind).deliver(job.channel, job.delivery, time.time())
        settlement = self._settlement(job, outcome, job.age + time.monotonic() - started)
        if not await self._settle(queue, job, settlement):
            log.warning("lease lost", session=str(queue.session), delivery=str(job.id))
            return False
        if outcome.result is Result.GONE:
            await self._channels.disable(job.channel.tenant, job.channel.id, job.channel.uri)
        log.info("reply sent", delivery=str(job.id), state=settlement.state, status=outcome.status)
        return settlement.state != "PENDING"

    async def _settle(self, queue: Queue, job: Job, settlement: Settlement) -> bool:
        """Tried again for a moment: what is not noted will be sent once more."""
        for seconds in SETTLE_AGAIN_SECONDS:
            try:
                return await self._deliveries.settle(queue, job, settlement)
            except ParleyError as error:
                if not error.retryable:
                    raise
                await asyncio.sleep(seconds)
        return await self._deliveries.settle(queue, job, settlement)

    def _settlement(self, job: Job, outcome: Outcome, age: float) -> Settlement:
        if outcome.result is Result.DELIVERED:
            return Settlement("DELIVERED", outcome.status)
        wait = retrying.wait_after(job.attempts, self._settings.delivery_backoff, outcome.retry_after)
        if retrying.worth_it(age, wait, self._settings.delivery_budget):
            return Settlement("PENDING", outcome.status, outcome.error[:LONGEST_ERROR], wait)
        return Settlement("FAILED", outcome.status, (GIVEN_UP + outcome.error)[:LONGEST_ERROR])

"""The worker: doorbells in, claims out, as many turns at once as its bound allows."""

import asyncio
import contextlib
import time
import uuid

from nats.aio.msg import Msg
from parley.session.v1 import ledger_service_pb2 as ledger_pb

from services.common import context
from services.common.bus import subjects
from services.common.errors import Aborted, ParleyError
from services.common.security.principal import Principal, service_principal
from services.common.telemetry.logs import logger
from services.common.telemetry.metrics import Metrics
from services.engine.turn import Tools, TurnRunner, lease_of

log = logger(__name__)
LARGEST_CLAIM = 64
LARGEST_BACKLOG = 10_000
POLL_SECONDS = 0.25
RENEWALS_PER_LEASE = 3
LONGEST_TURN_SECONDS = 600.0
MOST_ATTEMPTS = 5
RETRY_SECONDS = (0.1, 0.5, 2.0, 5.0)


class Worker:
    """Claims what is rung for; asks for anything ready while NATS is away."""

    def __init__(self, tools: Tools, metrics: Metrics) -> None:
        self._tools = tools
        self._metrics = metrics
        self._rung: dict[tuple[str, str], None] = {}
        self._wake = asyncio.Event()
        self._running: dict[tuple[str, str], TurnRunner] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._failures: dict[tuple[str, str], int] = {}
        self.name = tools.settings.worker_name

    async def listen(self) -> None:
        """Subscribe to the doorbells. The subscriptions outlive reconnects."""
        await self._tools.bus.subscribe(subjects.TURN_READY_ALL, self._on_bell, subjects.ENGINE_WORKERS)
        await self._tools.bus.subscribe(subjects.TURN_CANCELLED_ALL, self._on_cancel)

    async def _on_bell(self, message: Msg) -> None:
        tenant, session = message.subject.rsplit(".", 2)[1:]
        self.ring(tenant, session)

    def ring(self, tenant: str, session: str) -> None:
        """A turn may be ready. Beyond the bound it is dropped: the sweeper rings again."""
        if len(self._rung) < LARGEST_BACKLOG:
            self._rung[tenant, session] = None
            self._wake.set()

    async def _on_cancel(self, message: Msg) -> None:
        tenant, session = message.subject.rsplit(".", 2)[1:]
        running = self._running.get((tenant, session))
        if running is not None:
            running.cancelled.set()

    async def run(self) -> None:
        """Claim and run; for ever."""
        while True:
            room = self._tools.settings.worker_turns - len(self._tasks)
            if room <= 0:
                await asyncio.wait(self._tasks, return_when=asyncio.FIRST_COMPLETED)
                continue
            if not self._rung:
                await self._pause()
                if not self._rung and self._tools.bus.connected:
                    continue
            try:
                await self._claim(min(room, LARGEST_CLAIM))
            except ParleyError as error:
                log.debug("claim failed", reason=error.reason)
                await asyncio.sleep(POLL_SECONDS)

    async def _pause(self) -> None:
        self._wake.clear()
        if self._rung:
            return
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._wake.wait(), POLL_SECONDS)

    async def _claim(self, limit: int) -> None:
        keys: list[ledger_pb.SessionKey] = []
        while self._rung and len(keys) < limit:
            key = next(iter(self._rung))
            del self._rung[key]
            if key not in self._running:
                keys.append(ledger_pb.SessionKey(tenant=key[0], session=f"sessions/{key[1]}"))
        if not keys and self._tools.bus.connected:
            return
        request = ledger_pb.ClaimTurnsRequest(
            worker=self.name, sessions=keys, limit=limit, lease=lease_of(self._tools.settings)
        )
        with context.acting_for(service_principal("engine")):
            claimed = await self._tools.ledger.ClaimTurns(request)
        for turn in claimed.turns:
            task = asyncio.create_task(self._turn(turn))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _turn(self, turn: ledger_pb.Turn) -> None:
        started = time.perf_counter()
        key = (turn.lease.key.tenant, turn.lease.key.session.removeprefix("sessions/"))
        runner = TurnRunner(self._tools, turn)
        self._running[key] = runner
        renewal = asyncio.get_running_loop().call_later(self._renew_after(), self._start_renewal, turn)
        outcome, more = "failed", False
        try:
            with context.acting_for(originator(turn), seconds=LONGEST_TURN_SECONDS):
                more = await runner.run()
            outcome = "committed"
            self._failures.pop(key, None)
        except Aborted:
            outcome = "fenced"
        except ParleyError as error:
            outcome = await self._tried(turn, key, runner, error)
        except Exception as error:
            log.exception("turn failed", error=type(error).__name__)
            outcome = await self._tried(turn, key, runner, error)
        finally:
            renewal.cancel()
            self._running.pop(key, None)
            self._metrics.turns.labels(outcome).inc()
            self._metrics.turn_duration.observe(time.perf_counter() - started)
        if more:
            self.ring(*key)

    def _renew_after(self) -> float:
        return self._tools.settings.lease_seconds / RENEWALS_PER_LEASE

    def _start_renewal(self, turn: ledger_pb.Turn) -> None:
        task = asyncio.create_task(self._renew(turn))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _renew(self, turn: ledger_pb.Turn) -> None:
        key = (turn.lease.key.tenant, turn.lease.key.session.removeprefix("sessions/"))
        runner = self._running.get(key)
        while runner is not None and self._running.get(key) is runner:
            request = ledger_pb.RenewLeaseRequest(lease=turn.lease, duration=lease_of(self._tools.settings))
            try:
                with context.acting_for(service_principal("engine")):
                    await self._tools.ledger.RenewLease(request)
            except Aborted:
                return
            except ParleyError as error:
                log.debug("lease not renewed", reason=error.reason)
            await asyncio.sleep(self._renew_after())

    async def _tried(self, turn: ledger_pb.Turn, key: tuple[str, str], runner: TurnRunner, error: Exception) -> str:
        """Given back to be tried again, or given up: what fails by itself would fail for ever, and hold up the rest."""
        lasting = not (isinstance(error, ParleyError) and error.retryable)
        if lasting and self._failures.get(key, 0) + 1 >= MOST_ATTEMPTS:
            try:
                with context.acting_for(originator(turn), seconds=LONGEST_TURN_SECONDS):
                    await runner.give_up(error)
            except ParleyError as refused:
                log.warning("turn could not be given up", problem=str(refused)[:500])
            else:
                self._failures.pop(key, None)
                return "given up"
        await self._give_back(turn, key, error)
        return "failed"

    async def _give_back(self, turn: ledger_pb.Turn, key: tuple[str, str], error: Exception) -> None:
        """Let another try, later each time. When even that fails, the lease runs out by itself."""
        failures = self._failures.get(key, 0)
        if len(self._failures) < LARGEST_BACKLOG:
            self._failures[key] = failures + 1
        log.info("turn given back", error=type(error).__name__, problem=str(error)[:500], failures=failures)
        request = ledger_pb.AbandonTurnRequest(lease=turn.lease)
        request.delay.FromMilliseconds(int(RETRY_SECONDS[min(failures, len(RETRY_SECONDS) - 1)] * 1000))
        with contextlib.suppress(ParleyError), context.acting_for(service_principal("engine")):
            await self._tools.ledger.AbandonTurn(request)


def originator(turn: ledger_pb.Turn) -> Principal:
    """For whom the turn is run."""
    who = turn.originator
    return Principal(
        tenant_id=str(uuid.UUID(who.tenant)), subject=who.subject, roles=frozenset(who.roles), service="engine"
    )

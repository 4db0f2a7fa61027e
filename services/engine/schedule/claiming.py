"""Schedules that are due: claimed by one process of all, posted under a name that is the same whoever posts it."""

import asyncio
import datetime
import json
from typing import Any

import asyncpg
from parley.session.v1 import ledger_service_pb2 as ledger_pb
from parley.session.v1 import ledger_service_pb2_grpc as ledger_grpc
from parley.session.v1 import session_pb2 as pb

from services.common import context
from services.common.db.engine import Database
from services.common.errors import AlreadyExists, ParleyError
from services.common.security.principal import service_principal
from services.common.telemetry.logs import logger
from services.engine.schedule import policy, when

log = logger(__name__)
BATCH = 64
AT_ONCE = 16
POST_SECONDS = 10.0
SHORTEST_PAUSE = 0.005
# A claim outlasts its posting; after that the schedule is another's. The clock is the database's: replicas may differ.
CLAIM = """WITH due AS (
    SELECT tenant_id, bot_id, id FROM engine.schedules
    WHERE next_at <= clock_timestamp() AND NOT paused
      AND (claimed_until IS NULL OR claimed_until < clock_timestamp())
    ORDER BY next_at LIMIT $1 FOR UPDATE SKIP LOCKED)
UPDATE engine.schedules s SET claimed_until = clock_timestamp() + $2::interval
FROM due d WHERE s.tenant_id = d.tenant_id AND s.bot_id = d.bot_id AND s.id = d.id
RETURNING s.*, clock_timestamp() AS now"""
SETTLE = """UPDATE engine.schedules SET next_at = $5, claimed_until = NULL, last_at = $4, last_outcome = $6,
    last_session = $7 WHERE tenant_id = $1 AND bot_id = $2 AND id = $3 AND next_at = $4"""
REMOVE = "DELETE FROM engine.schedules WHERE tenant_id = $1 AND bot_id = $2 AND id = $3 AND next_at = $4"
GIVE_BACK = """UPDATE engine.schedules SET claimed_until = clock_timestamp() + interval '1 second'
WHERE tenant_id = $1 AND bot_id = $2 AND id = $3 AND next_at = $4"""
UPCOMING = """SELECT extract(epoch FROM min(next_at) - clock_timestamp())::float8 FROM engine.schedules
WHERE next_at IS NOT NULL AND NOT paused AND (claimed_until IS NULL OR claimed_until < clock_timestamp())"""


class Clockwork:
    """Looks for what is due, when it is due and every `poll` seconds. Any number of processes may."""

    def __init__(
        self, relay: Database, ledger: "ledger_grpc.LedgerServiceAsyncStub", *, poll: float, lease: float
    ) -> None:
        self._relay = relay
        self._ledger = ledger
        self._poll = poll
        self._lease = datetime.timedelta(seconds=lease)

    async def run(self) -> None:
        """Fire; for ever."""
        while True:
            try:
                count = await self.fire()
                pause = 0.0 if count == BATCH else await self._pause()
            except ParleyError as error:
                log.debug("schedules postponed", error=type(error).__name__)
                pause = self._poll
            await asyncio.sleep(pause)

    async def _pause(self) -> float:
        """Seconds until something is due, `poll` at most: another process may set a schedule meanwhile."""
        left: float | None = (await self._relay.call(UPCOMING))[0][0]
        return self._poll if left is None else min(max(left, SHORTEST_PAUSE), self._poll)

    async def fire(self) -> int:
        """Claim what is due and start it; how many were claimed."""
        rows = await self._relay.call(CLAIM, BATCH, self._lease)
        gate = asyncio.Semaphore(AT_ONCE)
        await asyncio.gather(*(self._one(row, gate) for row in rows))
        return len(rows)

    async def _one(self, row: asyncpg.Record, gate: asyncio.Semaphore) -> None:
        key = (row["tenant_id"], row["bot_id"], row["id"], row["next_at"])
        async with gate:
            try:
                await self._settle(row, key)
            except ParleyError as error:
                log.warning("schedule not started", schedule=name_of(row), error=type(error).__name__)
                await self._relay.call(GIVE_BACK, *key)

    async def _settle(self, row: asyncpg.Record, key: tuple[Any, ...]) -> None:
        rule = when.parse(row["rule"])
        single = isinstance(rule, when.Once)
        late = row["now"] - row["next_at"]
        outcome, session = "missed", ""
        if policy.runs(late, row["misfire"], datetime.timedelta(seconds=row["grace_seconds"]), single=single):
            outcome, session = await self._start(row)
        zone = when.zone_of(row["zone"])
        following = None if single else when.next_after(rule, max(row["now"], row["next_at"]), zone)
        if following is None and not row["declared"]:
            await self._relay.call(REMOVE, *key)
        else:
            await self._relay.call(SETTLE, *key, following, outcome, session)
        log.info("schedule fired", schedule=name_of(row), outcome=outcome, late=round(late.total_seconds(), 3))

    async def _start(self, row: asyncpg.Record) -> tuple[str, str]:
        """Post the run. (started or overlapping, session)."""
        with context.acting_for(service_principal("engine", str(row["tenant_id"])), seconds=POST_SECONDS):
            try:
                answer = await self._ledger.StartRun(request_of(row))
            except AlreadyExists:  # whoever claimed it before died after posting, and the bot was published meanwhile
                return "started", ""
        return ("started" if answer.seq else "overlapping"), answer.session


def request_of(row: asyncpg.Record) -> ledger_pb.StartRunRequest:
    """The run of one due time. Its name is the same for every process that posts it."""
    variables = row["variables"] if isinstance(row["variables"], str) else json.dumps(row["variables"])
    run = pb.Run(
        cause="schedule",
        script=row["script"],
        entry=row["entry"],
        bot_version=row["bot_version"],
        variables=variables,
    )
    due = row["next_at"].astimezone(datetime.UTC).isoformat()
    return ledger_pb.StartRunRequest(
        bot=f"bots/{row['bot_id']}", runner=str(row["id"]), external_id=f"{row['id']} {due}", run=run, most_waiting=1
    )


def name_of(row: asyncpg.Record) -> str:
    """ "bots/{bot}/schedules/{schedule}"."""
    return f"bots/{row['bot_id']}/schedules/{row['id']}"

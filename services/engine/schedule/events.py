"""ON ...: what happened is kept with what it tells of, and told when that is true."""

import asyncio
import json
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

import asyncpg
from parley.session.v1 import ledger_service_pb2 as ledger_pb
from parley.session.v1 import ledger_service_pb2_grpc as ledger_grpc
from parley.session.v1 import session_pb2 as pb
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.common import context
from services.common.db.engine import Database
from services.common.errors import AlreadyExists, InvalidArgument, ParleyError, ResourceExhausted
from services.common.security.principal import service_principal
from services.common.telemetry.logs import logger
from services.engine.keywords.world import World
from services.engine.program.values import ProgramError, Value
from services.engine.schedule.running import DEPTH

log = logger(__name__)
DEEPEST = 8
LARGEST_PAYLOAD = 1_048_576
MOST_PENDING = 100_000
BATCH = 100
POST_SECONDS = 10.0
RULES = text("""SELECT id, target, options, script, entry, bot_version FROM engine.event_rules
WHERE tenant_id = :tenant AND bot_id = :bot AND event = :event ORDER BY id""")
KEEP = text("""INSERT INTO engine.pending_events
(tenant_id, bot_id, rule_id, script, entry, bot_version, variables, depth)
VALUES (:tenant, :bot, :rule, :script, :entry, :version, CAST(:variables AS json), :depth)""")
COUNT = text(
    """SELECT count(*) FROM (SELECT 1 FROM engine.pending_events WHERE tenant_id = :tenant LIMIT :most) AS waiting"""
)
PENDING = "SELECT * FROM engine.pending_events ORDER BY number LIMIT $1"
TOLD = "DELETE FROM engine.pending_events WHERE tenant_id = $1 AND number = $2"


@dataclass(frozen=True, slots=True)
class Happening:
    """What happened: see port.Events. `depth`: how many events led to it."""

    tenant: str
    bot: str
    event: str
    of: str
    depth: int = 0


class StoredEvents:
    """The port `Events`."""

    async def emit(
        self, connection: AsyncConnection, world: World, event: str, of: str, payloads: Sequence[Mapping[str, Value]]
    ) -> int:
        """Keep it in the caller's transaction."""
        found = world.setting(DEPTH)
        depth = int(found) + 1 if isinstance(found, int | float) else 0
        if depth > DEEPEST:
            raise ProgramError(
                f"ON {event.upper()}: {DEEPEST} events led one to the next; does a script change what it is started by?"
            )
        happening = Happening(world.tenant, world.bot.removeprefix("bots/"), event, of, depth)
        try:
            return await keep(connection, happening, payloads)
        except (InvalidArgument, ResourceExhausted) as error:
            raise ProgramError(error.message) from None


async def keep(connection: AsyncConnection, happening: Happening, payloads: Sequence[Mapping[str, Value]]) -> int:
    """A pending event for each rule and payload that fit. InvalidArgument TOO_LARGE, ResourceExhausted."""
    tenant = uuid.UUID(happening.tenant)
    asked = {"tenant": tenant, "bot": happening.bot, "event": happening.event}
    rows = [row for row in await connection.execute(RULES, asked) if row_fits(row.target, happening)]
    if not rows or not payloads:
        return 0
    waiting = (await connection.execute(COUNT, {"tenant": tenant, "most": MOST_PENDING})).scalar_one()
    if waiting >= MOST_PENDING:
        raise ResourceExhausted(f"{MOST_PENDING} events wait to be told already; try again later", retry_after=10.0)
    values = []
    for payload in payloads:
        told = json.dumps({"event": happening.event, "of": happening.of, **payload}, ensure_ascii=False)
        encoded = told.encode(errors="replace")
        if len(encoded) > LARGEST_PAYLOAD:
            raise InvalidArgument(f"what an event tells is at most {LARGEST_PAYLOAD} bytes", reason="TOO_LARGE")
        for row in rows:
            if not options_fit(decoded(row.options), payload):
                continue
            place = {"tenant": tenant, "bot": happening.bot, "rule": row.id, "depth": happening.depth}
            target = {"script": row.script, "entry": row.entry, "version": row.bot_version}
            values.append(place | target | {"variables": encoded.decode()})
    if values:
        await connection.execute(KEEP, values)
    return len(values)


def row_fits(target: str, happening: Happening) -> bool:
    """Whether a rule is about this: the same name, or for paths the folder above, or a pattern."""
    if happening.event != "change":
        return target in {happening.of.lower(), "*"}
    folder = target.rstrip("/")
    return (
        happening.of in {target, folder} or happening.of.startswith(f"{folder}/") or fnmatchcase(happening.of, target)
    )


def options_fit(options: Mapping[str, Any], payload: Mapping[str, Value]) -> bool:
    """FROM and SUBJECT are parts of what the mail says; EVENTS lists kinds of change."""
    for name in ("from", "subject"):
        wanted = str(options.get(name, "")).lower()
        if wanted and wanted not in str(payload.get(name, "")).lower():
            return False
    kinds = [kind.strip().lower() for kind in str(options.get("events", "")).split(",") if kind.strip()]
    return not kinds or str(payload.get("change", "")).lower() in kinds


class Teller:
    """Starts what pending events start, in their order: one process of all does it at a time."""

    def __init__(self, relay: Database, ledger: "ledger_grpc.LedgerServiceAsyncStub", poll: float) -> None:
        self._relay = relay
        self._ledger = ledger
        self._poll = poll

    async def run(self) -> None:
        """Tell; for ever."""
        while True:
            try:
                count = await self.tell()
            except ParleyError as error:
                log.debug("events postponed", error=type(error).__name__)
                count = 0
            await asyncio.sleep(0 if count == BATCH else self._poll)

    async def tell(self) -> int:
        """Start what the oldest pending events start; how many were told. ParleyError: the rest waits."""
        rows = await self._relay.call(PENDING, BATCH)
        if not rows:
            return 0
        async with self._relay.leading("events") as leads:
            if not leads:
                return 0
            for row in await self._relay.call(PENDING, BATCH):
                await self._one(row)
        return len(rows)

    async def _one(self, row: asyncpg.Record) -> None:
        with context.acting_for(service_principal("engine", str(row["tenant_id"])), seconds=POST_SECONDS):
            try:
                await self._ledger.StartRun(request_of(row))
            except AlreadyExists:
                log.debug("event was told before", event=str(row["id"]))
            except ParleyError as error:
                if error.retryable:
                    raise
                log.warning("event dropped", bot=row["bot_id"], script=row["script"], reason=error.reason)
        await self._relay.call(TOLD, row["tenant_id"], row["number"])


def request_of(row: asyncpg.Record) -> ledger_pb.StartRunRequest:
    """The run of one event. Runs of one rule follow each other in one session."""
    run = pb.Run(
        cause="event",
        script=row["script"],
        entry=row["entry"],
        bot_version=row["bot_version"],
        variables=row["variables"],
        depth=row["depth"],
    )
    return ledger_pb.StartRunRequest(
        bot=f"bots/{row['bot_id']}", runner=str(row["rule_id"]), external_id=str(row["id"]), run=run
    )


def decoded(value: Any) -> dict[str, Any]:  # noqa: ANN401 - jsonb
    """A jsonb column, whichever way the driver gave it."""
    found: dict[str, Any] = json.loads(value) if isinstance(value, str) else value
    return found

"""Traces in PostgreSQL: one row a turn; a turn that is made again replaces its row."""

import asyncio
import datetime
import json
import uuid
from collections.abc import Sequence

from google.protobuf import json_format
from parley.engine.v1 import trace_service_pb2 as pb
from sqlalchemy import Row, text

from services.common.db.engine import Database
from services.common.errors import ParleyError
from services.common.telemetry.logs import logger
from services.engine.tracing.collecting import Collector

log = logger(__name__)
MOST_TURNS = 200
TIDY_SECONDS = 600.0
BATCH = 1000
KEEP = text("""INSERT INTO engine.traces (tenant_id, bot_id, session_id, turn, bot_version, steps, dropped)
VALUES (:tenant, :bot, :session, :turn, :version, CAST(:steps AS json), :dropped)
ON CONFLICT (tenant_id, session_id, turn) DO UPDATE SET bot_id = excluded.bot_id, bot_version = excluded.bot_version,
    steps = excluded.steps, dropped = excluded.dropped, created_at = now()""")
TRIM = text("""DELETE FROM engine.traces WHERE tenant_id = :tenant AND session_id = :session AND turn <= :oldest""")
LIST = text("""SELECT session_id, turn, bot_version, steps, dropped, created_at FROM engine.traces
WHERE tenant_id = :tenant AND session_id = :session AND turn > :after ORDER BY turn LIMIT :limit""")
FORGET = """WITH old AS (SELECT ctid FROM engine.traces WHERE created_at < now() - $1::interval LIMIT $2),
gone AS (DELETE FROM engine.traces WHERE ctid IN (SELECT ctid FROM old) RETURNING 1) SELECT count(*) FROM gone"""


class Traces:
    """Rows as messages of the contract."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def keep(self, tenant: str, bot: str, session: str, turn: int, version: str, found: Collector) -> None:
        """Write the steps of a turn; the newest 200 turns of a conversation stay. What fails is logged, not raised."""
        values = {
            "tenant": uuid.UUID(tenant),
            "bot": bot.removeprefix("bots/"),
            "session": uuid.UUID(session.removeprefix("sessions/")),
            "turn": turn,
            "version": version,
            "steps": json.dumps(found.steps, ensure_ascii=False),
            "dropped": found.dropped,
        }
        try:
            async with self._database.unit_of_work(tenant) as connection:
                await connection.execute(KEEP, values)
                await connection.execute(TRIM, values | {"oldest": turn - MOST_TURNS})
        except ParleyError as error:
            log.warning("trace lost", session=session, turn=turn, error=type(error).__name__)

    async def list(self, tenant: str, session: uuid.UUID, after: int, limit: int) -> Sequence[pb.Trace]:
        """Oldest first, after a turn."""
        values = {"tenant": uuid.UUID(tenant), "session": session, "after": after, "limit": limit}
        async with self._database.unit_of_work(tenant) as connection:
            return [message(row) for row in await connection.execute(LIST, values)]


def message(row: Row[tuple[object, ...]]) -> pb.Trace:
    """A row as its message."""
    steps = json.loads(row.steps) if isinstance(row.steps, str) else row.steps
    made = pb.Trace(
        name=f"sessions/{row.session_id}/traces/{row.turn}",
        turn=row.turn,
        bot_version=row.bot_version,
        dropped_steps=row.dropped,
    )
    made.create_time.FromDatetime(row.created_at)
    for step in steps:
        given = {name: value for name, value in step.items() if value is not None}
        json_format.ParseDict(given, made.steps.add())
    return made


async def keep_tidy(relay: Database, days: int) -> None:
    """Forget old traces of all tenants; for ever."""
    while True:
        gone = 0
        try:
            gone = int((await relay.call(FORGET, datetime.timedelta(days=days), BATCH))[0][0])
        except ParleyError as error:
            log.debug("old traces stay for now", error=type(error).__name__)
        await asyncio.sleep(0 if gone >= BATCH else TIDY_SECONDS)

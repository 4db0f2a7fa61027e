"""Schedules, webhooks and event rules as messages of the contract."""

import uuid
from collections.abc import Sequence
from typing import Any

from google.protobuf import json_format
from parley.engine.v1 import schedule_service_pb2 as pb
from sqlalchemy import Row, text

from services.common.db.engine import Database
from services.common.errors import NotFound
from services.engine.schedule.events import decoded

NAMES = {
    "insert": pb.EventRule.KIND_INSERT,
    "update": pb.EventRule.KIND_UPDATE,
    "delete": pb.EventRule.KIND_DELETE,
    "email": pb.EventRule.KIND_EMAIL,
    "change": pb.EventRule.KIND_CHANGE,
    "form": pb.EventRule.KIND_FORM,
    "custom": pb.EventRule.KIND_CUSTOM,
}
KINDS = {kind: name for name, kind in NAMES.items()}
OF_BOT = "tenant_id = :tenant AND bot_id = :bot"
BOT = text("SELECT 1 FROM engine.bots WHERE tenant_id = :tenant AND id = :bot")
SCHEDULES = text(f"SELECT * FROM engine.schedules WHERE {OF_BOT} AND id > :after ORDER BY id LIMIT :limit")  # noqa: S608
SCHEDULE = text(f"SELECT * FROM engine.schedules WHERE {OF_BOT} AND id = :id")  # noqa: S608
WEBHOOKS = text(
    f"SELECT * FROM engine.webhooks WHERE {OF_BOT} AND declared AND name > :after ORDER BY name LIMIT :limit"  # noqa: S608
)
EVENTS = text(f"SELECT * FROM engine.event_rules WHERE {OF_BOT} AND id > :after ORDER BY id LIMIT :limit")  # noqa: S608


class Listing:
    """Reads of operators. NotFound when there is no such bot."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def require(self, tenant: str, bot: str) -> None:
        """NotFound."""
        async with self._database.unit_of_work(tenant) as connection:
            if (await connection.execute(BOT, {"tenant": uuid.UUID(tenant), "bot": bot})).first() is None:
                raise missing(f"bots/{bot}")

    async def schedules(self, tenant: str, bot: str, after: uuid.UUID, limit: int) -> Sequence[pb.Schedule]:
        """By identifier."""
        return [schedule_message(row) for row in await self._rows(SCHEDULES, tenant, bot, after, limit)]

    async def schedule(self, tenant: str, bot: str, identifier: uuid.UUID) -> pb.Schedule:
        """One. NotFound."""
        values = {"tenant": uuid.UUID(tenant), "bot": bot, "id": identifier}
        async with self._database.unit_of_work(tenant) as connection:
            row = (await connection.execute(SCHEDULE, values)).one_or_none()
        if row is None:
            raise missing(f"bots/{bot}/schedules/{identifier}")
        return schedule_message(row)

    async def webhooks(self, tenant: str, bot: str, after: str, limit: int) -> Sequence[pb.Webhook]:
        """By name."""
        return [webhook_message(row) for row in await self._rows(WEBHOOKS, tenant, bot, after, limit)]

    async def events(self, tenant: str, bot: str, after: uuid.UUID, limit: int) -> Sequence[pb.EventRule]:
        """By identifier."""
        return [event_message(row) for row in await self._rows(EVENTS, tenant, bot, after, limit)]

    async def _rows(self, statement: Any, tenant: str, bot: str, after: object, limit: int) -> Sequence[Row[Any]]:  # noqa: ANN401
        key = {"tenant": uuid.UUID(tenant), "bot": bot}
        async with self._database.unit_of_work(tenant) as connection:
            if (await connection.execute(BOT, key)).first() is None:
                raise missing(f"bots/{bot}")
            return (await connection.execute(statement, key | {"after": after, "limit": limit})).all()


def missing(name: str) -> NotFound:
    """Not there, or another tenant's."""
    return NotFound(f"{name} does not exist", metadata={"name": name})


def schedule_message(row: Row[Any]) -> pb.Schedule:
    """A row as its message."""
    made = pb.Schedule(
        name=f"bots/{row.bot_id}/schedules/{row.id}",
        script=row.script,
        rule=row.rule,
        time_zone=row.zone,
        declared=row.declared,
        paused=row.paused,
        last_outcome=row.last_outcome,
        last_session=row.last_session,
        misfire=row.misfire,
        bot_version=row.bot_version,
    )
    if row.next_at is not None:
        made.next_time.FromDatetime(row.next_at)
    if row.last_at is not None:
        made.last_time.FromDatetime(row.last_at)
    return made


def webhook_message(row: Row[Any]) -> pb.Webhook:
    """A row as its message, without its key."""
    return pb.Webhook(
        name=f"bots/{row.bot_id}/webhooks/{row.name}",
        script=row.script,
        path=f"/api/{row.bot_id}/webhook/{row.name}",
        public=row.keyless,
        key_configured=row.chosen,
        bot_version=row.bot_version,
    )


def event_message(row: Row[Any]) -> pb.EventRule:
    """A row as its message."""
    made = pb.EventRule(
        name=f"bots/{row.bot_id}/eventRules/{row.id}",
        kind=NAMES[row.event],
        target=row.target,
        script=row.script,
        bot_version=row.bot_version,
    )
    json_format.ParseDict(decoded(row.options), made.options)
    return made

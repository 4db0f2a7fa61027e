"""Schedules, webhooks and event rules in PostgreSQL: what a version declares, and what people read of it."""

import datetime
import json
import secrets
import uuid
from collections.abc import Mapping
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.common.security.sealing import Vault
from services.engine.schedule.declarations import Declared, EventRule, Reader, Schedule, Webhook

SECRET_BYTES = 32
PUT_SCHEDULE = text("""INSERT INTO engine.schedules AS s
(tenant_id, bot_id, id, script, entry, bot_version, rule, zone, declared, misfire, grace_seconds, next_at)
VALUES (:tenant, :bot, :id, :script, :entry, :version, :rule, :zone, true, :misfire, :grace, :next)
ON CONFLICT (tenant_id, bot_id, id) DO UPDATE SET bot_version = excluded.bot_version, zone = excluded.zone,
    misfire = excluded.misfire, grace_seconds = excluded.grace_seconds, updated_at = now(),
    next_at = CASE WHEN s.zone = excluded.zone THEN s.next_at ELSE excluded.next_at END""")
DROP_SCHEDULES = text("""DELETE FROM engine.schedules WHERE tenant_id = :tenant AND bot_id = :bot
AND CASE WHEN declared THEN NOT id = ANY(:ids) ELSE NOT script = ANY(:scripts) END""")
PUT_WEBHOOK = text("""INSERT INTO engine.webhooks AS w
(tenant_id, bot_id, name, script, entry, bot_version, declared, keyless, chosen, secret)
VALUES (:tenant, :bot, :name, :script, :entry, :version, true, :keyless, :chosen, :secret)
ON CONFLICT (tenant_id, bot_id, name) DO UPDATE SET script = excluded.script, entry = excluded.entry,
    bot_version = excluded.bot_version, declared = true, keyless = excluded.keyless, chosen = excluded.chosen,
    secret = CASE WHEN excluded.chosen OR w.chosen THEN excluded.secret ELSE w.secret END,
    former_secret = CASE WHEN excluded.chosen OR w.chosen THEN NULL ELSE w.former_secret END, updated_at = now()""")
DROP_WEBHOOKS = text("""UPDATE engine.webhooks SET declared = false, updated_at = now()
WHERE tenant_id = :tenant AND bot_id = :bot AND declared AND NOT name = ANY(:names)""")
PUT_EVENT = text("""INSERT INTO engine.event_rules
(tenant_id, bot_id, id, event, target, options, script, entry, bot_version)
VALUES (:tenant, :bot, :id, :event, :target, CAST(:options AS jsonb), :script, :entry, :version)
ON CONFLICT (tenant_id, bot_id, id) DO UPDATE SET options = excluded.options, bot_version = excluded.bot_version""")
DROP_EVENTS = text("""DELETE FROM engine.event_rules
WHERE tenant_id = :tenant AND bot_id = :bot AND NOT id = ANY(:ids)""")


class Declarations:
    """Replaces what a bot declares, in the transaction that makes a version live."""

    def __init__(self, vault: Vault) -> None:
        self._vault = vault

    async def replace(
        self,
        connection: AsyncConnection,
        place: tuple[str, str, int],
        programs: Mapping[str, Mapping[str, Any]],
        config: Mapping[str, str],
    ) -> None:
        """`place`: tenant, bot id, number of the version. InvalidArgument (PROGRAM_INVALID): nothing is changed."""
        tenant, bot, number = place
        declared = Reader(f"{tenant}/{bot}", programs, config).read()
        key = {"tenant": uuid.UUID(tenant), "bot": bot, "version": f"bots/{bot}/versions/{number}"}
        await self._put(connection, key, declared)
        owner = {"tenant": key["tenant"], "bot": bot}
        scripts, ids = sorted(declared.scripts), [item.id for item in declared.schedules]
        await connection.execute(DROP_SCHEDULES, owner | {"ids": ids, "scripts": scripts})
        await connection.execute(DROP_WEBHOOKS, owner | {"names": [item.name for item in declared.webhooks]})
        await connection.execute(DROP_EVENTS, owner | {"ids": [item.id for item in declared.events]})

    async def _put(self, connection: AsyncConnection, key: dict[str, Any], declared: Declared) -> None:
        now = datetime.datetime.now(datetime.UTC)
        for statement, values in (
            (PUT_SCHEDULE, [key | schedule_values(item, now) for item in declared.schedules]),
            (PUT_WEBHOOK, [key | self._webhook_values(key, item) for item in declared.webhooks]),
            (PUT_EVENT, [key | event_values(item) for item in declared.events]),
        ):
            if values:
                await connection.execute(statement, values)

    def _webhook_values(self, key: Mapping[str, Any], item: Webhook) -> dict[str, Any]:
        secret = item.key.encode() if item.key else secrets.token_bytes(SECRET_BYTES)
        return {
            "name": item.name,
            "script": item.script,
            "entry": item.entry,
            "keyless": item.keyless,
            "chosen": bool(item.key),
            "secret": seal(self._vault, secret, str(key["tenant"]), str(key["bot"]), item.name),
        }


def schedule_values(item: Schedule, now: datetime.datetime) -> dict[str, Any]:
    """Columns of a schedule."""
    return {
        "id": item.id,
        "script": item.script,
        "entry": item.entry,
        "rule": item.rule,
        "zone": item.zone,
        "misfire": item.misfire,
        "grace": item.grace,
        "next": item.next_after(now),
    }


def event_values(item: EventRule) -> dict[str, Any]:
    """Columns of a rule."""
    return {
        "id": item.id,
        "event": item.event,
        "target": item.target,
        "options": json.dumps(dict(item.options)),
        "script": item.script,
        "entry": item.entry,
    }


def seal(vault: Vault, secret: bytes, tenant: str, bot: str, webhook: str) -> bytes:
    """A secret at rest, bound to its webhook."""
    return vault.seal(secret, "engine.webhooks", tenant, bot, webhook)


def unseal(vault: Vault, sealed: bytes, tenant: str, bot: str, webhook: str) -> bytes:
    """The secret. Internal."""
    return vault.unseal(sealed, "engine.webhooks", tenant, bot, webhook)

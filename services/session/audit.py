"""The audit log: appended to, never changed, each entry chained to the one before."""

import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.common import context
from services.common.db.engine import Database

APPEND = "SELECT session.append_audit(:tenant, :actor, :action, :resource, :outcome, :request_id, :detail)"
BROKEN = "SELECT session.broken_audit($1)"


@dataclass(frozen=True, slots=True)
class Entry:
    """Who did what to what, and how it went: success, failure or denied. No secrets."""

    actor: str
    action: str
    resource: str = ""
    outcome: str = "success"
    detail: Mapping[str, object] = field(default_factory=dict)


async def append(connection: AsyncConnection, tenant: uuid.UUID, entry: Entry) -> None:
    """Append within a transaction, as its last step: writers of one tenant queue until it ends."""
    call = context.current_or_none()
    values = {
        "tenant": tenant,
        "actor": entry.actor,
        "action": entry.action,
        "resource": entry.resource,
        "outcome": entry.outcome,
        "request_id": call.request_id[:64] if call else "",
        "detail": json.dumps(dict(entry.detail), sort_keys=True) if entry.detail else "",
    }
    await connection.execute(text(APPEND), values)


async def record(database: Database, tenant: uuid.UUID, entry: Entry) -> None:
    """Append in a transaction of its own, for what must be kept although the call fails."""
    async with database.unit_of_work(str(tenant)) as connection:
        await append(connection, tenant, entry)


async def first_broken(database: Database, tenant: uuid.UUID) -> int | None:
    """The first entry that was tampered with, None when the chain is whole."""
    rows = await database.call(BROKEN, tenant)
    found: int | None = rows[0][0]
    return found

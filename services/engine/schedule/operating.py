"""What operators do with schedules, webhooks and events."""

import datetime
import json
import secrets
import uuid
from collections.abc import Mapping
from typing import Any

from parley.engine.v1 import schedule_service_pb2 as pb
from parley.session.v1 import ledger_service_pb2 as ledger_pb
from parley.session.v1 import session_pb2
from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.common.db.engine import Database
from services.common.db.requests import RequestLog
from services.common.errors import FailedPrecondition
from services.common.security.principal import Principal
from services.common.security.sealing import Vault
from services.engine.program.values import Value
from services.engine.schedule import events, when
from services.engine.schedule.callers import expiry, shown
from services.engine.schedule.listing import SCHEDULE, missing, webhook_message
from services.engine.schedule.rows import SECRET_BYTES, seal

PAUSE = text("""UPDATE engine.schedules SET paused = true, updated_at = now()
WHERE tenant_id = :tenant AND bot_id = :bot AND id = :id RETURNING id""")
RESUME = text("""UPDATE engine.schedules SET paused = false, next_at = :next, claimed_until = NULL, updated_at = now()
WHERE tenant_id = :tenant AND bot_id = :bot AND id = :id AND paused""")
DELETE = text("DELETE FROM engine.schedules WHERE tenant_id = :tenant AND bot_id = :bot AND id = :id")
LOCK = text("""SELECT * FROM engine.webhooks
WHERE tenant_id = :tenant AND bot_id = :bot AND name = :name AND declared FOR UPDATE""")
ROTATE = text("""UPDATE engine.webhooks SET former_secret = secret, former_until = :until, secret = :secret,
updated_at = now() WHERE tenant_id = :tenant AND bot_id = :bot AND name = :name""")


class Operating:
    """Writes of operators. NotFound, FailedPrecondition."""

    def __init__(self, database: Database, vault: Vault, asked: RequestLog, rotation: float) -> None:
        self._database = database
        self._vault = vault
        self._asked = asked
        self._rotation = rotation

    async def pause(self, tenant: str, bot: str, identifier: uuid.UUID) -> None:
        """Keep it from starting its script."""
        async with self._database.unit_of_work(tenant) as connection:
            if (await connection.execute(PAUSE, key_of(tenant, bot, identifier))).first() is None:
                raise missing(f"bots/{bot}/schedules/{identifier}")

    async def resume(self, tenant: str, bot: str, identifier: uuid.UUID) -> None:
        """Let it go on, with the next time from now; one moment is due when it was."""
        key = key_of(tenant, bot, identifier)
        async with self._database.unit_of_work(tenant) as connection:
            row = await one(connection, key)
            rule, following = when.parse(row.rule), row.next_at
            if not isinstance(rule, when.Once):
                following = when.next_after(rule, datetime.datetime.now(datetime.UTC), when.zone_of(row.zone))
            await connection.execute(RESUME, key | {"next": following})

    async def delete(self, tenant: str, bot: str, identifier: uuid.UUID) -> None:
        """Remove one that a script set."""
        key = key_of(tenant, bot, identifier)
        async with self._database.unit_of_work(tenant) as connection:
            if (await one(connection, key)).declared:
                raise FailedPrecondition("the live version declares this schedule: pause it, or publish without it")
            await connection.execute(DELETE, key)

    async def run_of(
        self, who: Principal, bot: str, identifier: uuid.UUID, request_id: str
    ) -> ledger_pb.StartRunRequest:
        """The run of a schedule now, named by the request."""
        async with self._database.unit_of_work(who.tenant_id) as connection:
            row = await one(connection, key_of(who.tenant_id, bot, identifier))
        variables = row.variables if isinstance(row.variables, str) else json.dumps(row.variables)
        run = session_pb2.Run(
            cause="schedule",
            script=row.script,
            entry=row.entry,
            bot_version=row.bot_version,
            variables=variables,
        )
        name = f"{identifier} {who.subject} {request_id or uuid.uuid4()}"
        return ledger_pb.StartRunRequest(bot=f"bots/{bot}", runner=str(identifier), external_id=name, run=run)

    async def rotate(self, tenant: str, bot: str, name: str, request: pb.RotateWebhookKeyRequest) -> pb.Webhook:
        """A new key; only the answer that made it holds it."""
        asked = await self._asked.asked(request)
        key = {"tenant": uuid.UUID(tenant), "bot": bot, "name": name}
        async with self._database.unit_of_work(tenant) as connection:

            async def work() -> pb.Webhook:
                row = (await connection.execute(LOCK, key)).one_or_none()
                if row is None:
                    raise missing(f"bots/{bot}/webhooks/{name}")
                if row.chosen:
                    raise FailedPrecondition(
                        "the key of this webhook is in the configuration of the bot: change it there"
                    )
                secret = secrets.token_bytes(SECRET_BYTES)
                sealed = seal(self._vault, secret, tenant, bot, name)
                await connection.execute(ROTATE, key | {"secret": sealed, "until": expiry(self._rotation)})
                made = webhook_message(row)
                made.key = shown(secret, chosen=False)
                return made

            return await self._asked.once(connection, asked, pb.Webhook, work, secrets=("key",))

    async def emit(
        self, happening: events.Happening, payload: Mapping[str, Value], request: pb.EmitEventRequest
    ) -> pb.EmitEventResponse:
        """Keep what happened."""
        asked = await self._asked.asked(request)
        async with self._database.unit_of_work(happening.tenant) as connection:

            async def work() -> pb.EmitEventResponse:
                return pb.EmitEventResponse(started=await events.keep(connection, happening, [payload]))

            return await self._asked.once(connection, asked, pb.EmitEventResponse, work)


def key_of(tenant: str, bot: str, identifier: uuid.UUID) -> dict[str, Any]:
    """Parameters that name a schedule."""
    return {"tenant": uuid.UUID(tenant), "bot": bot, "id": identifier}


async def one(connection: AsyncConnection, key: Mapping[str, Any]) -> Row[Any]:
    """A schedule. NotFound."""
    row = (await connection.execute(SCHEDULE, dict(key))).one_or_none()
    if row is None:
        raise missing(f"bots/{key['bot']}/schedules/{key['id']}")
    return row

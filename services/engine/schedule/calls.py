"""Calls of webhooks: each delivery once, and what was answered, for whoever asks again."""

import asyncio
import json
import uuid
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import text

from services.common.db.engine import Database
from services.common.errors import ParleyError
from services.common.telemetry.logs import logger
from services.engine.program.values import Value

log = logger(__name__)
LARGEST_ANSWER = 2_097_152
BATCH = 5000
TIDY_SECONDS = 600.0
CLAIM = text("""INSERT INTO engine.webhook_calls AS c (tenant_id, bot_id, webhook, delivery, id, digest)
VALUES (:tenant, :bot, :webhook, :delivery, :id, :digest)
ON CONFLICT (tenant_id, bot_id, webhook, delivery) DO UPDATE SET digest = c.digest
RETURNING id, digest, answer""")
READ = text("SELECT answer FROM engine.webhook_calls WHERE tenant_id = :tenant AND id = :id")
ANSWER = text("""UPDATE engine.webhook_calls SET answer = CAST(:answer AS json)
WHERE tenant_id = :tenant AND id = :id AND answer IS NULL""")
FORGET = """WITH gone AS (DELETE FROM engine.webhook_calls WHERE ctid = ANY (ARRAY(
    SELECT ctid FROM engine.webhook_calls WHERE created_at < now() - $1::interval LIMIT $2 FOR UPDATE SKIP LOCKED
)) RETURNING 1) SELECT count(*) FROM gone"""


@dataclass(frozen=True, slots=True)
class Call:
    """id: names the run; digest: of what came under the delivery's name at first; answer: None until there is one."""

    id: uuid.UUID
    digest: bytes
    answer: dict[str, Any] | None


class Calls:
    """Rows of webhook_calls. An answer is {"value": what the script returned} or {"failure": why there is none}."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def claim(self, tenant: str, place: tuple[str, str], delivery: str, call: Call) -> Call:
        """The call under a delivery's name: this one, or the earlier one. `place`: bot id, name of the webhook."""
        values = {"tenant": uuid.UUID(tenant), "bot": place[0], "webhook": place[1], "delivery": delivery}
        async with self._database.unit_of_work(tenant) as connection:
            row = (await connection.execute(CLAIM, values | {"id": call.id, "digest": call.digest})).one()
        return Call(row.id, bytes(row.digest), decoded(row.answer))

    async def read(self, tenant: str, call: uuid.UUID) -> dict[str, Any] | None:
        """The answer; None while there is none."""
        async with self._database.unit_of_work(tenant) as connection:
            values = {"tenant": uuid.UUID(tenant), "id": call}
            return decoded((await connection.execute(READ, values)).scalar_one_or_none())

    async def answer(self, tenant: str, call: str, value: Value, failure: str = "") -> None:
        """Keep what a script returned; the first answer stays."""
        answer: dict[str, Any] = {"failure": failure[:2000]} if failure else {"value": value}
        encoded = json.dumps(answer, ensure_ascii=False).encode(errors="replace")
        if len(encoded) > LARGEST_ANSWER:
            encoded = json.dumps({"failure": f"what is returned is larger than {LARGEST_ANSWER} bytes"}).encode()
        values = {"tenant": uuid.UUID(tenant), "id": uuid.UUID(call), "answer": encoded.decode()}
        async with self._database.unit_of_work(tenant) as connection:
            await connection.execute(ANSWER, values)


async def keep_tidy(relay: Database, days: int) -> None:
    """Forget old calls; for ever. Several processes may."""
    while True:
        gone = 0
        try:
            gone = await forget(relay, days)
        except ParleyError as error:
            log.debug("old calls stay for now", error=type(error).__name__)
        await asyncio.sleep(0 if gone >= BATCH else TIDY_SECONDS)


async def forget(relay: Database, days: int) -> int:
    """Remove calls too old to be repeated, of all tenants, 5000 at most; how many went."""
    return int((await relay.call(FORGET, timedelta(days=days), BATCH))[0][0])


def decoded(value: Any) -> dict[str, Any] | None:  # noqa: ANN401 - json
    """A json column, whichever way the driver gave it."""
    found: dict[str, Any] | None = json.loads(value) if isinstance(value, str) else value
    return found

"""Handle once: an event's id goes into the same transaction as what the event causes."""

import uuid

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection


async def first_time(connection: AsyncConnection, schema: str, tenant: uuid.UUID, consumer: str, event: str) -> bool:
    """Whether this consumer meets the event for the first time; <schema>.inbox remembers with the transaction."""
    statement = text(
        f"""INSERT INTO {schema}.inbox (tenant_id, consumer, event_id)
        VALUES (:tenant, :consumer, :event) ON CONFLICT DO NOTHING RETURNING event_id"""  # noqa: S608
    )
    values = {"tenant": tenant, "consumer": consumer, "event": event}
    return (await connection.execute(statement, values)).first() is not None

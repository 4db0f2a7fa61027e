"""What senders named their messages: a name stands for one message."""

from collections.abc import Sequence

from sqlalchemy import text

from services.channels.domain.port import Incoming, OpenChannel
from services.common.db.engine import Database
from services.common.errors import AlreadyExists

NOTE = text("""INSERT INTO channels.webhook_receipts AS r (tenant_id, channel_id, key, digest)
SELECT CAST(:tenant AS uuid), CAST(:channel AS varchar), u.key, u.digest
FROM unnest(CAST(:keys AS text[]), CAST(:digests AS bytea[])) AS u (key, digest)
ON CONFLICT (tenant_id, channel_id, key) DO UPDATE SET digest = r.digest RETURNING r.key, r.digest""")
FIELDS = {"w": "webhook-id", "m": "message.id"}


class Receipts:
    """Kept with a digest of what came under a name."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def note(self, channel: OpenChannel, incoming: Incoming) -> None:
        """Remember the names of a message. AlreadyExists REQUEST_ID_REUSED when one came with another message."""
        names = named(incoming)
        values = {
            "tenant": channel.tenant,
            "channel": channel.id,
            "keys": [name for name, _ in names],
            "digests": [digest for _, digest in names],
        }
        async with self._database.unit_of_work(str(channel.tenant)) as connection:
            found = {row.key: bytes(row.digest) for row in await connection.execute(NOTE, values)}
            for name, digest in names:
                if found[name] != digest:
                    raise reused(FIELDS[name[0]])


def named(incoming: Incoming) -> Sequence[tuple[str, bytes]]:
    """(key, digest) by which the message may come again; in one order, so that two writers cannot lock each other."""
    names = [(f"m:{incoming.message}", incoming.message_digest)] if incoming.message else []
    return [*names, (f"w:{incoming.envelope}", incoming.body_digest)]


def reused(field: str) -> AlreadyExists:
    """The same name for something else."""
    return AlreadyExists(
        f"{field}: it came with another message before; choose a new one for a new message",
        reason="REQUEST_ID_REUSED",
        metadata={"field": field},
    )

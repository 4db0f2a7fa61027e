"""Channels and their secrets."""

import secrets
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from google.protobuf import empty_pb2
from parley.channels.v1 import channel_service_pb2 as pb
from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.channels.domain.port import OpenChannel
from services.common.db.engine import Database
from services.common.db.requests import RequestLog
from services.common.errors import Aborted, AlreadyExists, NotFound
from services.common.security.sealing import Vault

COLUMNS = "id, kind, bot, display_name, enabled, uri, public_token, revision, created_at, updated_at"
TOKEN_BYTES = 32
OLD_SECRETS = 8
PATH = "/webhooks/"
GET = text(f"SELECT {COLUMNS} FROM channels.channels WHERE tenant_id = :tenant AND id = :id")  # noqa: S608
LIST = text(
    f"""SELECT {COLUMNS} FROM channels.channels WHERE tenant_id = :tenant AND id > :after ORDER BY id LIMIT :limit"""  # noqa: S608
)
INSERT = text(
    f"""INSERT INTO channels.channels (tenant_id, id, kind, bot, display_name, enabled, uri, public_token)
    VALUES (:tenant, :id, :kind, :bot, :display_name, :enabled, :uri, :token) ON CONFLICT (tenant_id, id) DO NOTHING
    RETURNING {COLUMNS}"""  # noqa: S608
)
UPDATE = text(
    f"""UPDATE channels.channels SET bot = :bot, display_name = :display_name, enabled = :enabled, uri = :uri,
    revision = revision + 1, updated_at = clock_timestamp() WHERE tenant_id = :tenant AND id = :id
    RETURNING {COLUMNS}"""  # noqa: S608
)
TOUCH = text(
    f"""UPDATE channels.channels SET revision = revision + 1, updated_at = clock_timestamp()
    WHERE tenant_id = :tenant AND id = :id RETURNING {COLUMNS}"""  # noqa: S608
)
LOCK = text(f"SELECT {COLUMNS} FROM channels.channels WHERE tenant_id = :tenant AND id = :id FOR UPDATE")  # noqa: S608
LOCK_QUEUES = text("""SELECT 1 FROM channels.queues WHERE tenant_id = :tenant AND channel_id = :id
ORDER BY session_id FOR UPDATE""")
DELETE = text("DELETE FROM channels.channels WHERE tenant_id = :tenant AND id = :id")
DISABLE = text("""UPDATE channels.channels SET enabled = false, revision = revision + 1, updated_at = clock_timestamp()
WHERE tenant_id = :tenant AND id = :id AND enabled AND uri = :uri""")
NEW_SECRET = text("""INSERT INTO channels.secrets (tenant_id, channel_id, number, sealed)
SELECT CAST(:tenant AS uuid), CAST(:id AS varchar), coalesce(max(number), 0) + 1, CAST(:sealed AS bytea)
FROM channels.secrets WHERE tenant_id = :tenant AND channel_id = :id""")
EXPIRE = text("""UPDATE channels.secrets SET expires_at = clock_timestamp() + make_interval(secs => :seconds)
WHERE tenant_id = :tenant AND channel_id = :id AND expires_at IS NULL""")
FORGET = text("""DELETE FROM channels.secrets WHERE tenant_id = :tenant AND channel_id = :id AND (
expires_at < clock_timestamp() OR number <= (SELECT max(number) FROM channels.secrets
WHERE tenant_id = :tenant AND channel_id = :id) - :most)""")
BY_TOKEN = """SELECT c.tenant_id, c.id, c.kind, c.bot, c.uri, ARRAY(
SELECT s.sealed FROM channels.secrets s WHERE s.tenant_id = c.tenant_id AND s.channel_id = c.id
AND (s.expires_at IS NULL OR s.expires_at > clock_timestamp()) ORDER BY s.number DESC) AS sealed
FROM channels.channels c WHERE c.public_token = $1 AND c.enabled"""


@dataclass(frozen=True, slots=True)
class Change:
    """New values; None keeps the old one."""

    display_name: str | None = None
    bot: str | None = None
    uri: str | None = None
    enabled: bool | None = None

    def over(self, row: Row[Any]) -> dict[str, object]:
        """All values after the change."""
        names = ("display_name", "bot", "uri", "enabled")
        given = {name: getattr(self, name) for name in names}
        return {name: getattr(row, name) if value is None else value for name, value in given.items()}


class Channels:
    """`database` sees the caller's tenant; `relay` finds the tenant of a public token."""

    def __init__(self, database: Database, relay: Database, vault: Vault, requests: RequestLog) -> None:
        self._database = database
        self._relay = relay
        self._vault = vault
        self._requests = requests

    async def create(
        self, tenant: str, request: pb.CreateChannelRequest, secret: bytes | None
    ) -> tuple[pb.Channel, bool]:
        """A new channel, and whether this request made it just now. AlreadyExists."""
        new = False

        async def work() -> pb.Channel:
            nonlocal new
            new = True
            return await self._insert(connection, tenant, request, secret)

        asked = await self._requests.asked(request)
        async with self._database.unit_of_work(tenant) as connection:
            return await self._requests.once(connection, asked, pb.Channel, work), new

    async def _insert(
        self, connection: AsyncConnection, tenant: str, request: pb.CreateChannelRequest, secret: bytes | None
    ) -> pb.Channel:
        channel, identifier = request.channel, request.channel_id
        values = key(tenant, identifier) | {
            "kind": kind_name(channel.kind),
            "bot": channel.bot.removeprefix("bots/"),
            "display_name": channel.display_name,
            "enabled": True,
            "uri": channel.webhook.uri,
            "token": secrets.token_urlsafe(TOKEN_BYTES),
        }
        row = (await connection.execute(INSERT, values)).one_or_none()
        if row is None:
            raise AlreadyExists(f"channels/{identifier} exists", metadata={"name": f"channels/{identifier}"})
        if secret is not None:
            await self._add_secret(connection, tenant, identifier, secret)
        return channel_message(row)

    async def _add_secret(self, connection: AsyncConnection, tenant: str, identifier: str, secret: bytes) -> None:
        sealed = self._vault.seal(secret, *place(tenant, identifier))
        await connection.execute(NEW_SECRET, key(tenant, identifier) | {"sealed": sealed})

    async def get(self, tenant: str, identifier: str) -> pb.Channel:
        """NotFound."""
        async with self._database.unit_of_work(tenant) as connection:
            row = (await connection.execute(GET, key(tenant, identifier))).one_or_none()
        if row is None:
            raise missing(identifier)
        return channel_message(row)

    async def list(self, tenant: str, after: str, limit: int) -> Sequence[pb.Channel]:
        """By name, after a name."""
        values = {"tenant": uuid.UUID(tenant), "after": after, "limit": limit}
        async with self._database.unit_of_work(tenant) as connection:
            return [channel_message(row) for row in await connection.execute(LIST, values)]

    async def update(self, tenant: str, request: pb.UpdateChannelRequest, change: Change) -> pb.Channel:
        """NotFound; Aborted when the etag is an old one."""
        identifier, etag = request.channel.name.removeprefix("channels/"), request.channel.etag

        async def work() -> pb.Channel:
            row = await locked(connection, tenant, identifier)
            if etag and etag != str(row.revision):
                raise Aborted("etag: the channel was changed meanwhile; read it again", metadata={"field": "etag"})
            values = key(tenant, identifier) | change.over(row)
            return channel_message((await connection.execute(UPDATE, values)).one())

        asked = await self._requests.asked(request)
        async with self._database.unit_of_work(tenant) as connection:
            return await self._requests.once(connection, asked, pb.Channel, work)

    async def delete(self, tenant: str, request: pb.DeleteChannelRequest) -> empty_pb2.Empty:
        """With all that hangs on it. NotFound."""
        identifier = request.name.removeprefix("channels/")

        async def work() -> empty_pb2.Empty:
            await locked(connection, tenant, identifier)
            await connection.execute(LOCK_QUEUES, key(tenant, identifier))
            await connection.execute(DELETE, key(tenant, identifier))
            return empty_pb2.Empty()

        asked = await self._requests.asked(request)
        async with self._database.unit_of_work(tenant) as connection:
            return await self._requests.once(connection, asked, empty_pb2.Empty, work)

    async def rotate(
        self, tenant: str, request: pb.RotateSecretRequest, secret: bytes, seconds: float
    ) -> tuple[pb.Channel, bool]:
        """A new secret, the others verify for so long; and whether this request did it just now. NotFound."""
        identifier, new = request.name.removeprefix("channels/"), False

        async def work() -> pb.Channel:
            nonlocal new
            new = True
            await locked(connection, tenant, identifier)
            which = key(tenant, identifier)
            await connection.execute(EXPIRE, which | {"seconds": seconds})
            await self._add_secret(connection, tenant, identifier, secret)
            await connection.execute(FORGET, which | {"most": OLD_SECRETS})
            return channel_message((await connection.execute(TOUCH, which)).one())

        asked = await self._requests.asked(request)
        async with self._database.unit_of_work(tenant) as connection:
            return await self._requests.once(connection, asked, pb.Channel, work), new

    async def disable(self, tenant: uuid.UUID, identifier: str, uri: str) -> None:
        """The receiver at `uri` wants no more. An address given since then stays enabled."""
        async with self._database.unit_of_work(str(tenant)) as connection:
            await connection.execute(DISABLE, {"tenant": tenant, "id": identifier, "uri": uri})

    async def by_token(self, token: str) -> OpenChannel | None:
        """The enabled channel of a public token. One that is disabled is not found, in the same time."""
        rows = await self._relay.call(BY_TOKEN, token)
        if not rows:
            return None
        row = rows[0]
        return OpenChannel(
            tenant=row["tenant_id"],
            id=row["id"],
            kind=row["kind"],
            bot=f"bots/{row['bot']}",
            uri=row["uri"],
            secrets=[self.opened(row["tenant_id"], row["id"], sealed) for sealed in row["sealed"]],
        )

    def opened(self, tenant: uuid.UUID, identifier: str, sealed: bytes) -> bytes:
        """A secret. Internal."""
        return self._vault.unseal(bytes(sealed), *place(str(tenant), identifier))


async def locked(connection: AsyncConnection, tenant: str, identifier: str) -> Row[Any]:
    """A channel, held until the transaction ends. NotFound."""
    row = (await connection.execute(LOCK, key(tenant, identifier))).one_or_none()
    if row is None:
        raise missing(identifier)
    return row


def key(tenant: str, identifier: str) -> dict[str, object]:
    """Parameters that name a channel."""
    return {"tenant": uuid.UUID(tenant), "id": identifier}


def place(tenant: str, identifier: str) -> tuple[str, str, str]:
    """Where a secret is kept, which it is sealed to."""
    return ("channels.secrets", str(uuid.UUID(tenant)), identifier)


def missing(identifier: str) -> NotFound:
    """Not there, or another tenant's: the same words."""
    return NotFound(f"channels/{identifier} does not exist", metadata={"name": f"channels/{identifier}"})


def kind_name(kind: pb.Channel.Kind.ValueType) -> str:
    """A kind as rows hold it: "webhook"."""
    return pb.Channel.Kind.Name(kind).removeprefix("KIND_").lower()


def channel_message(row: Row[Any]) -> pb.Channel:
    """A row as its message, without the secret."""
    kind = pb.Channel.Kind.Value(f"KIND_{row.kind.upper()}")
    made = pb.Channel(
        name=f"channels/{row.id}",
        display_name=row.display_name,
        kind=kind,
        bot=f"bots/{row.bot}",
        enabled=row.enabled,
        etag=str(row.revision),
    )
    if kind == pb.Channel.KIND_WEBHOOK:
        made.webhook.uri = row.uri
        made.inbound_path = PATH + row.public_token
    made.create_time.FromDatetime(row.created_at)
    made.update_time.FromDatetime(row.updated_at)
    return made

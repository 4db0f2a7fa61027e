"""Sessions and their messages, as people read them."""

import datetime
import json
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from google.protobuf import json_format
from parley.session.v1 import session_pb2 as pb
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.common.db.engine import Database
from services.common.db.gathering import Gathering
from services.common.errors import NotFound, ResourceExhausted
from services.session.domain.replies import ROLES, WAITING_KINDS

COLUMNS = """id, user_id, bot_id, channel, status, metadata, locale, created_at, updated_at, expires_at,
last_seq, consumed_seq, turn, waiting, wake_at, roles"""
STATES = {"active": pb.Session.STATE_ACTIVE, "ended": pb.Session.STATE_ENDED, "expired": pb.Session.STATE_EXPIRED}
STATE_NAMES = {state: name for name, state in STATES.items()}
BUCKETS = 1024

INSERT = text("""INSERT INTO session.user_sessions
(tenant_id, id, user_id, bot_id, metadata, bucket, channel, external_user, roles, locale, expires_at, wake_at)
VALUES (:tenant, :id, :user, :bot, CAST(:metadata AS jsonb), :bucket, :channel, :external_user, :roles, :locale,
        clock_timestamp() + :timeout, CASE WHEN :wakes THEN clock_timestamp() END)
ON CONFLICT DO NOTHING RETURNING id""")
WAKE = text("""INSERT INTO session.session_wakeups (tenant_id, session_id, wake_at, reason)
VALUES (:tenant, :id, clock_timestamp() + CASE WHEN :wakes THEN interval '0' ELSE :timeout END,
        CASE WHEN :wakes THEN 'timer' ELSE 'expiry' END)""")
WAITING = text("""SELECT count(*) FROM (SELECT 1 FROM session.user_sessions u JOIN session.message_history h
ON h.tenant_id = u.tenant_id AND h.session_id = u.id AND h.seq > u.consumed_seq AND h.role = 'user'
WHERE u.tenant_id = :tenant AND u.id = :session LIMIT :limit) AS waiting""")
ONE_AT_A_TIME = text("SELECT pg_advisory_xact_lock(hashtextextended(:who, 0))")
COUNT = text("""SELECT count(*) FROM session.user_sessions
WHERE tenant_id = :tenant AND user_id = :user AND status = 'active'""")
READ = f"SELECT {COLUMNS} FROM session.read_sessions($1, $2)"  # noqa: S608
ON_CHANNEL = text(f"""SELECT {COLUMNS} FROM session.user_sessions
WHERE tenant_id = :tenant AND channel = :channel AND bot_id = :bot AND external_user = :external_user
  AND status = 'active'""")  # noqa: S608
POSTED_UNDER = text("SELECT session_id FROM session.message_keys WHERE tenant_id = :tenant AND key = :key")
MESSAGES = """SELECT seq, id, role, content, tokens_used, created_at, turn, ordinal, request_id, payload
FROM session.read_messages($1, $2, $3, $4)"""
MESSAGE = text("""SELECT seq, id, role, content, tokens_used, created_at, turn, ordinal, request_id, payload
FROM session.message_history WHERE tenant_id = :tenant AND session_id = :session AND id = :id""")


@dataclass(frozen=True, slots=True)
class NewSession:
    """A session to open. wakes: the bot has the first word."""

    id: uuid.UUID
    user: str
    bot: str
    roles: Sequence[str]
    timeout: datetime.timedelta
    channel: str = "web"
    external_user: str = ""
    locale: str = ""
    metadata: dict[str, Any] = field(default_factory=dict)
    wakes: bool = True


@dataclass(frozen=True, slots=True)
class SessionFilter:
    """Which sessions a list shows; empty fields do not narrow it."""

    user: str = ""
    bot: str = ""
    status: str = ""
    before: tuple[datetime.datetime, uuid.UUID] | None = None


class Sessions:
    """Rows of user_sessions and message_history as messages of the contract."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._gathered = Gathering(self._read)

    async def create(self, tenant: str, new: NewSession, *, limit: int = 0) -> bool:
        """Open a session. False when the id or the channel has one.

        `limit`: how many its person may have open, 0 for any number. ResourceExhausted.
        """
        values = {
            "tenant": uuid.UUID(tenant),
            "id": new.id,
            "user": new.user,
            "bot": new.bot,
            "metadata": json.dumps(new.metadata),
            "bucket": new.id.int % BUCKETS,
            "channel": new.channel,
            "external_user": new.external_user,
            "roles": list(new.roles),
            "locale": new.locale,
            "timeout": new.timeout,
            "wakes": new.wakes,
        }
        async with self._database.unit_of_work(tenant) as connection:
            if limit:  # else two who count at the same time would not see each other's session
                await connection.execute(ONE_AT_A_TIME, {"who": f"{tenant}/{new.user}"})
            made = (await connection.execute(INSERT, values)).first() is not None
            if made and limit:
                await self._require_room(connection, values, limit)
            if made:
                woken = {name: values[name] for name in ("tenant", "id", "wakes", "timeout")}
                await connection.execute(WAKE, woken)
        return made

    async def _require_room(self, connection: AsyncConnection, values: dict[str, Any], limit: int) -> None:
        open_now: int = (await connection.execute(COUNT, values)).scalar_one()
        if open_now > limit:
            raise ResourceExhausted(
                f"{limit} sessions are open already: end one first",
                reason="TOO_MANY_SESSIONS",
                metadata={"limit": str(limit)},
            )

    async def read(self, tenant: str, session: uuid.UUID) -> pb.Session:
        """A session by id. NotFound."""
        found = await self._gathered.get(tenant, session)
        if found is None:
            raise missing(session)
        return found

    async def _read(self, tenant: str, sessions: Sequence[uuid.UUID]) -> dict[uuid.UUID, pb.Session]:
        rows = await self._database.call(READ, uuid.UUID(tenant), sessions)
        return {row["id"]: session_message(row) for row in rows}

    async def on_channel(self, tenant: str, channel: str, bot: str, external_user: str) -> pb.Session | None:
        """The open session of somebody on a channel."""
        values = {"tenant": uuid.UUID(tenant), "channel": channel, "bot": bot, "external_user": external_user}
        async with self._database.unit_of_work(tenant) as connection:
            row = (await connection.execute(ON_CHANNEL, values)).mappings().one_or_none()
        return session_message(row) if row else None

    async def posted_under(self, tenant: str, key: str) -> uuid.UUID | None:
        """The session of the message that was posted under a key; None when there is none."""
        async with self._database.unit_of_work(tenant) as connection:
            values = {"tenant": uuid.UUID(tenant), "key": key}
            found: uuid.UUID | None = (await connection.execute(POSTED_UNDER, values)).scalar_one_or_none()
        return found

    async def waiting(self, tenant: str, session: uuid.UUID, limit: int) -> int:
        """How many messages of a session no turn has consumed yet, `limit` at most."""
        values = {"tenant": uuid.UUID(tenant), "session": session, "limit": limit}
        async with self._database.unit_of_work(tenant) as connection:
            count: int = (await connection.execute(WAITING, values)).scalar_one()
        return count

    async def list(self, tenant: str, only: SessionFilter, limit: int) -> Sequence[pb.Session]:
        """Newest first."""
        clauses = ["tenant_id = :tenant"]
        values: dict[str, object] = {"tenant": uuid.UUID(tenant), "limit": limit}
        for column, value in (("user_id", only.user), ("bot_id", only.bot), ("status", only.status)):
            if value:
                clauses.append(f"{column} = :{column}")
                values[column] = value
        if only.before:
            clauses.append("(created_at, id) < (:created, :id)")
            values["created"], values["id"] = only.before
        statement = f"""SELECT {COLUMNS} FROM session.user_sessions WHERE {" AND ".join(clauses)}
        ORDER BY created_at DESC, id DESC LIMIT :limit"""  # noqa: S608
        async with self._database.unit_of_work(tenant) as connection:
            rows = (await connection.execute(text(statement), values)).mappings().all()
        return [session_message(row) for row in rows]

    async def messages(self, tenant: str, session: uuid.UUID, after: int, limit: int) -> Sequence[pb.Message]:
        """Messages after a number, oldest first."""
        rows = await self._database.call(MESSAGES, uuid.UUID(tenant), session, after, limit)
        return [message_of(session, row) for row in rows]

    async def message(self, tenant: str, session: uuid.UUID, message: uuid.UUID) -> pb.Message:
        """One message. NotFound."""
        values = {"tenant": uuid.UUID(tenant), "session": session, "id": message}
        async with self._database.unit_of_work(tenant) as connection:
            row = (await connection.execute(MESSAGE, values)).mappings().one_or_none()
        if row is None:
            raise missing(session)
        return message_of(session, row)


def missing(session: uuid.UUID) -> NotFound:
    """A session that is not there, or not for this caller: the same words."""
    return NotFound(
        f"sessions/{session} does not exist", reason="RESOURCE_NOT_FOUND", metadata={"name": f"sessions/{session}"}
    )


def waiting_of(row: Any) -> pb.Waiting:  # noqa: ANN401 - as above
    """What the program waits for."""
    waiting = pb.Waiting(kind=WAITING_KINDS[row["waiting"]])
    if row["wake_at"] and row["waiting"] != "none":
        waiting.until.FromDatetime(row["wake_at"])
    return waiting


def session_message(row: Any) -> pb.Session:  # noqa: ANN401 - an asyncpg or a SQLAlchemy mapping
    """A row of COLUMNS as its message."""
    session = pb.Session(
        name=f"sessions/{row['id']}",
        bot=f"bots/{row['bot_id']}",
        user=row["user_id"],
        channel=f"channels/{row['channel']}",
        state=STATES[row["status"]],
        locale=row["locale"],
        last_seq=row["last_seq"],
        consumed_seq=row["consumed_seq"],
        turn=row["turn"],
        waiting=waiting_of(row),
    )
    session.create_time.FromDatetime(row["created_at"])
    session.update_time.FromDatetime(row["updated_at"])
    session.expire_time.FromDatetime(row["expires_at"])
    metadata = json.loads(row["metadata"]) if isinstance(row["metadata"], str) else row["metadata"]
    if metadata:
        json_format.ParseDict(metadata, session.metadata)
    return session


def message_of(session: uuid.UUID, row: Any) -> pb.Message:  # noqa: ANN401 - an asyncpg or a SQLAlchemy mapping
    """A row of message_history as its message."""
    message = pb.Message()
    if row["payload"]:
        message.ParseFromString(row["payload"])
        conceal(message)
    message.name = f"sessions/{session}/messages/{row['id']}"
    message.seq, message.role, message.text = row["seq"], ROLES[row["role"]], row["content"]
    message.turn, message.ordinal = row["turn"], row["ordinal"]
    message.request_id, message.tokens_used = row["request_id"], row["tokens_used"]
    message.create_time.FromDatetime(row["created_at"])
    return message


def conceal(message: pb.Message) -> None:
    """Take away what only the worker is told."""
    if message.HasField("run"):
        message.run.ClearField("variables")

"""Rows behind tokens: families, refresh tokens, sign-in attempts, API key use, signing keys."""

import datetime
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.common.db.engine import Database
from services.session.identity import lockout
from services.session.identity.credentials import Credential

INSTALLATION = uuid.UUID(int=0)
ROTATION_LOCK = 0x7061726C  # any number, the same in every process

SIGN_IN_VISITOR = "SELECT session.sign_in_visitor($1, $2, $3, $4, $5, $6, $7)"
ROTATE = "SELECT * FROM session.rotate_refresh_token($1, $2, $3, $4, $5)"
USE_API_KEY = "SELECT * FROM session.use_api_key($1, $2, $3)"

NEW_FAMILY = text("""INSERT INTO session.token_families (tenant_id, id, subject, expires_at)
VALUES (:tenant, :family, :subject, now() + :family_lifetime)""")
FIRST_TOKEN = text("""INSERT INTO session.refresh_tokens (tenant_id, digest, family_id, expires_at)
VALUES (:tenant, :digest, :family, now() + :lifetime)""")
FAMILY_OF = text("""UPDATE session.token_families SET revoked_at = coalesce(revoked_at, now())
WHERE tenant_id = :tenant AND id = (
    SELECT family_id FROM session.refresh_tokens WHERE tenant_id = :tenant AND digest = :digest)
RETURNING subject""")
REVOKE_SUBJECT = text("""UPDATE session.token_families SET revoked_at = now()
WHERE tenant_id = :tenant AND subject = :subject AND revoked_at IS NULL AND id IS DISTINCT FROM :kept""")

LOCK_ATTEMPTS = text("""INSERT INTO session.sign_in_failures (tenant_id, account, attempts, last_attempt_at)
VALUES (:tenant, :account, 0, now())
ON CONFLICT (tenant_id, account) DO UPDATE SET attempts = CASE
    WHEN session.sign_in_failures.last_attempt_at < now() - CAST(:forget AS interval) THEN 0
    ELSE session.sign_in_failures.attempts END
RETURNING attempts, extract(epoch FROM blocked_until - clock_timestamp())::float8 AS wait""")
COUNT_ATTEMPT = text("""UPDATE session.sign_in_failures SET attempts = :attempts, last_attempt_at = now(),
blocked_until = clock_timestamp() + CAST(:wait AS interval) WHERE tenant_id = :tenant AND account = :account""")
FORGET_ATTEMPTS = text("DELETE FROM session.sign_in_failures WHERE tenant_id = :tenant AND account = :account")

SIGNING_KEYS = text("""SELECT key_id, public_jwk, private_sealed, sealed_with, activate_at, retire_at
FROM session.signing_keys WHERE tenant_id = :tenant AND (retire_at IS NULL OR retire_at > now())
ORDER BY activate_at DESC""")
LOCK_ROTATION = text("SELECT pg_advisory_xact_lock(:lock)")
RETIRE_OTHERS = text("""UPDATE session.signing_keys SET retire_at = :retire_at
WHERE tenant_id = :tenant AND retire_at IS NULL""")
FORGET_RETIRED = text("DELETE FROM session.signing_keys WHERE tenant_id = :tenant AND retire_at < now()")
INSERT_SIGNING_KEY = text("""INSERT INTO session.signing_keys
(tenant_id, key_id, public_jwk, private_sealed, sealed_with, activate_at)
VALUES (:tenant, :key_id, :public_jwk, :private_sealed, :sealed_with, :activate_at)""")

BATCH = 5000
FORGOTTEN = (
    ("refresh_tokens", "expires_at < now()"),
    ("token_families", "expires_at < now()"),
    ("visitors", "last_seen_at < now() - $1::interval"),
    ("sign_in_failures", "last_attempt_at < now() - interval '1 day'"),
)


@dataclass(frozen=True, slots=True)
class Lifetimes:
    """How long things of a sign-in live; `repeat`: how long after its use a refresh token may be repeated."""

    refresh: datetime.timedelta
    family: datetime.timedelta
    repeat: datetime.timedelta


@dataclass(frozen=True, slots=True)
class Rotation:
    """What became of a refresh token: rotated, unknown, expired, revoked, reused (now) or replayed (again)."""

    outcome: str
    family: uuid.UUID | None
    subject: str
    roles: tuple[str, ...]
    password_expired: bool


@dataclass(frozen=True, slots=True)
class KeyUse:
    """What a valid API key may."""

    roles: tuple[str, ...]
    scopes: tuple[str, ...]
    expires_at: datetime.datetime | None


async def sign_in_visitor(
    database: Database,
    visitor: uuid.UUID,
    family: uuid.UUID,
    token: Credential,
    *,
    about: tuple[str, str],
    lifetime: datetime.timedelta,
) -> None:
    """Make a visitor (locale, bot) and the first refresh token."""
    await database.call(SIGN_IN_VISITOR, token.tenant_id, visitor, *about, family, token.digest, lifetime)


async def rotate(database: Database, old: Credential, new: Credential, lifetimes: Lifetimes) -> Rotation:
    """Exchange a refresh token, or find out what is wrong with it; reuse revokes its family."""
    values = (old.tenant_id, old.digest, new.digest, lifetimes.refresh, lifetimes.repeat)
    row = (await database.call(ROTATE, *values))[0]
    return Rotation(
        row["outcome"],
        row["family"],
        row["subject"] or "",
        tuple(row["roles"] or ()),
        bool(row["password_expired"]),
    )


async def use_api_key(database: Database, key: Credential) -> KeyUse | None:
    """What a key may, None when it is unknown or expired."""
    rows = await database.call(USE_API_KEY, key.tenant_id, key.key_id, key.digest)
    return KeyUse(tuple(rows[0]["roles"]), tuple(rows[0]["scopes"]), rows[0]["expires_at"]) if rows else None


async def start_family(
    connection: AsyncConnection, subject: str, family: uuid.UUID, token: Credential, lifetimes: Lifetimes
) -> None:
    """A sign-in: a family and its first refresh token."""
    key = {"tenant": token.tenant_id, "family": family}
    await connection.execute(NEW_FAMILY, {**key, "subject": subject, "family_lifetime": lifetimes.family})
    await connection.execute(FIRST_TOKEN, {**key, "digest": token.digest, "lifetime": lifetimes.refresh})


async def revoke_family(connection: AsyncConnection, token: Credential) -> str:
    """Revoke the family of a refresh token, used or not; the subject, empty when the token is unknown."""
    values = {"tenant": token.tenant_id, "digest": token.digest}
    return (await connection.execute(FAMILY_OF, values)).scalar_one_or_none() or ""


async def revoke_subject(
    connection: AsyncConnection, tenant: uuid.UUID, subject: str, kept: uuid.UUID | None = None
) -> None:
    """Revoke all families of somebody, but for one."""
    await connection.execute(REVOKE_SUBJECT, {"tenant": tenant, "subject": subject, "kept": kept})


async def count_attempt(connection: AsyncConnection, tenant: uuid.UUID, account: bytes) -> float:
    """Count a sign-in before its password is looked at; the seconds to wait, 0 when it may go on."""
    key = {"tenant": tenant, "account": account}
    row = (await connection.execute(LOCK_ATTEMPTS, {**key, "forget": lockout.FORGET_AFTER})).one()
    if row.wait is not None and row.wait > 0:
        return float(row.wait)
    attempts = row.attempts + 1
    await connection.execute(COUNT_ATTEMPT, {**key, "attempts": attempts, "wait": lockout.wait_after(attempts)})
    return 0.0


async def forget_attempts(connection: AsyncConnection, tenant: uuid.UUID, account: bytes) -> None:
    """A right password clears the count."""
    await connection.execute(FORGET_ATTEMPTS, {"tenant": tenant, "account": account})


async def signing_keys(connection: AsyncConnection) -> Sequence[Row[Any]]:
    """The keys that are not retired, newest first."""
    return (await connection.execute(SIGNING_KEYS, {"tenant": INSTALLATION})).all()


async def lock_rotation(connection: AsyncConnection) -> None:
    """One process at a time makes a signing key."""
    await connection.execute(LOCK_ROTATION, {"lock": ROTATION_LOCK})


async def insert_signing_key(
    connection: AsyncConnection, values: Mapping[str, object], retire_others_at: datetime.datetime
) -> None:
    """Keep a new key (key_id, public_jwk, private_sealed, sealed_with, activate_at); the others end then."""
    await connection.execute(FORGET_RETIRED, {"tenant": INSTALLATION})
    await connection.execute(RETIRE_OTHERS, {"tenant": INSTALLATION, "retire_at": retire_others_at})
    await connection.execute(INSERT_SIGNING_KEY, {"tenant": INSTALLATION, **values})


async def forget_old(relay: Database, visitor_lifetime: datetime.timedelta) -> int:
    """Remove what has expired, of all tenants, in small batches; how many rows went."""
    gone = 0
    for table, condition in FORGOTTEN:
        statement = f"""WITH gone AS (DELETE FROM session.{table} WHERE ctid = ANY (ARRAY(
            SELECT ctid FROM session.{table} WHERE {condition} LIMIT {BATCH})) RETURNING 1)
            SELECT count(*) FROM gone"""  # noqa: S608 - constants only
        arguments = (visitor_lifetime,) if "$1" in condition else ()
        gone += (await relay.call(statement, *arguments))[0][0]
    return gone

"""Rows of people, tenants and keys. Every function works inside the caller's transaction and sees its tenant only."""

import datetime
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

from sqlalchemy import Row, TextClause, text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.common.errors import AlreadyExists

USER_COLUMNS = """id, email, display_name, roles, locale, password_hash, password_expired, disabled, revision,
created_at, updated_at"""
INSERT_USER = text(f"""INSERT INTO session.users
(tenant_id, id, email, email_key, display_name, roles, locale, disabled, password_hash, password_expired)
VALUES (:tenant, :id, :email, :email_key, :display_name, :roles, :locale, :disabled, :password_hash,
:password_expired)
ON CONFLICT DO NOTHING RETURNING {USER_COLUMNS}""")  # noqa: S608 - constants only
USER_BY_ID = text(f"SELECT {USER_COLUMNS} FROM session.users WHERE tenant_id = :tenant AND id = :id")  # noqa: S608
LOCK_USER = text(f"SELECT {USER_COLUMNS} FROM session.users WHERE tenant_id = :tenant AND id = :id FOR UPDATE")  # noqa: S608
USER_BY_EMAIL = text(f"SELECT {USER_COLUMNS} FROM session.users WHERE tenant_id = :tenant AND email_key = :email_key")  # noqa: S608
LIST_USERS = text(f"""SELECT {USER_COLUMNS} FROM session.users
WHERE tenant_id = :tenant AND email_key > :after ORDER BY email_key LIMIT :limit""")  # noqa: S608
UPDATE_USER = text(f"""UPDATE session.users SET display_name = :display_name, roles = :roles, locale = :locale,
disabled = :disabled, revision = revision + 1, updated_at = now()
WHERE tenant_id = :tenant AND id = :id RETURNING {USER_COLUMNS}""")  # noqa: S608
SET_PASSWORD = text("""UPDATE session.users SET password_hash = :password_hash, password_expired = :password_expired,
revision = revision + 1, updated_at = now() WHERE tenant_id = :tenant AND id = :id""")
REHASH = text("""UPDATE session.users SET password_hash = :new WHERE tenant_id = :tenant AND id = :id
AND password_hash = :old""")
DELETE_USER = text("DELETE FROM session.users WHERE tenant_id = :tenant AND id = :id")
LOCK_OWNERS = text("""SELECT id FROM session.users WHERE tenant_id = :tenant AND 'owner' = ANY (roles) AND NOT disabled
ORDER BY id FOR UPDATE""")

TENANT_COLUMNS = "tenant_id, slug, display_name, operator, created_at"
INSERT_TENANT = text(f"""INSERT INTO session.tenants (tenant_id, slug, display_name, operator)
VALUES (:tenant, :slug, :display_name, :operator) ON CONFLICT DO NOTHING RETURNING {TENANT_COLUMNS}""")  # noqa: S608
OWN_TENANT = text(f"SELECT {TENANT_COLUMNS} FROM session.tenants WHERE tenant_id = :tenant")  # noqa: S608
ANY_TENANT = text(f"SELECT {TENANT_COLUMNS} FROM session.tenant_for_operator(:tenant)")  # noqa: S608
LIST_TENANTS = text(f"SELECT {TENANT_COLUMNS} FROM session.tenants_after(:after, :limit)")  # noqa: S608
TENANT_OF_SLUG = text("SELECT session.tenant_of_slug(:slug)")

KEY_COLUMNS = "id, display_name, roles, scopes, expires_at, created_at, last_use_at"
INSERT_KEY = text(f"""INSERT INTO session.api_keys
(tenant_id, id, digest, display_name, roles, scopes, created_by, expires_at)
VALUES (:tenant, :id, :digest, :display_name, :roles, :scopes, :created_by, :expires_at)
RETURNING {KEY_COLUMNS}""")  # noqa: S608
LIST_KEYS = text(f"""SELECT {KEY_COLUMNS} FROM session.api_keys WHERE tenant_id = :tenant
AND (created_at, id) < (:before, :before_id) ORDER BY created_at DESC, id DESC LIMIT :limit""")  # noqa: S608
LOCK_KEY = text(f"SELECT {KEY_COLUMNS} FROM session.api_keys WHERE tenant_id = :tenant AND id = :id FOR UPDATE")  # noqa: S608
DELETE_KEY = text("DELETE FROM session.api_keys WHERE tenant_id = :tenant AND id = :id")

LINKED_USER = text(f"""SELECT {USER_COLUMNS} FROM session.users WHERE tenant_id = :tenant AND id = (
SELECT user_id FROM session.external_identities
WHERE tenant_id = :tenant AND issuer = :issuer AND subject = :subject) FOR UPDATE""")  # noqa: S608
LINK = text("""INSERT INTO session.external_identities (tenant_id, issuer, subject, user_id)
VALUES (:tenant, :issuer, :subject, :user)""")
LOCK_OUTSIDER = text("SELECT pg_advisory_xact_lock(hashtextextended('session.external_identities/' || :who, 0))")


@dataclass(frozen=True, slots=True)
class UserRow:
    """Somebody with an account."""

    id: uuid.UUID
    email: str
    display_name: str
    roles: tuple[str, ...]
    locale: str
    password_hash: str
    password_expired: bool
    disabled: bool
    revision: int
    created_at: datetime.datetime
    updated_at: datetime.datetime

    @classmethod
    def of(cls, row: Row[Any]) -> Self:
        """From a row of USER_COLUMNS."""
        return cls(*_with_tuples(row))

    @property
    def subject(self) -> str:
        """As it stands in tokens."""
        return f"users/{self.id}"


@dataclass(frozen=True, slots=True)
class TenantRow:
    """An organisation; the operator's may see that others exist."""

    id: uuid.UUID
    slug: str
    display_name: str
    operator: bool
    created_at: datetime.datetime


@dataclass(frozen=True, slots=True)
class ApiKeyRow:
    """A key without its secret, which nobody can read back."""

    id: str
    display_name: str
    roles: tuple[str, ...]
    scopes: tuple[str, ...]
    expires_at: datetime.datetime | None
    created_at: datetime.datetime
    last_use_at: datetime.datetime | None

    @classmethod
    def of(cls, row: Row[Any]) -> Self:
        """From a row of KEY_COLUMNS."""
        return cls(*_with_tuples(row))


@dataclass(frozen=True, slots=True)
class NewUser:
    """What an account starts with."""

    id: uuid.UUID
    email: str
    display_name: str = ""
    roles: Sequence[str] = ("user",)
    locale: str = ""
    disabled: bool = False
    password_hash: str = ""
    password_expired: bool = False


def email_key(email: str) -> str:
    """What makes an address unique: its letters, whatever their case."""
    return email.strip().casefold()


async def insert_user(connection: AsyncConnection, tenant: uuid.UUID, user: NewUser) -> UserRow:
    """Make an account. Raises AlreadyExists when the address is taken."""
    values = {
        "tenant": tenant,
        "id": user.id,
        "email": user.email.strip(),
        "email_key": email_key(user.email),
        "display_name": user.display_name,
        "roles": list(user.roles),
        "locale": user.locale,
        "disabled": user.disabled,
        "password_hash": user.password_hash,
        "password_expired": user.password_expired,
    }
    row = (await connection.execute(INSERT_USER, values)).one_or_none()
    if row is None:
        raise AlreadyExists("an account with this e-mail address exists", reason="RESOURCE_EXISTS")
    return UserRow.of(row)


async def read_user(
    connection: AsyncConnection, tenant: uuid.UUID, user: uuid.UUID, *, lock: bool = False
) -> UserRow | None:
    """An account by id, locked until the end of the transaction if asked."""
    return await _user(connection, LOCK_USER if lock else USER_BY_ID, {"tenant": tenant, "id": user})


async def user_by_email(connection: AsyncConnection, tenant: uuid.UUID, email: str) -> UserRow | None:
    """An account by its address."""
    return await _user(connection, USER_BY_EMAIL, {"tenant": tenant, "email_key": email_key(email)})


async def linked_user(connection: AsyncConnection, tenant: uuid.UUID, issuer: str, subject: str) -> UserRow | None:
    """The account behind somebody of an outside issuer, locked."""
    return await _user(connection, LINKED_USER, {"tenant": tenant, "issuer": issuer, "subject": subject})


async def lock_outsider(connection: AsyncConnection, issuer: str, subject: str) -> None:
    """Two first visits of the same person at once make one account."""
    await connection.execute(LOCK_OUTSIDER, {"who": f"{issuer}\n{subject}"})


async def link_user(connection: AsyncConnection, tenant: uuid.UUID, issuer: str, subject: str, user: uuid.UUID) -> None:
    """Say that somebody of an outside issuer is this account."""
    values = {"tenant": tenant, "issuer": issuer, "subject": subject, "user": user}
    await connection.execute(LINK, values)


async def list_users(connection: AsyncConnection, tenant: uuid.UUID, after: str, limit: int) -> list[UserRow]:
    """Accounts by email_key, beginning after that one."""
    values = {"tenant": tenant, "after": after, "limit": limit}
    return [UserRow.of(row) for row in await connection.execute(LIST_USERS, values)]


async def update_user(
    connection: AsyncConnection, tenant: uuid.UUID, user: uuid.UUID, changes: Mapping[str, object]
) -> UserRow:
    """Write display_name, roles, locale and disabled of a locked account."""
    return UserRow.of((await connection.execute(UPDATE_USER, {"tenant": tenant, "id": user, **changes})).one())


async def set_password(
    connection: AsyncConnection, tenant: uuid.UUID, user: uuid.UUID, password_hash: str, *, expired: bool = False
) -> None:
    """Replace a password."""
    values = {"tenant": tenant, "id": user, "password_hash": password_hash, "password_expired": expired}
    await connection.execute(SET_PASSWORD, values)


async def rehash(connection: AsyncConnection, tenant: uuid.UUID, user: uuid.UUID, old: str, new: str) -> None:
    """Replace the hash of the same password, unless it was changed meanwhile."""
    await connection.execute(REHASH, {"tenant": tenant, "id": user, "old": old, "new": new})


async def delete_user(connection: AsyncConnection, tenant: uuid.UUID, user: uuid.UUID) -> None:
    """Remove an account."""
    await connection.execute(DELETE_USER, {"tenant": tenant, "id": user})


async def lock_owners(connection: AsyncConnection, tenant: uuid.UUID) -> set[uuid.UUID]:
    """The owners who may sign in, locked: two who remove each other wait for one another."""
    return set((await connection.execute(LOCK_OWNERS, {"tenant": tenant})).scalars())


async def insert_tenant(
    connection: AsyncConnection, tenant: uuid.UUID, slug: str, display_name: str, *, operator: bool = False
) -> TenantRow | None:
    """Make a tenant; None when the short name is taken. The transaction must be the new tenant's."""
    values = {"tenant": tenant, "slug": slug, "display_name": display_name, "operator": operator}
    row = (await connection.execute(INSERT_TENANT, values)).one_or_none()
    return TenantRow(*row) if row else None


async def read_tenant(connection: AsyncConnection, tenant: uuid.UUID, caller: uuid.UUID) -> TenantRow | None:
    """The caller's own tenant, or any for the operator's."""
    statement = OWN_TENANT if tenant == caller else ANY_TENANT
    row = (await connection.execute(statement, {"tenant": tenant})).one_or_none()
    return TenantRow(*row) if row else None


async def list_tenants(connection: AsyncConnection, after: str, limit: int) -> list[TenantRow]:
    """Tenants by short name; none unless the caller is the operator's."""
    return [TenantRow(*row) for row in await connection.execute(LIST_TENANTS, {"after": after, "limit": limit})]


async def tenant_of_slug(connection: AsyncConnection, slug: str) -> uuid.UUID | None:
    """The id behind a short name."""
    found: uuid.UUID | None = (await connection.execute(TENANT_OF_SLUG, {"slug": slug})).scalar_one()
    return found


async def insert_key(connection: AsyncConnection, tenant: uuid.UUID, values: Mapping[str, object]) -> ApiKeyRow:
    """Keep a key: id, digest, display_name, roles, scopes, created_by, expires_at."""
    return ApiKeyRow.of((await connection.execute(INSERT_KEY, {"tenant": tenant, **values})).one())


async def list_keys(
    connection: AsyncConnection, tenant: uuid.UUID, before: tuple[datetime.datetime, str], limit: int
) -> list[ApiKeyRow]:
    """Keys made before that moment and id, newest first."""
    values = {"tenant": tenant, "before": before[0], "before_id": before[1], "limit": limit}
    return [ApiKeyRow.of(row) for row in await connection.execute(LIST_KEYS, values)]


async def lock_key(connection: AsyncConnection, tenant: uuid.UUID, key: str) -> ApiKeyRow | None:
    """A key, locked."""
    row = (await connection.execute(LOCK_KEY, {"tenant": tenant, "id": key})).one_or_none()
    return ApiKeyRow.of(row) if row else None


async def delete_key(connection: AsyncConnection, tenant: uuid.UUID, key: str) -> None:
    """Forget a key."""
    await connection.execute(DELETE_KEY, {"tenant": tenant, "id": key})


async def _user(connection: AsyncConnection, statement: TextClause, values: Mapping[str, object]) -> UserRow | None:
    row = (await connection.execute(statement, values)).one_or_none()
    return UserRow.of(row) if row else None


def _with_tuples(row: Row[Any]) -> Iterator[Any]:
    return (tuple(value) if isinstance(value, list) else value for value in row)

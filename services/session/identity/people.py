"""Accounts: made, changed and removed by those who may. Every function is a step of the caller's transaction."""

import hashlib
import uuid
from collections.abc import Collection, Mapping

from sqlalchemy.ext.asyncio import AsyncConnection

from services.common.db.engine import Database
from services.common.errors import (
    Aborted,
    FailedPrecondition,
    InvalidArgument,
    NotFound,
    PermissionDenied,
    ResourceExhausted,
)
from services.common.identifiers import uuid7
from services.common.security.principal import Principal
from services.session import audit, token_store
from services.session import identity_store as store
from services.session.identity.passwords import Passwords, check_strength
from services.session.identity.roles import DEFAULT_ROLES, ensure_not_above, ensure_roles

CHANGEABLE = ("display_name", "roles", "locale", "disabled")


def user_id_of(principal: Principal) -> uuid.UUID:
    """The account of the caller. NotFound for visitors, keys and services."""
    kind, _, identifier = principal.subject.partition("/")
    if kind != "users":
        raise NotFound("the caller has no account")
    return uuid.UUID(identifier)


def missing(user: uuid.UUID) -> NotFound:
    """There is no such account, or not for this caller."""
    return NotFound(f"users/{user} does not exist", metadata={"name": f"users/{user}"})


class People:
    """What may be done with accounts."""

    def __init__(self, database: Database, passwords: Passwords) -> None:
        self._database = database
        self._passwords = passwords

    async def create(
        self, connection: AsyncConnection, maker: Principal, new: store.NewUser, password: str
    ) -> store.UserRow:
        """An account; a password given to somebody has to be changed by them. AlreadyExists, PermissionDenied."""
        if not new.email:
            raise InvalidArgument.field("user.email", "an e-mail address")
        ensure_roles(maker, new.roles)
        made = await self.insert(connection, uuid.UUID(maker.tenant_id), new, password)
        entry = audit.Entry(maker.subject, "users.create", made.subject, detail={"roles": sorted(made.roles)})
        await audit.append(connection, uuid.UUID(maker.tenant_id), entry)
        return made

    async def insert(
        self, connection: AsyncConnection, tenant: uuid.UUID, new: store.NewUser, password: str
    ) -> store.UserRow:
        """An account without asking who makes it."""
        hashed = ""
        if password:
            check_strength("password", password, new.email)
            hashed = await self._passwords.hash(password)
        complete = store.NewUser(
            uuid7(),
            new.email,
            new.display_name,
            tuple(sorted(set(new.roles))) or DEFAULT_ROLES,
            new.locale,
            new.disabled,
            password_hash=hashed,
            password_expired=bool(hashed),
        )
        return await store.insert_user(connection, tenant, complete)

    async def read(self, reader: Principal, user: uuid.UUID) -> store.UserRow:
        """An account of the reader's tenant. NotFound."""
        tenant = uuid.UUID(reader.tenant_id)
        async with self._database.unit_of_work(reader.tenant_id) as connection:
            found = await store.read_user(connection, tenant, user)
        if found is None:
            raise missing(user)
        return found

    async def update(
        self, connection: AsyncConnection, maker: Principal, user: uuid.UUID, changes: Mapping[str, object], etag: str
    ) -> store.UserRow:
        """Change some of CHANGEABLE. NotFound, PermissionDenied, Aborted (etag), FailedPrecondition (last owner)."""
        tenant = uuid.UUID(maker.tenant_id)
        owners = await store.lock_owners(connection, tenant)
        before = await self._locked(connection, maker, user)
        if etag and etag != str(before.revision):
            raise Aborted("the account was changed meanwhile; read it again")
        wanted = {name: getattr(before, name) for name in CHANGEABLE} | dict(changes)
        roles = tuple(sorted(set(wanted["roles"]))) or DEFAULT_ROLES
        if set(roles) != set(before.roles):
            ensure_roles(maker, roles)
        if "owner" not in roles or wanted["disabled"]:
            keep_an_owner(owners, user)
        after = await store.update_user(connection, tenant, user, {**wanted, "roles": list(roles)})
        if after.disabled:
            await token_store.revoke_subject(connection, tenant, after.subject)
        await audit.append(connection, tenant, _change(maker, before, after))
        return after

    async def delete(self, connection: AsyncConnection, maker: Principal, user: uuid.UUID) -> None:
        """Remove an account and revoke its tokens. NotFound, PermissionDenied, FailedPrecondition (last owner)."""
        tenant = uuid.UUID(maker.tenant_id)
        owners = await store.lock_owners(connection, tenant)
        before = await self._locked(connection, maker, user)
        keep_an_owner(owners, user)
        await token_store.revoke_subject(connection, tenant, before.subject)
        await store.delete_user(connection, tenant, user)
        await audit.append(connection, tenant, audit.Entry(maker.subject, "users.delete", before.subject))

    async def count_password_attempt(self, caller: Principal) -> None:
        """A stolen access token must not serve to guess the password. ResourceExhausted, NotFound."""
        tenant, user = uuid.UUID(caller.tenant_id), user_id_of(caller)
        async with self._database.unit_of_work(caller.tenant_id) as connection:
            found = await store.read_user(connection, tenant, user)
            if found is None:
                raise missing(user)
            wait = await token_store.count_attempt(connection, tenant, _account(found))
        if wait > 0:
            raise ResourceExhausted("too many wrong passwords for this account", retry_after=wait)

    async def change_password(
        self, connection: AsyncConnection, caller: Principal, current: str, new: str, family: uuid.UUID | None
    ) -> None:
        """Replace one's own password; of the refresh tokens only `family` stays. PermissionDenied, InvalidArgument."""
        tenant, user = uuid.UUID(caller.tenant_id), user_id_of(caller)
        found = await store.read_user(connection, tenant, user, lock=True)
        if found is None:
            raise missing(user)
        if not await self._passwords.verify(found.password_hash, current):
            raise PermissionDenied("the current password is wrong", reason="CREDENTIALS_INVALID")
        check_strength("new_password", new, found.email)
        if new == current:
            raise InvalidArgument.field("new_password", "something other than the current password")
        await store.set_password(connection, tenant, user, await self._passwords.hash(new))
        await token_store.revoke_subject(connection, tenant, found.subject, kept=family)
        await token_store.forget_attempts(connection, tenant, _account(found))
        await audit.append(connection, tenant, audit.Entry(caller.subject, "users.changePassword", found.subject))

    async def _locked(self, connection: AsyncConnection, maker: Principal, user: uuid.UUID) -> store.UserRow:
        found = await store.read_user(connection, uuid.UUID(maker.tenant_id), user, lock=True)
        if found is None:
            raise missing(user)
        ensure_not_above(maker, found.roles)
        return found


def keep_an_owner(owners: Collection[uuid.UUID], user: uuid.UUID) -> None:
    """Raise FailedPrecondition when the tenant would be left without an owner."""
    if set(owners) == {user}:
        raise FailedPrecondition("a tenant keeps at least one owner who may sign in")


def _account(user: store.UserRow) -> bytes:
    return hashlib.sha256(store.email_key(user.email).encode()).digest()


def _change(maker: Principal, before: store.UserRow, after: store.UserRow) -> audit.Entry:
    changed = {name for name in CHANGEABLE if getattr(before, name) != getattr(after, name)}
    if "roles" in changed:
        detail: dict[str, object] = {"before": sorted(before.roles), "after": sorted(after.roles)}
        return audit.Entry(maker.subject, "users.roles", after.subject, detail=detail)
    return audit.Entry(maker.subject, "users.update", after.subject, detail={"fields": sorted(changed)})

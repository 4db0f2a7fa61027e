"""Signing in with a password or as a visitor, renewing and signing out."""

import hashlib
import uuid
from dataclasses import dataclass

from services.common.db.engine import Database
from services.common.errors import ParleyError, ResourceExhausted, Unauthenticated
from services.common.identifiers import uuid7
from services.common.security.principal import Principal
from services.session import audit, token_store
from services.session import identity_store as store
from services.session.identity.access_tokens import AccessToken, AccessTokens
from services.session.identity.credentials import new_refresh_token, parse_refresh_token
from services.session.identity.passwords import Passwords
from services.session.identity.roles import PASSWORD_EXPIRED_SCOPES
from services.session.identity.tenancy import TenantDirectory

VISITOR_ROLES = frozenset({"visitor"})


@dataclass(frozen=True, slots=True)
class Grant:
    """What a sign-in gives. `refresh` is empty when nothing can be renewed."""

    principal: Principal
    access: AccessToken
    refresh: str = ""
    password_expired: bool = False


def principal_of(tenant: uuid.UUID, user: store.UserRow) -> Principal:
    """An account as a caller; with an expired password it may hardly do anything."""
    scopes = PASSWORD_EXPIRED_SCOPES if user.password_expired else frozenset()
    return Principal(str(tenant), user.subject, frozenset(user.roles), scopes)


def refused() -> Unauthenticated:
    """One answer for all that can be wrong with a sign-in."""
    return Unauthenticated("the tenant, e-mail address or password is wrong", reason="CREDENTIALS_INVALID")


class SignIn:
    """Turns credentials into grants."""

    def __init__(
        self,
        database: Database,
        tenants: TenantDirectory,
        passwords: Passwords,
        tokens: AccessTokens,
        lifetimes: token_store.Lifetimes,
    ) -> None:
        self._database = database
        self._tenants = tenants
        self._passwords = passwords
        self._tokens = tokens
        self._lifetimes = lifetimes

    async def with_password(self, slug: str, email: str, password: str) -> Grant:
        """Unauthenticated CREDENTIALS_INVALID, or ResourceExhausted while the account has to wait."""
        tenant = await self._tenants.find(slug)
        if tenant is None:
            await self._passwords.verify("", password)
            raise refused()
        account = hashlib.sha256(store.email_key(email).encode()).digest()
        user = await self._count_and_find(tenant, account, email)
        right = await self._passwords.verify(user.password_hash if user else "", password)
        if user is None or not right or user.disabled:
            await audit.record(self._database, tenant, _failure(user, account))
            raise refused()
        return await self._welcome(tenant, user, account, password)

    async def as_visitor(self, slug: str, locale: str, bot: str) -> Grant:
        """Somebody without an account. NotFound is not told from a wrong tenant: Unauthenticated."""
        tenant = await self._tenants.find(slug)
        if tenant is None:
            raise Unauthenticated("there is no such tenant", reason="CREDENTIALS_INVALID")
        visitor, family = uuid7(), uuid7()
        text, token = new_refresh_token(tenant)
        await token_store.sign_in_visitor(
            self._database, visitor, family, token, about=(locale, bot), lifetime=self._lifetimes.family
        )
        principal = Principal(str(tenant), f"visitors/{visitor}", VISITOR_ROLES)
        return Grant(principal, self._tokens.issue(principal, family=family), text)

    async def renew(self, refresh_token: str) -> Grant:
        """The next pair of tokens; another one while the answer may have been lost.

        Unauthenticated TOKEN_INVALID, TOKEN_EXPIRED or TOKEN_REUSED.
        """
        old = parse_refresh_token(refresh_token)
        if old is None:
            raise _invalid("unknown")
        text, new = new_refresh_token(old.tenant_id)
        rotation = await token_store.rotate(self._database, old, new, self._lifetimes)
        if rotation.outcome == "reused":
            entry = audit.Entry(rotation.subject, "tokens.refresh", f"families/{rotation.family}", "failure")
            await audit.record(self._database, old.tenant_id, entry)
        if rotation.outcome != "rotated":
            raise _invalid(rotation.outcome)
        scopes = PASSWORD_EXPIRED_SCOPES if rotation.password_expired else frozenset()
        principal = Principal(str(old.tenant_id), rotation.subject, frozenset(rotation.roles), scopes)
        access = self._tokens.issue(principal, family=rotation.family)
        return Grant(principal, access, text, rotation.password_expired)

    async def sign_out(self, refresh_token: str) -> None:
        """Revoke the family of a refresh token; an unknown one is already as good as revoked."""
        token = parse_refresh_token(refresh_token)
        if token is None:
            return
        async with self._database.unit_of_work(str(token.tenant_id)) as connection:
            subject = await token_store.revoke_family(connection, token)
            if subject.startswith("users/"):
                await audit.append(connection, token.tenant_id, audit.Entry(subject, "tokens.revoke", subject))

    async def _count_and_find(self, tenant: uuid.UUID, account: bytes, email: str) -> store.UserRow | None:
        async with self._database.unit_of_work(str(tenant)) as connection:
            wait = await token_store.count_attempt(connection, tenant, account)
            user = await store.user_by_email(connection, tenant, email)
        if wait > 0:
            raise ResourceExhausted("too many wrong passwords for this account", retry_after=wait)
        return user

    async def _welcome(self, tenant: uuid.UUID, seen: store.UserRow, account: bytes, password: str) -> Grant:
        outdated = self._passwords.outdated(seen.password_hash)
        better = await self._passwords.hash(password) if outdated else ""
        family = uuid7()
        text, token = new_refresh_token(tenant)
        async with self._database.unit_of_work(str(tenant)) as connection:
            user = await store.read_user(connection, tenant, seen.id, lock=True)
            if user is None or user.disabled or user.password_hash != seen.password_hash:
                raise refused()
            if better:
                await store.rehash(connection, tenant, user.id, user.password_hash, better)
            await token_store.forget_attempts(connection, tenant, account)
            await token_store.start_family(connection, user.subject, family, token, self._lifetimes)
            await audit.append(connection, tenant, audit.Entry(user.subject, "users.signIn", user.subject))
        principal = principal_of(tenant, user)
        return Grant(principal, self._tokens.issue(principal, family=family), text, user.password_expired)


def _failure(user: store.UserRow | None, account: bytes) -> audit.Entry:
    who = user.subject if user else f"accounts/{account.hex()[:16]}"
    return audit.Entry(who, "users.signIn", who, "failure")


def _invalid(outcome: str) -> ParleyError:
    if outcome in {"reused", "replayed"}:
        return Unauthenticated("the refresh token was used before: sign in again", reason="TOKEN_REUSED")
    if outcome == "expired":
        return Unauthenticated("the refresh token has expired: sign in again", reason="TOKEN_EXPIRED")
    return Unauthenticated("the refresh token is not valid: sign in again", reason="TOKEN_INVALID")

"""API keys and outside tokens in exchange for access tokens."""

import hashlib
import time
import uuid
from collections import OrderedDict
from collections.abc import Callable
from urllib.parse import urlsplit

from sqlalchemy.ext.asyncio import AsyncConnection

from services.common.db.engine import Database
from services.common.errors import Unauthenticated
from services.common.identifiers import uuid7
from services.common.security.principal import Principal
from services.session import audit, token_store
from services.session import identity_store as store
from services.session.identity.access_tokens import AccessTokens
from services.session.identity.credentials import Credential, parse_api_key
from services.session.identity.oidc import OidcVerifier, OutsidePerson
from services.session.identity.roles import DEFAULT_ROLES
from services.session.identity.sign_in import Grant, principal_of
from services.session.identity.tenancy import TenantDirectory
from services.session.identity.user_cache import UserCache

REMEMBERED_KEYS = 10_000
REMEMBER_SECONDS = 10.0


class KeyExchange:
    """Access tokens for API keys. For the edge, which asks at every request, answers are kept for ten seconds."""

    def __init__(self, database: Database, tokens: AccessTokens, clock: Callable[[], float] = time.monotonic) -> None:
        self._database = database
        self._tokens = tokens
        self._clock = clock
        self._kept: OrderedDict[bytes, tuple[float, str]] = OrderedDict()

    async def exchange(self, text: str) -> Grant:
        """Unauthenticated CREDENTIALS_INVALID for a key that is unknown, revoked or expired."""
        key = parse_api_key(text)
        return await self._grant(key)

    async def authorize(self, text: str) -> str | None:
        """A token for the request that carries this key, None when it is not valid."""
        key = parse_api_key(text)
        if key is None:
            return None
        kept = self._kept.get(key.digest)
        if kept and kept[0] > self._clock():
            return kept[1]
        try:
            token = (await self._grant(key)).access.text
        except Unauthenticated:
            self._kept.pop(key.digest, None)
            return None
        self._keep(key.digest, token)
        return token

    async def _grant(self, key: Credential | None) -> Grant:
        use = await token_store.use_api_key(self._database, key) if key else None
        if key is None or use is None:
            raise Unauthenticated("the API key is not valid", reason="CREDENTIALS_INVALID")
        principal = Principal(str(key.tenant_id), f"apiKeys/{key.key_id}", frozenset(use.roles), frozenset(use.scopes))
        return Grant(principal, self._tokens.issue(principal, not_after=use.expires_at))

    def _keep(self, digest: bytes, token: str) -> None:
        self._kept[digest] = (self._clock() + REMEMBER_SECONDS, token)
        self._kept.move_to_end(digest)
        if len(self._kept) > REMEMBERED_KEYS:
            self._kept.popitem(last=False)


class OidcExchange:
    """Access tokens for outside tokens; who comes the first time gets an account."""

    def __init__(
        self,
        database: Database,
        tenants: TenantDirectory,
        verifier: OidcVerifier,
        tokens: AccessTokens,
        cache: UserCache,
    ) -> None:
        self._cache = cache
        self._database = database
        self._tenants = tenants
        self._verifier = verifier
        self._tokens = tokens

    async def exchange(self, text: str, tenant: str) -> Grant:
        """Unauthenticated when the token, or the account behind it, is refused."""
        person = await self._verifier.verify(text, tenant)
        home = await self._tenants.find(person.issuer.tenant)
        if home is None:
            raise _refused()
        async with self._database.unit_of_work(str(home)) as connection:
            user = await self._account(connection, home, person)
            entry = audit.Entry(user.subject, "tokens.exchange", user.subject, detail={"issuer": person.issuer.issuer})
            await audit.append(connection, home, entry)
        await self._cache.forget(str(home), user.id)
        principal = principal_of(home, user)
        return Grant(principal, self._tokens.issue(principal), password_expired=user.password_expired)

    async def _account(self, connection: AsyncConnection, tenant: uuid.UUID, person: OutsidePerson) -> store.UserRow:
        await store.lock_outsider(connection, person.issuer.issuer, person.subject)
        user = await store.linked_user(connection, tenant, person.issuer.issuer, person.subject)
        if user is None:
            user = await self._first_time(connection, tenant, person)
        if user.disabled:
            raise _refused()
        return await self._with_roles(connection, tenant, user, person)

    async def _first_time(self, connection: AsyncConnection, tenant: uuid.UUID, person: OutsidePerson) -> store.UserRow:
        email = person.email or stand_in_address(person)
        user = await store.user_by_email(connection, tenant, email)
        if user is not None and not (person.email and person.issuer.link_by_email):
            raise _refused()
        if user is None:
            new = store.NewUser(uuid7(), email, person.name, person.roles or DEFAULT_ROLES, person.locale)
            user = await store.insert_user(connection, tenant, new)
        await store.link_user(connection, tenant, person.issuer.issuer, person.subject, user.id)
        return user

    async def _with_roles(
        self, connection: AsyncConnection, tenant: uuid.UUID, user: store.UserRow, person: OutsidePerson
    ) -> store.UserRow:
        """The issuer's word on roles is law, but an installation keeps its last owner."""
        if person.roles is None or set(person.roles) == set(user.roles):
            return user
        if "owner" in user.roles and await store.lock_owners(connection, tenant) == {user.id}:
            return user
        changes = {"display_name": user.display_name, "locale": user.locale, "disabled": user.disabled}
        changed = await store.update_user(connection, tenant, user.id, {**changes, "roles": list(person.roles)})
        detail = {"before": sorted(user.roles), "after": sorted(changed.roles), "issuer": person.issuer.issuer}
        await audit.append(connection, tenant, audit.Entry(user.subject, "users.roles", user.subject, detail=detail))
        return changed


def stand_in_address(person: OutsidePerson) -> str:
    """An address that nobody has, for somebody whose own is not known for certain."""
    digest = hashlib.sha256(f"{person.issuer.issuer}\n{person.subject}".encode()).hexdigest()
    return f"{digest[:20]}@{urlsplit(person.issuer.issuer).hostname or 'issuer'}.invalid"


def _refused() -> Unauthenticated:
    return Unauthenticated("the token is valid, but no account may be used with it", reason="CREDENTIALS_INVALID")

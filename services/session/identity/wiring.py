"""Wiring of identity: builds its parts, registers its servicers and routes, prepares the first start."""

import asyncio
import datetime
import uuid
from dataclasses import dataclass

from parley.session.v1 import identity_service_pb2 as service_pb
from parley.session.v1 import identity_service_pb2_grpc as service_grpc

from services.common.config import Settings
from services.common.db import requests
from services.common.db.engine import Database
from services.common.pagination import PageTokens
from services.common.security.principal import Principal
from services.common.service import Chassis, persist
from services.session import token_store
from services.session.api.api_keys import ApiKeyService
from services.session.api.auth import AuthService
from services.session.api.mutations import Mutations
from services.session.api.tenants import TenantService
from services.session.api.users import UserService
from services.session.identity.access_tokens import AccessToken, AccessTokens
from services.session.identity.bootstrap import ensure_first_tenant
from services.session.identity.exchange import KeyExchange, OidcExchange
from services.session.identity.keyring import KeyRing
from services.session.identity.oidc import OidcVerifier
from services.session.identity.passwords import Passwords
from services.session.identity.people import People
from services.session.identity.sealing import Sealer, key_bytes
from services.session.identity.settings import IdentitySettings
from services.session.identity.sign_in import SignIn
from services.session.identity.signing_keys import SigningKeys
from services.session.identity.tenancy import TenantDirectory
from services.session.identity.user_cache import UserCache
from services.session.jwks_routes import EdgeRoutes

RELOAD_SECONDS = 30.0
FORGET_SECONDS = 600.0


@dataclass(frozen=True, slots=True)
class Identity:
    """What the rest of the session service may use of identity."""

    tenants: TenantDirectory
    people: People
    sign_in: SignIn
    keys: SigningKeys
    ring: KeyRing
    _tokens: AccessTokens
    _passwords: Passwords

    def issue_for(
        self, principal: Principal, *, family: uuid.UUID | None = None, not_after: datetime.datetime | None = None
    ) -> AccessToken:
        """A signed access token for a principal."""
        return self._tokens.issue(principal, family=family, not_after=not_after)

    async def close(self) -> None:
        """Let the password threads go."""
        self._passwords.close()


async def add_identity(chassis: Chassis, settings: Settings) -> Identity:
    """Build, register, bootstrap; waits for the database. RuntimeError for a wrong key-encryption key."""
    return await _assembled(chassis, identity_settings(settings))


def identity_settings(settings: Settings) -> IdentitySettings:
    """The service's settings if they extend identity's, or else those and what the environment adds."""
    if isinstance(settings, IdentitySettings):
        return settings
    return IdentitySettings(**settings.model_dump())


async def _assembled(chassis: Chassis, settings: IdentitySettings) -> Identity:
    database = chassis.database
    sealer = Sealer(key_bytes(settings.key_encryption_key))
    ring, directory = KeyRing(), TenantDirectory(database)
    passwords = Passwords(
        memory_kib=settings.argon2_memory_kib,
        iterations=settings.argon2_iterations,
        workers=settings.argon2_workers,
    )
    tokens = AccessTokens(
        ring,
        issuer=settings.token_issuer,
        audience=settings.token_audience,
        lifetime=settings.access_token_lifetime,
    )
    identity = Identity(
        tenants=directory,
        people=People(database, passwords),
        sign_in=SignIn(database, directory, passwords, tokens, settings.lifetimes),
        keys=_signing_keys(database, sealer, ring, settings),
        ring=ring,
        _tokens=tokens,
        _passwords=passwords,
    )
    await _prepare(database, identity, settings)
    _register(chassis, settings, identity, tokens)
    chassis.tasks.spawn("signing keys", lambda: keep_keys(identity.keys))
    chassis.tasks.spawn("identity retention", lambda: keep_tidy(chassis.relay_database, settings.lifetimes.family))
    chassis.tasks.spawn("old requests", lambda: requests.keep_tidy(chassis.relay_database, settings.request_days))
    return identity


async def keep_keys(keys: SigningKeys) -> None:
    """Read the keys again now and then, and make the next one in time."""
    while True:
        await asyncio.sleep(RELOAD_SECONDS)
        await keys.ensure()


async def keep_tidy(relay: Database, visitor_lifetime: datetime.timedelta) -> None:
    """Remove what has expired."""
    while True:
        gone = await token_store.forget_old(relay, visitor_lifetime)
        await asyncio.sleep(0 if gone >= token_store.BATCH else FORGET_SECONDS)


def _signing_keys(database: Database, sealer: Sealer, ring: KeyRing, settings: IdentitySettings) -> SigningKeys:
    return SigningKeys(
        database,
        sealer,
        ring,
        token_lifetime=settings.access_token_lifetime,
        lead=datetime.timedelta(seconds=settings.signing_key_lead_seconds),
        longest=datetime.timedelta(days=settings.signing_key_days),
    )


async def _prepare(database: Database, identity: Identity, settings: IdentitySettings) -> None:
    async def first_tenant() -> None:
        identity.tenants.operator = await ensure_first_tenant(database, identity.people, settings.admin_password_file)

    await persist("postgres", identity.keys.ensure)
    await persist("postgres", first_tenant)


def _register(chassis: Chassis, settings: IdentitySettings, identity: Identity, tokens: AccessTokens) -> None:
    database, directory, people = chassis.database, identity.tenants, identity.people
    mutations = Mutations(database, requests.RequestLog("session", settings.page_token_secret))
    pages, cache = PageTokens(settings.page_token_secret), UserCache(chassis.cache)
    key_exchange = KeyExchange(database, tokens)
    oidc_exchange = OidcExchange(database, directory, OidcVerifier(settings.oidc_issuers), tokens, cache)
    auth = AuthService(
        identity.sign_in, key_exchange, oidc_exchange, identity.keys, directory=directory, mutations=mutations
    )
    services = service_pb.DESCRIPTOR.services_by_name
    for add, servicer, name in (
        (service_grpc.add_AuthServiceServicer_to_server, auth, "AuthService"),
        (
            service_grpc.add_UserServiceServicer_to_server,
            UserService(database, people, mutations, cache, pages),
            "UserService",
        ),
        (service_grpc.add_ApiKeyServiceServicer_to_server, ApiKeyService(database, mutations, pages), "ApiKeyService"),
        (
            service_grpc.add_TenantServiceServicer_to_server,
            TenantService(database, directory, people, mutations, pages),
            "TenantService",
        ),
    ):
        chassis.server.add(add, servicer, services[name])
    EdgeRoutes(identity.ring, key_exchange).add_to(chassis.operations.application)

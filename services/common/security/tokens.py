"""Tokens: mesh tokens are minted and verified here; people's tokens are verified here and minted by session."""

import asyncio
import base64
import binascii
import json
import time
from collections import OrderedDict
from pathlib import Path
from typing import Any

import aiohttp
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, KeySet, OKPKey

from services.common.errors import Unauthenticated, Unavailable
from services.common.security.policy import RANK
from services.common.security.principal import Principal
from services.common.telemetry.logs import logger

log = logger(__name__)
MESH = "parley-mesh"
MESH_SECONDS = 300
MESH_RENEW_SECONDS = 60
ALGORITHMS = ["EdDSA", "Ed25519", "ES256"]
CACHE_ENTRIES = 20_000
JWKS_FRESH_SECONDS = 300.0
JWKS_MAXIMUM_SECONDS = 3600.0
JWKS_RETRY_SECONDS = 2.0
SKEW_SECONDS = 5
PEOPLE = frozenset(RANK)


class MeshSigner:
    """Mints this service's tokens; one per originator is kept until shortly before it ends."""

    def __init__(self, service: str, key_file: Path) -> None:
        self.service = service
        self._key = OKPKey.import_key(key_file.read_text(), {"kid": service})
        self._kept: OrderedDict[Principal | None, tuple[float, str]] = OrderedDict()

    def token(self, originator: Principal | None) -> str:
        """A token of this service, on behalf of the originator if there is one."""
        now = time.time()
        kept = self._kept.get(originator)
        if kept and kept[0] > now:
            return kept[1]
        made = self._mint(originator, int(now))
        self._kept[originator] = (now + MESH_SECONDS - MESH_RENEW_SECONDS, made)
        self._kept.move_to_end(originator)
        if len(self._kept) > CACHE_ENTRIES:
            self._kept.popitem(last=False)
        return made

    def _mint(self, originator: Principal | None, now: int) -> str:
        claims: dict[str, Any] = {
            "iss": MESH,
            "aud": MESH,
            "sub": f"services/{self.service}",
            "iat": now,
            "exp": now + MESH_SECONDS,
        }
        if originator is not None:
            claims["obo"] = {
                "tid": originator.tenant_id,
                "sub": originator.subject,
                "roles": sorted(originator.roles),
                "scope": " ".join(sorted(originator.scopes)),
            }
        return jwt.encode({"alg": "Ed25519", "kid": self.service, "typ": "JWT"}, claims, self._key, ALGORITHMS)


class RemoteKeys:
    """Keys of the issuer of people's tokens, fetched when needed and kept for an hour at most."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._keys: KeySet | None = None
        self._fetched = 0.0
        self._asked = -JWKS_RETRY_SECONDS
        self._refreshing: asyncio.Task[None] | None = None
        self._lock = asyncio.Lock()

    async def find(self, kid: str) -> OKPKey | ECKey | None:
        """The key of that id; an unknown id asks the issuer again, at most every two seconds."""
        found = self._known(kid)
        if found is not None and self._age() < JWKS_FRESH_SECONDS:
            return found
        if found is not None and self._age() < JWKS_MAXIMUM_SECONDS:
            self._refresh_aside()
            return found
        await self._refresh()
        if self._keys is None or self._age() > JWKS_MAXIMUM_SECONDS:
            raise Unavailable("the signing keys cannot be read now; try again")
        return self._known(kid)

    def _age(self) -> float:
        return time.monotonic() - self._fetched

    def _refresh_aside(self) -> None:
        """Nobody waits for keys that are still good."""
        if self._refreshing is None or self._refreshing.done():
            self._refreshing = asyncio.create_task(self._refresh())

    def _known(self, kid: str) -> OKPKey | ECKey | None:
        for key in self._keys.keys if self._keys else ():
            if key.kid == kid and isinstance(key, OKPKey | ECKey):
                return key
        return None

    async def _refresh(self) -> None:
        async with self._lock:
            if time.monotonic() - self._asked < JWKS_RETRY_SECONDS:
                return
            self._asked = time.monotonic()
            try:
                timeout = aiohttp.ClientTimeout(total=2)
                async with aiohttp.ClientSession(timeout=timeout) as client, client.get(self._url) as answer:
                    answer.raise_for_status()
                    self._keys = KeySet.import_key_set(await answer.json())
                    self._fetched = time.monotonic()
            except (aiohttp.ClientError, TimeoutError, ValueError, JoseError) as error:
                log.warning("signing keys unreachable", error=type(error).__name__)


class TokenVerifier:
    """From a bearer token to a principal. Tokens verified once are kept until they end."""

    def __init__(self, mesh_jwks_file: Path, issuer: str, audience: str, jwks_url: str) -> None:
        mesh = KeySet.import_key_set(json.loads(mesh_jwks_file.read_text()))
        self._mesh = {str(key.kid): key for key in mesh.keys}
        self._people = RemoteKeys(jwks_url)
        self._issuer = issuer
        self._audience = audience
        self._kept: OrderedDict[str, tuple[float, Principal]] = OrderedDict()

    def kept(self, token: str) -> Principal | None:
        """The principal of a token verified before, without waiting."""
        found = self._kept.get(token)
        if found is None:
            return None
        if found[0] <= time.time():
            del self._kept[token]
            return None
        self._kept.move_to_end(token)
        return found[1]

    async def verify(self, token: str) -> Principal:
        """The principal of a token. Unauthenticated (TOKEN_INVALID, TOKEN_EXPIRED), Unavailable."""
        found = self.kept(token)
        if found is not None:
            return found
        principal, claims = await self._read(token, header_of(token))
        self._kept[token] = (float(claims["exp"]), principal)
        if len(self._kept) > CACHE_ENTRIES:
            self._kept.popitem(last=False)
        return principal

    async def _read(self, token: str, header: dict[str, Any]) -> tuple[Principal, dict[str, Any]]:
        kid = str(header.get("kid", ""))
        if header.get("typ") == "at+jwt":
            key = await self._people.find(kid)
            claims = decode(token, key)
            check(claims, self._issuer, self._audience)
            return person(claims), claims
        claims = decode(token, self._mesh.get(kid))
        check(claims, MESH, MESH)
        if claims.get("sub") != f"services/{kid}":
            raise Unauthenticated("the token does not verify")
        return mesh_principal(claims), claims


def header_of(token: str) -> dict[str, Any]:
    """The header, unverified: it only says which key to try."""
    try:
        part = token.split(".", 1)[0]
        header = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    except (binascii.Error, ValueError, RecursionError):
        raise Unauthenticated("the token is malformed") from None
    if not isinstance(header, dict) or header.get("alg") not in ALGORITHMS:
        raise Unauthenticated("the token does not verify")
    return header


def decode(token: str, key: Any) -> dict[str, Any]:  # noqa: ANN401 - any kind of joserfc key
    """Claims, signature checked with a key whose kind fixes the algorithm."""
    if key is None:
        raise Unauthenticated("the token does not verify")
    allowed = ["ES256"] if isinstance(key, ECKey) else ["EdDSA", "Ed25519"]
    try:
        return dict(jwt.decode(token, key, algorithms=allowed).claims)
    except (JoseError, ValueError, TypeError, RecursionError):
        raise Unauthenticated("the token does not verify") from None


def check(claims: dict[str, Any], issuer: str, audience: str) -> None:
    """iss, aud, exp, nbf."""
    audiences = claims.get("aud")
    listed = audiences if isinstance(audiences, list) else [audiences]
    if claims.get("iss") != issuer or audience not in listed:
        raise Unauthenticated("the token is not meant for this service")
    now = time.time()
    expires, begins = claims.get("exp"), claims.get("nbf", 0)
    if not isinstance(expires, int | float) or not isinstance(begins, int | float):
        raise Unauthenticated("the token lacks a claim")
    if expires + SKEW_SECONDS < now:
        raise Unauthenticated("the token has expired: refresh it", reason="TOKEN_EXPIRED")
    if begins - SKEW_SECONDS > now:
        raise Unauthenticated("the token is not valid yet")


def person(claims: dict[str, Any]) -> Principal:
    """The principal of a person's token."""
    try:
        return Principal(
            tenant_id=str(claims["tid"]),
            subject=str(claims["sub"]),
            roles=frozenset(claims.get("roles", ())) & PEOPLE,
            scopes=frozenset(str(claims.get("scope", "")).split()),
        )
    except (KeyError, TypeError):
        raise Unauthenticated("the token lacks a claim") from None


def mesh_principal(claims: dict[str, Any]) -> Principal:
    """The originator a service acts for, or the service itself."""
    service = str(claims["sub"]).removeprefix("services/")
    obo = claims.get("obo")
    if not obo:
        return Principal(tenant_id="", subject=claims["sub"], roles=frozenset({"service"}), service=service)
    try:
        return Principal(
            tenant_id=str(obo["tid"]),
            subject=str(obo["sub"]),
            roles=frozenset(obo["roles"]),
            scopes=frozenset(str(obo.get("scope", "")).split()),
            service=service,
        )
    except (AttributeError, KeyError, TypeError):
        raise Unauthenticated("the token lacks a claim") from None

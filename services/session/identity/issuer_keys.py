"""The public keys of one outside issuer, fetched with patience and never trusted for long."""

import asyncio
import json
import time
import warnings
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

import aiohttp
from joserfc.errors import JoseError, SecurityWarning
from joserfc.jwk import ECKey, OKPKey, RSAKey, import_key

from services.common.errors import Unavailable
from services.common.telemetry.logs import logger
from services.session.identity.settings import OidcIssuer

log = logger(__name__)
SOFT_AGE_SECONDS = 600.0
HARD_AGE_SECONDS = 3600.0
PAUSE_SECONDS = 30.0
FETCH_SECONDS = 5.0
MAXIMUM_BYTES = 256 * 1024
MAXIMUM_KEYS = 64
CHUNK_BYTES = 16 * 1024
KINDS: dict[tuple[object, object], str] = {
    ("RSA", None): "RS256",
    ("EC", "P-256"): "ES256",
    ("OKP", "Ed25519"): "EdDSA",
}

PublicKey = RSAKey | ECKey | OKPKey


@dataclass(frozen=True, slots=True)
class VerifyingKey:
    """A key and the one algorithm it is for, which its kind decides."""

    key: PublicKey
    algorithm: str


def algorithm_of(jwk: Mapping[str, Any]) -> str:
    """The algorithm a key is for, empty when it is of no kind we take or says something else of itself."""
    kind = KINDS.get((jwk.get("kty"), jwk.get("crv")), "")
    claimed = jwk.get("alg", kind)
    return kind if claimed == kind and jwk.get("use", "sig") == "sig" else ""


def usable_keys(document: Mapping[str, Any], allowed: Collection[str]) -> dict[str, VerifyingKey]:
    """Keys of a JWKS by kid: of an allowed algorithm, public, and not weak."""
    found: dict[str, VerifyingKey] = {}
    listed = document.get("keys")
    for jwk in listed[:MAXIMUM_KEYS] if isinstance(listed, list) else ():
        algorithm = algorithm_of(jwk) if isinstance(jwk, dict) else ""
        if algorithm not in allowed:
            continue
        key = _imported(jwk)
        if key is not None:
            found[str(jwk.get("kid", ""))] = VerifyingKey(key, algorithm)
    return found


def _imported(jwk: dict[str, Any]) -> PublicKey | None:
    with warnings.catch_warnings():
        warnings.simplefilter("error", SecurityWarning)
        try:
            key = import_key(jwk)
        except (JoseError, SecurityWarning, ValueError, KeyError, TypeError):
            return None
    return key if isinstance(key, RSAKey | ECKey | OKPKey) else None


class IssuerKeys:
    """Renewed when old or when an unknown kid comes, but never more than twice a minute."""

    def __init__(self, issuer: OidcIssuer, clock: Callable[[], float] = time.monotonic) -> None:
        self._issuer = issuer
        self._clock = clock
        self._keys: dict[str, VerifyingKey] = {}
        self._fetched = float("-inf")
        self._tried = float("-inf")
        self._lock = asyncio.Lock()

    async def find(self, kid: str) -> VerifyingKey | None:
        """The key of that id. Unavailable when what we have is too old to be trusted."""
        if self._wanting(kid):
            async with self._lock:
                if self._wanting(kid):
                    await self._refresh()
        if self._clock() - self._fetched > HARD_AGE_SECONDS:
            raise Unavailable("the keys of the issuer cannot be fetched now", retry_after=PAUSE_SECONDS)
        return self._pick(kid)

    def _wanting(self, kid: str) -> bool:
        now = self._clock()
        rested = now - self._tried >= PAUSE_SECONDS
        return rested and (now - self._fetched > SOFT_AGE_SECONDS or self._pick(kid) is None)

    def _pick(self, kid: str) -> VerifyingKey | None:
        if not kid and len(self._keys) == 1:
            return next(iter(self._keys.values()))
        return self._keys.get(kid)

    async def _refresh(self) -> None:
        try:
            async with asyncio.timeout(FETCH_SECONDS):
                document = await self._fetch(await self._address())
        except (aiohttp.ClientError, TimeoutError, ValueError, KeyError) as error:
            log.warning("issuer keys unreachable", issuer=self._issuer.issuer, error=type(error).__name__)
            return
        finally:
            self._tried = self._clock()
        self._keys = usable_keys(document, self._issuer.algorithms)
        self._fetched = self._clock()

    async def _address(self) -> str:
        if self._issuer.jwks_url:
            return self._issuer.jwks_url
        document = await self._fetch(self._issuer.discovery_url)
        address = str(document["jwks_uri"])
        if document.get("issuer") != self._issuer.issuer or not self._issuer.may_fetch(address):
            message = "the discovery document is of another issuer or names an insecure address"
            raise ValueError(message)
        return address

    async def _fetch(self, url: str) -> dict[str, Any]:
        async with aiohttp.ClientSession() as client, client.get(url, allow_redirects=False) as response:
            if response.status != 200:
                message = f"status {response.status}"
                raise ValueError(message)
            return dict(json.loads(await read_bounded(response.content)))


async def read_bounded(content: aiohttp.StreamReader) -> bytes:
    """A body of at most MAXIMUM_BYTES. ValueError for a larger one."""
    body = bytearray()
    async for chunk in content.iter_chunked(CHUNK_BYTES):
        body += chunk
        if len(body) > MAXIMUM_BYTES:
            message = "the document is too large"
            raise ValueError(message)
    return bytes(body)

"""An OIDC issuer to trust or not: keys over HTTP, tokens of any shape."""

import base64
import hmac
import json
import time
from collections.abc import Mapping
from types import TracebackType
from typing import Any, Self

from aiohttp import web
from joserfc import jwt
from joserfc.jwk import ECKey, OKPKey, RSAKey

from cli.stack.layout import unused_port
from services.session.identity.access_tokens import FixedAlgorithms

AUDIENCE = "parley-client"
PrivateKey = ECKey | OKPKey | RSAKey
ANY = FixedAlgorithms(algorithms=["RS256", "ES256", "EdDSA", "HS256", "none"])


def hand_signed(header: dict[str, Any], body: str, secret: bytes) -> str:
    """What a library refuses to make: HS256 with any bytes, or no signature."""
    head = base64.urlsafe_b64encode(json.dumps(header).encode()).decode().rstrip("=")
    if header["alg"] == "none":
        return f"{head}.{body}."
    signature = hmac.digest(secret, f"{head}.{body}".encode(), "sha256")
    return f"{head}.{body}.{base64.urlsafe_b64encode(signature).decode().rstrip('=')}"


class OutsideIssuer:
    """Serves a JWKS and a discovery document, counts how often it is asked."""

    def __init__(self) -> None:
        self.port = unused_port(set())
        self.url = f"http://127.0.0.1:{self.port}"
        self.rsa = RSAKey.generate_key(2048, {"kid": "rsa"}, private=True)
        self.ec = ECKey.generate_key("P-256", {"kid": "ec"}, private=True)
        self.ed = OKPKey.generate_key("Ed25519", {"kid": "ed"}, private=True)
        self.stranger = ECKey.generate_key("P-256", {"kid": "ec"}, private=True)
        self.asked = 0
        self._runner: web.AppRunner | None = None

    def configuration(self) -> list[dict[str, Any]]:
        roles = {"roles_claim": "realm.groups", "role_map": {"staff": "agent", "builders": "developer"}}
        return [
            {"issuer": self.url, "audience": AUDIENCE, **roles},
            {"issuer": self.url, "audience": "linked", "jwks_url": f"{self.url}/keys", "link_by_email": True},
            {"issuer": self.url, "audience": "elsewhere", "tenant": "elsewhere", "jwks_url": f"{self.url}/keys"},
        ]

    def token(
        self,
        key: PrivateKey | None = None,
        *,
        algorithm: str = "ES256",
        header: Mapping[str, str] | None = None,
        **claims: object,
    ) -> str:
        key = key or self.ec
        now = int(time.time())
        body = {"iss": self.url, "aud": AUDIENCE, "sub": "someone", "iat": now, "exp": now + 300, **claims}
        kept = {name: value for name, value in body.items() if value is not None}
        return jwt.encode({"alg": algorithm, "kid": key.kid, **(header or {})}, kept, key, registry=ANY)

    def confused(self, key: PrivateKey, algorithm: str) -> str:
        """Signed with the public key as a shared secret, or not at all."""
        _, body, _ = self.token().split(".")
        return hand_signed({"alg": algorithm, "kid": key.kid}, body, key.as_pem(private=False))

    async def __aenter__(self) -> Self:
        application = web.Application()
        application.router.add_get("/keys", self._keys)
        application.router.add_get("/.well-known/openid-configuration", self._discovery)
        self._runner = web.AppRunner(application, access_log=None)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self.port).start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._runner:
            await self._runner.cleanup()

    async def _keys(self, _: web.Request) -> web.Response:
        self.asked += 1
        return web.json_response({"keys": [key.as_dict(private=False) for key in (self.rsa, self.ec, self.ed)]})

    async def _discovery(self, _: web.Request) -> web.Response:
        return web.json_response({"issuer": self.url, "jwks_uri": f"{self.url}/keys"})

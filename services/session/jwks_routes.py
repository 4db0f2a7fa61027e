"""What the edge asks of the session service over HTTP: the keys, and a token for an API key."""

import datetime
import json

from aiohttp import web

from services.common.errors import ParleyError
from services.session.identity.exchange import KeyExchange
from services.session.identity.keyring import KeyRing

JWKS_PATH = "/.well-known/jwks.json"
AUTHORIZE_PATH = "/authorize"
KEY_HEADER = "x-api-key"
JWKS_CACHE_SECONDS = 300


class EdgeRoutes:
    """Envoy's remote_jwks and ext_authz point here."""

    def __init__(self, ring: KeyRing, exchange: KeyExchange) -> None:
        self._ring = ring
        self._exchange = exchange

    def add_to(self, application: web.Application) -> None:
        """Register. Envoy puts the path and the method of the request it asks about behind /authorize."""
        application.router.add_get(JWKS_PATH, self.jwks)
        application.router.add_route("*", AUTHORIZE_PATH, self.authorize)
        application.router.add_route("*", AUTHORIZE_PATH + "/{path:.*}", self.authorize)

    async def jwks(self, _: web.Request) -> web.Response:
        """The public keys: next, current and those whose tokens still live."""
        keys = self._ring.published(datetime.datetime.now(datetime.UTC))
        headers = {"Cache-Control": f"public, max-age={JWKS_CACHE_SECONDS}"}
        return web.Response(text=json.dumps(keys), content_type="application/json", headers=headers)

    async def authorize(self, request: web.Request) -> web.Response:
        """200 with an authorization header for a valid key, 401 for any other, 503 while we cannot know."""
        try:
            token = await self._exchange.authorize(request.headers.get(KEY_HEADER, ""))
        except ParleyError:
            return web.Response(status=503)
        if token is None:
            return web.Response(status=401)
        return web.Response(headers={"Authorization": f"Bearer {token}", "Cache-Control": "no-store"})

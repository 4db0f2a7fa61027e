"""A double of somebody's webhook receiver, for tests and for trying Parley by hand.

    python -m tests.doubles.webhook_receiver --port 8998 --secret whsec_...

It verifies every signature with the `standardwebhooks` package, not with Parley's own code. What it does is set by
`Behaviour`: in process by assignment, from outside by `PUT /behaviour` with its fields as JSON. `GET /received` lists
what came. Faults: "limited" (429 with Retry-After), "unavailable" (503), "failing" (500), "gone" (410), "stalling",
"cut", "redirecting", "endless" (a body without end, after a 500).
"""

import argparse
import asyncio
import contextlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

STALL_SECONDS = 3600.0
STATUSES = {"limited": 429, "unavailable": 503, "failing": 500, "gone": 410, "redirecting": 302, "endless": 500}
PATIENT = ("limited", "unavailable")
PIECE = b"x" * 65_536


@dataclass
class Behaviour:
    """What it does to the next `times` posts (to all when 0), of one `session` or of any. `retry_after`: seconds."""

    fault: str = ""
    times: int = 0
    session: str = ""
    retry_after: str = "1"
    location: str = "/elsewhere"


@dataclass
class Received:
    """A post. `at`: the loop's clock; `status`: what was answered, 0 for nothing; `verified`: the signature is good."""

    path: str
    headers: Mapping[str, str]
    body: bytes
    at: float
    verified: bool
    status: int = 0

    @property
    def id(self) -> str:
        return self.headers.get("webhook-id", "")

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def texts(self) -> list[str]:
        return [message["text"] for message in self.json["data"]["messages"]]

    @property
    def session(self) -> str:
        return str(self.json["data"]["session"])


@dataclass
class WebhookReceiver:
    """An aiohttp application; `received` holds what came, in order."""

    secrets: list[str] = field(default_factory=list)
    behaviour: Behaviour = field(default_factory=Behaviour)
    received: list[Received] = field(default_factory=list)
    port: int = 0
    sent_bytes: int = 0
    _runner: web.AppRunner | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hook"

    @property
    def accepted(self) -> list[Received]:
        """Answered with success."""
        return [item for item in self.received if 200 <= item.status < 300]

    def application(self) -> web.Application:
        application = web.Application(client_max_size=16 * 1024 * 1024)
        application.router.add_put("/behaviour", self.behave)
        application.router.add_get("/received", self.show)
        application.router.add_route("*", "/{path:.*}", self.post)
        return application

    async def start(self, port: int = 0, host: str = "127.0.0.1") -> None:
        self._runner = web.AppRunner(
            self.application(), access_log=None, handler_cancellation=True, shutdown_timeout=0.1
        )
        await self._runner.setup()
        await web.TCPSite(self._runner, host, port or self.port).start()
        self.port = self._runner.addresses[0][1]

    async def stop(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    async def post(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        headers = {name.lower(): value for name, value in request.headers.items()}
        item = Received(request.path, headers, body, asyncio.get_running_loop().time(), self.verifies(headers, body))
        self.received.append(item)
        if not item.verified:
            item.status = 401
            return web.Response(status=401)
        return await self._answer(request, item, self._fault(item))

    def verifies(self, headers: Mapping[str, str], body: bytes) -> bool:
        for secret in self.secrets:
            with contextlib.suppress(WebhookVerificationError):
                Webhook(secret).verify(body, dict(headers))
                return True
        return False

    def _fault(self, item: Received) -> str:
        behaviour = self.behaviour
        if behaviour.session and behaviour.session != item.session:
            return ""
        fault = behaviour.fault
        if behaviour.times:
            behaviour.times -= 1
            if not behaviour.times:
                behaviour.fault = ""
        return fault

    async def _answer(self, request: web.Request, item: Received, fault: str) -> web.StreamResponse:
        if fault == "stalling":
            await asyncio.sleep(STALL_SECONDS)
        if fault == "cut":
            assert request.transport is not None
            request.transport.abort()
            return web.Response(status=500)
        item.status = STATUSES.get(fault, 204)
        if fault == "endless":
            return await self._endless(request)
        headers = {"Retry-After": self.behaviour.retry_after} if fault in PATIENT else {}
        if fault == "redirecting":
            headers["Location"] = self.behaviour.location
        return web.Response(status=item.status, headers=headers)

    async def _endless(self, request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(status=500)
        await response.prepare(request)
        with contextlib.suppress(ConnectionError):
            while True:
                await response.write(PIECE)
                self.sent_bytes += len(PIECE)
        return response

    async def behave(self, request: web.Request) -> web.Response:
        self.behaviour = Behaviour(**await request.json())
        return web.Response(status=204)

    async def show(self, _: web.Request) -> web.Response:
        shown = [{"id": item.id, "status": item.status, "verified": item.verified, "body": item.json}
                 for item in self.received]  # fmt: skip
        return web.json_response(shown)


async def main() -> None:
    parser = argparse.ArgumentParser(description="A webhook receiver")
    parser.add_argument("--port", type=int, default=8998)
    parser.add_argument("--secret", action="append", required=True, help="whsec_..., may be given again")
    given = parser.parse_args()
    receiver = WebhookReceiver(secrets=given.secret)
    await receiver.start(given.port)
    await asyncio.Event().wait()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main())

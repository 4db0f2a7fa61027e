"""A double of Twilio's messages: POST /2010-04-01/Accounts/{sid}/Messages.json its authorisation, its answers."""

import base64
import urllib.parse
from dataclasses import dataclass, field

from aiohttp import web


@dataclass
class Twilio:
    """`sent` holds the forms that were taken. `fault`: a status to answer instead."""

    sid: str = "AC123"
    token: str = "secret"
    fault: int = 0
    sent: list[dict[str, str]] = field(default_factory=list)
    port: int = 0
    _runner: web.AppRunner | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def start(self) -> None:
        application = web.Application()
        application.router.add_post("/2010-04-01/Accounts/{sid}/Messages.json", self.take)
        self._runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.port = self._runner.addresses[0][1]

    async def take(self, request: web.Request) -> web.Response:
        expected = "Basic " + base64.b64encode(f"{self.sid}:{self.token}".encode()).decode()
        if request.headers.get("Authorization") != expected or request.match_info["sid"] != self.sid:
            return self.refusal(401, 20003, "Authenticate")
        if self.fault:
            return self.refusal(self.fault, 20500, "secret words")
        assert request.content_type == "application/x-www-form-urlencoded"
        form = dict(urllib.parse.parse_qsl((await request.read()).decode(), strict_parsing=True))
        if not form.get("Body") or not (form.get("From") or form.get("MessagingServiceSid")):
            return self.refusal(400, 21603, "A 'From' phone number is required")
        self.sent.append(form)
        told = {"sid": f"SM{len(self.sent):032d}", "status": "queued", "to": form["To"], "error_code": None}
        return web.json_response(told, status=201)

    @staticmethod
    def refusal(status: int, code: int, message: str) -> web.Response:
        return web.json_response({"code": code, "message": message, "status": status}, status=status)

    async def stop(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()

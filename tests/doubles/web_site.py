"""A double of somebody's web site, for what scripts ask: it answers well, badly, slowly, or with far too much.

    python -m tests.doubles.web_site --port 8997

Paths: `/echo` tells what came; `/say?status=&type=` repeats the body of the request or `text=` with that status and
type; `/redirect?to=&status=`; `/slow` never answers; `/huge` has no end; `/bomb` is gzip of half a gigabyte; `/gzip`
is gzip of JSON; `/cut` ends in the middle; `/limited` answers 429 with Retry-After. `pages` holds what else is there.
"""

import argparse
import asyncio
import contextlib
import gzip
import zlib
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

STALL_SECONDS = 3600.0
PIECE = b"x" * 65_536
BOMB_PIECES = 8192


def bomb() -> bytes:
    """Half a megabyte that becomes half a gigabyte."""
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    return b"".join([*(packer.compress(PIECE) for _ in range(BOMB_PIECES)), packer.flush()])


@dataclass
class Asked:
    """A request that came."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes


@dataclass
class WebSite:
    """An aiohttp application; `asked` holds what came, in order. `pages`: path -> (type, text)."""

    pages: dict[str, tuple[str, str]] = field(default_factory=dict)
    asked: list[Asked] = field(default_factory=list)
    port: int = 0
    sent_bytes: int = 0
    bomb: bytes = b""
    _runner: web.AppRunner | None = None

    def url(self, path: str, host: str = "127.0.0.1") -> str:
        return f"http://{host}:{self.port}{path}"

    async def start(self, port: int = 0, host: str = "127.0.0.1") -> None:
        application = web.Application(client_max_size=16 * 1024 * 1024)
        application.router.add_route("*", "/{path:.*}", self.answer)
        self._runner = web.AppRunner(application, access_log=None, handler_cancellation=True, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, host, port).start()
        self.port = self._runner.addresses[0][1]

    async def stop(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()

    async def answer(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        headers = {name.lower(): value for name, value in request.headers.items()}
        self.asked.append(Asked(request.method, request.path, dict(request.query), headers, body))
        if request.path in self.pages:
            kind, text = self.pages[request.path]
            return web.Response(body=text.encode(), headers={"Content-Type": kind})
        handler = getattr(self, f"answer_{request.path.strip('/').partition('/')[0]}", None)
        if handler is None:
            return web.json_response({"error": "there is nothing here"}, status=404)
        answered: web.StreamResponse = await handler(request, body)
        return answered

    async def answer_echo(self, request: web.Request, body: bytes) -> web.StreamResponse:
        return web.json_response(self.told(request, body))

    @staticmethod
    def told(request: web.Request, body: bytes) -> dict[str, Any]:
        headers = {name.lower(): value for name, value in request.headers.items()}
        told = {"method": request.method, "path": request.path, "query": dict(request.query)}
        return {**told, "headers": headers, "body": body.decode("utf-8", "replace")}

    async def answer_say(self, request: web.Request, body: bytes) -> web.StreamResponse:
        status, kind = int(request.query.get("status", "200")), request.query.get("type", "application/json")
        return web.Response(
            body=body or request.query.get("text", "").encode(), status=status, headers={"Content-Type": kind}
        )

    async def answer_redirect(self, request: web.Request, _: bytes) -> web.StreamResponse:
        return web.Response(status=int(request.query.get("status", "302")), headers={"Location": request.query["to"]})

    async def answer_slow(self, _: web.Request, __: bytes) -> web.StreamResponse:
        await asyncio.sleep(STALL_SECONDS)
        return web.Response()

    async def answer_huge(self, request: web.Request, _: bytes) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        with contextlib.suppress(ConnectionError):
            while True:
                await response.write(PIECE)
                self.sent_bytes += len(PIECE)
        return response

    async def answer_bomb(self, _: web.Request, __: bytes) -> web.StreamResponse:
        self.bomb = self.bomb or bomb()
        return web.Response(body=self.bomb, headers={"Content-Encoding": "gzip", "Content-Type": "application/json"})

    async def answer_gzip(self, _: web.Request, __: bytes) -> web.StreamResponse:
        headers = {"Content-Encoding": "gzip", "Content-Type": "application/json"}
        return web.Response(body=gzip.compress(b'{"packed": true}'), headers=headers)

    async def answer_cut(self, request: web.Request, _: bytes) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Length": "1000"})
        await response.prepare(request)
        await response.write(b"half")
        assert request.transport is not None
        request.transport.abort()
        return response

    async def answer_limited(self, _: web.Request, __: bytes) -> web.StreamResponse:
        return web.json_response({"error": "slow down"}, status=429, headers={"Retry-After": "7"})


async def main() -> None:
    parser = argparse.ArgumentParser(description="A web site")
    parser.add_argument("--port", type=int, default=8997)
    site = WebSite()
    await site.start(parser.parse_args().port)
    await asyncio.Event().wait()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main())

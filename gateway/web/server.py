"""Serves the pages and the OpenAPI document."""

import hashlib
import re
from pathlib import Path
from urllib.parse import urlsplit

from aiohttp import web

from gateway.web.config import WebSettings
from services.common.service import Chassis

STATIC = Path(__file__).parent / "static"
TYPES = {".html": "text/html", ".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml"}
BOT = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}")
# What pages of other origins may load: the same for everybody, and no cookie is read. The edge does not change these.
ANYWHERE = {"Access-Control-Allow-Origin": "*", "Cross-Origin-Resource-Policy": "cross-origin"}
MINUTE = "public, max-age=60, must-revalidate"


def origin(url: str) -> str:
    """Scheme, host and port of an address; empty for none."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}" if parts.netloc else ""


class WebService:
    """Static files with a strict content security policy."""

    name = "web"

    def __init__(self) -> None:
        self._settings: WebSettings | None = None
        self._files = {path.name: path.read_bytes() for path in STATIC.iterdir() if path.suffix in TYPES}

    async def open(self, chassis: Chassis) -> None:
        """Add the routes."""
        if not isinstance(chassis.settings, WebSettings):
            message = "the pages need WebSettings"
            raise TypeError(message)
        self._settings = chassis.settings
        router = chassis.operations.application.router
        router.add_get("/", self._home)
        router.add_get("/chat/{bot}", self._chat)
        router.add_get("/docs", self._docs)
        router.add_get("/embed-example", self._example)
        router.add_get("/openapi.json", self._openapi)
        router.add_get("/embed.js", self._embed)
        router.add_get("/static/{name}", self._static)

    async def close(self) -> None:
        """Nothing to give back."""

    def _policy(self) -> str:
        ancestors = self._settings.frame_ancestors if self._settings else "'self'"
        connections = " ".join(filter(None, ("'self'", origin(self._settings.s3_public_url) if self._settings else "")))
        return (
            "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
            f"connect-src {connections}; base-uri 'none'; form-action 'none'; frame-ancestors {ancestors}; "
            "require-trusted-types-for 'script'; trusted-types 'none'"
        )

    def _answer(self, request: web.Request, body: bytes, content_type: str) -> web.Response:
        # Weak, because the edge compresses: it takes a strong one off, and every visit would load everything again.
        etag = f'W/"{hashlib.blake2b(body, digest_size=12).hexdigest()}"'
        headers = {
            "ETag": etag,
            "Cache-Control": MINUTE,
            "Content-Security-Policy": self._policy(),
            "X-Content-Type-Options": "nosniff",
            "Referrer-Policy": "no-referrer",
            **({} if content_type == TYPES[".html"] else ANYWHERE),
        }
        if request.headers.get("If-None-Match") == etag:
            return web.Response(status=304, headers=headers)
        return web.Response(body=body, content_type=content_type, charset="utf-8", headers=headers)

    def _page(self, request: web.Request, name: str, bot: str = "") -> web.Response:
        body = self._files[name].replace(b"{{bot}}", bot.encode())
        return self._answer(request, body, "text/html")

    async def _home(self, request: web.Request) -> web.Response:
        return self._page(request, "chat.html", self._settings.default_bot if self._settings else "hello")

    async def _chat(self, request: web.Request) -> web.Response:
        bot = request.match_info["bot"]
        if not BOT.fullmatch(bot):
            raise web.HTTPNotFound(text="there is no such bot")
        return self._page(request, "chat.html", bot)

    async def _docs(self, request: web.Request) -> web.Response:
        return self._page(request, "docs.html")

    async def _example(self, request: web.Request) -> web.Response:
        return self._page(request, "embed-example.html")

    async def _openapi(self, request: web.Request) -> web.Response:
        file = self._settings.openapi_file if self._settings else Path("build/openapi.json")
        if not file.exists():
            raise web.HTTPNotFound(text="the document was not built: run protos/build.py")
        return self._answer(request, file.read_bytes(), "application/json")

    async def _embed(self, request: web.Request) -> web.Response:
        return self._answer(request, b'import "/static/parley-chat.js";\n', "text/javascript")

    async def _static(self, request: web.Request) -> web.Response:
        name = request.match_info["name"]
        body = self._files.get(name)
        if body is None:
            raise web.HTTPNotFound(text="there is no such file")
        return self._answer(request, body, TYPES[Path(name).suffix])

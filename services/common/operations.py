"""The HTTP listener of a service: metrics, liveness, readiness, and what routes the service adds."""

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable

from aiohttp import web

from services.common.errors import ParleyError
from services.common.telemetry.logs import logger
from services.common.telemetry.metrics import Metrics

log = logger(__name__)
Check = Callable[[], Awaitable[None]]
LARGEST_BODY = 1024 * 1024
CHECK_SECONDS = 2.0


class OperationsServer:
    """Readiness asks every check; liveness asks only the event loop, which answers or does not."""

    def __init__(self, metrics: Metrics) -> None:
        self.metrics = metrics
        self.application = web.Application(client_max_size=LARGEST_BODY, middlewares=[self._measure])
        self._add_routes(self.application)
        self.waiting: tuple[str, ...] = ()
        self._checks: dict[str, Check] = {}
        self._runner: web.AppRunner | None = None

    def _add_routes(self, application: web.Application) -> None:
        application.router.add_get("/metrics", self._metrics)
        application.router.add_get("/healthz", self._live)
        application.router.add_get("/readyz", self._ready)

    def require(self, name: str, check: Check) -> None:
        """The service is not ready while this check raises."""
        self._checks[name] = check

    async def failing(self) -> dict[str, str]:
        """What is away now."""
        found = dict.fromkeys(self.waiting, "NotStarted")
        for name, check in list(self._checks.items()):  # a service that starts adds some meanwhile
            try:
                async with asyncio.timeout(CHECK_SECONDS):
                    await check()
            except (ParleyError, OSError, TimeoutError) as error:
                found[name] = type(error).__name__
        return found

    async def announce(self, host: str, port: int) -> None:
        """Answer for liveness before the service is built, which may have to wait for what it needs. OSError."""
        early = web.Application()
        self._add_routes(early)
        early.router.add_route("*", "/{path:.*}", self._not_yet)
        self.waiting = ("start",)
        self._runner = await listen(early, host, port)

    async def start(self, host: str, port: int) -> None:
        """Listen. OSError when the port is taken."""
        await self.stop()
        self.waiting = ()
        self._runner = await listen(self.application, host, port)

    async def stop(self) -> None:
        """Stop listening."""
        if self._runner is not None:
            runner, self._runner = self._runner, None
            with contextlib.suppress(TimeoutError):
                await runner.cleanup()

    async def _not_yet(self, _: web.Request) -> web.Response:
        """Routes of the service come when it is built: until then they are away, not missing."""
        return web.json_response({"status": "starting"}, status=503, headers={"Retry-After": "1"})

    async def _metrics(self, _: web.Request) -> web.Response:
        return web.Response(body=self.metrics.exposition(), headers={"Content-Type": "text/plain; version=0.0.4"})

    async def _live(self, _: web.Request) -> web.Response:
        return web.json_response({"status": "live"})

    async def _ready(self, _: web.Request) -> web.Response:
        failing = await self.failing()
        body = {"status": "waiting" if failing else "ready", "waiting_for": failing}
        return web.json_response(body, status=503 if failing else 200)

    @web.middleware
    async def _measure(
        self, request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        started = time.perf_counter()
        status = 500
        try:
            response = await handler(request)
            status = response.status
        except web.HTTPException as error:
            status = error.status
            raise
        finally:
            self.metrics.http_requests.labels(self.metrics.service, request.method, str(status)).inc()
            self.metrics.http_duration.labels(self.metrics.service, request.method).observe(
                time.perf_counter() - started
            )
        return response


async def listen(application: web.Application, host: str, port: int) -> web.AppRunner:
    """Serve an application. OSError when the port is taken."""
    runner = web.AppRunner(application, access_log=None, handle_signals=False, shutdown_timeout=1)
    await runner.setup()
    try:
        await web.TCPSite(runner, host, port, reuse_port=False).start()
    except OSError:
        await runner.cleanup()
        raise
    return runner

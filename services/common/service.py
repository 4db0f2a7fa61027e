"""The life of a process: configure, open (dependencies may come later), serve, drain."""

import asyncio
import gc
import os
import signal
import sys
import time
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any, Protocol

import uvloop

from services.common import config
from services.common.bus.connection import Bus
from services.common.cache import Cache
from services.common.config import Settings
from services.common.db.engine import Database
from services.common.errors import ParleyError, Unavailable
from services.common.operations import OperationsServer
from services.common.processes import CHILD, parent_gone, supervise
from services.common.rpc.client import Mesh
from services.common.rpc.server import RpcServer
from services.common.security.tokens import MeshSigner, TokenVerifier
from services.common.telemetry import logs
from services.common.telemetry.metrics import Metrics
from services.common.telemetry.tracing import Tracing

log = logs.logger(__name__)
RETRY_SECONDS = (0.05, 0.1, 0.2, 0.5, 1.0)
RESTART_SECONDS = (0.1, 0.5, 1.0, 5.0)
READINESS_SECONDS = 1.0
STABLE_SECONDS = 60.0
YOUNG_OBJECTS = 10_000


class Tasks:
    """Background loops: one that fails is logged and started again with back-off."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[None]] = set()

    def spawn(self, name: str, factory: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Run a loop for the life of the process."""
        task = asyncio.create_task(self._keep(name, factory), name=name)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _keep(self, name: str, factory: Callable[[], Coroutine[Any, Any, None]]) -> None:
        failures = 0
        while True:
            started = time.monotonic()
            try:
                await factory()
            except Exception as error:
                log.exception("background task failed", task=name, error=type(error).__name__)
                failures = 0 if time.monotonic() - started > STABLE_SECONDS else failures
                await asyncio.sleep(RESTART_SECONDS[min(failures, len(RESTART_SECONDS) - 1)])
                failures += 1
            else:
                return

    async def close(self) -> None:
        """Cancel all."""
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


@dataclass
class Chassis:
    """What a service is given."""

    settings: Settings
    metrics: Metrics
    tracing: Tracing
    signer: MeshSigner
    verifier: TokenVerifier
    mesh: Mesh
    server: RpcServer
    operations: OperationsServer
    database: Database
    relay_database: Database
    bus: Bus
    cache: Cache
    tasks: Tasks = field(default_factory=Tasks)

    def require(self, dependency: str) -> None:
        """Readiness looks at it: "postgres" or "nats"."""
        if dependency == "postgres":
            self.operations.require("postgres", self.database.ping)
        elif dependency == "nats":
            self.operations.require("nats", self._nats)

    async def _nats(self) -> None:
        if not self.bus.connected:
            raise Unavailable("NATS is away")


class Service(Protocol):
    """A service: built in open(), torn down in close()."""

    name: str

    async def open(self, chassis: Chassis) -> None:
        """Build stores, register servicers and routes, spawn loops."""

    async def close(self) -> None:
        """Give back what open() took."""


def dsn(value: Any) -> str:  # noqa: ANN401 - SecretStr or None
    """A secret's text, empty when unset."""
    return value.get_secret_value() if value is not None else ""


def assemble(name: str, settings: Settings) -> Chassis:
    """Everything a service may use, not yet connected."""
    metrics = Metrics(name)
    tracing = Tracing(name, settings.otlp_endpoint)
    signer = MeshSigner(name, settings.mesh_key_file)
    verifier = TokenVerifier(
        settings.mesh_jwks_file, settings.token_issuer, settings.token_audience, settings.token_jwks_url
    )
    size = settings.postgres_pool_size
    database = Database(dsn(settings.postgres_dsn), schema=name, pool_size=size, name=f"parley-{name}")
    relay = Database(
        dsn(settings.postgres_relay_dsn or settings.postgres_dsn), schema=name, pool_size=2, name=f"parley-{name}-relay"
    )
    metrics.db_pool_size.labels("app").set_function(lambda: float(database.size))
    return Chassis(
        settings=settings,
        metrics=metrics,
        tracing=tracing,
        signer=signer,
        verifier=verifier,
        mesh=Mesh(settings, signer),
        server=RpcServer(settings, verifier, metrics, tracing),
        operations=OperationsServer(metrics),
        database=database,
        relay_database=relay,
        bus=Bus(dsn(settings.nats_url), name, metrics),
        cache=Cache(dsn(settings.valkey_url)),
    )


async def persist(what: str, work: Callable[[], Awaitable[None]]) -> None:
    """Do something that needs a dependency, as often as it takes."""
    attempt = 0
    while True:
        try:
            await work()
        except (ParleyError, OSError, TimeoutError) as error:
            if attempt % 20 == 0:
                log.warning("waiting", dependency=what, error=type(error).__name__)
            await asyncio.sleep(RETRY_SECONDS[min(attempt, len(RETRY_SECONDS) - 1)])
            attempt += 1
        else:
            return


async def connect(chassis: Chassis) -> None:
    """Connect to what is configured, waiting for what is not there yet."""
    if chassis.settings.postgres_dsn:
        await persist("postgres", chassis.database.open)
        await persist("postgres", chassis.relay_database.open)
        chassis.require("postgres")
    if chassis.settings.nats_url:
        await persist("nats", chassis.bus.open)


async def watch_readiness(chassis: Chassis) -> None:
    """Keep gRPC health in step with readiness."""
    before: bool | None = None
    while True:
        ready = not await chassis.operations.failing()
        if ready is not before:
            await chassis.server.set_ready(ready)
            log.info("ready" if ready else "not ready")
            before = ready
        await asyncio.sleep(READINESS_SECONDS)


async def serve(service: Service, settings: Settings) -> None:
    """From assembly to drain."""
    chassis = assemble(service.name, settings)
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for signum in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(signum, stopping.set)
    starting = asyncio.create_task(start(service, chassis))
    ends = {starting, asyncio.create_task(stopping.wait())}
    orphaned = {asyncio.create_task(parent_gone())} if CHILD in os.environ else set()
    done, waiting = await asyncio.wait({*ends, *orphaned}, return_when=asyncio.FIRST_COMPLETED)
    if done == {starting} and starting.exception() is None:
        keep_what_stays()
        _, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
    for task in (starting, *waiting):
        task.cancel()
    outcome = await asyncio.gather(starting, return_exceptions=True)
    await stop(service, chassis)
    if isinstance(outcome[0], Exception):
        raise outcome[0]


async def start(service: Service, chassis: Chassis) -> None:
    """Connect, build, listen."""
    settings = chassis.settings
    port = settings.operations_port + int(os.environ.get(CHILD, "0"))
    await chassis.operations.announce(settings.host, port)
    await connect(chassis)
    await service.open(chassis)
    await chassis.server.start()
    await chassis.operations.start(settings.host, port)
    chassis.tasks.spawn("readiness", lambda: watch_readiness(chassis))
    log.info("serving", port=settings.port, operations_port=port)


def keep_what_stays() -> None:
    """Modules, stubs and pools stay for good: the collector need not look at them for every few messages."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG_OBJECTS)


async def stop(service: Service, chassis: Chassis) -> None:
    """Drain and close, each part on its own clock."""
    steps: list[Callable[[], Awaitable[None]]] = [
        lambda: chassis.server.stop(chassis.settings.stop_seconds),
        chassis.tasks.close,
        service.close,
        chassis.operations.stop,
        chassis.bus.close,
        chassis.mesh.close,
        chassis.cache.close,
        chassis.database.close,
        chassis.relay_database.close,
    ]
    for step in steps:
        try:
            await asyncio.wait_for(step(), chassis.settings.stop_seconds + chassis.settings.drain_seconds + 2)
        except Exception as error:  # noqa: BLE001 - what cannot be closed must not keep the rest open
            log.warning("not closed in order", error=type(error).__name__)
    chassis.tracing.close()


def run(factory: Callable[[], Service], settings_type: type[Settings]) -> None:
    """The main function of every service."""
    settings = config.load(settings_type)
    service = factory()
    logs.configure(service.name, settings.log_level, settings.log_format)
    if settings.processes > 1 and CHILD not in os.environ:
        sys.exit(supervise(settings.processes))
    try:
        uvloop.run(serve(service, settings))
    except OSError as error:
        sys.exit(f"{service.name}: {error}")

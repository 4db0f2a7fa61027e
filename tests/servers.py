"""Real servers for tests, started when first asked for, gone at the end of the run: PostgreSQL, NATS, Valkey.

Fixtures (session-wide): `postgres`, `nats`, `valkey` are servers that a test may kill and start again;
`postgres` has `owner_dsn`, `app_dsn`, `relay_dsn`; `nats_url` and `valkey_url` are addresses with their passwords.
"""

import asyncio
import os
import shutil
import signal
import subprocess
from collections.abc import AsyncIterator, Callable

import asyncpg
import pytest

from cli.stack import servers
from cli.stack.component import Component
from cli.stack.layout import Layout, unused_port

READY_SECONDS = 30.0
LOOK_SECONDS = 0.01


class RunningServer:
    """A server that can be killed, paused and started again on the same port with the same data."""

    def __init__(self, component: Component) -> None:
        self.component = component
        self._process: subprocess.Popen[bytes] | None = None

    async def start(self) -> None:
        """Start it and wait until it answers. TimeoutError.

        PostgreSQL ends at once while processes of a killed predecessor are still leaving: then it starts again.
        """
        async with asyncio.timeout(READY_SECONDS):
            while not await self.component.ready():
                if self._process is None or self._process.poll() is not None:
                    self._process = self._spawn()
                await asyncio.sleep(LOOK_SECONDS)

    def _spawn(self) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            self.component.command,
            env={**os.environ, **self.component.environment},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            **self.component.options,
        )

    def kill(self) -> None:
        """kill -9."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """As an orderly operator would."""
        self._end(self.component.stop_signal)

    def pause(self) -> None:
        """It neither answers nor hangs up."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Undo pause()."""
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)

    def _end(self, how: signal.Signals) -> None:
        if self._process is not None:
            self._process.send_signal(how)
            self._process.wait(READY_SECONDS)
            self._process = None


class Postgres(RunningServer):
    """PostgreSQL with the roles and the database of Parley."""

    def __init__(self, parts: servers.Postgres) -> None:
        super().__init__(parts.component())
        self._parts = parts

    @property
    def owner_dsn(self) -> str:
        """For migrations."""
        return self._parts.dsn("owner")

    @property
    def app_dsn(self) -> str:
        """For services: row-level security applies."""
        return self._parts.dsn("app")

    @property
    def relay_dsn(self) -> str:
        """For sweepers."""
        return self._parts.dsn("relay")

    async def prepare(self) -> None:
        """First start: cluster, roles, database."""
        self._parts.initialise()
        await self.start()
        await self._parts.prepare_roles()

    async def as_owner(self, *statements: str) -> None:
        """Run statements as the owner of the database."""
        connection = await asyncpg.connect(self.owner_dsn)
        try:
            for statement in statements:
                await connection.execute(statement)
        finally:
            await connection.close()


class Statements:
    """Stands in for alembic's op: keeps what a migration would execute, for Postgres.as_owner."""

    def __init__(self, *statements: str) -> None:
        self.all = list(statements)

    def execute(self, statement: str) -> None:
        """Keep a statement."""
        self.all.append(statement)


class Nats(RunningServer):
    """NATS with JetStream."""

    def __init__(self, component: Component, url: str, wipe: Callable[[], None]) -> None:
        super().__init__(component)
        self.url = url
        self.wipe = wipe


@pytest.fixture(scope="session")
def layout(tmp_path_factory: pytest.TempPathFactory) -> Layout:
    """The folder of the servers of this run."""
    made = Layout(tmp_path_factory.mktemp("servers"))
    made.prepare()
    return made


@pytest.fixture(scope="session")
async def postgres(layout: Layout) -> AsyncIterator[Postgres]:
    server = Postgres(servers.Postgres(layout, layout.secrets(), unused_port(set())))
    await server.prepare()
    yield server
    server.kill()
    if layout.exposed() != layout.data:
        shutil.rmtree(layout.exposed(), ignore_errors=True)


@pytest.fixture(scope="session")
async def nats(layout: Layout) -> AsyncIterator[Nats]:
    port, monitor = unused_port(set()), unused_port(set())
    secrets = layout.secrets()
    store = layout.data / "nats" / "jetstream"
    server = Nats(
        servers.nats(layout, secrets, port, monitor),
        f"nats://parley:{secrets['nats']}@127.0.0.1:{port}",
        lambda: shutil.rmtree(store, ignore_errors=True),
    )
    await server.start()
    yield server
    server.kill()


@pytest.fixture(scope="session")
def nats_url(nats: Nats) -> str:
    return nats.url


@pytest.fixture(scope="session")
async def valkey(layout: Layout) -> AsyncIterator[RunningServer]:
    server = RunningServer(servers.valkey(layout, layout.secrets(), unused_port(set())))
    await server.start()
    yield server
    server.kill()


@pytest.fixture(scope="session")
def valkey_url(valkey: RunningServer, layout: Layout) -> str:
    return f"redis://:{layout.secrets()['valkey']}@127.0.0.1:{valkey.component.port}/0"

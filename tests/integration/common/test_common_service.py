"""The life of a process: before its stores, with them, without them, and its end."""

import asyncio
import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import aiohttp
import grpc.aio
import psutil
import pytest
from joserfc.jwk import OKPKey
from parley.session.v1 import session_service_pb2, session_service_pb2_grpc

from cli.stack.layout import ROOT, unused_port
from services.common import context
from services.common.config import Settings
from services.common.processes import EARLY_SECONDS
from services.common.rpc.client import Mesh
from services.common.security.principal import Principal
from services.common.security.tokens import MeshSigner
from tests.servers import Nats, Postgres
from tests.waiting import until

pytestmark = pytest.mark.integration
USER = Principal("11111111-1111-1111-1111-111111111111", "users/u", frozenset({"user"}))
GET = session_service_pb2.GetSessionRequest(name="sessions/00000000-0000-0000-0000-000000000007")


class Process:
    """The service as a process, and what can be asked of it from outside."""

    def __init__(self, folder: Path, environment: dict[str, str]) -> None:
        key = OKPKey.generate_key("Ed25519", private=True)
        (folder / "session.pem").write_bytes(key.as_pem(private=True))
        (folder / "mesh.json").write_text(json.dumps({"keys": [{**key.as_dict(private=False), "kid": "session"}]}))
        self.port = unused_port(set())
        self.operations_port = unused_port({self.port})
        self.log = folder / "log"
        values = {
            "PARLEY_PORT": str(self.port),
            "PARLEY_OPERATIONS_PORT": str(self.operations_port),
            "PARLEY_MESH_KEY_FILE": str(folder / "session.pem"),
            "PARLEY_MESH_JWKS_FILE": str(folder / "mesh.json"),
            "PARLEY_PAGE_TOKEN_SECRET": "x",
            "PARLEY_SESSION_ADDRESS": f"dns:///127.0.0.1:{self.port}",
            "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'build' / 'stubs'}",
            **environment,
        }
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("PARLEY_")}
        with self.log.open("w") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "tests.integration.common.living"],
                env={**inherited, **values},
                stdout=log,
                stderr=log,
                cwd=ROOT,
            )
        settings = Settings(
            port=1,
            operations_port=1,
            mesh_key_file=folder / "session.pem",
            mesh_jwks_file=folder / "mesh.json",
            page_token_secret="x",  # type: ignore[arg-type]
            session_address=values["PARLEY_SESSION_ADDRESS"],
        )
        self.mesh = Mesh(settings, MeshSigner("session", folder / "session.pem"))
        self.stub: Any = session_service_pb2_grpc.SessionServiceStub(self.mesh.channel("session"))

    async def ask(self, path: str, offset: int = 0) -> tuple[int, dict[str, Any]]:
        """Status and body of an operations route; 0 while nobody listens."""
        address = f"http://127.0.0.1:{self.operations_port + offset}{path}"
        try:
            async with aiohttp.ClientSession() as client, client.get(address) as answer:
                return answer.status, await answer.json()
        except aiohttp.ClientError:
            return 0, {}

    async def get(self) -> Any:
        with context.acting_for(USER):
            return await self.stub.GetSession(GET, timeout=5)

    def status(self, path: str, wanted: int) -> Any:
        async def met() -> bool:
            assert self.process.poll() is None, self.log.read_text()
            return (await self.ask(path))[0] == wanted

        return met

    async def close(self) -> None:
        await self.mesh.close()
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait(10)


def stores(postgres: Postgres, nats: Nats) -> dict[str, str]:
    return {
        "PARLEY_POSTGRES_DSN": postgres.app_dsn,
        "PARLEY_POSTGRES_RELAY_DSN": postgres.relay_dsn,
        "PARLEY_NATS_URL": nats.url,
    }


Launch = Callable[[Path, dict[str, str]], Process]


@pytest.fixture
async def launch() -> AsyncIterator[Launch]:
    launched: list[Process] = []

    def make(folder: Path, environment: dict[str, str]) -> Process:
        folder.mkdir(exist_ok=True)
        launched.append(Process(folder, environment))
        return launched[-1]

    yield make
    for process in launched:
        await process.close()


@pytest.fixture
def process(postgres: Postgres, nats: Nats, tmp_path: Path, launch: Launch) -> Process:
    return launch(tmp_path, stores(postgres, nats))


async def test_it_serves_and_drains(process: Process) -> None:
    await until(process.status("/readyz", 200))
    assert (await process.get()).bot == f"pid-{process.process.pid}"
    under_way = asyncio.create_task(process.get())
    await asyncio.sleep(0.1)
    process.process.send_signal(signal.SIGTERM)
    assert (await under_way).name == GET.name
    assert await asyncio.to_thread(process.process.wait, 30) == 0
    assert "closed in order" in process.log.read_text()


async def test_a_background_loop_that_fails_begins_again(process: Process) -> None:
    async def again() -> bool:
        return (await process.ask("/pid"))[1].get("turns") == 2

    await until(again)
    assert "the first turn fails" in process.log.read_text()


async def test_it_lives_before_its_stores_and_without_them(
    postgres: Postgres, nats: Nats, tmp_path: Path, launch: Launch
) -> None:
    postgres.kill()
    process = launch(tmp_path, stores(postgres, nats))
    await until(process.status("/healthz", 200))
    assert (await process.ask("/readyz"))[0] == 503
    await postgres.start()
    await until(process.status("/readyz", 200))
    for server, name in ((postgres, "postgres"), (nats, "nats")):
        server.kill()
        await until(process.status("/readyz", 503))
        assert name in (await process.ask("/readyz"))[1]["waiting_for"]
        assert (await process.ask("/healthz"))[0] == 200
        await server.start()
        await until(process.status("/readyz", 200))


async def test_it_ends_when_told_to_while_it_still_waits(
    postgres: Postgres, nats: Nats, tmp_path: Path, launch: Launch
) -> None:
    nowhere = {**stores(postgres, nats), "PARLEY_POSTGRES_DSN": "postgresql://a:b@127.0.0.1:1/c"}
    process = launch(tmp_path, nowhere)
    await until(process.status("/healthz", 200))
    process.process.send_signal(signal.SIGTERM)
    assert await asyncio.to_thread(process.process.wait, 30) == 0


async def test_a_taken_port_ends_the_start_with_a_word(
    process: Process, postgres: Postgres, nats: Nats, launch: Launch
) -> None:
    await until(process.status("/readyz", 200))
    folder = process.log.parent / "second"
    taken = {"PARLEY_PORT": str(process.port), "PARLEY_OPERATIONS_PORT": str(unused_port(set()))}
    second = launch(folder, {**stores(postgres, nats), **taken})
    assert await asyncio.to_thread(second.process.wait, 30) != 0
    assert str(process.port) in second.log.read_text()


async def test_a_wrong_setting_ends_the_start_with_a_line(tmp_path: Path, launch: Launch) -> None:
    process = launch(tmp_path, {"PARLEY_PROCESSES": "none"})
    assert await asyncio.to_thread(process.process.wait, 30) == 1
    assert process.log.read_text().startswith("PARLEY_PROCESSES:")


@contextlib.contextmanager
def killed_at_the_end(parent: subprocess.Popen[bytes]) -> Iterator[None]:
    children = [*psutil.Process(parent.pid).children()]
    try:
        yield
    finally:
        for child in children:
            with contextlib.suppress(psutil.Error):
                child.kill()


async def test_copies_share_a_port_and_come_back(
    postgres: Postgres, nats: Nats, tmp_path: Path, launch: Launch
) -> None:
    process = launch(tmp_path, {**stores(postgres, nats), "PARLEY_PROCESSES": "2"})

    async def pid(offset: int) -> int:
        status, body = await process.ask("/pid", offset)
        return int(body["pid"]) if status == 200 else 0

    async def both() -> bool:
        return bool(await pid(0) and await pid(1))

    await until(both)
    first, second = await pid(0), await pid(1)
    assert first != second
    channels = [grpc.aio.insecure_channel(f"127.0.0.1:{process.port}") for _ in range(2)]
    for channel in channels:
        await channel.channel_ready()
        await channel.close()

    async def old_enough() -> bool:
        return bool(psutil.Process(process.process.pid).create_time() + EARLY_SECONDS + 3 < time.time())

    await until(old_enough)
    os.kill(second, signal.SIGKILL)

    async def another() -> bool:
        return await pid(1) not in {0, second}

    await until(another)
    assert await pid(0) == first
    with killed_at_the_end(process.process):
        process.process.send_signal(signal.SIGTERM)
        assert await asyncio.to_thread(process.process.wait, 30) == 0


async def test_copies_do_not_outlive_a_killed_parent(
    postgres: Postgres, nats: Nats, tmp_path: Path, launch: Launch
) -> None:
    process = launch(tmp_path, {**stores(postgres, nats), "PARLEY_PROCESSES": "2"})
    await until(process.status("/readyz", 200))
    children = psutil.Process(process.process.pid).children()
    assert len(children) == 2
    with killed_at_the_end(process.process):
        process.process.kill()
        await until(lambda: not any(child.is_running() for child in children))

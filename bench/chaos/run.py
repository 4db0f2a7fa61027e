"""One run: a stack of its own, people, a nemesis, a verdict."""

import asyncio
import shutil
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import aiohttp

from bench.chaos import bot
from bench.chaos.checker import judge, recovery
from bench.chaos.nemesis import Nemesis
from bench.chaos.users import Person
from cli.stack.layout import unused_port
from cli.stack.stack import Stack

KINDS = ("rest", "sse", "websocket")
FINISH_SECONDS = 90.0
Sabotage = Callable[[Stack], Awaitable[None]]


async def run(
    seed: int, conversations: int, seconds: float, *, sabotage: Sabotage | None = None, finish: float = FINISH_SECONDS
) -> dict[str, Any]:
    """The result as the command prints it. `sabotage` takes a safeguard away first, for the tests of the checker."""
    folder = Path(tempfile.mkdtemp(prefix="parley-chaos-"))
    folder.chmod(0o755)
    stack = Stack(folder, port=unused_port(set()))
    try:
        await stack.start()
        await bot.deploy(stack)
        if sabotage is not None:
            await sabotage(stack)
        return await ordeal(stack, seed, conversations, seconds, finish)
    finally:
        await stack.stop()
        shutil.rmtree(stack.layout.exposed(), ignore_errors=True)
        shutil.rmtree(folder, ignore_errors=True)


async def ordeal(stack: Stack, seed: int, conversations: int, seconds: float, finish: float) -> dict[str, Any]:
    """People talk while the nemesis rages; then everything is given time to settle and is judged."""
    end = time.monotonic() + seconds
    nemesis = Nemesis(stack, seed)
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(connector=connector) as client:
        people = [
            Person(client, stack.public_url, KINDS[index % len(KINDS)], seed * 100_003 + index)
            for index in range(conversations)
        ]
        await asyncio.gather(*(person.open() for person in people))
        talks = [person.talk(lambda: time.monotonic() > end, finish) for person in people]
        await asyncio.gather(nemesis.rage(seconds), *talks)
    seen = [person.seen for person in people]
    verdict = await judge(stack, seen)
    median, worst = recovery(nemesis.at, seen)
    return {
        "seed": seed,
        "conversations": conversations,
        "messages": sum(len(item.acknowledged) for item in seen),
        "kills": dict(sorted(nemesis.kills.items())),
        "lost": verdict.lost,
        "duplicated": verdict.duplicated,
        "misordered": verdict.misordered,
        "overlapped": verdict.overlapped,
        "recovery_p50_ms": round(median, 1),
        "recovery_p99_ms": round(worst, 1),
    }

"""One run: a stack of its own, people, a nemesis, a verdict."""

import asyncio
import shutil
import tempfile
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp

from bench.chaos import bot
from bench.chaos.checker import judge, recovery
from bench.chaos.correspondents import Correspondent, Post
from bench.chaos.nemesis import Nemesis
from bench.chaos.users import Person
from cli.stack.layout import unused_port
from cli.stack.stack import Stack

KINDS = ("rest", "sse", "websocket", "webhook")
FINISH_SECONDS = 90.0
LEASE_SECONDS = 2
Sabotage = Callable[[Stack], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Ordeal:
    """What is done to whom. `prey`: components the nemesis hits, all when empty; `pauses`: share of the
    hits that pause instead of kill; `finish`: seconds for last answers;
    `work`: rounds of a loop in every answer, so that turns last long enough to be hit; `sabotage`: takes a safeguard
    away first, for the tests of the checker."""

    seed: int
    conversations: int
    seconds: float
    finish: float = FINISH_SECONDS
    work: int = 50
    prey: frozenset[str] = frozenset()
    pauses: float = 0.3
    sabotage: Sabotage | None = None


async def run(ordeal: Ordeal) -> dict[str, Any]:
    """The result as the command prints it. Two workers and short leases: a paused one loses its turn to the other."""
    folder = Path(tempfile.mkdtemp(prefix="parley-chaos-"))
    folder.chmod(0o755)
    settings = {"PARLEY_LEASE_SECONDS": str(LEASE_SECONDS), "PARLEY_WEBHOOKS_PER_SECOND": "2000"}
    stack = Stack(folder, port=unused_port(set()), replicas={"engine": 2}, environment=settings)
    try:
        await stack.start()
        await bot.deploy(stack, ordeal.work)
        if ordeal.sabotage is not None:
            await ordeal.sabotage(stack)
        return await undergo(stack, ordeal)
    finally:
        await stack.stop()
        shutil.rmtree(stack.layout.exposed(), ignore_errors=True)
        shutil.rmtree(folder, ignore_errors=True)


async def undergo(stack: Stack, ordeal: Ordeal) -> dict[str, Any]:
    """People talk while the nemesis rages; then everything is given time to settle and is judged."""
    end = time.monotonic() + ordeal.seconds
    nemesis = Nemesis(stack, ordeal.seed, ordeal.prey, ordeal.pauses)
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(connector=connector) as client:
        post = Post()
        await post.open(stack)
        people = [person_of(client, stack, post, ordeal.seed, index) for index in range(ordeal.conversations)]
        await asyncio.gather(*(person.open() for person in people))
        talks = [person.talk(lambda: time.monotonic() > end, ordeal.finish) for person in people]
        await asyncio.gather(nemesis.rage(ordeal.seconds), *talks)
        await post.close()
    seen = [person.seen for person in people]
    verdict = await judge(stack, seen)
    median, worst = recovery(nemesis.at, seen)
    return {
        "seed": ordeal.seed,
        "conversations": ordeal.conversations,
        "messages": sum(len(item.acknowledged) for item in seen),
        "kills": dict(sorted(nemesis.kills.items())),
        "lost": verdict.lost,
        "duplicated": verdict.duplicated,
        "misordered": verdict.misordered,
        "overlapped": verdict.overlapped,
        "recovery_p50_ms": round(median, 1),
        "recovery_p99_ms": round(worst, 1),
    }


def person_of(client: aiohttp.ClientSession, stack: Stack, post: Post, seed: int, index: int) -> Person:
    """A quarter each over REST, SSE, WebSocket and webhook."""
    kind, own = KINDS[index % len(KINDS)], seed * 100_003 + index
    if kind == "webhook":
        return Correspondent(client, stack.public_url, post, own)
    return Person(client, stack.public_url, kind, own)

"""One run: a stack of its own, people, a nemesis, a verdict."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp

from bench.chaos import bot
from bench.chaos.checker import judge, recovery
from bench.chaos.correspondents import Correspondent, Post
from bench.chaos.nemesis import Nemesis
from bench.chaos.users import Person
from bench.folders import run_folder
from cli.stack.layout import unused_port
from cli.stack.stack import Stack
from cli.stack.supervisor import Progress

KINDS = ("rest", "sse", "websocket", "webhook")
FINISH_SECONDS = 90.0
LEASE_SECONDS = 2
SETTINGS = {"PARLEY_LEASE_SECONDS": str(LEASE_SECONDS), "PARLEY_WEBHOOKS_PER_SECOND": "2000"}
TELL_SECONDS = 0.5
Tell = Callable[[str, float], None]


def nobody(_phase: str, _seconds: float) -> None:
    """Whom progress is told when nobody looks."""


@dataclass(frozen=True, slots=True)
class Ordeal:
    """What is done to whom. `prey`: components the nemesis hits, all when empty; `pauses`: share of the
    hits that pause instead of kill; `finish`: seconds for last answers;
    `work`: rounds of a loop in every answer, so that turns last long enough to be hit."""

    seed: int
    conversations: int
    seconds: float
    finish: float = FINISH_SECONDS
    work: int = 50
    prey: frozenset[str] = frozenset()
    pauses: float = 0.3


@contextlib.asynccontextmanager
async def arena(data: Path | None = None, progress: Progress = lambda _, __: None) -> AsyncIterator[Stack]:
    """A running stack. Two workers and short leases: a paused one loses its turn to the other.

    `data`: its folder, which stays; a temporary one when None.
    """
    with run_folder(data) as folder:
        stack = Stack(folder, port=unused_port(set()), replicas={"engine": 2}, environment=SETTINGS, progress=progress)
        try:
            await stack.start()
            yield stack
        finally:
            await stack.stop()


async def undergo(stack: Stack, ordeal: Ordeal, tell: Tell = nobody) -> dict[str, Any]:
    """People talk while the nemesis rages; then everything is given time to settle and is judged.

    The result is as the command prints it. `tell` is called with what is done now and for how many seconds already.
    """
    await bot.deploy(stack, ordeal.work)
    nemesis = Nemesis(stack, ordeal.seed, ordeal.prey, ordeal.pauses)
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(connector=connector) as client:
        post = Post()
        await post.open(stack)
        people = [person_of(client, stack, post, ordeal.seed, index) for index in range(ordeal.conversations)]
        telling = asyncio.create_task(report(tell, people, nemesis))
        await asyncio.gather(*(person.open() for person in people))
        end = time.monotonic() + ordeal.seconds
        talks = [person.talk(lambda: time.monotonic() > end, ordeal.finish) for person in people]
        await asyncio.gather(nemesis.rage(ordeal.seconds), *talks)
        telling.cancel()
        await post.close()
    return await conclude(stack, ordeal, nemesis, people)


async def report(tell: Tell, people: Sequence[Person], nemesis: Nemesis) -> None:
    """Say how far it is; for ever."""
    began = time.monotonic()
    while True:
        messages = sum(len(person.seen.acknowledged) for person in people)
        replies = sum(len(person.seen.replies) for person in people)
        hits = sum(nemesis.kills.values())
        tell(f"{messages} messages, {replies} replies, {hits} hits", time.monotonic() - began)
        await asyncio.sleep(TELL_SECONDS)


async def conclude(stack: Stack, ordeal: Ordeal, nemesis: Nemesis, people: Sequence[Person]) -> dict[str, Any]:
    """What is left, weighed."""
    seen = [person.seen for person in people]
    verdict = await judge(stack, seen)
    median, worst = recovery(nemesis.at, seen)
    return {
        "seed": ordeal.seed,
        "conversations": ordeal.conversations,
        "messages": sum(len(item.acknowledged) for item in seen),
        "kills": dict(sorted(nemesis.kills.items())),
        "ambushes": nemesis.ambushes,
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

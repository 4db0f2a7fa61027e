"""Kills and pauses processes of the stack, as its seed says."""

import asyncio
import contextlib
import random
import shutil
import signal
import time
from collections import Counter
from collections.abc import Coroutine
from dataclasses import dataclass, field

import redis.asyncio as redis

from bench.chaos.ambush import ambush
from bench.chaos.signalling import send
from cli.stack.stack import Stack

LIVING = ("ready", "unready")
WORKERS = "engine"
PAUSE_SECONDS = (1.0, 6.0)
BETWEEN_SECONDS = (1.0, 3.0)


@dataclass
class Nemesis:
    """prey: what is hit, all when empty; pauses: share of hits that pause.

    kills: how often each component was hit; at: when, time.monotonic(); ambushes: workers paused amid a turn that
    another then ended.
    """

    stack: Stack
    seed: int
    prey: frozenset[str] = frozenset()
    pauses: float = 0.3
    kills: Counter[str] = field(default_factory=Counter)
    at: list[float] = field(default_factory=list)
    ambushes: int = 0

    def __post_init__(self) -> None:
        self._random = random.Random(self.seed)
        self._resumes: set[asyncio.Task[None]] = set()
        self._waiting = False

    def targets(self) -> dict[str, int]:
        """Components that are up, with their processes."""
        state = self.stack.layout.read_state() or {"components": []}
        return {item["name"]: item["pid"] for item in state["components"] if item["state"] in LIVING}

    async def rage(self, seconds: float) -> None:
        """Hit something every one to three seconds; in the middle lose NATS' store and all of Valkey.

        A worker is paused amid a turn, until another has ended it; one at a time, for the other has to be there.
        """
        end = time.monotonic() + seconds
        losing = time.monotonic() + seconds / 2
        while time.monotonic() < end:
            await asyncio.sleep(self._random.uniform(*BETWEEN_SECONDS))
            if losing and time.monotonic() > losing:
                losing = 0.0
                await self._lose()
                continue
            up = {name: pid for name, pid in self.targets().items() if not self.prey or name in self.prey}
            if up:
                name = self._random.choice(sorted(up))
                self._hit(name, up[name])
        if self._resumes:
            await asyncio.gather(*self._resumes)

    def _hit(self, name: str, pid: int) -> None:
        pauses, seconds = self._random.random() < self.pauses, self._random.uniform(*PAUSE_SECONDS)
        if pauses and name.startswith(WORKERS):
            self._lie_in_wait()
            return
        self._count(name)
        if not pauses:
            send(pid, signal.SIGKILL)
            return
        send(pid, signal.SIGSTOP)
        self._later(self._resume(pid, seconds))

    def _count(self, name: str) -> None:
        self.kills[name] += 1
        self.at.append(time.monotonic())

    def _later(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(work)
        self._resumes.add(task)
        task.add_done_callback(self._resumes.discard)

    def _lie_in_wait(self) -> None:
        if not self._waiting:
            self._waiting = True
            self._later(self._ambush())

    async def _ambush(self) -> None:
        try:
            workers = {pid: name for name, pid in self.targets().items() if name.startswith(WORKERS)}
            self.ambushes += await ambush(self.stack, workers, lambda pid: self._count(workers[pid]))
        finally:
            self._waiting = False

    async def _resume(self, pid: int, seconds: float) -> None:
        await asyncio.sleep(seconds)
        send(pid, signal.SIGCONT)

    async def _lose(self) -> None:
        """NATS loses its store, Valkey all keys."""
        nats = self.targets().get("nats")
        if nats:
            self._count("nats")
            send(nats, signal.SIGKILL)
            shutil.rmtree(self.stack.layout.data / "nats" / "jetstream", ignore_errors=True)
        url = f"redis://:{self.stack.secrets['valkey']}@127.0.0.1:{self.stack.ports['valkey']}/0"
        client = redis.Redis.from_url(url, socket_timeout=2)
        with contextlib.suppress(redis.RedisError, OSError):
            await client.flushall()
        await client.aclose()

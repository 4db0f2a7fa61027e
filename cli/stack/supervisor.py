"""Starts the components in order, keeps them alive, writes down how they are."""

import asyncio
import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from cli.failure import Failure
from cli.stack.component import Component
from cli.stack.layout import Layout

FIRST_BACKOFF, LARGEST_BACKOFF, HEALTHY_SECONDS = 0.05, 5.0, 5.0
POLL_SECONDS = 0.04
LOOK_SECONDS = 5.0
LONGEST_WORDS = 300
LARGEST_LOG = 16 * 1024 * 1024
LAUNCHER = Path(__file__).with_name("launcher.py")
Progress = Callable[[str, str], None]


def bound(item: Component) -> tuple[list[str], dict[str, Any]]:
    """Command and options of a process that ends with this one, whatever ends it, where the system can do that."""
    options = dict(item.options)
    if not sys.platform.startswith("linux"):
        return item.command, options
    user, group = options.pop("user", "-"), options.pop("group", "-")
    options.pop("extra_groups", None)
    prefix = [sys.executable, "-I", "-S", str(LAUNCHER), str(os.getpid()), str(int(item.stop_signal))]
    return [*prefix, str(user), str(group), *item.command], options


@dataclass
class Running:
    """A component with its process."""

    component: Component
    process: subprocess.Popen[bytes] | None = None
    state: str = "waiting"
    restarts: int = 0
    started: float = 0.0
    backoff: float = FIRST_BACKOFF


class Supervisor:
    """One loop a component: start, wait for it to be ready, wait for it to end, start again."""

    def __init__(self, layout: Layout, components: list[Component], edge: int, progress: Progress) -> None:
        self._layout = layout
        self._running = {item.name: Running(item) for item in components}
        self._ready: dict[str, asyncio.Event] = {item.name: asyncio.Event() for item in components}
        self._edge = edge
        self._progress = progress
        self._stopping = False
        self._tasks: list[asyncio.Task[None]] = []
        self.usable = False
        self._own_start = psutil.Process().create_time()

    def add(self, components: list[Component]) -> None:
        """More components, started by the next start()."""
        for item in components:
            self._running[item.name] = Running(item)
            self._ready[item.name] = asyncio.Event()

    async def start(self, names: list[str], seconds: float) -> None:
        """Start and wait until all are ready. Failure names those that are not, and where their words are."""
        for name in names:
            self._tasks.append(asyncio.create_task(self._keep(self._running[name])))
        waiting = [asyncio.create_task(self._ready[name].wait()) for name in names]
        _, late = await asyncio.wait(waiting, timeout=seconds)
        for task in late:
            task.cancel()
        missing = [name for name in names if not self._ready[name].is_set()]
        if missing:
            words = "\n  ".join(self._last_words(name) for name in missing)
            raise Failure(f"not ready after {seconds:.0f} s: {', '.join(missing)}", words)

    def _last_words(self, name: str) -> str:
        """How a process is, and the end of what it wrote."""
        running, path = self._running[name], self._layout.logs / f"{name}.log"
        lines = path.read_text(errors="replace").splitlines() if path.exists() else []
        last = lines[-1][:LONGEST_WORDS] if lines else "it wrote nothing"
        return f"{name} is {running.state}, started again {running.restarts} times; {path} ends with: {last}"

    async def _keep(self, running: Running) -> None:
        for name in running.component.after:
            if name in self._ready:
                await self._ready[name].wait()
        while True:
            self._spawn(running)
            await self._until_ready(running)
            await self._until_gone(running)
            if self._stopping:
                return
            await self._back_off(running)

    def _spawn(self, running: Running) -> None:
        item = running.component
        log = self._layout.logs / f"{item.name}.log"
        if log.exists() and log.stat().st_size > LARGEST_LOG:
            log.replace(log.with_suffix(".log.1"))
        base = {key: value for key, value in os.environ.items() if not key.startswith("PARLEY_")}
        command, options = bound(item)
        with log.open("ab") as sink:
            running.process = subprocess.Popen(  # noqa: S603 - our own components
                command,
                stdin=subprocess.DEVNULL,
                stdout=sink,
                stderr=sink,
                env={**base, **item.environment},
                start_new_session=True,
                **options,
            )
        running.started = time.monotonic()
        self._set(running, "starting")

    async def _until_ready(self, running: Running) -> None:
        while self._lives(running):
            if await running.component.ready():
                self._set(running, "ready")
                self._ready[running.component.name].set()
                return
            await asyncio.sleep(POLL_SECONDS)

    async def _until_gone(self, running: Running) -> None:
        looked = time.monotonic()
        while self._lives(running):
            await asyncio.sleep(POLL_SECONDS)
            if time.monotonic() - looked > LOOK_SECONDS:
                await self._look(running)
                looked = time.monotonic()

    async def _look(self, running: Running) -> None:
        """What runs is not always ready: it may wait for another, or hang."""
        state = "ready" if await running.component.ready() else "unready"
        if state != running.state and self._lives(running) and not self._stopping:
            self._set(running, state)

    async def _back_off(self, running: Running) -> None:
        self._ready[running.component.name].clear()
        running.restarts += 1
        if time.monotonic() - running.started > HEALTHY_SECONDS:
            running.backoff = FIRST_BACKOFF
        self._set(running, "restarting")
        await asyncio.sleep(running.backoff)
        running.backoff = min(running.backoff * 2, LARGEST_BACKOFF)

    def _lives(self, running: Running) -> bool:
        return running.process is not None and running.process.poll() is None

    def _set(self, running: Running, state: str) -> None:
        running.state = state
        self._progress(running.component.name, state)
        self.write_state()

    def write_state(self) -> None:
        """Whole or not at all."""
        components: list[dict[str, Any]] = [
            {
                "name": name,
                "state": running.state,
                "pid": running.process.pid if running.process else 0,
                "port": running.component.port,
                "restarts": running.restarts,
            }
            for name, running in self._running.items()
        ]
        state: dict[str, Any] = {
            "pid": os.getpid(),
            "started": self._own_start,
            "edge": self._edge,
            "usable": self.usable,
        }
        state["components"] = components
        fresh = self._layout.state.with_suffix(".fresh")
        fresh.write_text(json.dumps(state))
        fresh.replace(self._layout.state)

    async def stop(self) -> None:
        """Ours first, then the servers; each is asked, then made to."""
        self._stopping = True
        for task in self._tasks:
            task.cancel()
        order = list(reversed(self._running.values()))
        servers = {"postgres", "nats", "valkey", "s3"}
        for group in (
            [item for item in order if item.component.name not in servers],
            [item for item in order if item.component.name in servers],
        ):
            await asyncio.gather(*(self._end(item) for item in group))
        self._layout.state.unlink(missing_ok=True)

    async def _end(self, running: Running) -> None:
        if not self._lives(running) or running.process is None:
            return
        running.process.send_signal(signal.SIGCONT)
        running.process.send_signal(running.component.stop_signal)
        deadline = time.monotonic() + running.component.stop_seconds
        while self._lives(running) and time.monotonic() < deadline:
            await asyncio.sleep(POLL_SECONDS)
        if self._lives(running):
            with contextlib.suppress(ProcessLookupError):
                os.killpg(running.process.pid, signal.SIGKILL)
            running.process.wait(5)
        self._set(running, "stopped")

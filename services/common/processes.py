"""Several processes on one port: spawned, never forked (grpc does not survive a fork), started again when they die."""

import asyncio
import os
import signal
import subprocess
import sys
import time

CHILD, PARENT = "PARLEY_CHILD", "PARLEY_CHILD_OF"
LOOK_SECONDS = 0.1
RESTART_SECONDS = 1.0
EARLY_SECONDS = 3.0
PARENT_SECONDS = 1.0


class Supervisor:
    """Keeps `count` copies of a command running until it is told to stop."""

    def __init__(self, arguments: list[str], count: int) -> None:
        self._arguments = arguments
        self._children = {index: self._spawn(index) for index in range(count)}
        self._begun = time.monotonic()
        self._due: dict[int, float] = {}
        self._stopping = False

    def _spawn(self, index: int) -> subprocess.Popen[bytes]:
        environment = {**os.environ, CHILD: str(index), PARENT: str(os.getpid())}
        return subprocess.Popen(self._arguments, env=environment)  # noqa: S603 - this very program

    def stop(self, signum: int, _: object = None) -> None:
        """Pass a signal on; nothing is started any more."""
        self._stopping = True
        for child in self._children.values():
            if child.poll() is None:
                child.send_signal(signum)

    def run(self) -> int:
        """Watch until stopped and all are gone; the worst exit code. One that cannot even start ends all."""
        while not self._stopping:
            self._look()
            time.sleep(LOOK_SECONDS)
        return max(abs(child.wait()) for child in self._children.values())

    def _look(self) -> None:
        """Start again, a second later, what has died."""
        now = time.monotonic()
        for index, child in self._children.items():
            if child.poll() is None:
                continue
            if now - self._begun < EARLY_SECONDS:
                self.stop(signal.SIGTERM)
                return
            if now >= self._due.setdefault(index, now + RESTART_SECONDS):
                del self._due[index]
                self._children[index] = self._spawn(index)


def supervise(count: int) -> int:
    """Run `count` copies of this process; its exit code."""
    supervisor = Supervisor([sys.executable, *sys.orig_argv[1:]], count)
    signal.signal(signal.SIGTERM, supervisor.stop)
    signal.signal(signal.SIGINT, supervisor.stop)
    return supervisor.run()


async def parent_gone() -> None:
    """Returns when the process that spawned this one has died without saying so, be it before this one looked."""
    parent = int(os.environ.get(PARENT, os.getppid()))
    while os.getppid() == parent:  # noqa: ASYNC110 - nobody tells a child that its parent is gone
        await asyncio.sleep(PARENT_SECONDS)

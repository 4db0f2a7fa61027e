"""The processes of a run: how many, how much they take, and their end."""

import contextlib
import os
import resource
import signal
from dataclasses import dataclass

TICKS = os.sysconf("SC_CLK_TCK")
KILOBYTE = 1024
COUNTED = (b"RssAnon:", b"RssShmem:", b"VmSwap:")
PARENT, USER_TIME, CHILDREN_SYSTEM_TIME = 1, 11, 14
LAST_ROUNDS = 10_000


@dataclass(slots=True)
class Use:
    """What all processes together take now. memory: bytes that are nobody else's; cpu: seconds so far."""

    processes: int = 0
    memory: int = 0
    cpu: float = 0.0


class Tree:
    """All that descends from this process. proc: descriptor of /proc; alone: it shows this process's own only."""

    def __init__(self, proc: int, *, alone: bool) -> None:
        self._proc = proc
        self._alone = alone

    def use(self) -> Use:
        """Look at each."""
        children = resource.getrusage(resource.RUSAGE_CHILDREN)
        use = Use(cpu=children.ru_utime + children.ru_stime)
        for process, fields in self._all().items():
            use.processes += 1
            use.cpu += sum(int(ticks) for ticks in fields[USER_TIME : CHILDREN_SYSTEM_TIME + 1]) / TICKS
            use.memory += self._memory(process)
        return use

    def kill(self) -> dict[int, int]:
        """All of them, and wait until they are gone; exit statuses of children. None can start another meanwhile."""
        statuses: dict[int, int] = {}
        for _ in range(LAST_ROUNDS):
            if self._alone:
                _end_all()
            else:
                for process in self._all():
                    _end(process)
            ended = reap(wait=True)
            statuses |= ended
            if not ended:
                break
        return statuses

    def _all(self) -> dict[int, list[bytes]]:
        """Fields of /proc/N/stat from the state on, by process, without this one."""
        seen = {}
        for name in os.listdir(self._proc):  # noqa: PTH208 - of a descriptor
            if name.isdigit() and (text := self._text(f"{name}/stat")):
                seen[int(name)] = text.rpartition(b")")[2].split()
        mine = os.getpid()
        seen.pop(mine, None)
        if self._alone:
            return seen
        below = {mine}
        while more := {p for p, fields in seen.items() if int(fields[PARENT]) in below} - below:
            below |= more
        return {process: fields for process, fields in seen.items() if process in below}

    def _memory(self, process: int) -> int:
        lines = self._text(f"{process}/status").splitlines()
        return sum(int(line.split()[1]) * KILOBYTE for line in lines if line.startswith(COUNTED))

    def _text(self, name: str) -> bytes:
        try:
            descriptor = os.open(name, os.O_RDONLY | os.O_CLOEXEC, dir_fd=self._proc)
        except OSError:
            return b""
        try:
            return os.read(descriptor, 8192)
        except OSError:
            return b""
        finally:
            os.close(descriptor)


def processes() -> int:
    """A descriptor of /proc."""
    return os.open("/proc", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)


def _end_all() -> None:
    """Everybody in this process namespace at once, so that none is born meanwhile."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(-1, signal.SIGKILL)


def _end(process: int) -> None:
    """One, which has no more children before it dies."""
    try:
        resource.prlimit(process, resource.RLIMIT_NPROC, (0, 0))
        os.kill(process, signal.SIGKILL)
    except OSError:
        pass  # it was quicker


def reap(*, wait: bool = False) -> dict[int, int]:
    """Exit statuses of children that ended, by process. wait: for one at least, while there is any."""
    ended: dict[int, int] = {}
    while True:
        try:
            process, status = os.waitpid(-1, 0 if wait and not ended else os.WNOHANG)
        except ChildProcessError:
            return ended
        if process == 0:
            return ended
        ended[process] = os.waitstatus_to_exitcode(status)

"""Between fork and exec of the code: everything is given up that it shall not have."""

import contextlib
import os
import resource
import signal
from collections.abc import Callable, Iterator
from typing import NoReturn

from services.engine.sandbox.inside import calls, kernel, landlock, root
from services.engine.sandbox.inside.order import Bounds, Order
from services.engine.sandbox.layers import Layer

RESULT = 3
FAULT = 4
STACK_BYTES = 8 << 20
THREAD_STACK_BYTES = 2 << 20
NICENESS = 10
RESERVED_BYTES = 1 << 30  # what V8 sets aside for machine code counts as data from the start, used or not
NOBODY = 65534
FIRST_OWN_USER = 1_900_000_000
OWN_USERS = 1_000_000


def become(order: Order, folder: str, owner: tuple[int, int], descriptors: list[int]) -> NoReturn:
    """Turn into the code. What went wrong is written to the last descriptor.

    descriptors: standard input, output, errors, the result's pipe, the fault's pipe.
    """
    step = "descriptors"
    try:
        _place(descriptors)
        os.setsid()
        for signum in signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP}:
            with contextlib.suppress(OSError, ValueError):
                signal.signal(signum, signal.SIG_DFL)
        os.chdir(folder)
        os.umask(0o077)
        for name, action in _steps(order, folder, owner):
            step = name
            action()
        step = "start"
        os.execve(order.command[0], order.command, order.environment)  # noqa: S606 - what this is for
    except BaseException as error:  # noqa: BLE001 - nothing may get past this
        os.write(FAULT, f"{step}: {error}".encode())
    os._exit(126)


def _place(descriptors: list[int]) -> None:
    """Exactly these, from 0 on; the last is closed by exec."""
    high = [os.dup2(source, 100 + index) for index, source in enumerate(descriptors)]
    for target, source in enumerate(high):
        os.dup2(source, target, inheritable=target != FAULT)
    os.closerange(FAULT + 1, os.sysconf("SC_OPEN_MAX"))


def _steps(order: Order, folder: str, owner: tuple[int, int]) -> Iterator[tuple[str, Callable[[], None]]]:
    """What is given up, in an order in which each step can still be done."""
    layers = order.layers
    if Layer.LIMITS in layers:
        yield "limits", lambda: limit(order.bounds, 0 if Layer.MOUNT in layers else tasks_of(os.getuid()))
    yield "capabilities", kernel.renounce_capabilities
    if Layer.IDENTITY in layers:
        yield "identity", lambda: change_user(owner)
    yield "capabilities", kernel.drop_capabilities
    yield "privileges", lambda: kernel.prctl(kernel.PR_SET_NO_NEW_PRIVS, 1)
    if Layer.LANDLOCK in layers:
        readable = [*order.readable, *(["/proc"] if Layer.PID in layers else [])]
        yield "landlock", lambda: landlock.restrict([*readable, *root.DEVICES], [folder, "/dev/null"])
    if Layer.SECCOMP in layers:
        apart = Layer.PID in layers
        # the kernel does not count the processes of root
        counted = apart or Layer.IDENTITY in layers or os.getuid() != 0
        yield (
            "seccomp",
            lambda: calls.install(signals=apart, metadata=Layer.MOUNT in layers, processes=counted),
        )


def limit(bounds: Bounds, others: int) -> None:
    """Set the bounds of a process. others: tasks of the same user that are counted with it."""
    os.nice(NICENESS)
    cpu = max(1, round(bounds.cpu_seconds))
    stack = STACK_BYTES if bounds.address_space else THREAD_STACK_BYTES
    memory = resource.RLIMIT_AS if bounds.address_space else resource.RLIMIT_DATA
    memory_bytes = bounds.memory_bytes + (0 if bounds.address_space else RESERVED_BYTES)
    for kind, soft, hard in (
        (resource.RLIMIT_CPU, cpu, cpu + 1),
        (memory, memory_bytes, memory_bytes),
        (resource.RLIMIT_FSIZE, bounds.scratch_bytes, bounds.scratch_bytes),
        (resource.RLIMIT_NOFILE, bounds.open_files, bounds.open_files),
        (resource.RLIMIT_NPROC, others + bounds.processes, others + bounds.processes),
        (resource.RLIMIT_STACK, stack, stack),
        (resource.RLIMIT_CORE, 0, 0),
        (resource.RLIMIT_MEMLOCK, 0, 0),
        (resource.RLIMIT_MSGQUEUE, 0, 0),
    ):
        resource.setrlimit(kind, (soft, hard))


def change_user(owner: tuple[int, int]) -> None:
    """For good. OSError."""
    os.setgroups([])
    os.setresgid(owner[1], owner[1], owner[1])
    os.setresuid(owner[0], owner[0], owner[0])


def tasks_of(user: int) -> int:
    """Threads of all processes of a user."""
    count = 0
    for name in os.listdir("/proc"):  # noqa: PTH208 - light
        with contextlib.suppress(OSError):
            if name.isdigit() and os.stat(f"/proc/{name}").st_uid == user:  # noqa: PTH116
                count += len(os.listdir(f"/proc/{name}/task"))  # noqa: PTH208
    return count


def owner_of(layers: frozenset[Layer]) -> tuple[int, int]:
    """User and group that the code will have."""
    if Layer.IDENTITY not in layers:
        return os.geteuid(), os.getegid()
    own = FIRST_OWN_USER + os.getpid() % OWN_USERS
    with open("/proc/self/uid_map", encoding="ascii") as ranges:  # noqa: PTH123
        mapped = any(int(line.split()[0]) <= own < sum(map(int, line.split()[::2])) for line in ranges)
    return (own, own) if mapped else (NOBODY, NOBODY)

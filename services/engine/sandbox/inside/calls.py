"""The filter of calls (seccomp): what is not on the list does not happen, some only with harmless arguments."""

import ctypes
import errno
import socket
import struct
from collections.abc import Iterable, Iterator

from services.engine.sandbox.inside import kernel, syscalls

ARCHITECTURES = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
X32 = 0x40000000
LOAD, EQUAL, GREATER, AT_LEAST, AND, RETURN = 0x20, 0x15, 0x25, 0x35, 0x54, 0x06
ALLOW, KILL, REFUSE = 0x7FFF0000, 0x80000000, 0x00050000
NUMBER, ARCHITECTURE, ARGUMENTS = 0, 4, 16
SET_MODE_FILTER = 1
OLD_ENOUGH = 334  # later calls are tried by libraries that fall back when they hear "not implemented"
CLONE_THREAD = 0x10000
NEW_NAMESPACES = 0x7E020080  # user, mount, pid, network, ipc, uts, cgroup, time
MAP_SHARED_ANONYMOUS = 0x21  # memory that is seen in no process once it is unmapped
STREAM_MASK = 0xF
SEND_SIGNALS = (8, 10, 15)  # fcntl: F_SETOWN, F_SETSIG, F_SETOWN_EX let the kernel signal anybody
TERMINAL_AND_OWNER = (0x5412, 0x541C, 0x8901, 0x8902)  # ioctl: TIOCSTI, TIOCLINUX, FIOSETOWN, SIOCSPGRP
Instruction = tuple[int, int, int, int]


def install(*, signals: bool, metadata: bool, processes: bool) -> None:
    """For this process and all that it starts, for good. OSError, also for an architecture that is not known.

    signals: others of its user are out of its sight; metadata: all files it sees are the sandbox's own; processes:
    how many it starts is bounded, or else it may start threads only.
    """
    program = compiled(kernel.machine(), signals=signals, metadata=metadata, processes=processes)
    code = ctypes.create_string_buffer(b"".join(struct.pack("=HBBI", *line) for line in program))
    head = struct.pack("HxxxxxxP", len(program), ctypes.addressof(code))
    kernel.call("seccomp", SET_MODE_FILTER, 0, head)


def compiled(machine: str, *, signals: bool, metadata: bool, processes: bool) -> list[Instruction]:
    """The filter as instructions (code, jump if true, jump if false, operand). OSError for an unknown architecture."""
    if machine not in ARCHITECTURES:
        raise OSError(errno.ENOSYS, f"seccomp: the calls of {machine} are not known")
    allowed = syscalls.numbers(syscalls.ALWAYS, machine)
    allowed |= syscalls.numbers(syscalls.SIGNALS, machine) if signals else {}
    allowed |= syscalls.numbers(syscalls.METADATA, machine) if metadata else {}
    allowed |= syscalls.numbers(syscalls.PROCESSES, machine) if processes else {}
    return [
        (LOAD, 0, 0, ARCHITECTURE),
        (EQUAL, 1, 0, ARCHITECTURES[machine]),
        (RETURN, 0, 0, KILL),
        (LOAD, 0, 0, NUMBER),
        (AT_LEAST, 0, 1, X32),
        (RETURN, 0, 0, KILL),
        *_listed(allowed.values()),
        *_examined(syscalls.numbers(syscalls.EXAMINED, machine), processes=processes),
        (GREATER, 0, 1, OLD_ENOUGH),
        (RETURN, 0, 0, REFUSE | errno.ENOSYS),
        (RETURN, 0, 0, REFUSE | errno.EPERM),
    ]


def _listed(numbers: Iterable[int]) -> Iterator[Instruction]:
    """Allow them; neighbours with one comparison."""
    for first, last in ranges(numbers):
        yield (AT_LEAST, 0, 2, first)
        yield (GREATER, 1, 0, last)
        yield (RETURN, 0, 0, ALLOW)


def ranges(numbers: Iterable[int]) -> list[tuple[int, int]]:
    """First and last of each run of neighbours."""
    found: list[tuple[int, int]] = []
    for number in sorted(numbers):
        if found and found[-1][1] == number - 1:
            found[-1] = (found[-1][0], number)
        else:
            found.append((number, number))
    return found


def _examined(numbers: dict[str, int], *, processes: bool) -> Iterator[Instruction]:
    born = (CLONE_THREAD, 0) if processes else (CLONE_THREAD,)
    yield from _when(numbers["clone"], 0, NEW_NAMESPACES | CLONE_THREAD, allowed=born)
    yield from _when(numbers["mmap"], 3, MAP_SHARED_ANONYMOUS, refused=(MAP_SHARED_ANONYMOUS,))
    yield from _when(numbers["fcntl"], 1, None, refused=SEND_SIGNALS)
    yield from _when(numbers["ioctl"], 1, None, refused=TERMINAL_AND_OWNER)
    for name in ("prlimit64", "sched_setaffinity"):
        yield from _when(numbers[name], 0, None, allowed=(0,))
    # a pair of datagram sockets could still write to any Unix socket by name
    yield from _when(numbers["socketpair"], 1, STREAM_MASK, allowed=(int(socket.SOCK_STREAM),))


def _when(
    number: int, argument: int, mask: int | None, allowed: tuple[int, ...] = (), refused: tuple[int, ...] = ()
) -> Iterator[Instruction]:
    """Allow a call if an argument, masked, is one of `allowed`, or is none of `refused`."""
    body: list[Instruction] = [(LOAD, 0, 0, ARGUMENTS + 8 * argument)]
    if mask is not None:
        body.append((AND, 0, 0, mask))
    for value in allowed or refused:
        body += [(EQUAL, 0, 1, value), (RETURN, 0, 0, ALLOW if allowed else REFUSE | errno.EPERM)]
    body.append((RETURN, 0, 0, REFUSE | errno.EPERM if allowed else ALLOW))
    yield (EQUAL, 0, len(body), number)
    yield from body

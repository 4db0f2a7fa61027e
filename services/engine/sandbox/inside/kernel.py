"""Calls into the kernel for which the standard library has no function."""

import ctypes
import os
import struct

MS_RDONLY, MS_NOSUID, MS_NODEV, MS_NOEXEC = 1, 2, 4, 8
MS_BIND, MS_REC, MS_PRIVATE = 4096, 16384, 1 << 18
MNT_DETACH = 2
CLONE_NEWNS, CLONE_NEWUTS, CLONE_NEWIPC = 0x20000, 0x4000000, 0x8000000
CLONE_NEWCGROUP, CLONE_NEWUSER, CLONE_NEWPID, CLONE_NEWNET = 0x2000000, 0x10000000, 0x20000000, 0x40000000
PR_SET_PDEATHSIG, PR_SET_DUMPABLE, PR_CAPBSET_DROP, PR_SET_SECUREBITS = 1, 4, 24, 28
PR_SET_CHILD_SUBREAPER, PR_SET_NO_NEW_PRIVS = 36, 38
SECURE_NOROOT_LOCKED = 3
LAST_CAPABILITY = 63
MOUNT_SETATTR, CLOSE_RANGE = 442, 436
AT_FDCWD, AT_RECURSIVE = -100, 0x8000
ATTR_RDONLY, ATTR_NOSUID, ATTR_NODEV = 1, 2, 4
CAPABILITY_VERSION_3 = 0x20080522
NUMBERS = {
    "x86_64": {"pivot_root": 155, "capset": 126, "seccomp": 317},
    "aarch64": {"pivot_root": 41, "capset": 91, "seccomp": 277},
}

_libc = ctypes.CDLL(None, use_errno=True)


def checked(result: int, what: str) -> int:
    """The result of a call. OSError when it is negative; what: names the call."""
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")
    return result


def machine() -> str:
    """Name of the processor's architecture, "x86_64"."""
    return os.uname().machine


def call(what: str, *arguments: object, number: int | None = None) -> int:
    """Call by number. OSError, also for an architecture whose numbers are not known."""
    if number is None:
        number = NUMBERS.get(machine(), {}).get(what)
    if number is None:
        raise OSError(38, f"{what}: not known for {machine()}")
    words = [ctypes.c_long(argument) if isinstance(argument, int) else argument for argument in arguments]
    return checked(int(_libc.syscall(ctypes.c_long(number), *words)), what)


def prctl(option: int, *values: int) -> None:
    """OSError."""
    words = [ctypes.c_ulong(value) for value in (*values, 0, 0, 0, 0)[:4]]
    checked(_libc.prctl(option, *words), "prctl")


def unshare(flags: int) -> None:
    """Leave namespaces. OSError."""
    checked(_libc.unshare(flags), "unshare")


def mount(source: str, target: str, kind: str, flags: int, options: str = "") -> None:
    """OSError."""
    checked(
        _libc.mount(source.encode(), target.encode(), kind.encode(), ctypes.c_ulong(flags), options.encode()),
        f"mount {kind or source} on {target}",
    )


def unmount(target: str) -> None:
    """Also while it is in use. OSError."""
    checked(_libc.umount2(target.encode(), MNT_DETACH), "umount")


def set_host_name(name: bytes) -> None:
    """OSError."""
    checked(_libc.sethostname(name, len(name)), "sethostname")


def make_read_only(path: str, *, recursive: bool) -> None:
    """Also without set-user programs and devices. OSError, on kernels before 5.12 too."""
    attributes = struct.pack("QQQQ", ATTR_RDONLY | ATTR_NOSUID | ATTR_NODEV, 0, 0, 0)
    flags = AT_RECURSIVE if recursive else 0
    call("mount_setattr", AT_FDCWD, path.encode(), flags, attributes, len(attributes), number=MOUNT_SETATTR)


def renounce_capabilities() -> None:
    """Programs that this process starts will have none, whoever they are."""
    for capability in range(LAST_CAPABILITY + 1):
        try:
            prctl(PR_CAPBSET_DROP, capability)
        except OSError:
            break  # no such capability, or nothing there to drop
    try:
        prctl(PR_SET_SECUREBITS, SECURE_NOROOT_LOCKED)
    except OSError:
        if os.geteuid() == 0:  # would have them all again with the next program
            raise


def drop_capabilities() -> None:
    """All of this process."""
    call("capset", struct.pack("Ii", CAPABILITY_VERSION_3, 0), bytes(24))

"""Landlock: an allow-list of paths, no TCP, no signals to others, no abstract sockets of others."""

import ctypes
import os
import stat
import struct
from collections.abc import Iterable

from services.engine.sandbox.inside import kernel

CREATE_RULESET, ADD_RULE, RESTRICT_SELF = 444, 445, 446
VERSION_FLAG = 1
PATH_BENEATH = 1
EXECUTE, WRITE_FILE, READ_FILE, READ_DIR = 1, 2, 4, 8
MAKE_CHAR, MAKE_SOCK, MAKE_BLOCK = 1 << 6, 1 << 9, 1 << 11
TRUNCATE, IOCTL_DEV = 1 << 14, 1 << 15
READ = EXECUTE | READ_FILE | READ_DIR
OF_FILES = EXECUTE | WRITE_FILE | READ_FILE | TRUNCATE | IOCTL_DEV
NEVER = MAKE_CHAR | MAKE_SOCK | MAKE_BLOCK | IOCTL_DEV
TCP = 3  # bind and connect
SCOPES = 3  # abstract Unix sockets, signals
LEAST_VERSION = 3  # before, a file could be emptied that could not be written
NETWORK_VERSION, IOCTL_VERSION, SCOPE_VERSION = 4, 5, 6


def version() -> int:
    """Of the kernel's interface. OSError when there is none."""
    return kernel.call("landlock", None, 0, VERSION_FLAG, number=CREATE_RULESET)


def restrict(readable: Iterable[str], writable: Iterable[str]) -> None:
    """For this process and all that it starts, for good. Paths that are not there are left out. OSError."""
    abi = version()
    if abi < LEAST_VERSION:
        raise OSError(38, f"landlock: version {abi}, {LEAST_VERSION} is needed")
    handled = (1 << (16 if abi >= IOCTL_VERSION else 15)) - 1
    rules = struct.pack("QQQ", handled, TCP if abi >= NETWORK_VERSION else 0, SCOPES if abi >= SCOPE_VERSION else 0)
    size = 24 if abi >= SCOPE_VERSION else 16 if abi >= NETWORK_VERSION else 8
    ruleset = kernel.call("landlock", ctypes.create_string_buffer(rules), size, 0, number=CREATE_RULESET)
    for path in readable:
        _allow(ruleset, path, READ)
    for path in writable:
        _allow(ruleset, path, handled & ~NEVER)
    kernel.call("landlock", ruleset, 0, number=RESTRICT_SELF)
    os.close(ruleset)


def _allow(ruleset: int, path: str, access: int) -> None:
    try:
        parent = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except FileNotFoundError:
        return
    if not stat.S_ISDIR(os.fstat(parent).st_mode):
        access &= OF_FILES
    rule = struct.pack("=Qi", access, parent)
    kernel.call("landlock", ruleset, PATH_BENEATH, rule, 0, number=ADD_RULE)
    os.close(parent)

"""The layers of the sandbox, and how many of them are enough."""

from collections.abc import Collection
from enum import StrEnum


class Layer(StrEnum):
    """What keeps code in. Each is used where the kernel offers it; they overlap on purpose."""

    IDENTITY = "identity"  # an engine that runs as root: a user of its own for each run
    MOUNT = "mount"  # a tree of files of its own: the interpreter, libraries, a scratch folder
    PID = "pid"  # processes of its own, all of which die with the first
    NETWORK = "network"  # a network without any interface
    IPC = "ipc"  # no shared memory or queues of others
    LANDLOCK = "landlock"  # the kernel's own allow-list of paths
    SECCOMP = "seccomp"  # the kernel's own allow-list of calls
    LIMITS = "limits"  # of each process: memory, CPU, files


def missing(layers: Collection[Layer]) -> str:
    """What these layers do not give of the least that must be given, in plain words; empty when they are enough."""
    lacks = []
    if Layer.SECCOMP not in layers and not {Layer.NETWORK, Layer.MOUNT} <= set(layers):
        lacks.append("the network cannot be shut off (neither seccomp nor namespaces)")
    if Layer.MOUNT not in layers and not {Layer.LANDLOCK, Layer.SECCOMP} <= set(layers):
        lacks.append("files cannot be shut off (neither namespaces nor Landlock 3 with seccomp)")
    if Layer.PID not in layers and Layer.SECCOMP not in layers:
        lacks.append("other processes cannot be protected (neither namespaces nor seccomp)")
    if Layer.LIMITS not in layers:
        lacks.append("memory and time cannot be limited")
    return "; ".join(lacks)

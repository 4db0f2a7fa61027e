"""Leaving the namespaces of the machine: as root at once, else through a user namespace of one's own."""

import os
from collections.abc import Collection

from services.engine.sandbox.inside import kernel
from services.engine.sandbox.layers import Layer

FLAGS = {
    Layer.MOUNT: kernel.CLONE_NEWNS | kernel.CLONE_NEWUTS,
    Layer.PID: kernel.CLONE_NEWPID | kernel.CLONE_NEWCGROUP,
    Layer.NETWORK: kernel.CLONE_NEWNET,
    Layer.IPC: kernel.CLONE_NEWIPC,
}
USER_INSIDE = 1000
HOST_NAME = b"sandbox"


def separate(layers: Collection[Layer]) -> None:
    """Enter the namespaces of these layers; children are born into that of processes. OSError."""
    flags = 0
    for layer in layers:
        flags |= FLAGS.get(layer, 0)
    if not flags:
        return
    if os.geteuid() == 0:
        try:
            kernel.unshare(flags)
        except PermissionError:
            if Layer.IDENTITY in layers:
                raise
            _with_user(flags)
    else:
        _with_user(flags)
    if Layer.MOUNT in layers:
        kernel.set_host_name(HOST_NAME)


def _with_user(flags: int) -> None:
    user, group = os.geteuid(), os.getegid()
    kernel.unshare(flags | kernel.CLONE_NEWUSER)
    for name, content in (
        ("setgroups", "deny"),
        ("uid_map", f"{USER_INSIDE} {user} 1"),
        ("gid_map", f"{USER_INSIDE} {group} 1"),
    ):
        with open(f"/proc/self/{name}", "w", encoding="ascii") as stream:  # noqa: PTH123
            stream.write(content)

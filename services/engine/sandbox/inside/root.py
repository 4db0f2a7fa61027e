"""A tree of files of the sandbox's own: what it may read, read-only; a scratch folder in memory; nothing else."""

import os
from dataclasses import dataclass

from services.engine.sandbox.inside import kernel

OLD = "/old"
SCRATCH = "/scratch"
DEVICES = ("/dev/null", "/dev/random", "/dev/urandom")
ENTRIES = 256
SAFE = kernel.MS_NOSUID | kernel.MS_NODEV


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """readable: paths shown as they are; folders: further names of the scratch folder; size, files: most bytes and
    files in it; owner: its user and group; processes: whether /proc is there, of a process namespace of one's own."""

    readable: list[str]
    folders: list[str]
    size: int
    files: int
    owner: tuple[int, int]
    processes: bool


def enter(plan: Plan) -> None:
    """Become blind for everything else, in a mount namespace of one's own. OSError."""
    kernel.mount("none", "/", "", kernel.MS_REC | kernel.MS_PRIVATE)
    base = next(path for path in ("/tmp", "/var", "/mnt") if os.path.isdir(path))  # noqa: PTH112, S108
    kernel.mount("tmpfs", base, "tmpfs", SAFE, f"size=1m,nr_inodes={ENTRIES * 4},mode=755")
    os.chdir(base)
    os.mkdir(OLD[1:])  # noqa: PTH102
    kernel.call("pivot_root", b".", OLD[1:].encode())
    os.chdir("/")
    for path in (*plan.readable, *DEVICES):
        _show(path)
    os.mkdir(SCRATCH)  # noqa: PTH102
    kernel.mount(
        "tmpfs",
        SCRATCH,
        "tmpfs",
        SAFE,
        f"size={plan.size},nr_inodes={plan.files},mode=700,uid={plan.owner[0]},gid={plan.owner[1]}",
    )
    for name in plan.folders:
        if not os.path.lexists(name):
            os.symlink(SCRATCH, name)  # noqa: PTH211
    if plan.processes:
        os.mkdir("/proc")  # noqa: PTH102
        _show_processes()
    kernel.unmount(OLD)
    os.rmdir(OLD)  # noqa: PTH106
    kernel.make_read_only("/", recursive=False)


def _show_processes() -> None:
    """Mount /proc, of one's own process namespace only; allowed only while another one can be seen."""
    flags = SAFE | kernel.MS_NOEXEC
    try:
        kernel.mount("proc", "/proc", "proc", flags, "subset=pid")
    except OSError:
        kernel.mount("proc", "/proc", "proc", flags)
    kernel.make_read_only("/proc", recursive=False)


def _show(path: str) -> None:
    """Bind a path at the place it has outside, read-only; a link as the link it is. What is not there is left out."""
    source = OLD + path
    if os.path.lexists(path) or not os.path.lexists(source):
        return
    os.makedirs(os.path.dirname(path), exist_ok=True)  # noqa: PTH103, PTH120
    if os.path.islink(source):  # noqa: PTH114
        os.symlink(os.readlink(source), path)  # noqa: PTH115, PTH211
        return
    if os.path.isdir(source):  # noqa: PTH112
        os.mkdir(path)  # noqa: PTH102
    else:
        os.close(os.open(path, os.O_CREAT | os.O_WRONLY | os.O_CLOEXEC, 0o600))
    kernel.mount(source, path, "", kernel.MS_BIND | kernel.MS_REC)
    if path not in DEVICES:
        kernel.make_read_only(path, recursive=True)

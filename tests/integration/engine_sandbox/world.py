"""What hostile code is pointed at: files, sockets and processes outside of the sandbox that are really there."""

import contextlib
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil

from services.engine.sandbox.layers import Layer
from services.engine.sandbox.port import MEGABYTE, Job, Language, Limits, Outcome
from services.engine.sandbox.runner import SandboxRunner

CANARY = "canary-6c1f"
SMALL = Limits(
    seconds=10, cpu_seconds=10, memory_bytes=128 * MEGABYTE, scratch_bytes=4 * MEGABYTE, output_bytes=64 * 1024
)
NAMESPACES = frozenset({Layer.MOUNT, Layer.PID, Layer.NETWORK, Layer.IPC, Layer.LIMITS})
FILTERS = frozenset({Layer.LANDLOCK, Layer.SECCOMP, Layer.LIMITS})
ROOT = Path(__file__).resolve().parents[3]
NEIGHBOUR = """
import sys
sys.path.insert(0, sys.argv[1])
from services.engine.sandbox.inside import kernel
kernel.renounce_capabilities()  # as little as the code has: the kernel lets nobody look at one who may more
kernel.drop_capabilities()
kernel.prctl(kernel.PR_SET_DUMPABLE, 1)
print("ready", flush=True)
import signal
signal.pause()
"""
NOTHING: frozenset[Layer] = frozenset()
MACHINE = SandboxRunner()


async def run(
    code: str,
    value: Any = None,
    *,
    layers: frozenset[Layer] | None = None,
    language: Language = Language.PYTHON,
    limits: Limits = SMALL,
    **more: Any,
) -> Outcome:
    """Run code under these layers; None: under all that the machine gives."""
    if layers is None:
        layers = await MACHINE.layers()
    return await SandboxRunner(layers=layers).run(Job(language=language, code=code, input=value, limits=limits, **more))


def named(name: str) -> list[psutil.Process]:
    """Processes of the whole machine with this name (of 15 letters at most) that are alive."""
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            if process.name() == name and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
    return found


@contextlib.contextmanager
def targets(folder: Path) -> Iterator[dict[str, Any]]:
    """Paths, ports and a process for the code to reach; all of them open to every user of the machine."""
    folder.chmod(0o777)
    secret = folder / "secret.key"
    secret.write_text(CANARY)
    secret.chmod(0o666)
    place = str(folder / "service.sock")
    with contextlib.ExitStack() as stack:
        listening = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        datagrams = stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
        datagrams.bind(("127.0.0.1", 0))
        local, letters, abstract = (
            stack.enter_context(socket.socket(socket.AF_UNIX, kind))
            for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM, socket.SOCK_STREAM)
        )
        local.bind(place)
        letters.bind(place + ".letters")
        abstract.bind(f"\0{CANARY}-{os.getpid()}")
        local.listen()
        abstract.listen()
        for name in (place, place + ".letters"):
            os.chmod(name, 0o777)  # noqa: PTH101
        command = [sys.executable, "-c", NEIGHBOUR, str(ROOT)]
        other = subprocess.Popen(command, env={"KEY": CANARY}, stdout=subprocess.PIPE)
        assert other.stdout
        other.stdout.readline()
        try:
            yield {
                "folder": str(folder),
                "secret": str(secret),
                "tcp": listening.getsockname()[1],
                "udp": datagrams.getsockname()[1],
                "unix": place,
                "abstract": f"{CANARY}-{os.getpid()}",
                "process": other.pid,
                "canary": CANARY,
            }
        finally:
            other.kill()
            other.wait()
            other.stdout.close()

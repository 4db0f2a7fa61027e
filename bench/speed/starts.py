"""How long `up` takes: into an empty folder, and again after `down`."""

import asyncio
import shutil
import sys
import tempfile
import time
from pathlib import Path

from bench.speed.figures import Figure
from cli.stack.layout import ROOT, Layout, unused_port


async def command(*arguments: str) -> float:
    """Run the command; its seconds. RuntimeError with what it said."""
    began = time.perf_counter()
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "cli",
        *arguments,
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await process.communicate()
    if process.returncode:
        raise RuntimeError(said.decode(errors="replace"))
    return time.perf_counter() - began


async def figures() -> list[Figure]:
    """Cold and warm, to the moment when the page can be used."""
    folder = Path(tempfile.mkdtemp(prefix="parley-bench-"))
    folder.chmod(0o755)
    layout = Layout((folder / "stack").resolve())
    up = ("up", "--detach", "--port", str(unused_port(set())), "--data", str(layout.data))
    try:
        cold = await command(*up)
        await command("down", "--data", str(layout.data))
        warm = await command(*up)
        await command("down", "--data", str(layout.data))
    finally:
        shutil.rmtree(layout.exposed(), ignore_errors=True)
        shutil.rmtree(folder, ignore_errors=True)
    return [
        Figure("starts", "cold", cold, "s"),
        Figure("starts", "warm", warm, "s", aim=15, at_most=True),
    ]

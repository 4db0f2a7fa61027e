"""How long `up` takes: into an empty folder, and again after `down`."""

import asyncio
import sys
import time
from pathlib import Path

from bench.folders import run_folder
from bench.speed.figures import Figure
from cli.stack.layout import ROOT, unused_port


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


async def figures(data: Path | None) -> list[Figure]:
    """Cold and warm, to the moment when the page can be used."""
    with run_folder(data) as folder:
        up = ("up", "--detach", "--port", str(unused_port(set())), "--data", str(folder))
        down = ("down", "--data", str(folder))
        cold = await command(*up)
        await command(*down)
        warm = await command(*up)
        await command(*down)
    return [
        Figure("starts", "cold", cold, "s"),
        Figure("starts", "warm", warm, "s", aim=15, at_most=True),
    ]

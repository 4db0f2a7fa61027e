"""Documents are worked on in processes that can be killed: few, kept for the next, and never for long."""

import asyncio
import os
import struct
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from services.common.telemetry.logs import logger
from services.engine.files.child import LARGEST_FRAME, pack, unpack
from services.engine.program.values import ProgramError

log = logger(__name__)
R = TypeVar("R")
ROOT = Path(__file__).resolve().parents[3]
AT_ONCE = 2
MOST_WAITING = 32
WAIT_SECONDS = 30.0
WORK_SECONDS = 30.0
WORKS_OF_A_PROCESS = 200


class Workshop:
    """Documents."""

    def __init__(self, seconds: float = WORK_SECONDS, at_once: int = AT_ONCE) -> None:
        self._seconds = seconds
        self._free: list[asyncio.subprocess.Process] = []
        self._done: dict[int, int] = {}
        self._room = asyncio.Semaphore(at_once)
        self._waiting = 0

    async def run(self, work: Callable[..., R], *arguments: object) -> R:
        """What the function gives for the arguments, in another process. ProgramError."""
        frame = pack([work.__module__, work.__name__, list(arguments)])
        if len(frame) > LARGEST_FRAME:
            message = "the documents are too large together"
            raise ProgramError(message)
        await self._enter()
        try:
            return await self._work(frame)  # type: ignore[no-any-return]
        finally:
            self._room.release()

    async def close(self) -> None:
        """End the processes."""
        while self._free:
            await end(self._free.pop())

    async def _enter(self) -> None:
        if self._waiting >= MOST_WAITING:
            raise busy()
        self._waiting += 1
        try:
            await asyncio.wait_for(self._room.acquire(), WAIT_SECONDS)
        except TimeoutError:
            raise busy() from None
        finally:
            self._waiting -= 1

    async def _work(self, frame: bytes) -> Any:  # noqa: ANN401 - the caller knows what its function gives
        process = await self._process()
        kept = False
        try:
            told = await asyncio.wait_for(asked(process, frame), self._seconds)
            kept = True
        except TimeoutError:
            message = f"the document took longer than {self._seconds:.0f} seconds"
            raise ProgramError(message) from None
        except (asyncio.IncompleteReadError, OSError, ValueError, struct.error):
            message = "the document is damaged, or needs too much memory"
            raise ProgramError(message) from None
        finally:
            await self._keep(process, kept=kept)
        if "error" in told:
            if "cause" in told:
                log.info("document refused", cause=told["cause"])
            raise ProgramError(told["error"])
        return told["value"]

    async def _process(self) -> asyncio.subprocess.Process:
        """One that is free and alive, else a new one."""
        while self._free:
            process = self._free.pop()
            if process.returncode is None:
                return process
            self._done.pop(process.pid, None)
        return await begin()

    async def _keep(self, process: asyncio.subprocess.Process, *, kept: bool) -> None:
        """For the next, unless it failed or did enough: what libraries leave in memory goes with it."""
        done = self._done.pop(process.pid, 0) + 1
        if kept and done < WORKS_OF_A_PROCESS:
            self._done[process.pid] = done
            self._free.append(process)
        else:
            await end(process)


async def begin() -> asyncio.subprocess.Process:
    """A process that knows where the code is, and no secret."""
    environment = {"PYTHONPATH": os.pathsep.join([str(ROOT), *sys.path]), "LANG": "C.UTF-8"}
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "services.engine.files.child",
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        env=environment,
        start_new_session=True,
    )


async def asked(process: asyncio.subprocess.Process, frame: bytes) -> dict[str, Any]:
    """One question and its answer."""
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(struct.pack("<Q", len(frame)) + frame)
    await process.stdin.drain()
    (length,) = struct.unpack("<Q", await process.stdout.readexactly(8))
    if length > LARGEST_FRAME:
        raise ValueError
    found = unpack(await process.stdout.readexactly(length))
    if not isinstance(found, dict) or not {"value", "error"} & found.keys():
        raise ValueError
    return found


async def end(process: asyncio.subprocess.Process) -> None:
    """Killed for certain, and waited for."""
    if process.returncode is None:
        process.kill()
    await process.wait()


def busy() -> ProgramError:
    """Too much at once."""
    return ProgramError("too many documents are being worked on; try again")

"""Runs jobs in processes of their own, a few at a time."""

import asyncio
import contextlib
import json
import os
import sys
import tempfile
import time
from collections.abc import Collection
from dataclasses import replace
from pathlib import Path

from services.common.errors import Unavailable
from services.common.telemetry.logs import logger
from services.engine.program.values import ProgramError
from services.engine.sandbox.checking import check
from services.engine.sandbox.inside.order import Bounds, Order, Report, report_of
from services.engine.sandbox.languages import Start, start_of
from services.engine.sandbox.layers import Layer, missing
from services.engine.sandbox.outcomes import outcome_of
from services.engine.sandbox.port import MEGABYTE, Job, Language, Limits, Outcome

log = logger(__name__)
SOURCES = str(Path(__file__).resolve().parents[3])
INTERPRETER = os.path.realpath(sys.executable)
LAUNCH = f"import sys; sys.path.insert(0, {SOURCES!r}); from services.engine.sandbox.inside.launcher import main; "
BEGIN = "main(sys.argv[1:])"
GRACE_SECONDS = 20.0
PROBE_SECONDS = 30.0
END_SECONDS = 10.0
LOOK_AGAIN_SECONDS = 60.0
LARGEST_REPORT = 64 << 20
PIECE = 1 << 16


class SandboxRunner:
    """The sandbox of this machine.

    places: jobs at once; wait_seconds: how long a job waits for a place; most_seconds, most_memory_bytes: no job gets
    more, whatever it asks for; layers: used instead of all that the machine
    gives, without asking whether they are enough (for tests).
    """

    def __init__(
        self,
        *,
        places: int = 4,
        wait_seconds: float = 20.0,
        most_seconds: float = 60.0,
        most_memory_bytes: int = 512 * MEGABYTE,
        layers: Collection[Layer] | None = None,
    ) -> None:
        self._places = asyncio.Semaphore(places)
        self._wait_seconds = wait_seconds
        self._most = most_seconds, most_memory_bytes
        self._layers = None if layers is None else frozenset(layers)
        self._looking = asyncio.Lock()
        self._lacks = ""
        self._look_after = 0.0

    async def run(self, job: Job) -> Outcome:
        """See Sandbox."""
        check(job)
        job = replace(job, limits=self._bounded(job.limits))
        start = start_of(job)
        try:
            async with asyncio.timeout(self._wait_seconds):
                await self._places.acquire()
        except TimeoutError as error:
            message = "all places of the sandbox are taken"
            raise Unavailable(message) from error
        try:
            layers = await self.layers()
            report = await self._report(_order(job, start, layers), job.limits.seconds + GRACE_SECONDS)
        finally:
            self._places.release()
        return outcome_of(report, job.limits, plain_result=start.plain_result)

    def _bounded(self, limits: Limits) -> Limits:
        seconds, memory = self._most
        return replace(
            limits,
            seconds=min(limits.seconds, seconds),
            cpu_seconds=min(limits.cpu_seconds, seconds),
            memory_bytes=min(limits.memory_bytes, memory),
        )

    async def report(self) -> None:
        """Look at the machine now, so that the log says at the start what it gives."""
        with contextlib.suppress(ProgramError):
            await self.layers()

    async def layers(self) -> frozenset[Layer]:
        """What keeps code in on this machine; looked up once. ProgramError when it is not enough."""
        async with self._looking:
            if self._layers is None and time.monotonic() >= self._look_after:
                self._layers = await self._look()
                self._look_after = time.monotonic() + LOOK_AGAIN_SECONDS
        if self._layers is None:
            message = f"not available on this installation: running code, because {self._lacks}"
            raise ProgramError(message)
        return self._layers

    async def _look(self) -> frozenset[Layer] | None:
        """Try each layer, then all together. None, with the reason kept, when they are not enough."""
        self._lacks = "the sandbox needs Linux"
        if sys.platform != "linux":
            return None
        job = Job(language=Language.PYTHON, code="result = input", input="ready")
        said, errors = await launch("probe", _order(job, start_of(job), frozenset()), PROBE_SECONDS)
        try:
            found: dict[str, str] = json.loads(said)
        except ValueError:
            log.warning("sandbox cannot look at the machine", errors=errors[-500:].decode(errors="replace"))
            self._lacks = "the machine does not say what it offers"
            return None
        layers = frozenset(Layer(name) for name, lack in found.items() if not lack)
        for chosen in (layers, layers - {Layer.IDENTITY}):
            if await self._works(job, chosen):
                log.info("sandbox ready", layers=sorted(chosen), without={k: v for k, v in found.items() if v})
                return chosen
        log.warning("sandbox not available", reason=self._lacks, without={k: v for k, v in found.items() if v})
        return None

    async def _works(self, job: Job, layers: frozenset[Layer]) -> bool:
        self._lacks = missing(layers)
        if self._lacks:
            return False
        try:
            report = await self._report(_order(job, start_of(job), layers), PROBE_SECONDS)
        except (ProgramError, Unavailable):
            report = Report(fault="it does not start")
        self._lacks = "the interpreter does not start in it"
        return report.result == b'{"result": "ready"}'

    async def _report(self, order: Order, seconds: float) -> Report:
        said, errors = await launch("run", order, seconds)
        try:
            report = report_of(said)
        except (ValueError, KeyError, TypeError):
            report = Report(fault=errors[-500:].decode(errors="replace") or "no report")
        if report.fault:
            log.warning("sandbox failed", fault=report.fault)
            message = "the sandbox could not run the code"
            raise ProgramError(message)
        return report


async def launch(mode: str, order: Order, seconds: float) -> tuple[bytes, bytes]:
    """Start the launcher, wait until all of it is over or for so many seconds: its output and errors."""
    process = await asyncio.create_subprocess_exec(
        INTERPRETER,
        *("-I", "-S", "-B", "-c", LAUNCH + BEGIN, mode, str(os.getpid())),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env={"LANG": "C.UTF-8"},  # with none at all uvloop would hand on the engine's own
        cwd="/",
        start_new_session=True,
    )
    if process.stdin is None or process.stdout is None or process.stderr is None:
        message = "no pipes to the launcher"
        raise RuntimeError(message)
    reading = asyncio.gather(_all(process.stdout), _all(process.stderr))
    try:
        async with asyncio.timeout(seconds):
            with contextlib.suppress(ConnectionError):
                process.stdin.write(order.line())
                await process.stdin.drain()  # and left open: that it ends means that the engine is gone
            output, errors = await asyncio.shield(reading)
    except TimeoutError:
        output, errors = b"", b"it did not end in time"
    finally:
        await asyncio.shield(_end(process, reading))
    return output, errors


async def _end(process: asyncio.subprocess.Process, reading: "asyncio.Future[tuple[bytes, bytes]]") -> None:
    """Nothing of it is left: the supervisor holds the pipes until it is gone."""
    if process.returncode is None and not reading.done():
        process.kill()
    if process.stdin:
        process.stdin.close()
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(END_SECONDS):
            await reading
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(END_SECONDS):
            await process.wait()


async def _all(stream: asyncio.StreamReader) -> bytes:
    """To its end; more than a report can have is thrown away."""
    pieces: list[bytes] = []
    size = 0
    while piece := await stream.read(PIECE):
        size += len(piece)
        if size <= LARGEST_REPORT:
            pieces.append(piece)
    return b"".join(pieces)


def _order(job: Job, start: Start, layers: frozenset[Layer]) -> Order:
    home = {} if Layer.MOUNT not in layers else {"HOME": "/scratch", "TMPDIR": "/scratch"}
    return Order(
        layers=layers,
        command=start.command,
        environment={**start.environment, **home},
        payload=start.payload,
        files=dict(job.files),
        readable=start.readable,
        folders=sorted({"/tmp", *job.folders}),  # noqa: S108 - a name of the scratch folder
        room=tempfile.gettempdir(),
        bounds=_bounds(job.limits, start),
    )


def _bounds(limits: Limits, start: Start) -> Bounds:
    return Bounds(
        seconds=limits.seconds,
        cpu_seconds=limits.cpu_seconds,
        memory_bytes=limits.memory_bytes,
        address_space=start.address_space,
        processes=limits.processes,
        open_files=limits.open_files,
        output_bytes=limits.output_bytes,
        result_bytes=limits.result_bytes,
        scratch_bytes=limits.scratch_bytes,
        scratch_files=limits.scratch_files,
        returned_bytes=min(limits.returned_bytes, limits.scratch_bytes),
        returned_files=limits.returned_files,
    )

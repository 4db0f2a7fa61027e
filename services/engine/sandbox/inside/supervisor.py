"""Owns the code's processes: prepares their place, watches their bounds, ends every one of them, says what happened."""

import os
import select
import signal
import time
from typing import NoReturn

from services.engine.sandbox.inside import kernel, root, scratch, tree, worker
from services.engine.sandbox.inside.order import Order, Report
from services.engine.sandbox.inside.planning import plan_of
from services.engine.sandbox.inside.streams import Stream
from services.engine.sandbox.layers import Layer

CONTROL = 0
LOOK_SECONDS = 0.02
LOOK_AMONG_OTHERS_SECONDS = 0.1
FAULT_BYTES = 4096
STOPPED_BY_SIGNAL = {int(signal.SIGXCPU): "cpu", int(signal.SIGXFSZ): "scratch"}


class EngineGone(Exception):
    """Nobody waits for the outcome."""


def supervise(order: Order, life: int, owner: tuple[int, int]) -> NoReturn:
    """Run the code and write the report to standard output. life: ends when the launcher does."""
    report, folder = Report(), ""
    try:
        visible = tree.processes()  # the machine's, unless this one gets its own
        folder = _prepare(order, owner)
        if Layer.PID in order.layers:
            visible = tree.processes()
        report = Watch(order, folder, owner, life, tree.Tree(visible, alone=Layer.PID in order.layers)).run()
    except EngineGone:
        pass
    except Exception as error:  # noqa: BLE001 - the engine shall hear of it
        report = Report(fault=str(error))
    finally:
        if folder and Layer.MOUNT not in order.layers:
            scratch.remove(folder)
    _tell(report.line())
    os._exit(0)


def _tell(line: bytes) -> None:
    try:
        while line:
            line = line[os.write(1, line) :]
    except OSError:
        pass  # nobody listens


def _prepare(order: Order, owner: tuple[int, int]) -> str:
    """The scratch folder, filled. OSError."""
    kernel.prctl(kernel.PR_SET_CHILD_SUBREAPER, 1)
    layers = order.layers
    if Layer.PID in layers:
        kernel.prctl(kernel.PR_SET_PDEATHSIG, 9)
    if Layer.MOUNT in layers:
        root.enter(plan_of(order, owner, processes=Layer.PID in layers))
    kernel.prctl(kernel.PR_SET_DUMPABLE, 0)
    folder = root.SCRATCH if Layer.MOUNT in layers else scratch.make(order.room)
    scratch.fill(folder, order.files, owner if Layer.IDENTITY in layers else None)
    return folder


class Watch:
    """One run."""

    def __init__(self, order: Order, folder: str, owner: tuple[int, int], life: int, family: tree.Tree) -> None:
        self._order = order
        self._folder = folder
        self._owner = owner
        self._life = life
        self._tree = family
        self._pause = LOOK_SECONDS if Layer.PID in order.layers else LOOK_AMONG_OTHERS_SECONDS
        self._began = self._looked = time.monotonic()
        self._streams: dict[str, Stream] = {}
        self._open: dict[int, Stream] = {}
        self._worker = 0
        self._status: int | None = None

    def run(self) -> Report:
        """From the start to the end of the last process. EngineGone."""
        stopped = ""
        try:
            self._start()
            while self._status is None and not stopped:
                stopped = self._wait()
        finally:
            statuses = self._tree.kill()
        seconds = time.monotonic() - self._began
        if self._status is None:
            self._status = statuses.get(self._worker, 0)
        for stream in self._open.values():
            stream.drain()
        return self._report(self._status, stopped, seconds)

    def _start(self) -> None:
        bounds = self._order.bounds
        most = {"output": bounds.output_bytes, "errors": bounds.output_bytes}
        most |= {"result": bounds.result_bytes, "fault": FAULT_BYTES}
        pipes = {name: os.pipe() for name in most}
        payload = self._payload()
        self._worker = os.fork()
        if self._worker == 0:
            writing = [pipe[1] for pipe in pipes.values()]
            worker.become(self._order, self._folder, self._owner, [payload, *writing])
        os.close(payload)
        for name, (reading, writing_end) in pipes.items():
            os.close(writing_end)
            self._streams[name] = Stream(reading, most[name])
        self._open = {stream.descriptor: stream for stream in self._streams.values()}

    def _payload(self) -> int:
        """A file that is nowhere, with the code's standard input."""
        descriptor = os.memfd_create("input")
        with os.fdopen(os.dup(descriptor), "wb") as stream:
            stream.write(self._order.payload)
        os.lseek(descriptor, 0, os.SEEK_SET)
        return descriptor

    def _wait(self) -> str:
        """Until something happens or it is time to look; which bound was passed. EngineGone."""
        ready, _, _ = select.select([CONTROL, self._life, *self._open], [], [], self._pause)
        if CONTROL in ready or self._life in ready:
            raise EngineGone
        for descriptor in ready:
            if not self._open[descriptor].read():
                del self._open[descriptor]
        self._status = tree.reap().get(self._worker)
        now = time.monotonic()
        if self._status is not None or now - self._looked < self._pause:
            return "output" if any(stream.flooded for stream in self._streams.values()) else ""
        self._looked = now
        return self._passed(now - self._began)

    def _passed(self, seconds: float) -> str:
        """The bound that was passed by now."""
        bounds, use = self._order.bounds, self._tree.use()
        passed = {
            "time": seconds > bounds.seconds,
            "cpu": use.cpu > bounds.cpu_seconds,
            "memory": use.memory > bounds.memory_bytes,
            "processes": use.processes > bounds.processes,
            "scratch": Layer.MOUNT not in self._order.layers
            and scratch.too_full(self._folder, bounds.scratch_bytes, bounds.scratch_files),
        }
        return next((name for name, is_passed in passed.items() if is_passed), "")

    def _report(self, status: int, stopped: str, seconds: float) -> Report:
        bounds = self._order.bounds
        kept = {name: bytes(stream.kept) for name, stream in self._streams.items()}
        found = scratch.collect(self._folder, self._order.files, bounds.returned_bytes, bounds.returned_files)
        return Report(
            status=status,
            stopped=stopped or STOPPED_BY_SIGNAL.get(-status, ""),
            fault=kept["fault"].decode(errors="replace"),
            output=kept["output"],
            truncated=self._streams["output"].truncated,
            errors=kept["errors"],
            result=b"" if self._streams["result"].truncated else kept["result"],
            result_too_large=self._streams["result"].truncated,
            files=found.files,
            files_left_out=found.left_out,
            seconds=seconds,
        )

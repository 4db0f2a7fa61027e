"""A file as a stream of events."""

import asyncio
import time
import uuid
from collections.abc import AsyncIterator

from parley.drive.v1 import file_service_pb2 as pb

from services.common.errors import (
    Aborted,
    DeadlineExceeded,
    FailedPrecondition,
    Internal,
    ParleyError,
    Unavailable,
    to_status,
)
from services.common.telemetry.logs import logger
from services.drive.domain.ranges import EVENT_BYTES, WINDOW_BYTES, end_of, pieces
from services.drive.domain.viewing import Viewer
from services.drive.metrics import DriveMetrics
from services.drive.objects.port import NoObject, ObjectStore
from services.drive.store.files import Files, Stored

log = logger(__name__)
# A store that was started again needs some seconds: a stream that has begun waits for it, a new one is told at once.
FIRST_PAUSES, LATER_PAUSES = (0.1, 0.5), (0.1, 0.5, 2.0, 4.0)


class Reading:
    """Asks the store for a window at a time: a slow reader holds a window, and no connection."""

    def __init__(self, files: Files, objects: ObjectStore, metrics: DriveMetrics, seconds: float) -> None:
        self._files = files
        self._objects = objects
        self._metrics = metrics
        self._seconds = seconds

    async def find(self, viewer: Viewer, identifier: uuid.UUID) -> Stored:
        """A file that can be read. FailedPrecondition while its bytes are on their way, NotFound."""
        found = await self._files.find(viewer, identifier)
        if not found.live:
            raise FailedPrecondition(
                f"{found.file.name}: its upload is not completed", metadata={"name": found.file.name}
            )
        return found

    async def events(
        self, viewer: Viewer, identifier: uuid.UUID, offset: int, length: int
    ) -> AsyncIterator[pb.ReadFileEvent]:
        """The events of ReadFile. What fails before the first byte is raised, what fails later is the last event.

        FailedPrecondition, NotFound, OutOfRange, Unavailable.
        """
        found = await self.find(viewer, identifier)
        end = end_of(offset, length, found.file.size)
        last = time.monotonic() + self._seconds
        seq = 0
        for first, count in pieces(offset, end, WINDOW_BYTES):
            try:
                data = await self._window(viewer, identifier, found, (first, count), last, begun=seq > 0)
            except ParleyError as error:
                if seq == 0:
                    raise
                yield pb.ReadFileEvent(seq=seq + 1, failed=to_status(error))
                return
            for start, part in pieces(0, count, EVENT_BYTES):
                seq += 1
                self._metrics.streamed.inc(part)
                yield pb.ReadFileEvent(seq=seq, data=data[start : start + part])
        yield pb.ReadFileEvent(seq=seq + 1, completed=found.file)

    async def _window(
        self,
        viewer: Viewer,
        identifier: uuid.UUID,
        found: Stored,
        window: tuple[int, int],
        last: float,
        *,
        begun: bool,
    ) -> bytes:
        """One range, tried a few times. DeadlineExceeded when the stream has taken too long."""
        if time.monotonic() > last:
            raise DeadlineExceeded(f"a file may be read for {self._seconds:.0f} s; go on with another offset")
        try:
            return await self._patiently(found.key, window, LATER_PAUSES if begun else FIRST_PAUSES)
        except NoObject:
            raise await self._gone(viewer, identifier, found) from None

    async def _patiently(self, key: str, window: tuple[int, int], pauses: tuple[float, ...]) -> bytes:
        for pause in pauses:
            try:
                return await self._objects.read(key, *window)
            except Unavailable:
                await asyncio.sleep(pause)
        return await self._objects.read(key, *window)

    async def _gone(self, viewer: Viewer, identifier: uuid.UUID, found: Stored) -> ParleyError:
        """Why an object is not there: the file has another one now, or none (NotFound is raised), or it was lost."""
        now = await self._files.find(viewer, identifier)
        if now.key != found.key:
            return Aborted("the file was replaced while it was read; read it again")
        log.error("object lost", key=found.key)
        return Internal("the bytes of this file are lost", metadata={"name": found.file.name})

"""How bytes become a file: written in one call, or PUT to an address and then declared done."""

import asyncio
import hashlib
import math
import time
import uuid
from dataclasses import dataclass, replace

from parley.drive.v1 import file_service_pb2 as pb

from services.common.db.requests import Asked
from services.common.errors import Aborted, FailedPrecondition, ResourceExhausted
from services.common.identifiers import uuid7
from services.drive.config import DriveSettings
from services.drive.domain.keys import upload_key
from services.drive.domain.paths import upload_path
from services.drive.domain.viewing import Viewer
from services.drive.metrics import DriveMetrics
from services.drive.objects.port import AddressSigner, NoObject, ObjectStore
from services.drive.store.files import Content, Files, Stored

# What is joined is in memory meanwhile.
LARGEST_JOINED = 32 * 1024 * 1024
JOINED_AT_ONCE = 4


@dataclass(frozen=True, slots=True)
class Upload:
    """A file to be, where its bytes are PUT, and until when (seconds since 1970)."""

    file: pb.File
    url: str
    expires: float


class Storing:
    """Row, object, row: the object is written between two transactions, and belongs to nobody until the second."""

    def __init__(
        self, settings: DriveSettings, files: Files, objects: ObjectStore, signer: AddressSigner, metrics: DriveMetrics
    ) -> None:
        self._settings = settings
        self._files = files
        self._objects = objects
        self._signer = signer
        self._metrics = metrics
        self._joining = asyncio.Semaphore(JOINED_AT_ONCE)

    async def put(self, viewer: Viewer, content: Content, data: bytes, asked: Asked) -> pb.File:
        """A file at a path, in place of the one that is there.

        Aborted, AlreadyExists, ResourceExhausted, Unavailable: then what was there is still there.
        """
        place = await self._files.begin_put(viewer, content.path, content.size, asked)
        if isinstance(place, pb.File):
            return place
        await self._objects.put(place.key, data)
        made = await self._files.end_put(viewer, place, content, asked)
        self._metrics.stored.labels("put").inc(content.size)
        return made

    async def copy(self, viewer: Viewer, keeper: Viewer, identifier: uuid.UUID, path: str, asked: Asked) -> pb.File:
        """The bytes of a file at another path too, which the keeper has; they stay within the store.

        Aborted, AlreadyExists, FailedPrecondition, NotFound, ResourceExhausted, Unavailable.
        """
        earlier = await self._files.earlier(viewer, asked)
        if earlier is not None:
            return earlier
        found = await self._files.find(viewer, identifier)
        if not found.live:
            raise not_completed(found)
        content = Content(path, found.file.content_type, found.file.size, found.file.digest)
        place = await self._files.begin_put(keeper, path, content.size, asked)
        if isinstance(place, pb.File):
            return place
        try:
            await self._objects.copy(found.key, place.key)
        except NoObject:
            raise Aborted("the file was replaced while it was copied; try again") from None
        made = await self._files.end_put(keeper, place, content, asked)
        self._metrics.stored.labels("copy").inc(content.size)
        return made

    async def join(
        self, viewer: Viewer, keeper: Viewer, parts: list[uuid.UUID], content: Content, asked: Asked
    ) -> pb.File:
        """One file of several, which are removed in the same transaction.

        Aborted, AlreadyExists, FailedPrecondition, NotFound, ResourceExhausted, Unavailable.
        """
        earlier = await self._files.earlier(viewer, asked)
        if earlier is not None:
            return earlier
        async with self._joining:
            data = await self._gathered(viewer, parts)
            digest = await asyncio.to_thread(lambda: hashlib.sha256(data).hexdigest())
            whole = replace(content, size=len(data), digest=digest)
            place = await self._files.begin_put(keeper, whole.path, whole.size, asked)
            if isinstance(place, pb.File):
                return place
            await self._objects.put(place.key, data)
        made = await self._files.end_put(keeper, place, whole, asked, parts)
        self._metrics.stored.labels("join").inc(whole.size)
        return made

    async def _gathered(self, viewer: Viewer, parts: list[uuid.UUID]) -> bytes:
        found = [await self._files.find(viewer, part) for part in parts]
        for part in found:
            if not part.live:
                raise not_completed(part)
        if sum(part.file.size for part in found) > LARGEST_JOINED:
            raise ResourceExhausted(f"the parts may have {LARGEST_JOINED} bytes together; use CreateUpload")
        try:
            return b"".join([await self._objects.read(part.key, 0, part.file.size) for part in found])
        except NoObject:
            raise Aborted("a part was replaced while it was read; try again") from None

    async def begin(self, viewer: Viewer, file_name: str, content_type: str, size: int, asked: Asked) -> Upload:
        """An address for an upload. AlreadyExists, FailedPrecondition, InvalidArgument, ResourceExhausted."""
        identifier = uuid7()
        content = Content(upload_path(identifier, file_name), content_type, size)
        made = await self._files.begin_upload(viewer, identifier, content, asked)
        now = time.time()
        begun = min(now, made.create_time.ToNanoseconds() / 1e9)
        left = math.ceil(begun + self._settings.drive_upload_seconds - now)
        if left < 1:
            raise FailedPrecondition(
                "request_id: the upload it made has expired; choose another request_id", metadata={"name": made.name}
            )
        identifier = uuid.UUID(made.name.removeprefix("files/"))
        return Upload(made, self._signer.upload(upload_key(viewer.tenant, identifier), left), now + left)

    async def complete(self, viewer: Viewer, identifier: uuid.UUID, asked: Asked) -> pb.File:
        """The upload is done: the file is live. To declare it twice does no harm.

        The bytes are copied to a key that nobody has an address for, so they cannot change any more.
        Aborted, AlreadyExists, FailedPrecondition, NotFound, ResourceExhausted, Unavailable.
        """
        found = await self._files.begin_completion(viewer, identifier, asked)
        if found.live:
            return found.file
        try:
            await self._expect(found, await self._objects.size(found.key))
            place = await self._files.place_for(viewer, identifier)
            await self._objects.copy(found.key, place.key)
            size, digest = await self._objects.digest(place.key)
        except NoObject:
            return await self._completed_meanwhile(viewer, identifier, asked)
        await self._expect(found, size)
        made = await self._files.end_completion(viewer, place, digest, asked)
        self._metrics.stored.labels("upload").inc(size)
        return made

    async def _expect(self, found: Stored, size: int) -> None:
        """FailedPrecondition unless as many bytes came as were declared; others are thrown away."""
        if size == found.file.size:
            return
        await self._objects.remove([found.key])
        raise FailedPrecondition(
            f"size: {found.file.size} bytes were declared, {size} were PUT; PUT the file again",
            metadata={"field": "size", "declared_bytes": str(found.file.size), "received_bytes": str(size)},
        )

    async def _completed_meanwhile(self, viewer: Viewer, identifier: uuid.UUID, asked: Asked) -> pb.File:
        """The file, if another call completed it and the sweeper took the upload. FailedPrecondition, NotFound."""
        found = await self._files.begin_completion(viewer, identifier, asked)
        if found.live:
            return found.file
        raise FailedPrecondition(
            "nothing was PUT to the upload_url yet", metadata={"name": found.file.name, "received_bytes": "0"}
        )


def not_completed(found: Stored) -> FailedPrecondition:
    """Its bytes are on their way."""
    return FailedPrecondition(f"{found.file.name}: its upload is not completed", metadata={"name": found.file.name})

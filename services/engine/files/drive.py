"""The drive service as a bot's own drive."""

import asyncio
import contextlib
import dataclasses
import fnmatch
import hashlib
import random
import uuid
from collections.abc import AsyncIterator, Iterator
from typing import Any

from parley.drive.v1 import file_service_pb2 as pb
from parley.drive.v1 import file_service_pb2_grpc as drive_grpc

from services.common import context
from services.common.errors import (
    Aborted,
    AlreadyExists,
    DeadlineExceeded,
    InvalidArgument,
    NotFound,
    ParleyError,
    ResourceExhausted,
    Unavailable,
    from_proto,
)
from services.common.rpc.client import Mesh
from services.common.security.principal import Principal
from services.common.telemetry.logs import logger
from services.engine.files.content_types import content_type_of
from services.engine.files.paths import clean_folder, clean_path, is_attachment, name_of
from services.engine.files.port import LARGEST_FILE, Change, FileEntry, Place
from services.engine.program.values import ProgramError

log = logger(__name__)

LARGEST_PART = 3_145_728
LARGEST_LISTING = 10_000
PAGE = 200
ATTEMPTS = 8
PAUSE_SECONDS = 0.02
STREAM_SECONDS = 60.0
LONGEST_LINK_SECONDS = 7 * 86_400
# Said to scripts as the drive says it; of the others the author learns nothing that helps.
TOLD = (InvalidArgument, ResourceExhausted)


class DriveFiles:
    """Files. What a bot has is at "bots/<bot>/<path>" and belongs to the bot, whoever talks to it."""

    def __init__(self, mesh: Mesh) -> None:
        self._drive = drive_grpc.FileServiceStub(mesh.channel("drive"))

    async def read(self, world: Place, path: str) -> bytes:
        """All of a file. ProgramError."""
        with acting(world, path):
            for attempt in range(ATTEMPTS):
                try:
                    return await self._bytes(await self._find(world, path))
                except Aborted:
                    await pause(attempt)
            raise Aborted("replaced while it was read")

    async def write(
        self, world: Place, path: str, content: bytes, *, append: bool = False, content_type: str = ""
    ) -> str:
        """Put content at a path. Its uri. ProgramError."""
        if append:
            return await self.change(world, path, behind(content), content_type=content_type)
        with acting(world, path):
            target = own(path)
            return (await self._put(world, target, content, content_type, None)).uri

    async def change(self, world: Place, path: str, how: Change, *, content_type: str = "") -> str:
        """Replace what is there by what `how` makes of it. Its uri. ProgramError."""
        with acting(world, path):
            target = own(path)
            for attempt in range(ATTEMPTS):
                there = await self._look_up(world, target)
                before = await self._bytes(there) if there is not None else None
                after = await how(before)
                digest = there.digest if there is not None else ""
                try:
                    return (await self._put(world, target, after, content_type, digest)).uri
                except Aborted:
                    await pause(attempt)
            raise Aborted("changed while it was changed")

    async def list(self, world: Place, folder: str, pattern: str = "", *, recursive: bool = False) -> list[FileEntry]:
        """Files in a folder, by path. ProgramError."""
        with acting(world, folder):
            top = f"{prefix_of(world)}{clean_folder(folder)}".rstrip("/") + "/"
            found: list[FileEntry] = []
            async for file in self._below(world, top):
                rest = file.path.removeprefix(top)
                wanted = fnmatch.fnmatchcase(name_of(rest).lower(), pattern.lower() or "*")
                if wanted and (recursive or "/" not in rest):
                    found.append(entry_of(world, file))
            return found

    async def delete(self, world: Place, path: str) -> None:
        """Remove a file; nothing when it is gone already, as it is when this is tried again."""
        with acting(world, path):
            found = await self._look_up(world, own(path))
            if found is not None:
                with contextlib.suppress(NotFound):
                    await self._drive.DeleteFile(pb.DeleteFileRequest(name=found.name))

    async def copy(self, world: Place, source: str, target: str) -> str:
        """The same bytes at another path as well. The copy's uri. ProgramError."""
        with acting(world, source):
            path = own(target)
            found = await self._find(world, source)
            return (await self._copied(world, found, path)).uri

    async def move(self, world: Place, source: str, target: str) -> str:
        """At another path instead. Its uri. ProgramError."""
        with acting(world, source):
            request = pb.MoveFileRequest(
                source_path=prefix_of(world) + own(source),
                path=prefix_of(world) + own(target),
                owner=world.bot,
                request_id=request_id(world, "move", f"{source}\n{target}"),
            )
            moved: pb.File = await self._drive.MoveFile(request)
            return moved.uri

    async def exists(self, world: Place, path: str) -> bool:
        """Whether there is such a file."""
        with acting(world, path):
            return await self._look_up(world, clean_path(path)) is not None

    async def find(self, world: Place, path: str) -> FileEntry:
        """What is known of a file. ProgramError."""
        with acting(world, path):
            return entry_of(world, await self._find(world, path))

    async def uri(self, world: Place, path: str) -> str:
        """ "files/{uuid}". ProgramError."""
        return (await self.find(world, path)).uri

    async def link(self, world: Place, path: str, seconds: int) -> str:
        """An address that saves the file. ProgramError."""
        if not 1 <= seconds <= LONGEST_LINK_SECONDS:
            message = "a secure link works for 1 second to 7 days"
            raise ProgramError(message)
        with acting(world, path):
            found = await self._find(world, path)
            answer = await self._drive.CreateDownload(pb.CreateDownloadRequest(name=found.name, seconds=seconds))
            return str(answer.download_url)

    async def give(self, world: Place, path: str) -> FileEntry:
        """A copy that belongs to the person. ProgramError."""
        with acting(world, path):
            found = await self._find(world, path)
            if found.owner == world.user:
                return entry_of(world, found)
            identifier = request_id(world, "give", path) or str(uuid.uuid4())
            request = pb.CopyFileRequest(
                name=found.name, path=f"received/{identifier}/{name_of(found.path)}", request_id=identifier
            )
            return entry_of(world, await self._drive.CopyFile(request))

    async def _look_up(self, world: Place, path: str) -> pb.File | None:
        """A live file that the bot or the person has."""
        if is_attachment(path):
            try:
                file = await self._drive.GetFile(pb.GetFileRequest(name=path))
            except NotFound:
                return None
            return file if file.owner in {world.user, world.bot} and file.state == pb.File.STATE_LIVE else None
        full = prefix_of(world) + path
        found = await self._drive.ListFiles(pb.ListFilesRequest(prefix=full, owner=world.bot, page_size=1))
        return found.files[0] if found.files and found.files[0].path == full else None

    async def _find(self, world: Place, path: str) -> pb.File:
        found = await self._look_up(world, clean_path(path))
        if found is None:
            raise NotFound(path)
        return found

    async def _bytes(self, file: pb.File) -> bytes:
        if file.size > LARGEST_FILE:
            message = f"{name_of(file.path)!r} is too large for a script: {LARGEST_FILE // 1024**2} MB at most"
            raise ProgramError(message)
        data = bytearray()
        async for event in self._drive.ReadFile(pb.ReadFileRequest(name=file.name), timeout=STREAM_SECONDS):
            if event.HasField("failed"):
                raise from_proto(event.failed)
            data += event.data
        return bytes(data)

    async def _below(self, world: Place, top: str) -> AsyncIterator[pb.File]:
        seen, token = 0, ""
        while True:
            request = pb.ListFilesRequest(prefix=top, owner=world.bot, page_size=PAGE, page_token=token)
            answer = await self._drive.ListFiles(request)
            for file in answer.files:
                yield file
            seen, token = seen + len(answer.files), answer.next_page_token
            if not token:
                return
            if seen >= LARGEST_LISTING:
                message = f"there are more than {LARGEST_LISTING} files there; list a folder below it"
                raise ProgramError(message)

    async def _put(self, world: Place, path: str, content: bytes, content_type: str, expected: str | None) -> pb.File:
        """A file of the bot's, in one message or in parts; what the same effect wrote before counts as written."""
        if not 1 <= len(content) <= LARGEST_FILE:
            message = (
                f"a file has at most {LARGEST_FILE // 1024**2} MB"
                if content
                else "a file cannot be empty; DELETE FILE removes one"
            )
            raise ProgramError(message)
        kind = content_type or content_type_of(path)
        whole: dict[str, Any] = {
            "path": prefix_of(world) + path,
            "content_type": kind,
            "owner": world.bot,
            "request_id": request_id(world, "put", path),
            "expected_digest": expected,
        }
        try:
            if len(content) > LARGEST_PART:
                return await self._join(world, content, whole)
            made: pb.File = await self._drive.PutFile(pb.PutFileRequest(content=content, **whole))
        except AlreadyExists:
            return await self._find(world, path)
        return made

    async def _join(self, world: Place, content: bytes, whole: dict[str, Any]) -> pb.File:
        """Stored in parts beside the bot's drive; the same effect makes the same ones, and leaves none."""
        folder = f"parts/{whole['request_id'] or uuid.uuid4()}"
        names = []
        for number, start in enumerate(range(0, len(content), LARGEST_PART)):
            part = content[start : start + LARGEST_PART]
            request = pb.PutFileRequest(path=f"{folder}/{number:02}", content=part, owner=world.bot)
            names.append((await self._drive.PutFile(request)).name)
        try:
            made: pb.File = await self._drive.JoinFiles(pb.JoinFilesRequest(names=names, **whole))
        except AlreadyExists:
            for name in names:
                await self._drive.DeleteFile(pb.DeleteFileRequest(name=name))
            raise
        return made

    async def _copied(self, world: Place, found: pb.File, path: str) -> pb.File:
        request = pb.CopyFileRequest(
            name=found.name,
            path=prefix_of(world) + path,
            owner=world.bot,
            request_id=request_id(world, "copy", f"{found.name}\n{path}"),
        )
        made: pb.File = await self._drive.CopyFile(request)
        return made


@contextlib.contextmanager
def acting(world: Place, path: str) -> Iterator[None]:
    """Calls to the drive are made for the person, with the sight of a service; its errors in words for the author.

    What helps when it is tried again goes through: the turn is.
    """
    call = context.current()
    who = Principal(world.tenant, world.user, frozenset({"service"}), service="engine")
    token = context.CURRENT.set(dataclasses.replace(call, principal=who))
    try:
        yield
    except NotFound:
        message = f"there is no file {path[:80]!r} in the bot's drive"
        raise ProgramError(message) from None
    except Aborted:
        message = f"{path[:80]!r} was changed by others all the time; try again"
        raise ProgramError(message) from None
    except TOLD as error:
        raise ProgramError(error.message) from None
    except DeadlineExceeded:
        # Whether it was done nobody knows; done again with the same key it is done once.
        raise Unavailable("the drive did not answer in time") from None
    except ParleyError as error:
        if error.retryable:
            raise
        log.warning("drive refused", reason=error.reason, code=error.code.name)
        message = f"the drive could not do that with {path[:80]!r}"
        raise ProgramError(message) from None
    finally:
        context.CURRENT.reset(token)


def behind(content: bytes) -> Change:
    """The change that appends."""

    async def appended(there: bytes | None) -> bytes:
        return (there or b"") + content

    return appended


async def pause(attempt: int) -> None:
    """A little longer each time, and never as long as the other one."""
    await asyncio.sleep(PAUSE_SECONDS * 2**attempt * random.uniform(0.5, 1.5))  # noqa: S311 - nothing secret


def own(path: str) -> str:
    """A path that the bot may write. ProgramError for files of the person."""
    clean = clean_path(path)
    if is_attachment(clean):
        message = "a file that a person sent cannot be changed; COPY it to a path of the bot's first"
        raise ProgramError(message)
    return clean


def prefix_of(world: Place) -> str:
    """Where the bot's files are."""
    return f"{world.bot}/"


def request_id(world: Place, operation: str, path: str) -> str:
    """The same for the same effect, so that what is tried again is done once; empty without a key."""
    if not world.key:
        return ""
    digest = hashlib.sha256(f"{world.tenant}\n{world.key}\n{operation}\n{path}".encode()).digest()
    return str(uuid.UUID(bytes=digest[:16], version=4))


def entry_of(world: Place, file: pb.File) -> FileEntry:
    """A file as scripts know it."""
    return FileEntry(
        path=file.path.removeprefix(prefix_of(world)) if file.owner == world.bot else file.uri,
        uri=file.uri,
        size=file.size,
        content_type=file.content_type,
        changed=file.update_time.ToJsonString(),
        name=name_of(file.path),
    )

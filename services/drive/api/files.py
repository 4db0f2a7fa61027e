"""FileService on the wire."""

import asyncio
import hashlib
import time
import uuid
from collections.abc import AsyncIterator
from typing import Any

import grpc.aio
from google.protobuf import empty_pb2
from parley.drive.v1 import file_service_pb2 as pb
from parley.drive.v1 import file_service_pb2_grpc as drive_grpc

from services.common import context
from services.common.db.requests import RequestLog
from services.common.errors import PermissionDenied
from services.common.identifiers import parse_name, parse_uuid
from services.common.pagination import PageTokens, page_size
from services.drive.config import DriveSettings
from services.drive.domain.content_types import attachment, clean_content_type, served_type
from services.drive.domain.paths import clean_path, clean_prefix, name_of
from services.drive.domain.viewing import Viewer, keeping_for, viewer_of
from services.drive.objects.port import AddressSigner
from services.drive.reading import Reading
from services.drive.store.files import FIRST, Content, Files
from services.drive.storing import Storing

Wire = grpc.aio.ServicerContext[Any, Any]
DEFAULT_PAGE, LARGEST_PAGE = 50, 200


class FileApi(drive_grpc.FileServiceServicer):
    """Files of the caller's tenant that the caller sees."""

    def __init__(
        self,
        settings: DriveSettings,
        files: Files,
        storing: Storing,
        reading: Reading,
        signer: AddressSigner,
        requests: RequestLog,
    ) -> None:
        self._seconds = settings.drive_download_seconds
        self._files = files
        self._storing = storing
        self._reading = reading
        self._signer = signer
        self._requests = requests
        self._tokens = PageTokens(settings.page_token_secret)

    async def CreateUpload(  # noqa: N802
        self, request: pb.CreateUploadRequest, context_: Wire
    ) -> pb.CreateUploadResponse:
        """An address for the bytes."""
        content_type = clean_content_type(request.content_type)
        who, asked = viewer(), await self._requests.asked(request)
        upload = await self._storing.begin(who, request.file_name, content_type, request.size, asked)
        response = pb.CreateUploadResponse(upload_url=upload.url, file=upload.file)
        response.expire_time.FromMilliseconds(int(upload.expires * 1000))
        return response

    async def CompleteUpload(self, request: pb.CompleteUploadRequest, context_: Wire) -> pb.File:  # noqa: N802
        """The file can be used."""
        who, asked = viewer(), await self._requests.asked(request)
        return await self._storing.complete(who, identifier_of(request.name), asked)

    async def PutFile(self, request: pb.PutFileRequest, context_: Wire) -> pb.File:  # noqa: N802
        """Stored in one call."""
        path, content_type = clean_path(request.path), clean_content_type(request.content_type)
        digest = await asyncio.to_thread(sha256, request.content)
        content = Content(path, content_type, len(request.content), digest, expected(request))
        who, asked = keeping_for(viewer(), request.owner), await self._requests.asked(request)
        return await self._storing.put(who, content, request.content, asked)

    async def JoinFiles(self, request: pb.JoinFilesRequest, context_: Wire) -> pb.File:  # noqa: N802
        """One file of several."""
        who, asked = viewer(), await self._requests.asked(request)
        parts = [identifier_of(name) for name in request.names]
        path, content_type = clean_path(request.path), clean_content_type(request.content_type)
        content = Content(path, content_type, replaces=expected(request))
        return await self._storing.join(who, keeping_for(who, request.owner), parts, content, asked)

    async def CopyFile(self, request: pb.CopyFileRequest, context_: Wire) -> pb.File:  # noqa: N802
        """The same bytes at another path too."""
        who, path, asked = viewer(), clean_path(request.path), await self._requests.asked(request)
        keeper = keeping_for(who, request.owner)
        return await self._storing.copy(who, keeper, identifier_of(request.name), path, asked)

    async def MoveFile(self, request: pb.MoveFileRequest, context_: Wire) -> pb.File:  # noqa: N802
        """The same file at another path."""
        source, path = clean_path(request.source_path, "source_path"), clean_path(request.path)
        who, asked = keeping_for(viewer(), request.owner), await self._requests.asked(request)
        return await self._files.move(who, source, path, asked)

    async def GetFile(self, request: pb.GetFileRequest, context_: Wire) -> pb.File:  # noqa: N802
        """What is known of a file."""
        return (await self._files.find(viewer(), identifier_of(request.name))).file

    async def ListFiles(self, request: pb.ListFilesRequest, context_: Wire) -> pb.ListFilesResponse:  # noqa: N802
        """Live files, by path."""
        who, prefix = viewer(), clean_prefix(request.prefix)
        limit = page_size(request.page_size, DEFAULT_PAGE, LARGEST_PAGE)
        filters = (who.tenant, who.only_owner, prefix, request.owner)
        position = self._tokens.read(filters, request.page_token)
        after = (position[0], uuid.UUID(position[1])) if position else ("", FIRST)
        found = await self._files.list(who, prefix, request.owner, after, limit + 1)
        response = pb.ListFilesResponse(files=found[:limit])
        if len(found) > limit:
            last = found[limit - 1]
            response.next_page_token = self._tokens.make(filters, (last.path, last.name.removeprefix("files/")))
        return response

    async def ReadFile(  # noqa: N802
        self, request: pb.ReadFileRequest, context_: Wire
    ) -> AsyncIterator[pb.ReadFileEvent]:
        """The bytes."""
        identifier = identifier_of(request.name)
        async for event in self._reading.events(viewer(), identifier, request.offset, request.length):
            yield event

    async def CreateDownload(  # noqa: N802
        self, request: pb.CreateDownloadRequest, context_: Wire
    ) -> pb.CreateDownloadResponse:
        """An address that saves the file, and never shows it as a page."""
        who = viewer()
        seconds = request.seconds or self._seconds
        if who.only_owner and seconds > self._seconds:
            raise PermissionDenied(f"seconds: visitors and users make addresses for {self._seconds} s at most")
        found = await self._reading.find(who, identifier_of(request.name))
        content_type, disposition = served_type(found.file.content_type), attachment(name_of(found.file.path))
        url = self._signer.download(found.key, seconds, content_type, disposition)
        response = pb.CreateDownloadResponse(download_url=url)
        response.expire_time.FromMilliseconds(int((time.time() + seconds) * 1000))
        return response

    async def DeleteFile(self, request: pb.DeleteFileRequest, context_: Wire) -> empty_pb2.Empty:  # noqa: N802
        """Gone at once for everybody; its bytes soon after."""
        who, asked = viewer(), await self._requests.asked(request)
        await self._files.delete(who, identifier_of(request.name), asked)
        return empty_pb2.Empty()


def viewer() -> Viewer:
    """For whom the call is made. PermissionDenied."""
    return viewer_of(context.principal())


def expected(request: pb.PutFileRequest | pb.JoinFilesRequest) -> str | None:
    """Digest of what must be at the path; None: whatever is there."""
    return request.expected_digest if request.HasField("expected_digest") else None


def identifier_of(name: str) -> uuid.UUID:
    """Of "files/{uuid}". InvalidArgument."""
    return parse_uuid(parse_name("files/*", name)[0], "name")


def sha256(content: bytes) -> str:
    """In hexadecimal."""
    return hashlib.sha256(content).hexdigest()

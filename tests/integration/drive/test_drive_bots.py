"""Files that belong to a bot: who may write them, and what keeps two writers apart."""

import asyncio
import hashlib
import uuid

import pytest
from parley.drive.v1 import file_service_pb2 as pb

from services.common.errors import (
    Aborted,
    AlreadyExists,
    InvalidArgument,
    NotFound,
    ParleyError,
    PermissionDenied,
    ResourceExhausted,
)
from services.drive.storing import LARGEST_JOINED
from tests.integration.drive.conftest import DriveWorld

pytestmark = pytest.mark.integration
BOT = "bots/support"
MEBIBYTE = 1024 * 1024


async def test_a_bot_has_paths_of_its_own(drive: DriveWorld) -> None:
    with drive.acting():
        mine = await drive.put("prices.csv", b"mine")
        its = await drive.put("prices.csv", b"its", owner=BOT)
        assert mine.name != its.name
        listed = await drive.stub.ListFiles(pb.ListFilesRequest(prefix="prices.csv", owner=BOT))
        assert [item.name for item in listed.files] == [its.name]
        assert its.owner == BOT
    with drive.acting("bob", "developer"):
        assert (await drive.put("prices.csv", b"its new", owner=BOT)).name == its.name


@pytest.mark.parametrize(
    ("role", "owner", "error"),
    [("visitor", BOT, PermissionDenied), ("user", BOT, PermissionDenied), ("admin", "users/bob", InvalidArgument)],
)
async def test_nobody_writes_where_they_do_not_see(
    drive: DriveWorld, role: str, owner: str, error: type[ParleyError]
) -> None:
    with drive.acting("eve", role), pytest.raises(error):
        await drive.put("prices.csv", b"forged", owner=owner)


async def test_of_two_who_append_at_once_one_reads_again(drive: DriveWorld) -> None:
    with drive.acting():
        read = await drive.put("log.txt", b"a", owner=BOT)
        both = await asyncio.gather(
            *(drive.put("log.txt", b"a" + one, owner=BOT, expected_digest=read.digest) for one in (b"b", b"c")),
            return_exceptions=True,
        )
        assert sorted(type(one).__name__ for one in both) == ["Aborted", "File"]


async def test_what_must_not_be_there_yet_is_not_replaced(drive: DriveWorld) -> None:
    with drive.acting():
        first = await drive.put("a.txt", b"a", expected_digest="")
        with pytest.raises(Aborted):
            await drive.put("a.txt", b"b", expected_digest="")
        assert await drive.read(first) == b"a"


async def test_what_must_be_there_is_not_made(drive: DriveWorld) -> None:
    with drive.acting():
        with pytest.raises(Aborted):
            await drive.put("a.txt", b"b", expected_digest="0" * 64)
        assert await drive.paths() == []


async def test_what_is_joined_is_one_file_once_and_the_parts_are_gone(drive: DriveWorld) -> None:
    with drive.acting():
        parts = [await drive.put(f"parts/{number}", bytes([65 + number]) * MEBIBYTE, owner=BOT) for number in range(3)]
        request = pb.JoinFilesRequest(
            names=[part.name for part in parts], path="big.bin", owner=BOT, request_id=str(uuid.uuid4())
        )
        made = await drive.stub.JoinFiles(request)
        assert await drive.stub.JoinFiles(request) == made
        assert await drive.read(made) == b"A" * MEBIBYTE + b"B" * MEBIBYTE + b"C" * MEBIBYTE
        assert made.digest == hashlib.sha256(await drive.read(made)).hexdigest()
        assert await drive.paths() == ["big.bin"]
    await drive.make_due()
    await drive.sweeper.once()
    assert drive.stored_keys() == {await drive.key_of(made)}


async def test_what_would_be_too_large_is_not_joined(drive: DriveWorld) -> None:
    with drive.acting():
        large = await drive.upload("large.bin", b"x" * (LARGEST_JOINED + 1))
        with pytest.raises(ResourceExhausted):
            await drive.stub.JoinFiles(pb.JoinFilesRequest(names=[large.name], path="big.bin"))
        assert await drive.get(large) == large


async def test_parts_of_others_are_not_there(drive: DriveWorld) -> None:
    with drive.acting("ann", "admin"):
        part = await drive.put("a.txt", b"a")
    with drive.acting("eve", "user"), pytest.raises(PermissionDenied):
        await drive.stub.JoinFiles(pb.JoinFilesRequest(names=[part.name], path="mine.txt"))


async def test_a_copy_is_a_file_of_its_own(drive: DriveWorld) -> None:
    with drive.acting():
        source = await drive.put("a.txt", b"a", content_type="text/plain", owner=BOT)
        request = pb.CopyFileRequest(name=source.name, path="b.txt", owner=BOT, request_id=str(uuid.uuid4()))
        copy = await drive.stub.CopyFile(request)
        await drive.delete(source)
        assert await drive.read(copy) == b"a"
        assert (copy.content_type, copy.owner) == ("text/plain", BOT)
        assert await drive.stub.CopyFile(request) == copy, "the same request gives the same answer"
    await drive.make_due()
    await drive.sweeper.once()
    with drive.acting():
        assert await drive.read(copy) == b"a"
    assert drive.stored_keys() == {await drive.key_of(copy)}


async def test_somebody_elses_file_is_not_copied(drive: DriveWorld) -> None:
    with drive.acting("ann", "admin"):
        source = await drive.put("a.txt", b"a")
    with drive.acting("eve", "user"), pytest.raises(ParleyError) as caught:
        await drive.stub.CopyFile(pb.CopyFileRequest(name=source.name, path="mine.txt"))
    assert isinstance(caught.value, NotFound | PermissionDenied)


async def test_a_move_is_done_once_and_replaces_what_is_there(drive: DriveWorld) -> None:
    with drive.acting():
        source = await drive.put("a.txt", b"a", owner=BOT)
        await drive.put("b.txt", b"old", owner=BOT)
        request = pb.MoveFileRequest(source_path="a.txt", path="b.txt", owner=BOT, request_id=str(uuid.uuid4()))
        moved = await drive.stub.MoveFile(request)
        assert (moved.name, moved.path) == (source.name, "b.txt")
        assert await drive.stub.MoveFile(request) == moved
        assert await drive.read(moved) == b"a"
        assert await drive.paths() == ["b.txt"]
    await drive.make_due()
    await drive.sweeper.once()
    assert drive.stored_keys() == {await drive.key_of(moved)}


async def test_a_move_to_itself_keeps_the_file(drive: DriveWorld) -> None:
    with drive.acting():
        source = await drive.put("a.txt", b"a", owner=BOT)
        moved = await drive.stub.MoveFile(pb.MoveFileRequest(source_path="a.txt", path="a.txt", owner=BOT))
        assert moved.name == source.name


async def test_a_move_of_nothing_leaves_the_target(drive: DriveWorld) -> None:
    with drive.acting():
        target = await drive.put("b.txt", b"b", owner=BOT)
        with pytest.raises(NotFound):
            await drive.stub.MoveFile(pb.MoveFileRequest(source_path="a.txt", path="b.txt", owner=BOT))
        assert await drive.read(target) == b"b"


async def test_a_request_of_a_move_is_not_used_for_another(drive: DriveWorld) -> None:
    with drive.acting():
        await drive.put("a.txt", b"a", owner=BOT)
        request = pb.MoveFileRequest(source_path="a.txt", path="b.txt", owner=BOT, request_id=str(uuid.uuid4()))
        await drive.stub.MoveFile(request)
        request.path = "c.txt"
        with pytest.raises(AlreadyExists):
            await drive.stub.MoveFile(request)


async def test_addresses_that_last_are_for_those_who_see_all(drive: DriveWorld) -> None:
    with drive.acting():
        file = await drive.put("a.txt", b"a")
        answer = await drive.stub.CreateDownload(pb.CreateDownloadRequest(name=file.name, seconds=86_400))
        assert "X-Amz-Expires=86400" in answer.download_url
        assert (await drive.http.get(answer.download_url)).content == b"a"
    with drive.acting("ann", "user"), pytest.raises(PermissionDenied):
        await drive.stub.CreateDownload(pb.CreateDownloadRequest(name=file.name, seconds=86_400))

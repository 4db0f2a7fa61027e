"""Files over real gRPC: stored, read, listed, removed, and seen by whom."""

import asyncio
import hashlib
import random
import uuid
from collections.abc import Awaitable, Callable

import pytest
from parley.drive.v1 import file_service_pb2 as pb

from services.common import errors
from services.common.pagination import PageTokens
from tests.integration.drive.conftest import DriveWorld, another

pytestmark = pytest.mark.integration
LARGE = random.Random(7).randbytes(2_500_000)


async def test_a_file_is_stored_and_read(drive: DriveWorld) -> None:
    with drive.acting():
        made = await drive.put("invoices/2026/07.txt", b"Hello.", content_type="text/plain")
        assert made == await drive.get(made)
        assert await drive.read(made) == b"Hello."
    assert (made.path, made.content_type, made.size, made.state) == (
        "invoices/2026/07.txt",
        "text/plain",
        6,
        pb.File.STATE_LIVE,
    )
    assert (made.owner, made.uri) == ("users/ann", made.name)
    assert made.digest == hashlib.sha256(b"Hello.").hexdigest()


async def test_keys_begin_with_the_tenant_and_never_hold_the_path(drive: DriveWorld) -> None:
    with drive.acting():
        made = await drive.put("secret-plan.txt", b"x")
    key = await drive.key_of(made)
    assert key.startswith(f"{drive.tenant}/{made.name.removeprefix('files/')}/")
    assert "secret" not in key


async def test_a_stream_counts_its_events_and_ends_with_the_file(drive: DriveWorld) -> None:
    with drive.acting():
        made = await drive.put("large.bin", LARGE)
        events = await drive.events(made)
    assert [event.seq for event in events] == list(range(1, len(events) + 1))
    assert max(len(event.data) for event in events) == 256 * 1024
    assert b"".join(event.data for event in events) == LARGE
    assert events[-1].completed == made


@pytest.mark.parametrize(
    ("offset", "length"), [(0, 1), (1, 0), (262_143, 2), (1_048_575, 1_048_578), (2_499_999, 50), (2_500_000, 0)]
)
async def test_ranges(drive: DriveWorld, offset: int, length: int) -> None:
    with drive.acting():
        made = await drive.put("large.bin", LARGE)
        wanted = LARGE[offset : offset + length] if length else LARGE[offset:]
        assert await drive.read(made, offset=offset, length=length) == wanted


async def test_an_offset_beyond_the_end_is_out_of_range(drive: DriveWorld) -> None:
    with drive.acting():
        made = await drive.put("a.txt", b"abc")
        with pytest.raises(errors.OutOfRange) as caught:
            await drive.read(made, offset=4)
    assert caught.value.metadata["size"] == "3"


async def test_storing_at_the_same_path_replaces(drive: DriveWorld) -> None:
    with drive.acting():
        first = await drive.put("a.txt", b"one", content_type="text/plain")
        second = await drive.put("a.txt", b"second", content_type="text/csv")
        assert second.name == first.name
        assert (second.size, second.content_type) == (6, "text/csv")
        assert second.create_time == first.create_time
        assert await drive.read(first) == b"second"
        assert await drive.paths() == ["a.txt"]


async def test_a_path_belongs_to_who_stored_it(drive: DriveWorld) -> None:
    with drive.acting("ann"):
        first = await drive.put("a.txt", b"of ann")
    with drive.acting("ben"):
        second = await drive.put("a.txt", b"of ben")
        assert first.name != second.name
        assert await drive.read(first) == b"of ann"
        assert await drive.read(second) == b"of ben"


async def test_decomposed_letters_are_the_same_path(drive: DriveWorld) -> None:
    with drive.acting():
        first = await drive.put("re\u0301sume\u0301.txt", b"one")
        second = await drive.put("r\u00e9sum\u00e9.txt", b"two")
        assert first.name == second.name
        assert await drive.paths("re\u0301") == ["r\u00e9sum\u00e9.txt"]


@pytest.mark.parametrize(
    "path",
    ["/etc/passwd", "../x", "a/../../b", "a//b", "./a", "a/", "a\x00b", "a\nb", "a\\b", "a/ /b", "evil\u202egpj.exe"],
)
async def test_bad_paths_are_refused_by_their_field(drive: DriveWorld, path: str) -> None:
    with drive.acting():
        with pytest.raises(errors.InvalidArgument) as put:
            await drive.put(path, b"x")
        with pytest.raises(errors.InvalidArgument) as begun:
            await drive.begin(path, 1)
    assert put.value.metadata["field"] == "path"
    assert begun.value.metadata["field"] == "file_name"


@pytest.mark.parametrize("content_type", ["text", "text/", "a b/c", "text/plain\r\nX-Evil: 1", "text/plain; charset"])
async def test_bad_content_types_are_refused(drive: DriveWorld, content_type: str) -> None:
    with drive.acting(), pytest.raises(errors.InvalidArgument) as caught:
        await drive.put("a.txt", b"x", content_type=content_type)
    assert caught.value.metadata["field"] == "content_type"


async def test_lists_are_by_path_in_pages(drive: DriveWorld) -> None:
    with drive.acting():
        for path in ("b/2.txt", "a.txt", "b/1.txt", "b%.txt", "c.txt", "b/10.txt"):
            await drive.put(path, path.encode())
        await drive.begin("not-yet.txt", 5)
        request = pb.ListFilesRequest(page_size=2)
        seen: list[str] = []
        while True:
            page = await drive.stub.ListFiles(request)
            assert len(page.files) <= 2
            seen += [item.path for item in page.files]
            if not page.next_page_token:
                break
            request.page_token = page.next_page_token
        assert seen == ["a.txt", "b%.txt", "b/1.txt", "b/10.txt", "b/2.txt", "c.txt"]
        assert await drive.paths("b/") == ["b/1.txt", "b/10.txt", "b/2.txt"]
        assert await drive.paths("b%") == ["b%.txt"]
        assert await drive.paths("b_") == []
        assert len((await drive.stub.ListFiles(pb.ListFilesRequest(page_size=100_000))).files) == 6


async def test_page_tokens_of_other_lists_and_forged_ones_are_refused(drive: DriveWorld) -> None:
    with drive.acting():
        for path in ("a/1", "a/2", "b/1"):
            await drive.put(path, b"x")
        token = (await drive.stub.ListFiles(pb.ListFilesRequest(page_size=1))).next_page_token
    tokens = PageTokens(drive.settings.page_token_secret)
    forged = tokens.make(("another tenant", "", ""), ("a/1", str(uuid.UUID(int=1))))
    attempts = [("ann", "admin", "a/", token), ("eve", "user", "", token), ("ann", "admin", "", forged)]
    attempts.append(("ann", "admin", "", token[:-2] + "AA"))
    for name, role, prefix, used in attempts:
        with drive.acting(name, role), pytest.raises(errors.InvalidArgument) as caught:
            await drive.stub.ListFiles(pb.ListFilesRequest(prefix=prefix, page_size=1, page_token=used))
        assert caught.value.reason == "PAGE_TOKEN_INVALID"


async def test_deleted_is_gone_and_its_object_goes_later(drive: DriveWorld) -> None:
    with drive.acting():
        made = await drive.put("a.txt", b"x")
        request_id = str(uuid.uuid4())
        await drive.delete(made, request_id=request_id)
        await drive.delete(made, request_id=request_id)
        for again in (drive.delete(made), drive.get(made), drive.read(made)):
            with pytest.raises(errors.NotFound):
                await again
        assert await drive.paths() == []
    assert len(drive.stored_keys()) == 1
    await drive.sweeper.once()
    assert len(drive.stored_keys()) == 1, "somebody may still be reading it"
    await drive.make_due()
    await drive.sweeper.once()
    assert drive.stored_keys() == set()


async def test_a_path_can_be_used_again_after_a_deletion(drive: DriveWorld) -> None:
    with drive.acting():
        first = await drive.put("a.txt", b"one")
        await drive.delete(first)
        second = await drive.put("a.txt", b"two")
        assert first.name != second.name
        await drive.make_due()
        await drive.sweeper.once()
        assert await drive.read(second) == b"two"


def calls(drive: DriveWorld, file: pb.File) -> dict[str, Callable[[], Awaitable[object]]]:
    """Every RPC that names a file."""
    return {
        "get": lambda: drive.get(file),
        "read": lambda: drive.read(file),
        "download": lambda: drive.stub.CreateDownload(pb.CreateDownloadRequest(name=file.name)),
        "complete": lambda: drive.complete(file),
        "delete": lambda: drive.delete(file),
    }


@pytest.mark.parametrize("call", ["get", "read", "download", "complete", "delete"])
async def test_another_tenant_sees_nothing(drive: DriveWorld, call: str) -> None:
    with drive.acting():
        made = await drive.put("a.txt", b"x")
        begun = (await drive.begin("b.txt", 1)).file
    with drive.acting("ann", "owner", tenant=str(uuid.uuid4())):
        for file in (made, begun):
            with pytest.raises(errors.NotFound):
                await calls(drive, file)[call]()
        assert await drive.paths() == []
    with drive.acting():
        assert await drive.read(made) == b"x"


@pytest.mark.parametrize("role", ["user", "visitor"])
@pytest.mark.parametrize("call", ["get", "read", "download", "complete"])
async def test_another_person_sees_nothing(drive: DriveWorld, call: str, role: str) -> None:
    with drive.acting("ben", "user"):
        made = await drive.upload("a.txt", b"of ben")
    with drive.acting("eve", role):
        nobody = pb.File(name=f"files/{uuid.uuid4()}")
        with pytest.raises(errors.NotFound) as theirs:
            await calls(drive, made)[call]()
        with pytest.raises(errors.NotFound) as never:
            await calls(drive, nobody)[call]()
        assert theirs.value.message.replace(made.name, "") == never.value.message.replace(nobody.name, "")
        assert await drive.paths() == []
    with drive.acting("ben", role):
        assert await drive.read(made) == b"of ben"
        assert await drive.paths() == [made.path]


@pytest.mark.parametrize("role", ["owner", "admin", "developer", "agent", "service"])
async def test_staff_and_services_see_all_of_the_tenant(drive: DriveWorld, role: str) -> None:
    with drive.acting("ben", "visitor"):
        made = await drive.upload("a.txt", b"of ben")
    with drive.acting("ann", role):
        assert await drive.read(made) == b"of ben"
        assert await drive.paths() == [made.path]


@pytest.mark.parametrize("role", ["user", "visitor"])
async def test_roles_decide_what_may_be_done(drive: DriveWorld, role: str) -> None:
    with drive.acting("ben", role):
        made = await drive.upload("a.txt", b"of ben")
        with pytest.raises(errors.PermissionDenied):
            await drive.put("b.txt", b"x")
        with pytest.raises(errors.PermissionDenied):
            await drive.delete(made)


async def test_a_service_that_acts_for_nobody_is_refused(drive: DriveWorld) -> None:
    with pytest.raises(errors.PermissionDenied):
        await drive.stub.GetFile(pb.GetFileRequest(name=f"files/{uuid.uuid4()}"))


@pytest.mark.parametrize("name", ["files/x", "files/" + "-" * 36, "files/" + "A" * 36])
async def test_names_that_are_none_are_refused(drive: DriveWorld, name: str) -> None:
    with drive.acting(), pytest.raises(errors.InvalidArgument) as caught:
        await drive.stub.GetFile(pb.GetFileRequest(name=name))
    assert caught.value.metadata["field"] == "name"


async def test_a_request_id_is_one_request(drive: DriveWorld) -> None:
    key = str(uuid.uuid4())
    with drive.acting():
        first = await drive.put("a.txt", b"one", request_id=key)
        await drive.put("a.txt", b"later")
        assert await drive.put("a.txt", b"one", request_id=key) == first
        assert await drive.read(first) == b"later"
        others = [
            drive.put("a.txt", b"two", request_id=key),
            drive.put("b.txt", b"one", request_id=key),
            drive.put("a.txt", b"one", content_type="text/plain", request_id=key),
            drive.begin("a.txt", 3, request_id=key),
            drive.delete(first, request_id=key),
        ]
        for other in others:
            with pytest.raises(errors.AlreadyExists) as caught:
                await other
            assert caught.value.reason == "REQUEST_ID_REUSED"
    with drive.acting("ben"):
        assert (await drive.put("a.txt", b"two", request_id=key)).owner == "users/ben"


async def test_what_a_tenant_stores_is_limited(drive: DriveWorld) -> None:
    async with another(drive, drive_tenant_bytes=10) as small:
        with small.acting():
            first = await small.put("a.txt", b"123456")
            with pytest.raises(errors.ResourceExhausted) as caught:
                await small.put("b.txt", b"12345")
            assert caught.value.metadata == {"limit_bytes": "10"}
            with pytest.raises(errors.ResourceExhausted):
                await small.begin("b.txt", 5)
            begun = await small.begin("b.txt", 4)
            await small.put("a.txt", b"1234567890")
            await small.http.put(begun.upload_url, content=b"1234")
            with pytest.raises(errors.ResourceExhausted):
                await small.complete(begun.file)
            await small.delete(first)
            assert (await small.complete(begun.file)).state == pb.File.STATE_LIVE
    used = await drive.rows("SELECT bytes FROM drive.usage WHERE tenant_id = $1", uuid.UUID(drive.tenant))
    assert used[0][0] == 4


async def test_who_stores_at_once_cannot_pass_the_limit_together(drive: DriveWorld) -> None:
    async with another(drive, drive_tenant_bytes=50) as small:
        with small.acting():
            outcomes = await asyncio.gather(
                *(small.put(f"{number}.txt", b"x" * 10) for number in range(12)), return_exceptions=True
            )
    refused = [outcome for outcome in outcomes if isinstance(outcome, errors.ResourceExhausted)]
    assert len(refused) == 7
    used = await drive.rows("SELECT bytes FROM drive.usage WHERE tenant_id = $1", uuid.UUID(drive.tenant))
    assert used[0][0] == 50


async def test_uploads_begun_are_limited(drive: DriveWorld) -> None:
    async with another(drive, drive_open_uploads=2) as small:
        with small.acting("ben", "visitor"):
            await small.begin("a.txt", 1)
            await small.begin("b.txt", 1)
            with pytest.raises(errors.ResourceExhausted) as caught:
                await small.begin("c.txt", 1)
        with small.acting("eve", "visitor"):
            await small.begin("a.txt", 1)
    assert caught.value.metadata == {"limit_uploads": "2"}

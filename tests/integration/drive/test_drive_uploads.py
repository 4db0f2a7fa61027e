"""Bytes that go round the service: PUT to an address, and read from one."""

import asyncio
import hashlib
import time
import uuid
from urllib.parse import parse_qs, urlsplit

import pytest
from parley.drive.v1 import file_service_pb2 as pb

from services.common import errors
from tests.integration.drive.conftest import DriveWorld, another
from tests.waiting import until

pytestmark = pytest.mark.integration


async def download_of(drive: DriveWorld, file: pb.File) -> pb.CreateDownloadResponse:
    made: pb.CreateDownloadResponse = await drive.stub.CreateDownload(pb.CreateDownloadRequest(name=file.name))
    return made


async def test_an_upload_becomes_a_file(drive: DriveWorld) -> None:
    content = b"12345" * 100_000
    with drive.acting("ben", "visitor"):
        begun = await drive.begin("photo of me.jpg", len(content), content_type="image/jpeg")
        assert begun.file.state == pb.File.STATE_UPLOADING
        assert begun.file.path == f"uploads/{begun.file.name.removeprefix('files/')}/photo of me.jpg"
        assert begun.file == await drive.get(begun.file)
        assert 890 < begun.expire_time.ToSeconds() - time.time() < 901
        answer = await drive.http.put(begun.upload_url, content=content, headers={"Content-Type": "image/jpeg"})
        assert answer.status_code == 200
        made = await drive.complete(begun.file)
        assert made == await drive.get(made)
        assert await drive.read(made) == content
    assert (made.name, made.state, made.size) == (begun.file.name, pb.File.STATE_LIVE, len(content))
    assert made.digest == hashlib.sha256(content).hexdigest()


async def test_completing_twice_or_at_once_is_completing_once(drive: DriveWorld) -> None:
    key = str(uuid.uuid4())
    with drive.acting("ben", "user"):
        begun = await drive.begin("a.txt", 3)
        await drive.http.put(begun.upload_url, content=b"abc")
        together = await asyncio.gather(*(drive.complete(begun.file) for _ in range(5)))
        assert [item.state for item in together] == [pb.File.STATE_LIVE] * 5
        assert len({item.update_time.ToNanoseconds() for item in together}) == 1
        again = await drive.complete(begun.file, request_id=key)
        assert again == await drive.complete(begun.file, request_id=key) == together[0]
        other = await drive.begin("b.txt", 3)
        with pytest.raises(errors.AlreadyExists) as caught:
            await drive.complete(other.file, request_id=key)
        assert caught.value.reason == "REQUEST_ID_REUSED"
        await drive.make_due()
        await drive.sweeper.once()
        assert drive.stored_keys() == {await drive.key_of(begun.file)}
        assert await drive.read(begun.file) == b"abc"
        assert await drive.complete(begun.file) == together[0]


@pytest.mark.parametrize("sent", [b"ab", b"abcd"])
async def test_another_size_than_declared_is_refused_and_can_be_put_again(drive: DriveWorld, sent: bytes) -> None:
    with drive.acting("ben", "user"):
        begun = await drive.begin("a.txt", 3)
        await drive.http.put(begun.upload_url, content=sent)
        with pytest.raises(errors.FailedPrecondition) as caught:
            await drive.complete(begun.file)
        assert (caught.value.metadata["declared_bytes"], caught.value.metadata["received_bytes"]) == (
            "3",
            str(len(sent)),
        )
        assert drive.stored_keys() == set()
        with pytest.raises(errors.FailedPrecondition, match="nothing was PUT"):
            await drive.complete(begun.file)
        await drive.http.put(begun.upload_url, content=b"abc")
        assert await drive.read(await drive.complete(begun.file)) == b"abc"


async def test_nothing_can_be_read_before_the_upload_is_complete(drive: DriveWorld) -> None:
    with drive.acting("ben", "user"):
        begun = await drive.begin("a.txt", 3)
        await drive.http.put(begun.upload_url, content=b"abc")
        with pytest.raises(errors.FailedPrecondition):
            await drive.read(begun.file)
        with pytest.raises(errors.FailedPrecondition):
            await download_of(drive, begun.file)
        assert await drive.paths() == []


async def test_bytes_put_after_completion_change_nothing_and_are_removed(drive: DriveWorld) -> None:
    with drive.acting("ben", "user"):
        begun = await drive.begin("a.txt", 3)
        await drive.http.put(begun.upload_url, content=b"abc")
        made = await drive.complete(begun.file)
        assert (await drive.http.put(begun.upload_url, content=b"evil" * 1000)).status_code == 200
        assert await drive.read(made) == b"abc"
        assert len(drive.stored_keys()) == 2
        await drive.make_due()
        await drive.sweeper.once()
        assert drive.stored_keys() == {await drive.key_of(made)}


async def test_an_upload_that_is_never_completed_is_forgotten(drive: DriveWorld) -> None:
    with drive.acting("ben", "user"):
        begun = await drive.begin("a.txt", 3)
        await drive.http.put(begun.upload_url, content=b"abc")
        await drive.make_due()
        with pytest.raises(errors.FailedPrecondition, match="is over"):
            await drive.complete(begun.file)
        await drive.sweeper.once()
        assert drive.stored_keys() == set()
        with pytest.raises(errors.NotFound):
            await drive.complete(begun.file)


async def test_an_upload_address_stops_working(drive: DriveWorld) -> None:
    async with another(drive, drive_upload_seconds=1) as quick:
        with quick.acting("ben", "user"):
            begun = await quick.begin("a.txt", 3)

            async def refused() -> bool:
                return (await drive.http.put(begun.upload_url, content=b"abc")).status_code == 403

            await until(refused)
            key = str(uuid.uuid4())
            begun = await quick.begin("a.txt", 3, request_id=key)

            async def expired() -> bool:
                try:
                    await quick.begin("a.txt", 3, request_id=key)
                except errors.FailedPrecondition as error:
                    return "expired" in error.message
                return False

            await until(expired)


async def test_an_upload_address_is_for_its_object_and_verb_only(drive: DriveWorld) -> None:
    with drive.acting("ben", "user"):
        begun = await drive.begin("a.txt", 3)
        other = await drive.begin("b.txt", 3)
        assert (await drive.http.put(begun.upload_url, content=b"abc")).status_code == 200
        assert (await drive.http.get(begun.upload_url)).status_code == 403
        assert (await drive.http.delete(begun.upload_url)).status_code == 403
        stolen = urlsplit(begun.upload_url)._replace(path=urlsplit(other.upload_url).path).geturl()
        assert (await drive.http.put(stolen, content=b"abc")).status_code == 403


async def test_a_repeated_request_makes_one_upload(drive: DriveWorld) -> None:
    key = str(uuid.uuid4())
    with drive.acting("ben", "user"):
        first = await drive.begin("a.txt", 3, request_id=key)
        again = await drive.begin("a.txt", 3, request_id=key)
        assert first.file == again.file
        await drive.http.put(again.upload_url, content=b"abc")
        made = await drive.complete(first.file)
        assert (await drive.begin("a.txt", 3, request_id=key)).file.name == made.name
        with pytest.raises(errors.AlreadyExists) as caught:
            await drive.begin("a.txt", 4, request_id=key)
    assert caught.value.reason == "REQUEST_ID_REUSED"


@pytest.mark.parametrize(
    ("content_type", "served"),
    [
        ("image/png", "image/png"),
        ("text/plain; charset=utf-8", "text/plain; charset=utf-8"),
        ("", "application/octet-stream"),
        ("text/html", "application/octet-stream"),
        ("TEXT/HTML; charset=utf-8", "application/octet-stream"),
        ("image/svg+xml", "application/octet-stream"),
        ("application/xhtml+xml", "application/octet-stream"),
        ("text/javascript", "application/octet-stream"),
    ],
)
async def test_a_download_saves_and_never_shows(drive: DriveWorld, content_type: str, served: str) -> None:
    with drive.acting():
        made = await drive.put(
            'b\u00fccher/R\u00e9sum\u00e9 "2026"; x=1.html', b"<script>1</script>", content_type=content_type
        )
        answer = await drive.http.get((await download_of(drive, made)).download_url)
    assert answer.status_code == 200
    assert answer.content == b"<script>1</script>"
    assert answer.headers["content-type"] == served
    assert answer.headers["content-disposition"] == (
        'attachment; filename="R_sum_ _2026_; x=1.html"; '
        "filename*=UTF-8''R%C3%A9sum%C3%A9%20%222026%22%3B%20x%3D1.html"
    )


async def test_a_download_address_cannot_be_made_to_show_a_page(drive: DriveWorld) -> None:
    with drive.acting():
        made = await drive.put("a.html", b"<script>1</script>", content_type="text/html")
        url = (await download_of(drive, made)).download_url
    assert (await drive.http.get(url)).status_code == 200
    for changed in (url.replace("octet-stream", "xhtml%2Bxml"), url.replace("attachment", "inline"), url.split("?")[0]):
        assert changed != url
        assert (await drive.http.get(changed)).status_code == 403


async def test_ranges_of_a_download(drive: DriveWorld) -> None:
    with drive.acting():
        made = await drive.put("a.txt", b"0123456789")
        answer = await drive.http.get((await download_of(drive, made)).download_url, headers={"Range": "bytes=2-4"})
    assert (answer.status_code, answer.content) == (206, b"234")


async def test_addresses_are_signed_for_the_host_that_people_use(drive: DriveWorld) -> None:
    async with another(drive, s3_public_url="https://chat.example.com") as public:
        with public.acting():
            up = urlsplit((await public.begin("a.txt", 3)).upload_url)
            down = urlsplit((await download_of(public, await public.put("a.txt", b"abc"))).download_url)
    for url, seconds in ((up, "900"), (down, "300")):
        assert (url.scheme, url.netloc) == ("https", "chat.example.com")
        assert url.path.startswith(f"/{drive.settings.s3_bucket}/{drive.tenant}/")
        query = parse_qs(url.query)
        assert query["X-Amz-SignedHeaders"] == ["host"]
        assert int(query["X-Amz-Expires"][0]) <= int(seconds)


async def test_who_cannot_see_a_file_cannot_complete_it(drive: DriveWorld) -> None:
    with drive.acting("ben", "visitor"):
        begun = await drive.begin("a.txt", 3)
        await drive.http.put(begun.upload_url, content=b"abc")
    with drive.acting("eve", "visitor"), pytest.raises(errors.NotFound):
        await drive.complete(begun.file)
    with drive.acting("ben", "visitor"):
        assert (await drive.complete(begun.file)).state == pb.File.STATE_LIVE

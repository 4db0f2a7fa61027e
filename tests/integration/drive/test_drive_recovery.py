"""What the drive does when the store dies, a process dies half-way, and two do the same at once."""

import asyncio
import hashlib
import time
import uuid

import grpc
import pytest
from parley.drive.v1 import file_service_pb2 as pb

from services.common import errors
from services.common.db.requests import UNNAMED, RequestLog, forget
from services.common.errors import from_proto
from services.drive.domain.viewing import Viewer
from services.drive.objects.port import NoObject
from services.drive.reading import Reading
from services.drive.store.files import Content, Files, Place
from services.drive.store.garbage import Garbage
from tests.integration.drive.conftest import DriveWorld, another
from tests.waiting import until

pytestmark = pytest.mark.integration
ONE, OTHER = b"1" * 3_000_000, b"2" * 2_900_000


def files_of(drive: DriveWorld) -> Files:
    return Files(drive.chassis.database, drive.settings, RequestLog("drive", drive.settings.page_token_secret))


def viewer_of(drive: DriveWorld) -> Viewer:
    return Viewer(drive.tenant, "users/ann", "")


def content_of(path: str, data: bytes) -> Content:
    return Content(path, "text/plain", len(data), hashlib.sha256(data).hexdigest())


async def written(drive: DriveWorld, path: str, data: bytes) -> Place:
    """As far as a process comes that dies before the second transaction of PutFile."""
    place = await files_of(drive).begin_put(viewer_of(drive), path, len(data), UNNAMED)
    assert isinstance(place, Place)
    await drive.objects.put(place.key, data)
    return place


async def test_while_the_store_is_away_calls_say_so_and_afterwards_they_work(drive: DriveWorld) -> None:
    with drive.acting():
        made = await drive.put("a.txt", b"one")
        begun = await drive.begin("b.txt", 3)
        await drive.http.put(begun.upload_url, content=b"abc")
        drive.store.kill()
        try:
            for call in (drive.put("a.txt", b"two"), drive.read(made), drive.complete(begun.file)):
                with pytest.raises(errors.Unavailable) as caught:
                    await call
                assert caught.value.retry_after == 1
                assert "127.0.0.1" not in caught.value.message
            assert await drive.get(made) == made
            assert await drive.paths() == ["a.txt"]
            assert "s3" in await drive.chassis.operations.failing()
        finally:
            await drive.bring_back()
        assert await drive.read(made) == b"one"
        assert (await drive.complete(begun.file)).size == 3
        assert (await drive.put("a.txt", b"two")).name == made.name
        assert await drive.chassis.operations.failing() == {}
        await drive.make_due()
        await drive.sweeper.once()
        assert len(drive.stored_keys()) == 2, "one object a file, none of the tries that failed"


async def test_a_store_that_is_silent_costs_no_more_than_the_deadline(drive: DriveWorld) -> None:
    async with another(drive, s3_read_seconds=0.5, s3_threads=2) as small:
        with small.acting():
            made = await small.put("a.txt", b"one")
            drive.store.pause()
            try:
                started = time.monotonic()
                outcomes = await asyncio.gather(
                    *(
                        small.stub.PutFile(pb.PutFileRequest(path=f"{number}", content=b"x"), timeout=2)
                        for number in range(8)
                    ),
                    return_exceptions=True,
                )
                assert time.monotonic() - started < 6
            finally:
                drive.store.resume()
            assert {type(outcome) for outcome in outcomes} <= {errors.Unavailable, errors.DeadlineExceeded}

            async def free() -> bool:
                try:
                    return await small.read(made) == b"one"
                except errors.Unavailable:
                    return False

            await until(free)


async def test_a_stream_whose_store_dies_ends_with_failed(drive: DriveWorld) -> None:
    reading = Reading(files_of(drive), drive.objects, drive.sweeper._metrics, 600)
    with drive.acting():
        made = await drive.put("a.bin", ONE)
    identifier = uuid.UUID(made.name.removeprefix("files/"))
    events = reading.events(viewer_of(drive), identifier, 0, 0)
    seen = [await anext(events)]
    drive.store.kill()
    try:
        seen += [event async for event in events]
    finally:
        await drive.bring_back()
    assert [event.seq for event in seen] == list(range(1, len(seen) + 1))
    failed = from_proto(seen[-1].failed)
    assert isinstance(failed, errors.Unavailable)
    assert failed.retry_after == 1
    got = b"".join(event.data for event in seen)
    assert 0 < len(got) < len(ONE)
    with drive.acting():
        assert got + await drive.read(made, offset=len(got)) == ONE


async def test_a_stream_goes_on_with_a_store_that_was_started_again(drive: DriveWorld) -> None:
    reading = Reading(files_of(drive), drive.objects, drive.sweeper._metrics, 600)
    with drive.acting():
        made = await drive.put("a.bin", ONE)
    events = reading.events(viewer_of(drive), uuid.UUID(made.name.removeprefix("files/")), 0, 0)
    seen = [await anext(events)]
    drive.store.kill()
    await drive.bring_back()
    seen += [event async for event in events]
    assert seen[-1].completed == made
    assert b"".join(event.data for event in seen) == ONE


async def test_a_stream_may_not_take_for_ever(drive: DriveWorld) -> None:
    reading = Reading(files_of(drive), drive.objects, drive.sweeper._metrics, -1)
    with drive.acting():
        made = await drive.put("a.bin", b"x")
    with pytest.raises(errors.DeadlineExceeded):
        await anext(reading.events(viewer_of(drive), uuid.UUID(made.name.removeprefix("files/")), 0, 0))


async def test_the_service_starts_without_a_store_and_makes_its_bucket_later(drive: DriveWorld) -> None:
    drive.store.kill()
    try:
        async with another(drive, s3_bucket=f"late-{uuid.uuid4()}") as late:
            with late.acting():
                assert await late.paths() == []
            assert "s3" in await late.chassis.operations.failing()
            await drive.store.start()

            async def ready() -> bool:
                return not await late.chassis.operations.failing()

            await until(ready)
            await late.bring_back()
            with late.acting():
                assert await late.read(await late.put("a.txt", b"one")) == b"one"
    finally:
        await drive.bring_back()


async def test_a_process_that_dies_after_the_object_leaves_the_old_file(drive: DriveWorld) -> None:
    with drive.acting():
        made = await drive.put("a.txt", b"old")
        place = await written(drive, "a.txt", b"new")
        fresh = await written(drive, "b.txt", b"never")
        assert {place.key, fresh.key} < drive.stored_keys()
        assert await drive.read(made) == b"old"
        assert await drive.paths() == ["a.txt"]
        await drive.sweeper.once()
        assert place.key in drive.stored_keys(), "it may still be on its way to be live"
        await drive.make_due()
        await drive.sweeper.once()
        assert drive.stored_keys() == {await drive.key_of(made)}
        assert await drive.read(made) == b"old"


async def test_what_the_sweeper_has_taken_cannot_go_live(drive: DriveWorld) -> None:
    with drive.acting():
        made = await drive.put("a.txt", b"old")
        place = await written(drive, "a.txt", b"new")
        await drive.make_due()
        taken = await Garbage(drive.chassis.relay_database).take(500, 60)
        assert place.key in {item.key for item in taken}
        with pytest.raises(errors.Aborted):
            await files_of(drive).end_put(viewer_of(drive), place, content_of("a.txt", b"new"), UNNAMED)
        assert await drive.read(made) == b"old"
        await drive.make_due()
        await drive.sweeper.once()
        assert drive.stored_keys() == {await drive.key_of(made)}


async def test_what_is_live_is_never_swept(drive: DriveWorld) -> None:
    with drive.acting():
        place = await written(drive, "a.txt", b"new")
        made = await files_of(drive).end_put(viewer_of(drive), place, content_of("a.txt", b"new"), UNNAMED)
        await drive.make_due()
        await drive.sweeper.once()
        assert await drive.read(made) == b"new"


async def test_a_replaced_object_goes_after_its_grace(drive: DriveWorld) -> None:
    with drive.acting():
        first = await drive.put("a.txt", b"one")
        old = await drive.key_of(first)
        url = (await drive.stub.CreateDownload(pb.CreateDownloadRequest(name=first.name))).download_url
        await drive.put("a.txt", b"two")
        await drive.sweeper.once()
        assert (await drive.http.get(url)).content == b"one"
        await drive.make_due()
        await drive.sweeper.once()
        assert (await drive.http.get(url)).status_code == 404
        with pytest.raises(NoObject):
            await drive.objects.size(old)
        assert await drive.read(first) == b"two"


async def test_a_read_that_races_with_replacements_is_one_version_or_the_other(drive: DriveWorld) -> None:
    versions = {hashlib.sha256(item).hexdigest(): item for item in (ONE, OTHER)}
    with drive.acting():
        made = await drive.put("a.bin", ONE)
        done = asyncio.Event()

        async def replace() -> None:
            for number in range(12):
                await drive.put("a.bin", OTHER if number % 2 else ONE)
            done.set()

        async def read() -> set[str]:
            seen = set()
            while not done.is_set():
                events = await drive.events(made)
                digest = events[-1].completed.digest
                assert b"".join(event.data for event in events) == versions[digest]
                seen.add(digest)
            return seen

        seen, _ = await asyncio.gather(read(), replace())
        await drive.make_due()
        await drive.sweeper.once()
        assert drive.stored_keys() == {await drive.key_of(made)}
    assert seen <= set(versions)
    assert seen


async def test_a_read_that_outlives_the_grace_says_that_the_file_was_replaced(drive: DriveWorld) -> None:
    reading = Reading(files_of(drive), drive.objects, drive.sweeper._metrics, 600)
    with drive.acting():
        made = await drive.put("a.bin", ONE)
        events = reading.events(viewer_of(drive), uuid.UUID(made.name.removeprefix("files/")), 0, 0)
        await anext(events)
        await drive.put("a.bin", OTHER)
        await drive.make_due()
        await drive.sweeper.once()
    last = [event async for event in events][-1]
    assert last.failed.code == grpc.StatusCode.ABORTED.value[0]


async def test_a_lost_object_is_a_fault_of_ours_and_not_a_wrong_name(drive: DriveWorld) -> None:
    with drive.acting():
        made = await drive.put("a.txt", b"one")
        await drive.objects.remove([await drive.key_of(made)])
        with pytest.raises(errors.Internal, match="are lost"):
            await drive.read(made)


async def test_first_files_put_at_one_path_at_once_are_one_file(drive: DriveWorld) -> None:
    with drive.acting():
        made = await asyncio.gather(*(drive.put("a.txt", f"{number}".encode()) for number in range(8)))
        assert len({item.name for item in made}) == 1
        assert await drive.paths() == ["a.txt"]
        assert await drive.read(made[0]) in {f"{number}".encode() for number in range(8)}
        await drive.make_due()
        await drive.sweeper.once()
        assert drive.stored_keys() == {await drive.key_of(made[0])}
        assert (await drive.read(made[0])).isdigit()


async def test_one_request_sent_twice_at_once_is_done_once(drive: DriveWorld) -> None:
    key = str(uuid.uuid4())
    with drive.acting():
        made = await asyncio.gather(*(drive.put("a.txt", b"one", request_id=key) for _ in range(6)))
        assert all(item == made[0] for item in made)
        begun = await asyncio.gather(*(drive.begin("b.txt", 3, request_id=str(uuid.UUID(int=1))) for _ in range(6)))
        assert len({item.file.name for item in begun}) == 1
        await drive.make_due()
        await drive.sweeper.once()
        assert drive.stored_keys() == {await drive.key_of(made[0])}


async def test_a_sweep_without_the_store_is_made_up_for(drive: DriveWorld) -> None:
    with drive.acting():
        made = await drive.put("a.txt", b"one")
        await drive.delete(made)
        await drive.make_due()
        drive.store.kill()
        try:
            with pytest.raises(errors.Unavailable):
                await drive.sweeper.once()
        finally:
            await drive.bring_back()
        assert len(drive.stored_keys()) == 1
        await drive.sweeper.once()
        assert drive.stored_keys() == set()


async def test_what_was_taken_and_not_removed_is_taken_again_after_the_lease(drive: DriveWorld) -> None:
    garbage = Garbage(drive.chassis.relay_database)
    with drive.acting():
        await drive.delete(await drive.put("a.txt", b"one"))
    await drive.make_due()
    assert len(await garbage.take(500, 60)) == 1
    assert await garbage.take(500, 60) == []
    await drive.make_due()
    assert len(await garbage.take(500, 60)) == 1


async def test_one_process_sweeps(drive: DriveWorld) -> None:
    garbage = Garbage(drive.chassis.relay_database)
    async with garbage.leading() as first, garbage.leading() as second:
        assert (first, second) == (True, False)
    async with garbage.leading() as third:
        assert third


async def test_the_sweeper_runs_by_itself(drive: DriveWorld) -> None:
    async with another(
        drive, drive_sweep_seconds=0.05, drive_download_seconds=1, drive_grace_seconds=1, drive_upload_seconds=1,
        drive_completion_seconds=0, drive_write_seconds=1,
    ) as quick:  # fmt: skip
        with quick.acting():
            await quick.put("a.txt", b"one")
            made = await quick.put("a.txt", b"two")
            begun = await quick.begin("b.txt", 3)
            await quick.http.put(begun.upload_url, content=b"abc")
            assert len(quick.stored_keys()) == 3
            await until(lambda: len(quick.stored_keys()) == 1)
            assert await quick.read(made) == b"two"
            with pytest.raises(errors.NotFound):
                await quick.get(begun.file)


async def test_old_requests_are_forgotten(drive: DriveWorld) -> None:
    key, tenant, relay = str(uuid.uuid4()), uuid.UUID(drive.tenant), drive.chassis.relay_database
    with drive.acting():
        await drive.put("a.txt", b"one", request_id=key)
        await forget(relay, drive.settings.request_days)
        with pytest.raises(errors.AlreadyExists):
            await drive.put("a.txt", b"two", request_id=key)
        old = "UPDATE drive.requests SET created_at = now() - interval '8 days' WHERE tenant_id = $1"
        await drive.rows(old, tenant)
        await forget(relay, drive.settings.request_days)
        assert (await drive.put("a.txt", b"two", request_id=key)).size == 3


async def test_every_table_hides_the_rows_of_other_tenants(drive: DriveWorld) -> None:
    with drive.acting():
        await drive.put("a.txt", b"one", request_id=str(uuid.uuid4()))
    for table in ("files", "garbage", "usage", "requests"):
        assert await drive.rows(f"SELECT 1 FROM drive.{table} LIMIT 1"), table
        assert await drive.chassis.database.call(f"SELECT 1 FROM drive.{table} LIMIT 1") == [], table
    forced = await drive.rows(
        """SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE n.nspname = 'drive' AND c.relkind = 'r' AND NOT (c.relrowsecurity AND c.relforcerowsecurity)"""
    )
    assert [row[0] for row in forced] == ["alembic_version"]

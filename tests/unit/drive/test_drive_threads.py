"""Bounded threads, settings, and streams over a store that fails now and then."""

import asyncio
import threading
import uuid
from pathlib import Path
from typing import Any, cast

import pytest
from parley.drive.v1 import file_service_pb2 as pb
from pydantic import ValidationError

from services.common.errors import Unavailable
from services.common.telemetry.metrics import Metrics
from services.drive import reading
from services.drive.config import DriveSettings
from services.drive.domain.viewing import Viewer
from services.drive.metrics import DriveMetrics
from services.drive.objects.port import ObjectStore
from services.drive.objects.threads import Threads
from services.drive.store.files import Files, Stored
from tests.waiting import until

pytestmark = pytest.mark.unit
VIEWER = Viewer(str(uuid.uuid4()), "users/ann", "")
CONTENT = bytes(range(256)) * 12_000
FILE = pb.File(name="files/x", size=len(CONTENT), state=pb.File.STATE_LIVE)


async def test_who_gives_up_does_not_free_the_thread() -> None:
    threads = Threads(1, 0.05, "test")
    held, begun = threading.Event(), threading.Event()

    def hold() -> bool:
        begun.set()
        return held.wait(30)

    with pytest.raises(TimeoutError):
        await threads.run(hold)
    assert begun.is_set()
    with pytest.raises(TimeoutError):
        await threads.run(lambda: 1)
    held.set()
    await until(lambda: not threads._free.locked())
    assert await threads.run(lambda: 2) == 2
    await threads.close()


async def test_no_more_run_at_a_time_than_there_are_threads() -> None:
    threads = Threads(3, 10, "test")
    gate, lock = threading.Barrier(3, timeout=10), threading.Lock()
    now = most = 0

    def work() -> None:
        nonlocal now, most
        with lock:
            now += 1
            most = max(most, now)
        gate.wait()
        with lock:
            now -= 1

    await asyncio.gather(*(threads.run(work) for _ in range(9)))
    assert most == 3
    await threads.close()


async def test_an_error_of_the_work_reaches_who_waits() -> None:
    threads = Threads(1, 10, "test")
    with pytest.raises(ZeroDivisionError):
        await threads.run(lambda: 1 // 0)
    assert await threads.run(lambda: 3) == 3
    await threads.close()


def settings(**more: Any) -> DriveSettings:
    values = {
        "port": 1,
        "operations_port": 2,
        "mesh_key_file": Path("a"),
        "mesh_jwks_file": Path("b"),
        "page_token_secret": "c",
        "s3_endpoint": "127.0.0.1:9000",
        "s3_access_key": "d",
        "s3_secret_key": "e",
        **more,
    }
    return DriveSettings.model_validate(values)


@pytest.mark.parametrize(
    "wrong",
    [
        {"s3_public_url": "ftp://x"},
        {"s3_public_url": "https://x/files"},
        {"s3_public_url": "chat.example.com"},
        {"drive_grace_seconds": 1, "drive_download_seconds": 2},
        {"s3_bucket": "Not_A_Bucket"},
    ],
)
def test_settings_that_cannot_work_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        settings(**wrong)


def test_the_public_address_may_end_with_a_slash() -> None:
    assert settings(s3_public_url="https://chat.example.com/").s3_public_url == "https://chat.example.com"


class OneFile:
    """Stands in for Files."""

    async def find(self, viewer: Viewer, identifier: uuid.UUID) -> Stored:
        return Stored(FILE, "key")


class Flaky:
    """Stands in for ObjectStore: fails as often as it is told before each range."""

    def __init__(self, *failures: int) -> None:
        self._failures = list(failures)
        self._left = self._failures.pop(0)
        self.asked = 0

    async def read(self, key: str, offset: int, length: int) -> bytes:
        self.asked += 1
        if self._left:
            self._left -= 1
            raise Unavailable("away")
        self._left = self._failures.pop(0) if self._failures else 0
        return CONTENT[offset : offset + length]


async def events_of(store: Flaky, monkeypatch: pytest.MonkeyPatch) -> list[pb.ReadFileEvent]:
    monkeypatch.setattr(reading, "FIRST_PAUSES", (0.0, 0.0))
    monkeypatch.setattr(reading, "LATER_PAUSES", (0.0, 0.0, 0.0, 0.0))
    made = reading.Reading(cast("Files", OneFile()), cast("ObjectStore", store), DriveMetrics(Metrics("drive")), 60)
    return [event async for event in made.events(VIEWER, uuid.uuid4(), 0, 0)]


async def test_a_stream_lives_through_failures(monkeypatch: pytest.MonkeyPatch) -> None:
    events = await events_of(Flaky(2, 4, 1), monkeypatch)
    assert b"".join(event.data for event in events) == CONTENT
    assert events[-1].completed == FILE


async def test_a_store_that_stays_away_before_the_first_byte_is_a_status(monkeypatch: pytest.MonkeyPatch) -> None:
    store = Flaky(1000)
    with pytest.raises(Unavailable):
        await events_of(store, monkeypatch)
    assert store.asked == 3


async def test_a_store_that_stays_away_later_is_the_last_event(monkeypatch: pytest.MonkeyPatch) -> None:
    store = Flaky(0, 1000)
    events = await events_of(store, monkeypatch)
    assert [event.WhichOneof("event") for event in events] == ["data"] * 4 + ["failed"]
    assert [event.seq for event in events] == [1, 2, 3, 4, 5]
    assert store.asked == 1 + 5

"""The cache against a real Valkey: scratch, whose every failure is a miss."""

import asyncio
import time
import uuid
from collections.abc import AsyncIterator

import pytest

from services.common import cache as cache_module
from services.common.cache import Cache
from tests.servers import RunningServer
from tests.waiting import until

pytestmark = pytest.mark.integration


@pytest.fixture
async def cache(valkey_url: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Cache]:
    monkeypatch.setattr(cache_module, "RETRY_SECONDS", 0.05)
    made = Cache(valkey_url)
    yield made
    await made.close()


def key() -> str:
    return f"test:{uuid.uuid4()}"


async def test_what_was_kept_comes_back(cache: Cache) -> None:
    where = key()
    assert await cache.get(where) is None
    await cache.set(where, b"\x00\xff", 60)
    assert await cache.get(where) == b"\x00\xff"
    await cache.set_json(where, {"a": [1, None]}, 60)
    assert await cache.get_json(where) == {"a": [1, None]}
    await cache.delete(where)
    assert await cache.get_json(where) is None


async def test_what_is_not_json_is_a_miss(cache: Cache) -> None:
    where = key()
    await cache.set(where, b"{", 60)
    assert await cache.get_json(where) is None


async def test_what_is_kept_ends(cache: Cache) -> None:
    where = key()
    await cache.set(where, b"x", 1)

    async def gone() -> bool:
        return await cache.get(where) is None

    await until(gone, 3)


async def test_a_counter_counts_and_ends(cache: Cache) -> None:
    where = key()
    assert [await cache.increment(where, 1) for _ in range(3)] == [1, 2, 3]

    async def gone() -> bool:
        return await cache.get(where) is None

    await until(gone, 3)


async def test_many_at_once_do_not_make_it_seem_away(cache: Cache) -> None:
    where = key()
    await cache.set(where, b"x", 60)
    found = await asyncio.gather(*(cache.get(where) for _ in range(500)))
    assert found.count(b"x") >= 64
    assert await cache.ping()


async def test_while_it_is_away_everything_is_a_miss_and_soon(cache: Cache, valkey: RunningServer) -> None:
    where = key()
    await cache.set(where, b"x", 60)
    valkey.kill()
    begun = time.monotonic()
    for _ in range(50):
        assert await cache.get(where) is None
        await cache.set(where, b"y", 60)
        assert await cache.increment(where, 60) is None
    assert time.monotonic() - begun < 2
    assert not await cache.ping()
    await valkey.start()
    await until(cache.ping, 3)


async def test_one_that_hangs_costs_a_moment(cache: Cache, valkey: RunningServer) -> None:
    assert await cache.ping()
    valkey.pause()
    begun = time.monotonic()
    assert await cache.get(key()) is None
    assert time.monotonic() - begun < 1.5
    valkey.resume()
    await until(cache.ping, 3)


async def test_without_an_address_nothing_is_kept() -> None:
    nowhere = Cache("")
    await nowhere.set("a", b"b", 60)
    assert await nowhere.get("a") is None
    assert not await nowhere.ping()
    await nowhere.close()

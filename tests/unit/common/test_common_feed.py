"""A feed hands on every event once, in order, without holes, whatever is lost, late or said twice."""

import asyncio
import json
import random
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import pytest

from services.common.bus import feed
from services.common.bus.feed import Batch, EventFeed
from services.common.errors import NotFound, Unavailable
from tests.waiting import until

pytestmark = pytest.mark.unit
PAGE = 3


class Message:
    def __init__(self, first: int, last: int, text: str = "") -> None:
        self.data = json.dumps([first, last, text]).encode()


class FakeBus:
    """Delivers what a test says; loses the rest."""

    def __init__(self) -> None:
        self.handler: Callable[[Any], Awaitable[None]] | None = None
        self.reconnected: list[Callable[[], Awaitable[None]]] = []
        self.away = False

    async def flush(self) -> None:
        """The server has seen everything."""

    async def subscribe(self, subject: str, handler: Any) -> "FakeBus":
        if self.away:
            raise ConnectionError
        self.handler = handler
        return self

    async def unsubscribe(self) -> None:
        self.handler = None

    def on_reconnect(self, callback: Callable[[], Awaitable[None]]) -> Callable[[], None]:
        self.reconnected.append(callback)
        return lambda: self.reconnected.remove(callback)

    async def say(self, message: Message) -> None:
        if self.handler is not None:
            await self.handler(message)


class World:
    """A ledger of numbered lines, a feed on it, and what the feed handed on."""

    def __init__(self, lines: int = 0, after: int = 0) -> None:
        self.ledger = lines
        self.bus = FakeBus()
        self.told: list[int | str] = []
        self.failures = 0
        self.reads = 0
        self.pause = asyncio.Event()
        self.pause.set()
        self.feed: EventFeed[int | str] = EventFeed(
            self.bus,  # type: ignore[arg-type]
            "subject",
            decode=self.decode,
            read=self.read,
            deliver=self.deliver,
            after=after,
        )

    def decode(self, data: bytes) -> Batch[int | str]:
        first, last, text = json.loads(data)
        return Batch(events=list(range(first, last + 1)) if last else [text], first=first, last=last)

    async def read(self, after: int) -> tuple[Batch[int | str], bool]:
        self.reads += 1
        await self.pause.wait()
        await asyncio.sleep(0)
        if self.failures:
            self.failures -= 1
            raise Unavailable("away")
        last = min(self.ledger, after + PAGE)
        return Batch(list(range(after + 1, last + 1)), after + 1 if last > after else 0, last), last < self.ledger

    def deliver(self, events: Sequence[int | str]) -> None:
        self.told.extend(events)

    @property
    def lines(self) -> list[int | str]:
        return [event for event in self.told if isinstance(event, int)]

    async def append(self, count: int = 1, *, heard: bool = True) -> Message:
        message = Message(self.ledger + 1, self.ledger + count)
        self.ledger += count
        if heard:
            await self.bus.say(message)
        return message


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feed, "RETRY_SECONDS", (0.001,))
    monkeypatch.setattr(feed, "SETTLE_SECONDS", 0.005)


async def test_the_ledger_first_then_live() -> None:
    world = World(lines=7, after=2)
    await world.feed.open()
    await world.append(2)
    assert world.told == [3, 4, 5, 6, 7, 8, 9]
    assert world.reads == 2
    await world.feed.close()


async def test_a_hole_is_filled_from_the_ledger() -> None:
    world = World()
    await world.feed.open()
    await world.append(heard=False)
    await world.append()
    await until(lambda: world.told == [1, 2])
    await world.feed.close()


async def test_what_is_said_twice_is_told_once() -> None:
    world = World()
    await world.feed.open()
    message = await world.append()
    await world.bus.say(message)
    assert world.told == [1]
    await world.feed.close()


async def test_previews_pass_beside_the_ledger_but_not_before_it() -> None:
    world = World(lines=1)
    world.pause.clear()
    opening = asyncio.create_task(world.feed.open())
    await until(lambda: world.reads == 1)
    await world.bus.say(Message(0, 0, "early"))
    world.pause.set()
    await opening
    await world.bus.say(Message(0, 0, "preview"))
    assert world.told == [1, "preview"]
    await world.feed.close()


async def test_what_comes_while_the_ledger_is_read_is_not_lost() -> None:
    world = World(lines=2)
    world.pause.clear()
    opening = asyncio.create_task(world.feed.open())
    await until(lambda: world.reads == 1)
    await world.append()
    world.pause.set()
    await opening
    await until(lambda: world.told == [1, 2, 3])
    await world.feed.close()


async def test_a_ledger_that_is_away_is_asked_again() -> None:
    world = World(lines=2)
    world.failures = 5
    await world.feed.open()
    assert world.told == [1, 2]
    await world.feed.close()


async def test_a_ledger_that_refuses_is_told_to_whoever_opens() -> None:
    world = World()

    async def refuse(_: int) -> tuple[Batch[int | str], bool]:
        raise NotFound("no such session")

    world.feed._read = refuse
    with pytest.raises(NotFound):
        await world.feed.open()
    await world.feed.close()


async def test_a_reconnect_reads_what_was_missed_now_and_a_moment_later() -> None:
    world = World()
    world.bus.away = True
    await world.feed.open()
    world.bus.away = False
    world.ledger = 2
    read = world.feed._read

    async def just_before_the_third(after: int) -> tuple[Batch[int | str], bool]:
        found = await read(after)
        world.ledger = 3
        return found

    world.feed._read = just_before_the_third
    await world.bus.reconnected[0]()
    await until(lambda: world.told == [1, 2, 3])
    await world.append()
    assert world.told == [1, 2, 3, 4]
    await world.feed.close()


async def test_after_its_end_a_feed_is_silent() -> None:
    world = World(lines=1)
    await world.feed.open()
    handler = world.bus.handler
    assert handler is not None
    await world.feed.close()
    await world.feed.close()
    assert world.bus.reconnected == []
    world.ledger = 5
    await handler(Message(4, 5))
    await asyncio.sleep(0)
    assert world.told == [1]


@pytest.mark.parametrize("seed", range(60))
async def test_whatever_is_lost_late_or_repeated(seed: int) -> None:
    chance = random.Random(seed)
    world = World(lines=chance.randrange(6))
    late: list[Message] = []
    await world.feed.open()
    for _ in range(60):
        what = chance.random()
        if what < 0.5:
            message = await world.append(chance.randrange(1, 4), heard=chance.random() < 0.7)
            if chance.random() < 0.5:
                late.append(message)
        elif what < 0.7 and late:
            await world.bus.say(chance.choice(late))
        elif what < 0.8:
            world.failures = chance.randrange(3)
        elif what < 0.85:
            await world.bus.reconnected[0]()
        else:
            await asyncio.sleep(0)
    await world.bus.reconnected[0]()
    await until(lambda: world.feed.position == world.ledger)
    await until(lambda: len(world.lines) >= world.ledger)
    assert world.lines == list(range(1, world.ledger + 1))
    await world.feed.close()

"""Turns: from a message sent over WebSocket to the bot's reply received."""

import asyncio
import time
from collections.abc import Callable, Iterator

from bench.speed.figures import Figure, middle, percentile
from bench.speed.talkers import Talker, connect
from bench.speed.workbench import Workbench

NAME = "bench-echo"
SCRIPT = 'again:\nHEAR x\nTALK "echo ${x}"\nGOTO again\n'
PEOPLE, OFFERED = 40, 100
WARM_SECONDS = 3.0
Texts = Callable[[], str]


async def figures(bench: Workbench, seconds: float) -> list[Figure]:
    """Latency at 100 turns a second, then as many turns as go."""
    await bench.publish(NAME, SCRIPT)
    crowd = await gather_people(bench, NAME, PEOPLE)
    await crowd.flood(WARM_SECONDS, lambda: "hello")
    steady = await crowd.offer(OFFERED, seconds, lambda: "hello")
    flood, lasted = await crowd.flood(seconds, lambda: "hello")
    crowd.close()
    return [
        Figure("turns", "p50 at 100/s", middle(steady) * 1000, "ms", aim=10, at_most=True),
        Figure("turns", "p99 at 100/s", percentile(steady, 0.99) * 1000, "ms"),
        Figure("turns", "answered at 100/s", len(steady) / seconds, "turns/s"),
        Figure("turns", "sustained", len(flood) / lasted, "turns/s", aim=400),
        Figure("turns", "p99 sustained", percentile(flood, 0.99) * 1000, "ms"),
    ]


class Crowd:
    """People with a session each."""

    def __init__(self) -> None:
        self.people: list[Talker] = []
        self._times: list[float] = []
        self._after: Callable[[Talker], None] = lambda _: None

    def heard(self, talker: Talker, seconds: float) -> None:
        """A reply came."""
        self._times.append(seconds)
        self._after(talker)

    def close(self) -> None:
        """All hang up."""
        for person in self.people:
            person.close()

    async def offer(self, rate: float, seconds: float, text: Texts) -> list[float]:
        """`rate` messages a second, whatever the replies do, each from somebody who is not waiting. Seconds."""
        self._times, self._after = [], lambda _: None
        began = time.perf_counter()
        turn = self._idle()
        for index in range(int(rate * seconds)):
            await asyncio.sleep(max(0.0, began + index / rate - time.perf_counter()))
            person = next(turn)
            if person is not None:
                person.say(text())
        await self._settle()
        return self._times

    def _idle(self) -> Iterator[Talker | None]:
        while True:
            before = 0
            for person in self.people:
                if not person.waiting:
                    before += 1
                    yield person
            if not before:
                yield None

    async def flood(self, seconds: float, text: Texts) -> tuple[list[float], float]:
        """Everybody answers every reply at once, for `seconds`; times and how long it lasted."""
        end = time.perf_counter() + seconds

        def again(talker: Talker) -> None:
            if time.perf_counter() < end:
                talker.say(text())

        self._times, self._after = [], again
        began = time.perf_counter()
        for person in self.people:
            person.say(text())
        await asyncio.sleep(seconds)
        await self._settle()
        return self._times, time.perf_counter() - began

    async def _settle(self) -> None:
        async with asyncio.timeout(30):
            while any(person.waiting for person in self.people):
                await asyncio.sleep(0.005)


async def gather_people(bench: Workbench, bot: str, count: int) -> Crowd:
    """A visitor, a session and a socket each."""
    crowd = Crowd()
    for _ in range(count):
        token = await bench.visitor(bot)
        session = await bench.session(bot, token)
        crowd.people.append(await connect(await bench.ticket(session, token), crowd.heard))
    return crowd

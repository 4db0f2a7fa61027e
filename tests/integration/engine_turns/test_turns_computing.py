"""A script that computes without end, and somebody else's conversation on the same worker."""

import asyncio
import dataclasses
import time

import pytest

from services.engine import computing
from services.engine.machine.machine import Budgets
from services.engine.releases import Releases
from tests.integration.engine_turns.world import Talk, TurnsWorld

pytestmark = pytest.mark.integration
ECHO = "DO\nHEAR word\nTALK word\nLOOP"
NESTED = "UCASE(LCASE(" * 15 + "text" + "))" * 15
ENDLESS = {
    "nodes": "DO\nTRY\nx = 1\nCATCH e\nEND TRY\nLOOP",
    "a hot loop": "DO\na = a + 1\nLOOP",
    "copies": 'row = SPLIT(STR_REPEAT("a,", 90000), ",")\nDO\nother = row\nLOOP',
    "functions": f'text = STR_REPEAT("ab", 200000)\nDO\nx = {NESTED}\nLOOP',
}
COMPUTES = 1.5


@pytest.fixture
def busy(world: TurnsWorld) -> TurnsWorld:
    """Scripts may compute for long."""
    releases = Releases(world.tools.releases._bots, Budgets(nodes=10**9, seconds=COMPUTES))
    return dataclasses.replace(world, tools=dataclasses.replace(world.tools, releases=releases))


async def talking(talk: Talk, text: str) -> float:
    """Seconds to an answer."""
    began = time.perf_counter()
    await talk.say(text)
    await talk.settle()
    return time.perf_counter() - began


async def beside(world: TurnsWorld, endless: str) -> list[float]:
    """How long somebody waits for each answer while such a script computes."""
    echo, other = Talk(world, await world.published(ECHO)), Talk(world, await world.published(f"HEAR go\n{endless}"))
    for talk in (echo, other):
        await talk.open()
        await talk.settle()
    await other.say("go")
    computing_task = asyncio.create_task(other.settle())
    waited = []
    while not computing_task.done():
        waited.append(await talking(echo, "hello"))
    assert "Something went wrong" in (await other.said())[0]
    return sorted(waited)


@pytest.mark.parametrize("kind", ENDLESS)
async def test_others_are_answered_meanwhile(busy: TurnsWorld, kind: str) -> None:
    waited = await beside(busy, ENDLESS[kind])
    assert len(waited) > 3
    assert waited[len(waited) // 2] < 0.7


async def test_in_the_loop_others_wait(busy: TurnsWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    """The safeguard off: the first moment lasts as long as the script computes."""
    monkeypatch.setattr(computing, "MOMENT", 0.0)
    assert (await beside(busy, ENDLESS["nodes"]))[-1] >= COMPUTES

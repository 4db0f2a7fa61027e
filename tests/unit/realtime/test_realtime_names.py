"""Names of bots: asked for once, bounded, and never in the way of a conversation."""

import asyncio
from typing import Any

import pytest
from parley.engine.v1 import bot_pb2
from parley.engine.v1 import bot_service_pb2 as pb

from gateway.realtime import names
from gateway.realtime.names import BotNames
from services.common import context
from services.common.errors import Unavailable
from services.common.security.principal import Principal

pytestmark = pytest.mark.unit
ONE = Principal("11111111-1111-4111-8111-111111111111", "visitors/a", frozenset({"visitor"}))
OTHER = Principal("22222222-2222-4222-8222-222222222222", "visitors/a", frozenset({"visitor"}))


class Engine:
    """Answers when `open` is set."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str]] = []
        self.open = asyncio.Event()
        self.open.set()
        self.away = False

    async def GetBot(self, request: pb.GetBotRequest, **options: Any) -> bot_pb2.Bot:
        assert options["timeout"] <= 1
        self.asked.append((context.principal().tenant_id, request.name))
        await self.open.wait()
        if self.away:
            raise Unavailable("the engine is away")
        return bot_pb2.Bot(name=request.name, display_name=f"{request.name} of {context.principal().tenant_id[:1]}")


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """What time it is: change the number."""
    now = [100.0]
    monkeypatch.setattr(names.time, "monotonic", lambda: now[0])
    return now


async def told(directory: BotNames, who: Principal = ONE, bot: str = "bots/hello") -> str:
    with context.acting_for(who):
        return await directory.of(bot)


async def test_many_at_once_make_one_question(clock: list[float]) -> None:
    engine = Engine()
    engine.open.clear()
    directory = BotNames(engine)  # type: ignore[arg-type]  # as much of the stub as is used
    asking = [asyncio.create_task(told(directory)) for _ in range(50)]
    await asyncio.sleep(0)
    asking[0].cancel()
    engine.open.set()
    answers = await asyncio.gather(*asking, return_exceptions=True)
    assert set(answers[1:]) == {"bots/hello of 1"}
    assert await told(directory) == "bots/hello of 1"
    assert len(engine.asked) == 1


async def test_a_tenant_is_not_told_the_names_of_another(clock: list[float]) -> None:
    directory = BotNames(Engine())  # type: ignore[arg-type]  # the same
    assert await told(directory, ONE) == "bots/hello of 1"
    assert await told(directory, OTHER) == "bots/hello of 2"


async def test_an_engine_that_is_away_costs_nobody_the_conversation(clock: list[float]) -> None:
    engine = Engine()
    engine.away = True
    directory = BotNames(engine)  # type: ignore[arg-type]  # the same
    assert await told(directory) == ""
    assert await told(directory) == ""
    assert len(engine.asked) == 1, "not asked again at once"
    engine.away = False
    clock[0] += names.AWAY_SECONDS + 1
    assert await told(directory) == "bots/hello of 1"
    engine.away = True
    clock[0] += names.KEPT_SECONDS + 1
    assert await told(directory) == "bots/hello of 1", "the last name that was known"
    assert len(engine.asked) == 3


async def test_no_more_names_are_kept_than_the_bound(clock: list[float], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(names, "MOST", 3)
    engine = Engine()
    directory = BotNames(engine)  # type: ignore[arg-type]  # the same
    for number in range(5):
        await told(directory, bot=f"bots/{number}")
    await told(directory, bot="bots/4")
    assert len(engine.asked) == 5
    await told(directory, bot="bots/0")
    assert len(engine.asked) == 6

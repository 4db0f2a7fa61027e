"""A package outside this repository adds keywords: they parse in all their forms, are performed and explained."""

from collections.abc import Iterator
from importlib.metadata import EntryPoint, EntryPoints

import pytest

from services.engine.basic.compiler import compile_basic
from services.engine.effects import Effects, Setting
from services.engine.keywords import registry as registries
from services.engine.keywords.keyword import Arguments, Effect, Keyword, function
from services.engine.keywords.world import World
from services.engine.machine import machine as m
from services.engine.machine.state import MachineState
from services.engine.program.values import Value, text_of
from tests.unit.engine.scripts import play

pytestmark = pytest.mark.unit


async def ring(world: World, arguments: Arguments) -> Value:
    """Rings, and says for whom."""
    return f"{world.bot} rang {text_of(arguments['who'])}"


RING_BELL = Keyword(
    name="RING BELL",
    group="bells",
    summary="Rings a bell.",
    forms=("RING BELL <who> [FOR <seconds:number>]",),
    effect=Effect.WRITE,
    example='RING BELL "Ana" FOR 3',
    permission="bells.ring",
    perform=ring,
)
LOUDLY = function("LOUDLY", "<text>", "Says it loudly.", 'LOUDLY("a")', lambda _, text: text_of(text).upper(), "bells")


@pytest.fixture(autouse=True)
def installed(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Two keywords of a package that is installed beside ours, and something that is none."""
    found = EntryPoints(
        EntryPoint(name, f"{__name__}:{name}", registries.ENTRY_POINTS) for name in ("RING_BELL", "LOUDLY", "ring")
    )
    monkeypatch.setattr(registries, "entry_points", lambda group: found.select(group=group))
    registries.registry.cache_clear()
    yield
    monkeypatch.undo()
    registries.registry.cache_clear()


def test_they_parse_and_run() -> None:
    played = play('x = RING BELL "Ana" FOR 3\nTALK LOUDLY x', performer=lambda _: m.EffectResult("rang"))
    assert [(item.keyword, item.arguments) for item in played.effects] == [("RING BELL", {"who": "Ana", "seconds": 3})]
    assert played.said == ["RANG"]


def test_a_mistake_in_them_is_explained_by_their_form() -> None:
    found = compile_basic('RING BELL "Ana" WITH 3', "a.bas").diagnostics
    assert [(item.code, item.suggestion) for item in found] == [("BAS121", "write RING BELL who [FOR seconds]")]
    assert "RING BELL" in compile_basic('RING BEL "Ana"', "a.bas").diagnostics[0].suggestion


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        ({}, "bots/b rang Ana"),
        ({"keyword-permissions": "bells.*"}, "bots/b rang Ana"),
        ({"keyword-permissions": "mail.send"}, None),
    ],
)
async def test_they_are_performed_where_the_bot_may(config: dict[str, str], expected: str | None) -> None:
    from parley.session.v1 import ledger_service_pb2 as ledger_pb

    turn = ledger_pb.Turn(bot="bots/b")
    wanted = m.PerformEffect("RING BELL", {"who": "Ana"}, "key")
    result = await Effects({}).perform(Setting(turn, MachineState(), config), wanted)
    assert getattr(result, "value", None) == expected
    if expected is None:
        assert "permission bells.ring" in str(getattr(result, "message", ""))

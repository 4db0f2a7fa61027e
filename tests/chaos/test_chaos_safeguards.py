"""The checker is worth something: each safeguard of the ledger is taken away once, and the same run fails."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from bench.chaos.run import Ordeal, arena, undergo
from cli.stack.stack import Stack
from tests.chaos.sabotage import without_deduplication, without_fencing, without_outbox

pytestmark = pytest.mark.chaos

LONG_TURNS = 6_000
WORKERS = frozenset({"engine", "engine-2"})
NATS = frozenset({"nats"})
EVERYBODY = WORKERS | {"session", "envoy", "realtime", "nats"}
MENDING, LOSING = 30.0, 8.0
GOOD = {"lost": 0, "duplicated": 0, "misordered": 0, "overlapped": 0}


@pytest.fixture(scope="module")
async def stack() -> AsyncIterator[Stack]:
    async with arena() as made:
        yield made


def ambushes(finish: float) -> Ordeal:
    """Workers are paused amid turns that last some ten milliseconds, until another has ended them."""
    return Ordeal(5, 12, 18, finish=finish, work=LONG_TURNS, prey=WORKERS, pauses=1.0)


def kills(prey: frozenset[str], finish: float = MENDING) -> Ordeal:
    """`finish`: LOSING when what is missing never comes."""
    return Ordeal(5, 12, 18, finish=finish, prey=prey, pauses=0.0)


def broken(result: dict[str, Any]) -> dict[str, int]:
    """Broken promises, by kind."""
    return {name: result[name] for name in GOOD}


async def test_with_all_safeguards_nothing_is_broken(stack: Stack) -> None:
    result = await undergo(stack, Ordeal(5, 12, 18, finish=MENDING, work=LONG_TURNS, prey=EVERYBODY))
    assert result["messages"] > 50
    assert sum(result["kills"].values()) >= 5
    assert broken(result) == GOOD


async def test_paused_workers_are_fenced(stack: Stack) -> None:
    result = await undergo(stack, ambushes(MENDING))
    assert result["ambushes"] > 0
    assert broken(result) == GOOD


async def test_fencing_is_needed(stack: Stack) -> None:
    async with without_fencing(stack):
        result = await undergo(stack, ambushes(LOSING))
    assert result["ambushes"] > 0
    assert result["duplicated"] + result["misordered"] + result["overlapped"] > 0


async def test_deduplication_is_needed(stack: Stack) -> None:
    async with without_deduplication(stack):
        result = await undergo(stack, kills(EVERYBODY, LOSING))
    assert result["duplicated"] > 0


async def test_without_nats_for_a_while_nothing_is_lost(stack: Stack) -> None:
    result = await undergo(stack, kills(NATS))
    assert result["kills"]["nats"] >= 5
    assert broken(result) == GOOD


async def test_the_outbox_is_needed(stack: Stack) -> None:
    async with without_outbox(stack):
        result = await undergo(stack, kills(NATS, LOSING))
    assert result["lost"] > 0

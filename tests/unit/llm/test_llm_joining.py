"""Pieces that come faster than people read."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from parley.llm.v1 import llm_service_pb2 as pb

from services.common.errors import Unavailable
from services.llm.domain.joining import MOST_HELD, joined
from services.llm.domain.port import Piece

pytestmark = pytest.mark.unit

DONE = pb.CompleteResponse(text="all")


async def pieces(texts: list[str], failure: Exception | None = None) -> AsyncIterator[Piece]:
    for text in texts:
        yield text
    if failure is not None:
        raise failure
    yield DONE


@given(st.lists(st.text(min_size=1)), st.sampled_from([0.0, 60.0]))
async def test_nothing_is_lost_and_the_end_is_last(texts: list[str], seconds: float) -> None:
    found = [piece async for piece in joined(pieces(texts), seconds)]
    assert found[-1] is DONE
    assert "".join(piece for piece in found if isinstance(piece, str)) == "".join(texts)


async def test_the_first_comes_at_once_and_the_rest_together() -> None:
    assert [piece async for piece in joined(pieces(["a", "b", "c"]), 60.0)] == ["a", "bc", DONE]
    assert [piece async for piece in joined(pieces(["a", "b", "c"]), 0.0)] == ["a", "b", "c", DONE]


async def test_what_was_held_comes_before_an_error() -> None:
    found: list[Piece] = []

    async def take() -> None:
        async for piece in joined(pieces(["a", "b", "c"], Unavailable("cut")), 60.0):
            found.append(piece)  # noqa: PERF401 - what came before the error counts

    with pytest.raises(Unavailable):
        await take()
    assert found == ["a", "bc"]


def reading() -> set[asyncio.Task[Any]]:
    """Tasks that read a model; others may run beside this test."""
    return {task for task in asyncio.all_tasks() if getattr(task.get_coro(), "__qualname__", "") == "Held.read"}


async def stalling(texts: list[str], closed: asyncio.Event) -> AsyncIterator[Piece]:
    """Quick pieces, then silence."""
    try:
        for text in texts:
            yield text
        await asyncio.Event().wait()
    finally:
        closed.set()


async def test_what_is_held_is_told_when_the_model_pauses() -> None:
    async with asyncio.timeout(5):
        async with contextlib.aclosing(joined(stalling(["a", "b", "c"], asyncio.Event()), 0.02)) as told:
            assert [await anext(told), await anext(told)] == ["a", "bc"]


async def test_whoever_stops_leaves_no_task_and_closes_the_model() -> None:
    closed = asyncio.Event()
    async with contextlib.aclosing(joined(stalling(["a", "b"], closed), 0.01)) as told:
        assert [await anext(told), await anext(told)] == ["a", "b"]
    assert closed.is_set()
    assert not reading()


async def test_cancelling_whoever_waits_reaches_the_model() -> None:
    closed, reached = asyncio.Event(), asyncio.Event()

    async def take() -> None:
        async for _ in joined(stalling(["a", "b"], closed), 0.01):
            reached.set()

    taking = asyncio.create_task(take())
    async with asyncio.timeout(5):
        await reached.wait()
        taking.cancel()
        await asyncio.wait({taking})
        await closed.wait()
    assert not reading()


async def test_pieces_make_no_tasks_and_wait_for_a_slow_reader() -> None:
    sent = 0

    async def flood() -> AsyncIterator[Piece]:
        nonlocal sent
        for _ in range(MOST_HELD * 3 // 8):
            sent += 8
            yield "x" * 8
            await asyncio.sleep(0)
        yield DONE

    made: set[asyncio.Task[Any]] = set()
    most = 0
    total = 0
    async with contextlib.aclosing(joined(flood(), 0.001)) as told:
        async for piece in told:
            made |= reading()
            total += len(piece) if isinstance(piece, str) else 0
            before = -1
            while sent != before:  # until nothing more is read ahead
                before = sent
                for _ in range(3):
                    await asyncio.sleep(0)
            most = max(most, sent - total)
    assert total == sent
    assert most == MOST_HELD
    assert len(made) == 1

"""Pieces that come faster than people read."""

from collections.abc import AsyncIterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from parley.llm.v1 import llm_service_pb2 as pb

from services.common.errors import Unavailable
from services.llm.domain.joining import joined
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

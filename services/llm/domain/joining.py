"""Pieces that come faster than people read are joined: every one of them costs four processes a message."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator

from services.common.errors import ParleyError
from services.llm.domain.port import Piece


async def joined(pieces: AsyncIterator[Piece], seconds: float) -> AsyncGenerator[Piece, None]:
    """The same pieces; texts that follow a text within `seconds` are held until the next that does not, the end, or an
    error, which comes after what was held. `pieces` ends with what is no text."""
    clock = asyncio.get_running_loop().time
    told, held = clock() - seconds, ""
    try:
        async for piece in pieces:
            if isinstance(piece, str):
                held += piece
                if clock() - told < seconds:
                    continue
                told = clock()
            if held:
                text, held = held, ""
                yield text
            if not isinstance(piece, str):
                yield piece
    except ParleyError:
        if held:
            yield held
        raise

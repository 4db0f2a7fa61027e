"""Pieces that come faster than people read are joined: every one of them costs four processes a message."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator

from services.llm.domain.port import Piece

MOST_HELD = 65_536


async def joined(pieces: AsyncIterator[Piece], seconds: float) -> AsyncGenerator[Piece, None]:
    """The same pieces; the first at once, texts that follow joined: each is told at the latest `seconds` after the one
    before was, or at the end, or before an error. `pieces` ends with what is no text.
    """
    clock = asyncio.get_running_loop().time
    async for piece in pieces:
        told = clock()
        yield piece
        if seconds > 0:
            break
    else:
        return
    held = Held(pieces)
    reader = asyncio.create_task(held.read())
    try:
        while await held.waits(reader, told + seconds):
            told = clock()
            yield held.take()
        await reader
        if held.last is not None:
            yield held.last
    finally:
        await ended(reader)


class Held:
    """What came and was not told yet. One task a stream reads; nothing is made for a piece."""

    def __init__(self, pieces: AsyncIterator[Piece]) -> None:
        self._pieces = pieces
        self._texts: list[str] = []
        self._characters = 0
        self._ended = False
        self._some = asyncio.Event()
        self._room = asyncio.Event()
        self.last: Piece | None = None

    async def read(self) -> None:
        """To the end; waits while MOST_HELD characters are held. ParleyError."""
        try:
            async for piece in self._pieces:
                if not isinstance(piece, str):
                    self.last = piece
                    continue
                self._texts.append(piece)
                self._characters += len(piece)
                self._some.set()
                if self._characters >= MOST_HELD:
                    self._room.clear()
                    await self._room.wait()
        finally:
            self._ended = True
            self._some.set()

    async def waits(self, reader: "asyncio.Task[None]", until: float) -> bool:
        """Whether there is text to tell, when it is time to; False at the end."""
        await self._some.wait()
        left = until - asyncio.get_running_loop().time()
        if left > 0 and not self._ended and self._characters < MOST_HELD:
            await asyncio.wait({reader}, timeout=left)
        return bool(self._texts)

    def take(self) -> str:
        """All of it."""
        text = "".join(self._texts)
        self._texts.clear()
        self._characters = 0
        if not self._ended:
            self._some.clear()
        self._room.set()
        return text


async def ended(reader: "asyncio.Task[None]") -> None:
    """Nothing reads on, and what it was reading can be closed."""
    reader.cancel()
    await asyncio.wait({reader})
    if not reader.cancelled():
        reader.exception()  # told already, or nobody is there to be told

"""Reads that are under way at once share a statement: the busier, the more of them.

What is asked goes into a statement that begins afterwards, so whoever asks sees all that was committed before.
"""

import asyncio
import contextvars
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")
LARGEST = 64
PAUSE_SECONDS = 0.002
Read = Callable[[str, Sequence[K]], Awaitable[Mapping[K, V]]]
Waiting = list[asyncio.Future[V | None]]


class Gathering(Generic[K, V]):
    """`read(tenant, keys)` gives what there is of the keys; get() gives one of it, which others have too: read only."""

    def __init__(self, read: Read[K, V]) -> None:
        self._read = read
        self._asked: dict[tuple[str, K], Waiting[V]] = {}
        self._running: asyncio.Task[None] | None = None

    async def get(self, tenant: str, key: K) -> V | None:
        """The value, None when there is none. What read() raises; the server ends whoever waits past a deadline."""
        future: asyncio.Future[V | None] = asyncio.get_running_loop().create_future()
        self._asked.setdefault((tenant, key), []).append(future)
        if self._running is None:
            # Not in the context of whoever asks first: its deadline is not the others'.
            self._running = asyncio.get_running_loop().create_task(self._work(), context=contextvars.Context())
        return await future

    async def _work(self) -> None:
        try:
            while self._asked:
                if await self._statement(*self._take()) > 1:
                    await asyncio.sleep(PAUSE_SECONDS)
        finally:
            self._running = None

    def _take(self) -> tuple[str, dict[K, Waiting[V]]]:
        """The oldest key and what else its tenant asked for."""
        tenant = next(iter(self._asked))[0]
        keys = [item for item in self._asked if item[0] == tenant][:LARGEST]
        return tenant, {item[1]: self._asked.pop(item) for item in keys}

    async def _statement(self, tenant: str, asked: dict[K, Waiting[V]]) -> int:
        found: Mapping[K, V] = {}
        failure: Exception | None = None
        try:
            found = await self._read(tenant, list(asked))
        except Exception as error:  # noqa: BLE001 - whoever asked gets it
            failure = error
        for key, waiting in asked.items():
            for future in waiting:
                if future.done():
                    continue
                if failure is not None:
                    future.set_exception(failure)
                else:
                    future.set_result(found.get(key))
        return sum(map(len, asked.values()))

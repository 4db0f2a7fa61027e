"""Reads that are under way at once share a statement: the busier, the more of them.

What is asked goes into a statement that begins afterwards, so whoever asks sees all that was committed before.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Generic, TypeVar

from services.common import context
from services.common.errors import DeadlineExceeded

K = TypeVar("K")
V = TypeVar("V")
LARGEST = 64
AT_ONCE = 2
PATIENCE_SECONDS = 30.0
Read = Callable[[str, Sequence[K]], Awaitable[Mapping[K, V]]]


class Gathering(Generic[K, V]):
    """`read(tenant, keys)` gives what there is of the keys; get() gives one of it."""

    def __init__(self, read: Read[K, V]) -> None:
        self._read = read
        self._asked: dict[tuple[str, K], asyncio.Future[V | None]] = {}
        self._running: set[asyncio.Task[None]] = set()

    async def get(self, tenant: str, key: K) -> V | None:
        """The value, None when there is none. What read() raises; DeadlineExceeded."""
        future = self._asked.get((tenant, key))
        if future is None:
            future = self._asked[tenant, key] = asyncio.get_running_loop().create_future()
            self._begin()
        call = context.current_or_none()
        left = call.remaining() if call is not None else None
        try:
            return await asyncio.wait_for(asyncio.shield(future), PATIENCE_SECONDS if left is None else left)
        except TimeoutError:
            raise DeadlineExceeded("the database took too long; try again") from None

    def _begin(self) -> None:
        while self._asked and len(self._running) < AT_ONCE:
            task = asyncio.create_task(self._statement(*self._take()))
            self._running.add(task)
            task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._running.discard(task)
        self._begin()

    def _take(self) -> tuple[str, dict[K, asyncio.Future[V | None]]]:
        """The oldest key and what else its tenant asked for."""
        tenant = next(iter(self._asked))[0]
        keys = [item for item in self._asked if item[0] == tenant][:LARGEST]
        return tenant, {item[1]: self._asked.pop(item) for item in keys}

    async def _statement(self, tenant: str, asked: dict[K, asyncio.Future[V | None]]) -> None:
        try:
            found = await self._read(tenant, list(asked))
        except Exception as error:  # noqa: BLE001 - whoever asked gets it
            for future in asked.values():
                future.set_exception(error)
                future.exception()  # somebody who left meanwhile does not look at it
            return
        for key, future in asked.items():
            future.set_result(found.get(key))

"""How much of the web one tenant may ask.

Counted in Valkey, so that all replicas count together. While it is away every replica counts alone: the limit then
holds for each of them.
"""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable

from services.common.cache import Cache
from services.engine.program.values import ProgramError

WINDOW_SECONDS = 60


class Limits:
    """`per_minute` requests, `at_once` of them under way in this process."""

    def __init__(
        self, cache: Cache, *, per_minute: int, at_once: int, what: str = "web", now: Callable[[], float] = time.time
    ) -> None:
        self._cache = cache
        self._per_minute = per_minute
        self._at_once = at_once
        self._what = what
        self._now = now
        self._window = 0
        self._counts: dict[str, int] = {}
        self._places: dict[str, tuple[asyncio.Semaphore, int]] = {}

    async def admit(self, tenant: str, number: int = 1) -> None:
        """Count requests. ProgramError when the minute's are used up."""
        window = int(self._now()) // WINDOW_SECONDS
        if await self._count(tenant, window, number) > self._per_minute:
            message = f"more than {self._per_minute} requests within a minute: wait a little, then go on"
            raise ProgramError(message)

    async def _count(self, tenant: str, window: int, number: int) -> int:
        if window != self._window:
            self._window, self._counts = window, {}
        self._counts[tenant] = alone = self._counts.get(tenant, 0) + number
        together = None
        for _ in range(number):
            together = await self._cache.increment(f"{self._what}:{tenant}:{window}", 2 * WINDOW_SECONDS)
        return alone if together is None else together

    @contextlib.asynccontextmanager
    async def place(self, tenant: str) -> AsyncIterator[None]:
        """One of the places of a tenant, however long that takes: what asks has a time limit."""
        places, users = self._places.get(tenant, (asyncio.Semaphore(self._at_once), 0))
        self._places[tenant] = (places, users + 1)
        try:
            async with places:
                yield
        finally:
            places, users = self._places[tenant]
            if users > 1:
                self._places[tenant] = (places, users - 1)
            else:
                del self._places[tenant]

"""Waiting on conditions instead of sleeping."""

import asyncio
import inspect
from collections.abc import Awaitable, Callable

LOOK_SECONDS = 0.005


async def until(condition: Callable[[], bool | Awaitable[bool]], seconds: float = 45.0) -> None:
    """Return when the condition (a function or a coroutine function) holds. TimeoutError."""
    async with asyncio.timeout(seconds):
        while True:
            answer = condition()
            if await answer if inspect.isawaitable(answer) else answer:
                return
            await asyncio.sleep(LOOK_SECONDS)

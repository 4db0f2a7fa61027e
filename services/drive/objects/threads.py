"""A bounded number of threads for a blocking library, and a bounded wait for one of them."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, TypeVar

from services.common import context

P = ParamSpec("P")
R = TypeVar("R")


class Threads:
    """run() waits for a thread and for its result; who gives up waiting does not free the thread before it ends."""

    def __init__(self, count: int, seconds: float, name: str) -> None:
        self._executor = ThreadPoolExecutor(max_workers=count, thread_name_prefix=name)
        self._free = asyncio.Semaphore(count)
        self._seconds = seconds

    async def run(self, work: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        """What `work` gives. TimeoutError after the time it may take, or the call being served may."""
        loop = asyncio.get_running_loop()
        async with asyncio.timeout(self.patience()):
            await self._free.acquire()
            future = loop.run_in_executor(self._executor, lambda: work(*args, **kwargs))
            future.add_done_callback(self._ended)
            return await asyncio.shield(future)

    def patience(self) -> float:
        """Seconds to wait."""
        call = context.current_or_none()
        left = call.remaining() if call is not None else None
        return self._seconds if left is None else max(0.001, min(left, self._seconds))

    def _ended(self, future: asyncio.Future[R]) -> None:
        self._free.release()
        if not future.cancelled():
            future.exception()  # whoever waited has it; when nobody waits any more it is of no interest

    async def close(self) -> None:
        """Nothing new; those at work end by themselves, their sockets have timeouts."""
        self._executor.shutdown(wait=False, cancel_futures=True)

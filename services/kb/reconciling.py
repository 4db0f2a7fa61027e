"""The index is compared with PostgreSQL: what is missing is put in, what is void is taken out."""

import asyncio
import contextlib
import time
import uuid
from collections.abc import Sequence

import numpy as np

from services.common.errors import ParleyError, Unavailable
from services.common.telemetry.logs import logger
from services.kb.config import KbSettings
from services.kb.importing import searched_words
from services.kb.store.imports import Imports
from services.kb.vectors.port import Point, Scope, VectorIndex

log = logger(__name__)
RETRY_SECONDS = 1.0


class Reconciler:
    """Not ready until the first comparison is done: half an index would say that documents are silent."""

    def __init__(self, settings: KbSettings, imports: Imports, index: VectorIndex, model: str) -> None:
        self._settings = settings
        self._model = model
        self._imports = imports
        self._index = index
        self._open = False
        self.done = asyncio.Event()

    async def check(self) -> None:
        """Unavailable until searches see everything."""
        if not self.done.is_set() or self._index.broken.is_set():
            raise Unavailable("the index is being made; try again", retry_after=RETRY_SECONDS)

    async def run(self) -> None:
        """For ever."""
        while True:
            try:
                if not self._open or self._index.broken.is_set():
                    self.done.clear()
                    await self._index.open()
                    self._open = True
                await self.once()
            except (ParleyError, TimeoutError) as error:
                log.warning("index not compared", error=type(error).__name__, why=str(error))
                await asyncio.sleep(RETRY_SECONDS)
            else:
                self.done.set()
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._index.broken.wait(), self._settings.kb_reconcile_seconds)

    async def once(self) -> tuple[int, int]:
        """How many points were put in and taken out."""
        standing = await self._imports.standing(self._model)
        present = await self._index.everything()
        missing = [
            item for item, meant in standing.live.items() if item not in present or (meant and not present[item].meant)
        ]
        async for rows in self._imports.points(missing, self._model):
            points = await asyncio.to_thread(points_of, rows)
            await self._index.upsert(points)
        oldest = time.time() - self._settings.kb_orphan_seconds
        wanted = standing.live.keys() | standing.coming
        void = [item for item, kept in present.items() if item not in wanted and kept.written <= oldest]
        await self._index.remove(void)
        if missing or void:
            log.info("index compared", put_in=len(missing), taken_out=len(void))
        return len(missing), len(void)


def points_of(rows: Sequence[dict[str, object]]) -> list[Point]:
    """A portion; stemming takes time, so this runs in a thread."""
    return [point_of(row) for row in rows]


def point_of(row: dict[str, object]) -> Point:
    """A kept chunk as a point."""
    kept = row["vector"]
    vector = np.frombuffer(kept, dtype="<f4") if isinstance(kept, bytes) else None
    words = searched_words(str(row["title"]), str(row["heading"]), str(row["body"]))
    return Point(
        id=uuid.UUID(str(row["id"])),
        scope=Scope(str(row["tenant_id"]), str(row["bot"])),
        collection=str(row["collection"]),
        document=uuid.UUID(str(row["document_id"])),
        revision=int(str(row["revision"])),
        dense=vector,
        words=words,
        written=int(str(row["written"])),
    )

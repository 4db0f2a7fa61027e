"""The sweeper: what a dead process, a client that never came back, or a replaced file left behind is removed."""

import asyncio
import random

from services.common.errors import ParleyError
from services.common.telemetry.logs import logger
from services.drive.config import DriveSettings
from services.drive.metrics import DriveMetrics
from services.drive.objects.port import ObjectStore
from services.drive.store.garbage import Garbage

log = logger(__name__)
AT_ONCE = 500


class Sweeper:
    """One of all processes sweeps at a time; to remove an object twice does no harm."""

    def __init__(self, settings: DriveSettings, garbage: Garbage, objects: ObjectStore, metrics: DriveMetrics) -> None:
        self._settings = settings
        self._garbage = garbage
        self._objects = objects
        self._metrics = metrics

    async def run(self) -> None:
        """For ever. While PostgreSQL or the store is away it looks again later."""
        while True:
            try:
                async with self._garbage.leading() as leads:
                    if leads:
                        await self.once()
            except (ParleyError, TimeoutError) as error:
                log.debug("sweep postponed", error=type(error).__name__)
            await asyncio.sleep(self._settings.drive_sweep_seconds * random.uniform(0.8, 1.2))  # noqa: S311

    async def once(self) -> None:
        """Everything that is due now."""
        while (expired := await self._garbage.expire(AT_ONCE)) > 0:
            self._metrics.expired.inc(expired)
        while await self._remove() > 0:
            pass

    async def _remove(self) -> int:
        """Remove some objects; how many are gone now. Unavailable."""
        await self._objects.check()
        taken = await self._garbage.take(AT_ONCE, self._settings.drive_lease_seconds)
        if not taken:
            return 0
        gone = set(await self._objects.remove([item.key for item in taken]))
        removed = [item.id for item in taken if item.key in gone]
        await self._garbage.forget(removed)
        self._metrics.removed.inc(len(removed))
        log.info("objects removed", count=len(removed), left=len(taken) - len(removed))
        return len(removed)

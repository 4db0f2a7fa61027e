"""Machines of the versions in use, loaded once; versions never change, so they never grow old."""

import asyncio
import datetime
import time
from collections import OrderedDict

from services.common.errors import NotFound
from services.common.telemetry.logs import logger
from services.engine.machine.machine import Budgets, Machine
from services.engine.machine.migrating import MIGRATES, Correspondence, migrated
from services.engine.machine.outcomes import Clock
from services.engine.machine.state import MachineState
from services.engine.schedule.when import zone_of
from services.engine.store import Bots, Release
from services.engine.tools.asking import asking

log = logger(__name__)
TIMEZONE = "timezone"
MACHINES = 256
LIVE_SECONDS = 2.0


class Releases:
    """Finds the machine of a version, and which version is live."""

    def __init__(self, bots: Bots, budgets: Budgets) -> None:
        self._bots = bots
        self._budgets = budgets
        self._machines: OrderedDict[tuple[str, str], tuple[Machine, Release]] = OrderedDict()
        self._moves: OrderedDict[tuple[str, str, str], dict[str, Correspondence]] = OrderedDict()
        self._live: dict[tuple[str, str], tuple[float, tuple[str, str]]] = {}

    async def live(self, tenant: str, bot: str) -> str:
        """The live version of a bot, at most two seconds old; empty when nothing was published. NotFound."""
        return (await self._current(tenant, bot))[0]

    async def _current(self, tenant: str, bot: str) -> tuple[str, str]:
        """The live version, and the one that running conversations are moved to."""
        found = self._live.get((tenant, bot))
        if found and found[0] > time.monotonic():
            return found[1]
        known = await self._bots.get(tenant, bot.removeprefix("bots/"))
        versions = (known.live_version, known.migrate_version)
        if len(self._live) > MACHINES * 16:
            self._live.clear()
        self._live[tenant, bot] = (time.monotonic() + LIVE_SECONDS, versions)
        return versions

    async def moved(self, tenant: str, bot: str, version: str, state: MachineState) -> tuple[str, MachineState]:
        """The version a waiting conversation goes on under, and its state there: a later one when its bot was published
        to move running conversations, and still has the place where this one waits. NotFound."""
        if state.waiting not in MIGRATES:
            return version, state
        target = (await self._current(tenant, bot))[1]
        if not target or number_of(target) <= number_of(version):
            return version, state
        (_, before), (_, after) = await self.machine(tenant, version), await self.machine(tenant, target)
        known = self._moves.setdefault((tenant, version, target), {})
        if len(self._moves) > MACHINES:
            self._moves.popitem(last=False)
        found = await asyncio.to_thread(migrated, state, before.programs, after.programs, known)
        log.info("conversation moved" if found else "conversation stays", version=version, target=target)
        return (version, state) if found is None else (target, found)

    async def current(self, tenant: str, bot: str) -> Release:
        """What the live version of a bot is. NotFound, also when nothing of it was published."""
        version = await self.live(tenant, bot)
        if not version:
            message = f"nothing of {bot} was published"
            raise NotFound(message)
        return (await self.machine(tenant, version))[1]

    async def machine(self, tenant: str, version: str) -> tuple[Machine, Release]:
        """The machine of "bots/{bot}/versions/{n}". NotFound."""
        key = (tenant, version)
        found = self._machines.get(key)
        if found is None:
            _, bot, _, number = version.split("/")
            release = await self._bots.release(tenant, bot, int(number))
            found = (
                Machine({**release.programs, **asking(release.programs)}, self._budgets, clock_of(release)),
                release,
            )
            self._machines[key] = found
            if len(self._machines) > MACHINES:
                self._machines.popitem(last=False)
        else:
            self._machines.move_to_end(key)
        return found


def clock_of(release: Release) -> Clock:
    """A clock in the zone of the bot's configuration; in UTC when it names none that there is."""
    try:
        zone = zone_of(release.config.get(TIMEZONE, ""))
    except ValueError:
        zone = zone_of("")
    return lambda: datetime.datetime.now(zone)


def number_of(version: str) -> int:
    """The number in "bots/{bot}/versions/{n}"."""
    return int(version.rpartition("/")[2])

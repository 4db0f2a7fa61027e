"""Machines of the versions in use, loaded once; versions never change, so they never grow old."""

import datetime
import time
from collections import OrderedDict

from services.engine.machine.machine import Budgets, Machine
from services.engine.machine.outcomes import Clock
from services.engine.schedule.when import zone_of
from services.engine.store import Bots, Release

TIMEZONE = "timezone"
MACHINES = 256
LIVE_SECONDS = 2.0


class Releases:
    """Finds the machine of a version, and which version is live."""

    def __init__(self, bots: Bots, budgets: Budgets) -> None:
        self._bots = bots
        self._budgets = budgets
        self._machines: OrderedDict[tuple[str, str], tuple[Machine, Release]] = OrderedDict()
        self._live: dict[tuple[str, str], tuple[float, str]] = {}

    async def live(self, tenant: str, bot: str) -> str:
        """The live version of a bot, at most two seconds old; empty when nothing was published. NotFound."""
        found = self._live.get((tenant, bot))
        if found and found[0] > time.monotonic():
            return found[1]
        version = (await self._bots.get(tenant, bot.removeprefix("bots/"))).live_version
        if len(self._live) > MACHINES * 16:
            self._live.clear()
        self._live[tenant, bot] = (time.monotonic() + LIVE_SECONDS, version)
        return version

    async def machine(self, tenant: str, version: str) -> tuple[Machine, Release]:
        """The machine of "bots/{bot}/versions/{n}". NotFound."""
        key = (tenant, version)
        found = self._machines.get(key)
        if found is None:
            _, bot, _, number = version.split("/")
            release = await self._bots.release(tenant, bot, int(number))
            found = (Machine(release.programs, self._budgets, clock_of(release)), release)
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

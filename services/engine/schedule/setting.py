"""Schedules that scripts set while they run."""

import datetime
import json
import uuid
from collections.abc import Mapping

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.common.db.engine import Database
from services.common.identifiers import derived_id
from services.engine.keywords.world import World
from services.engine.program.values import ProgramError, Value
from services.engine.schedule import when
from services.engine.schedule.declarations import stem, timing_of

MOST = 1000
LARGEST_VARIABLES = 262_144
HAS_SCRIPT = text("""SELECT v.programs -> CAST(:script AS text) IS NOT NULL FROM engine.bots b
JOIN engine.bot_versions v ON v.tenant_id = b.tenant_id AND v.bot_id = b.id AND v.version = b.live_version
WHERE b.tenant_id = :tenant AND b.id = :bot""")
COUNT = text("""SELECT count(*) FROM engine.schedules
WHERE tenant_id = :tenant AND bot_id = :bot AND NOT declared AND id <> :id""")
# What a script sets again as it was goes on as it was.
PUT = text("""INSERT INTO engine.schedules AS s
(tenant_id, bot_id, id, script, entry, bot_version, rule, zone, declared, variables, misfire, grace_seconds, next_at)
VALUES (:tenant, :bot, :id, :script, :entry, :version, :rule, :zone, false, CAST(:variables AS json), :misfire, :grace,
        :next)
ON CONFLICT (tenant_id, bot_id, id) DO UPDATE SET rule = excluded.rule, zone = excluded.zone,
    next_at = excluded.next_at, updated_at = now()
WHERE (s.rule, s.zone) IS DISTINCT FROM (excluded.rule, excluded.zone)""")


class StoredSchedules:
    """The port `Schedules`, in PostgreSQL."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def at(self, world: World, rule_text: str, script: str) -> None:
        """A rule, or one moment. A moment without a time zone is UTC, as NOW is."""
        given = " ".join(rule_text.split())
        try:
            rule = when.parse(given)
        except ValueError as error:
            raise ProgramError(f"SET SCHEDULE: {error}") from None
        if isinstance(rule, when.Once):
            moment = rule.moment if rule.moment.tzinfo else rule.moment.replace(tzinfo=datetime.UTC)
            await self._once(world, moment, (stem(script), "", ""), {})
            return
        name = stem(script)
        await self._put(world, derived_id(world.tenant, world.bot, "set", name), given, (name, "", ""), {})

    async def after(
        self, world: World, seconds: float, script: str, entry: str, variables: Mapping[str, Value]
    ) -> None:
        """Part of a script, of the version that says so."""
        moment = world.clock() + datetime.timedelta(seconds=seconds)
        await self._once(world, moment, (stem(script), entry, world.version), variables)

    async def _once(
        self, world: World, moment: datetime.datetime, target: tuple[str, str, str], variables: Mapping[str, Value]
    ) -> None:
        if moment < world.clock() - datetime.timedelta(minutes=5):
            raise ProgramError(f"SET SCHEDULE: {moment:%Y-%m-%d %H:%M:%S} has passed")
        identifier = derived_id(world.tenant, world.bot, "once", world.key)
        await self._put(world, identifier, moment.astimezone(datetime.UTC).isoformat(), target, variables)

    async def _put(
        self,
        world: World,
        identifier: uuid.UUID,
        rule: str,
        target: tuple[str, str, str],
        variables: Mapping[str, Value],
    ) -> None:
        """`target`: script, entry, version."""
        encoded = json.dumps(dict(variables))
        if len(encoded) > LARGEST_VARIABLES:
            raise ProgramError(f"SCHEDULE: the variables of the block are larger than {LARGEST_VARIABLES} characters")
        try:
            zone, misfire, grace = timing_of(world.config)
        except ValueError as error:
            raise ProgramError(str(error)) from None
        script, entry, version = target
        key = {"tenant": uuid.UUID(world.tenant), "bot": world.bot.removeprefix("bots/"), "id": identifier}
        parsed = when.parse(rule)
        first = next_of(parsed, world.clock(), zone)
        values = key | {"script": script, "entry": entry, "version": version, "rule": rule, "zone": zone}
        values |= {"variables": encoded, "misfire": misfire, "grace": grace, "next": first}
        async with self._database.unit_of_work(world.tenant) as connection:
            await self._check(connection, key, script)
            await connection.execute(PUT, values)

    async def _check(self, connection: AsyncConnection, key: Mapping[str, object], script: str) -> None:
        place = {"tenant": key["tenant"], "bot": key["bot"]}
        if not (await connection.execute(HAS_SCRIPT, place | {"script": script})).scalar_one_or_none():
            raise ProgramError(f"SET SCHEDULE: there is no script {script}.bas in this bot")
        if (await connection.execute(COUNT, dict(key))).scalar_one() >= MOST:
            raise ProgramError(f"SET SCHEDULE: a bot has at most {MOST} schedules that its scripts set")


def next_of(rule: when.Rule, now: datetime.datetime, zone: str) -> datetime.datetime | None:
    """When it is due first; a moment that has just passed is due."""
    if isinstance(rule, when.Once):
        return rule.moment
    return when.next_after(rule, now, when.zone_of(zone))

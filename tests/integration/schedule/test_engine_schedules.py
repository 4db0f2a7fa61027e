"""SET SCHEDULE from publication to the words a script says, with real PostgreSQL, NATS, session service and engine."""

import asyncio
import datetime
import os
import sys
import uuid
from typing import Any

import pytest
from parley.engine.v1 import bot_service_pb2
from parley.session.v1 import ledger_service_pb2_grpc
from sqlalchemy import text

from services.common.errors import InvalidArgument, Unavailable
from services.engine.schedule.claiming import CLAIM, Clockwork
from tests.integration.schedule.world import ScheduleWorld
from tests.waiting import until

pytestmark = pytest.mark.integration
DAILY = 'SET SCHEDULE "every day at 9am"\nTALK "daily"'


async def test_a_schedule_starts_its_script_and_is_set_to_its_next_time(world: ScheduleWorld) -> None:
    await world.publish(start='TALK "never"', report=DAILY)
    (row,) = await world.schedules()
    assert (row["script"], row["rule"], row["zone"], row["declared"]) == ("report", "every day at 9am", "UTC", True)
    assert (row["next_at"].hour, row["next_at"] > datetime.datetime.now(datetime.UTC)) == (9, True)
    await world.due()
    await world.says("daily")
    row = await world.outcome("report", "started")
    assert row["next_at"].hour == 9
    assert row["last_session"] == (await world.runs())[0].name


async def test_it_fires_at_its_time_and_again_in_the_same_session(world: ScheduleWorld) -> None:
    await world.publish(tick='SET SCHEDULE "* * * * * *"\nTALK "tick"')

    async def twice() -> bool:
        return len(await world.said()) >= 2

    await until(twice)
    assert len(await world.runs()) == 1


async def test_a_time_zone_and_another_script(world: ScheduleWorld) -> None:
    config = {"TimeZone": "America/Sao_Paulo", "schedule-misfire": "always"}
    await world.publish(config=config, start='SET SCHEDULE "0 9 * * *", "jobs/Report.bas"', report='TALK "r"')
    (row,) = await world.schedules()
    assert (row["script"], row["zone"], row["misfire"], row["next_at"].hour) == (
        "report",
        "America/Sao_Paulo",
        "always",
        12,
    )


@pytest.mark.parametrize(
    ("scripts", "config", "says"),
    [
        ({"start": 'SET SCHEDULE "every full moon"'}, {}, 'the word "full" is not understood'),
        ({"start": 'SET SCHEDULE "hourly", "nothing.bas"'}, {}, "there is no script nothing.bas"),
        ({"start": DAILY}, {"timezone": "Mars/Olympus"}, "timezone: expected a name such as"),
        ({"start": DAILY}, {"schedule-misfire": "maybe"}, "schedule-misfire: expected once, skip, always"),
    ],
)
async def test_what_cannot_be_declared_is_not_published(
    world: ScheduleWorld, scripts: dict[str, str], config: dict[str, str], says: str
) -> None:
    await world.publish(start=DAILY)
    with pytest.raises(InvalidArgument) as refused:
        await world.publish(scripts, config=config)
    assert refused.value.reason == "PROGRAM_INVALID"
    assert "start.bas:1:" in refused.value.violations[0].field
    assert says in refused.value.violations[0].description
    assert [row["rule"] for row in await world.schedules()] == ["every day at 9am"], "what was there stays"


async def test_a_publication_replaces_what_the_former_one_declared(world: ScheduleWorld) -> None:
    first = await world.publish(one=DAILY, two='SET SCHEDULE "hourly"\nTALK "two"')
    before = {row["script"]: row for row in await world.schedules()}
    await world.sql("UPDATE engine.schedules SET paused = true WHERE tenant_id = $1", uuid.UUID(world.tenant))
    await world.publish(one=DAILY, three='SET SCHEDULE "weekly"')
    after = {row["script"]: row for row in await world.schedules()}
    assert set(after) == {"one", "three"}
    assert (after["one"]["id"], after["one"]["next_at"]) == (before["one"]["id"], before["one"]["next_at"])
    assert after["one"]["paused"], "who paused it did not mean the version"
    assert after["one"]["bot_version"] != before["one"]["bot_version"]
    await roll_back(world, first.name)
    assert {row["script"] for row in await world.schedules()} == {"one", "two"}


async def roll_back(world: ScheduleWorld, name: str) -> None:
    with world.caller.acting(world.tenant):
        await world.bots.RollbackBot(bot_service_pb2.RollbackBotRequest(name=name))


async def test_two_processes_start_it_once(world: ScheduleWorld) -> None:
    scripts = {f"job{number}": f'SET SCHEDULE "weekly"\nTALK "job{number}"' for number in range(10)}
    await world.publish(scripts)
    relay, ledger = world.engine.relay_database, stub(world)
    claimers = [Clockwork(relay, ledger, poll=1, lease=15) for _ in range(4)]
    await world.due()
    await asyncio.gather(*(claimer.fire() for claimer in claimers))
    await world.says(*scripts)
    assert len(await world.runs()) == 10


def stub(world: ScheduleWorld) -> Any:
    return ledger_service_pb2_grpc.LedgerServiceStub(world.engine.mesh.channel("session"))


async def test_a_claimer_that_dies_before_it_posts_is_followed_by_another(world: ScheduleWorld) -> None:
    """What is left of the dead one is its claim, which lapses."""
    await world.publish(report=DAILY)
    dead = datetime.timedelta(seconds=1)
    await world.sql(
        "UPDATE engine.schedules SET next_at = clock_timestamp(), claimed_until = clock_timestamp() + $2::interval "
        "WHERE tenant_id = $1",
        uuid.UUID(world.tenant),
        dead,
    )
    assert await world.said() == [], "it is claimed"
    await world.says("daily")


CLAIMER = """
import asyncio, sys
from services.common.db.engine import Database
from services.engine.schedule.claiming import Clockwork

class Silent:
    async def StartRun(self, _):
        print("claimed", flush=True)
        await asyncio.sleep(600)

async def main():
    relay = Database(sys.argv[1], schema="engine", pool_size=2, name="claimer")
    await relay.open()
    await Clockwork(relay, Silent(), poll=0.05, lease=1).run()

asyncio.run(main())
"""


async def test_a_claimer_that_is_killed_between_claim_and_post(world: ScheduleWorld) -> None:
    """kill -9 of another process; until its claim lapses nobody starts anything, then the engine does."""
    (clockwork,) = [task for task in asyncio.all_tasks() if task.get_name() == "schedules"]
    clockwork.cancel()
    relay = world.engine.relay_database
    await world.publish(report=DAILY)
    assert world.settings.postgres_relay_dsn is not None
    dsn = world.settings.postgres_relay_dsn.get_secret_value()
    other = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        CLAIMER,
        dsn,
        stdout=asyncio.subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    try:
        await world.due()
        assert other.stdout is not None
        async with asyncio.timeout(60):
            assert await other.stdout.readline() == b"claimed\n"
        other.kill()
        await other.wait()
        (row,) = await world.schedules()
        assert (row["last_outcome"], row["claimed_until"] is None) == ("", False), "the claim is all it left"
    finally:
        if other.returncode is None:
            other.kill()
        world.engine.tasks.spawn("schedules", Clockwork(relay, stub(world), poll=0.2, lease=15).run)
    await world.says("daily")
    await world.outcome("report", "started")


async def test_a_claimer_that_dies_after_it_posted_starts_nothing_twice(world: ScheduleWorld) -> None:
    await world.publish(report=DAILY)
    relay = world.engine.relay_database
    await world.due()
    await world.outcome("report", "started")
    await world.sql(
        "UPDATE engine.schedules SET next_at = last_at, last_outcome = '' WHERE tenant_id = $1", uuid.UUID(world.tenant)
    )
    await Clockwork(relay, stub(world), poll=1, lease=15).fire()
    await world.outcome("report", "started")
    await world.says("daily")
    assert [session.last_seq for session in await world.runs()] == [2], "one input, one reply"


async def test_while_the_ledger_is_away_nothing_is_lost(world: ScheduleWorld) -> None:
    class Away:
        async def StartRun(self, _: object) -> None:
            raise Unavailable("away")

    await world.publish(report=DAILY)
    await world.sql("UPDATE engine.schedules SET paused = true WHERE tenant_id = $1", uuid.UUID(world.tenant))
    await world.due()
    relay = world.engine.relay_database
    await world.sql("UPDATE engine.schedules SET paused = false WHERE tenant_id = $1", uuid.UUID(world.tenant))
    await Clockwork(relay, Away(), poll=1, lease=60).fire()  # type: ignore[arg-type]
    await world.says("daily")


@pytest.mark.parametrize(
    ("config", "late", "outcome"),
    [
        ({}, 200, "started"),
        ({}, 400, "missed"),
        ({"schedule-grace": "1000"}, 400, "started"),
        ({"schedule-misfire": "skip"}, 60, "missed"),
        ({"schedule-misfire": "always"}, 100_000, "started"),
    ],
)
async def test_what_is_late(world: ScheduleWorld, config: dict[str, str], late: float, outcome: str) -> None:
    await world.publish(config=config, report='SET SCHEDULE "*/1 * * * *"\nTALK "late"')
    await world.due(late)
    row = await world.outcome("report", outcome)
    assert row["next_at"] > datetime.datetime.now(datetime.UTC), "however often it was missed, it runs once"
    await world.says(*(["late"] if outcome == "started" else []))


async def test_a_moment_runs_however_late(world: ScheduleWorld) -> None:
    await world.publish(report='SET SCHEDULE "2099-01-01 09:00"\nTALK "at last"')
    await world.due(100_000)
    await world.says("at last")
    row = await world.outcome("report", "started")
    assert row["next_at"] is None


async def test_runs_do_not_overlap(world: ScheduleWorld) -> None:
    await world.publish(slow='SET SCHEDULE "weekly"\nTALK "slow"\nWAIT 300\nTALK "done"')
    await world.due()
    await world.says("slow")
    first = await world.outcome("slow", "started")
    await world.due()
    await until_fired_again(world, first["last_at"])
    await world.due()
    await world.outcome("slow", "overlapping")


async def until_fired_again(world: ScheduleWorld, before: datetime.datetime) -> None:
    async def met() -> bool:
        return bool((await world.schedules())[0]["last_at"] > before)

    await until(met)


async def test_a_paused_schedule_stays_quiet(world: ScheduleWorld) -> None:
    await world.publish(one=DAILY, two='SET SCHEDULE "weekly"\nTALK "two"')
    await world.sql(
        "UPDATE engine.schedules SET paused = true WHERE tenant_id = $1 AND script = 'one'", uuid.UUID(world.tenant)
    )
    await world.due()
    await world.says("two")


async def test_nobody_answers_a_question(world: ScheduleWorld) -> None:
    script = 'ON ERROR GOTO oh\nTALK "name?"\nHEAR name\nTALK "never"\nEND\noh:\nTALK ERROR MESSAGE'
    await world.publish(ask=f'SET SCHEDULE "weekly"\n{script}')
    await world.due()
    await world.says("name?", "HEAR: nobody answers in a script that no person started")


async def test_scripts_set_schedules_when_they_run(world: ScheduleWorld) -> None:
    """What comes later is set with the effect's own key: a repeated effect sets it once."""
    await world.publish(
        start="""SET SCHEDULE "weekly"
who = "Ana"
SET SCHEDULE DATEADD(NOW(), 1, "hour"), "Later.bas"
rule = "every " + "day"
SET SCHEDULE rule, "later"
SCHEDULE IN 2 HOURS DO
  TALK "Hello " + who
END SCHEDULE""",
        later='TALK "later"',
    )
    await world.due(script="start")
    await world.outcome("start", "started")

    async def all_set() -> bool:
        return len(await world.schedules()) == 4

    await until(all_set)
    rows = {(row["script"], row["rule"][:2]): row for row in await world.schedules() if not row["declared"]}
    now = datetime.datetime.now(datetime.UTC)
    once, daily = rows["later", "20"], rows["later", "ev"]
    assert 3500 < (once["next_at"] - now).total_seconds() <= 3601
    assert daily["rule"] == "every day"
    await world.due(script="later")
    await world.due(script="start")

    async def told() -> bool:
        return sorted(await world.said()) == ["Hello Ana", "later", "later"]

    await until(told)
    await until(lambda: all_gone(world))


async def all_gone(world: ScheduleWorld) -> bool:
    """What was to happen once is not there any more."""
    now = datetime.datetime.now(datetime.UTC)
    return not [row for row in await world.schedules() if row["rule"].startswith("20") and row["next_at"] < now]


async def test_schedules_of_a_deleted_bot_are_gone(world: ScheduleWorld) -> None:
    await world.publish(report=DAILY)
    with world.caller.acting(world.tenant):
        await world.bots.DeleteBot(bot_service_pb2.DeleteBotRequest(name="bots/clock"))
    assert await world.schedules() == []


async def test_another_tenant_sees_none(world: ScheduleWorld) -> None:
    await world.publish(report=DAILY)
    async with world.engine.database.unit_of_work(str(uuid.uuid4())) as connection:
        for table in ("schedules", "webhooks", "webhook_calls", "event_rules", "pending_events"):
            assert (await connection.execute(text(f"SELECT count(*) FROM engine.{table}"))).scalar_one() == 0
    assert "SKIP LOCKED" in CLAIM

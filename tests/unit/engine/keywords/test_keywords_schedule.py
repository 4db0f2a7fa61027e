"""SET SCHEDULE, SCHEDULE IN, WEBHOOK and ON, as they are written."""

import asyncio
import datetime
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from services.common.errors import InvalidArgument
from services.engine.basic.compiler import compile_basic
from services.engine.keywords.schedule.scheduling import SCHEDULE_IN, SET_SCHEDULE
from services.engine.keywords.world import World
from services.engine.program.values import ProgramError, Value
from services.engine.schedule import policy
from services.engine.schedule.declarations import Declared, Reader, stem
from services.engine.schedule.port import Schedules
from tests.unit.engine.scripts import NOON, play

pytestmark = pytest.mark.unit


@dataclass
class Noted:
    """Schedules that are only written down."""

    calls: list[tuple[Any, ...]] = field(default_factory=list)

    async def at(self, world: World, when: str, script: str) -> None:
        self.calls.append((when, script))

    async def after(
        self, world: World, seconds: float, script: str, entry: str, variables: Mapping[str, Value]
    ) -> None:
        self.calls.append((seconds, script, entry, dict(variables)))


def done(source: str) -> list[tuple[Any, ...]]:
    """What a script sets when it runs."""
    noted = Noted()
    world = World(tenant="t", bot="bots/b", session="s", user="u", key="k", ports={Schedules: noted})
    performers = {item.name: item.perform for item in (SET_SCHEDULE, SCHEDULE_IN)}
    for effect in play(source).effects:
        perform = performers[effect.keyword]
        assert perform is not None
        asyncio.run(perform(world, effect.arguments))  # type: ignore[arg-type]
    return noted.calls


def declared(config: dict[str, str] | None = None, **scripts: str) -> Declared:
    """What scripts declare."""
    programs = {}
    for name, source in scripts.items():
        program = compile_basic(source, f"{name}.bas").program
        assert program is not None
        programs[name] = program.to_json()
    return Reader("t/b", programs, config or {}).read()


@pytest.mark.parametrize(
    "line",
    [
        'SET SCHEDULE "0 9 * * 1-5"',
        'Set Schedule "weekdays at 9am"',
        'IF 1 = 2 THEN\n  SET SCHEDULE "0 0 9 * * 1-5", "report.bas"\nEND IF',
        "SET SCHEDULE “weekdays at 9:00”",
    ],
)
def test_a_rule_that_is_written_down_is_declared_and_does_nothing(line: str) -> None:
    (schedule,) = declared(report=f'{line}\nTALK "hello"').schedules
    following = schedule.next_after(NOON)
    assert following == datetime.datetime(2026, 3, 16, 9, tzinfo=datetime.UTC)
    assert schedule.script == "report"
    assert done(f'{line.replace("report", "script")}\nTALK "hello"') == []


def test_a_rule_that_cannot_be_read_is_an_error_of_its_line() -> None:
    (found,) = compile_basic('TALK "a"\nSET SCHEDULE "every full moon"', "a.bas").diagnostics
    assert (found.line, found.column, found.code, found.severity) == (2, 14, "BAS146", "error")
    assert 'the word "full" is not understood' in found.message


def test_a_rule_that_is_computed_is_set_when_it_is_reached() -> None:
    assert done('SET SCHEDULE DATEADD(NOW(), 1, "hour"), "Other.bas"') == [("2026-03-14 13:00:00", "Other.bas")]
    assert done('r = "every day"\nSET SCHEDULE r') == [("every day", "script")]


def test_lines_for_later_take_their_variables_along() -> None:
    (call,) = done('who = "Ana"\nn = 2\nother = 1\nSCHEDULE IN n MINUTES DO\n  TALK who + n\nEND SCHEDULE')
    assert call[:2] == (120.0, "script")
    assert call[3] == {"who": "Ana", "n": 2}


@pytest.mark.parametrize(("unit", "seconds"), [("SECONDS", 600), ("MINUTES", 36_000), ("HOURS", 2_160_000)])
def test_units(unit: str, seconds: float) -> None:
    assert done(f"SCHEDULE IN 600 {unit} DO\n  PRINT 1\nEND SCHEDULE")[0][0] == seconds


def test_a_time_too_far_away() -> None:
    with pytest.raises(ProgramError, match="up to a year from now"):
        done("SCHEDULE IN 600 DAYS DO\n  PRINT 1\nEND SCHEDULE")


def test_the_same_declaration_keeps_its_identity() -> None:
    before = declared(a='SET SCHEDULE "hourly"', b='SET SCHEDULE "daily"\nSET SCHEDULE "daily"')
    after = declared(a='\n\nSET SCHEDULE "hourly"', b='SET SCHEDULE "daily"')
    assert {item.id for item in after.schedules} < {item.id for item in before.schedules}
    assert len({item.id for item in before.schedules}) == 3


@pytest.mark.parametrize(
    ("source", "config", "says"),
    [
        ('WEBHOOK ".."', {}, "expected a name with letters"),
        ('WEBHOOK ""', {}, "expected a name with letters"),
        ('SET SCHEDULE "hourly"', {"schedule-grace": "soon"}, "schedule-grace: expected seconds"),
        ('WEBHOOK "orders"', {"webhook-orders-key": "short"}, "at least 8 characters"),
        ('SET SCHEDULE "hourly", "gone.bas"', {}, "there is no script gone.bas"),
    ],
)
def test_what_cannot_be_used_is_said(source: str, config: dict[str, str], says: str) -> None:
    with pytest.raises(InvalidArgument, match=r"start\.bas:1:1") as raised:
        declared(config, start=source)
    assert says in raised.value.message


def test_a_bot_has_a_bound_of_declarations() -> None:
    with pytest.raises(InvalidArgument, match="at most 1000"):
        declared(start="\n".join('SET SCHEDULE "hourly"' for _ in range(1001)))


@pytest.mark.parametrize(
    ("name", "address"),
    [
        ("orders", "orders"),
        ("Order received", "order-received"),
        ("payments/stripe", "payments-stripe"),
        ("pedido-aprovação", "pedido-aprovacao"),
        ("v1.2_x", "v1.2_x"),
        ("../../etc", "etc"),
    ],
)
def test_names_of_webhooks_are_parts_of_addresses(name: str, address: str) -> None:
    assert [item.name for item in declared(hook=f'WEBHOOK "{name}"').webhooks] == [address]


@pytest.mark.parametrize("path", ["report", "Report.bas", "jobs/REPORT.BAS", "x.gbdialog\\report.bas"])
def test_names_of_scripts(path: str) -> None:
    assert stem(path) == "report"


@pytest.mark.parametrize(
    ("late", "misfire", "single", "runs"),
    [
        (0, "skip", False, True),
        (14, "skip", False, True),
        (16, "skip", False, False),
        (16, "skip", True, False),
        (300, "once", False, True),
        (301, "once", False, False),
        (301, "once", True, True),
        (10**7, "always", False, True),
    ],
)
def test_what_is_late(late: int, misfire: str, single: bool, runs: bool) -> None:
    grace = datetime.timedelta(seconds=300)
    assert policy.runs(datetime.timedelta(seconds=late), misfire, grace, single=single) is runs

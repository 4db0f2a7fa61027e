"""Rules of time: what "when" texts become, and which moment comes next.

A change of clocks: a wall-clock time that does not exist fires once, at the moment the clock jumps to; one that exists
twice fires the first time only. Rules that go on round the day ("every 15 minutes", "* * * * *") follow elapsed time
instead: they lose nothing and skip nothing that the clock shows.
"""

import datetime
from bisect import bisect_right
from dataclasses import dataclass
from zoneinfo import ZoneInfo

UTC = datetime.UTC
DAY = datetime.timedelta(days=1)
SECOND = datetime.timedelta(seconds=1)
HORIZON_YEARS = 100
EVERY_MONTH = frozenset(range(1, 13))
EVERY_DAY = frozenset(range(1, 32))
EVERY_WEEKDAY = frozenset(range(1, 8))
LAST_DAY = 32


@dataclass(frozen=True, slots=True)
class Calendar:
    """Times of day on chosen days, by the clock on the wall.

    times: seconds of the day, ascending; flowing: goes on round the day; days: of the month, 32 is the last one;
    weekdays: 1 Monday to 7 Sunday; either: a day fits when one of `days` and `weekdays` does (cron's rule);
    day_step, week_step, month_step: only each so many, counted from the beginning of the calendar; weeks begin on
    Monday.
    """

    times: tuple[int, ...]
    flowing: bool = False
    months: frozenset[int] = EVERY_MONTH
    days: frozenset[int] = EVERY_DAY
    weekdays: frozenset[int] = EVERY_WEEKDAY
    either: bool = False
    day_step: int = 1
    week_step: int = 1
    month_step: int = 1

    def in_month(self, date: datetime.date) -> bool:
        """Whether any day of this month may fit."""
        return date.month in self.months and (date.year * 12 + date.month - 1) % self.month_step == 0

    def on(self, date: datetime.date) -> bool:
        """Whether the rule fires on this day."""
        number = date.toordinal()
        if not self.in_month(date) or number % self.day_step or (number - 1) // 7 % self.week_step:
            return False
        by_month = date.day in self.days or (LAST_DAY in self.days and (date + DAY).day == 1)
        by_week = date.isoweekday() in self.weekdays
        return by_month or by_week if self.either else by_month and by_week


@dataclass(frozen=True, slots=True)
class Interval:
    """Every so many seconds of elapsed time, counted from 1970-01-01 UTC, whatever clocks show."""

    seconds: int


@dataclass(frozen=True, slots=True)
class Once:
    """One moment. Without a time zone it is the clock on the wall."""

    moment: datetime.datetime


Rule = Calendar | Interval | Once


def next_after(rule: Rule, moment: datetime.datetime, zone: ZoneInfo) -> datetime.datetime | None:
    """The first moment of a rule that is later than `moment`, in UTC; None when there is none."""
    moment = moment.astimezone(UTC)
    if isinstance(rule, Interval):
        count = int(moment.timestamp() // rule.seconds) + 1
        return datetime.datetime.fromtimestamp(count * rule.seconds, UTC)
    if isinstance(rule, Once):
        fixed = rule.moment.astimezone(UTC) if rule.moment.tzinfo else instant_of(rule.moment, zone)
        return fixed if fixed > moment else None
    try:
        return flowing_after(rule, moment, zone) if rule.flowing else fixed_after(rule, moment, zone)
    except OverflowError:
        return None


def fixed_after(rule: Calendar, moment: datetime.datetime, zone: ZoneInfo) -> datetime.datetime | None:
    """Each time on the wall once: `instant_of` never goes back when its argument goes forward."""
    wall = next_wall(rule, wall_of(moment, zone))
    while wall is not None:
        instant = instant_of(wall, zone)
        if instant > moment:
            return instant
        wall = next_wall(rule, wall)
    return None


def flowing_after(rule: Calendar, moment: datetime.datetime, zone: ZoneInfo) -> datetime.datetime | None:
    """As the clock runs; where it jumps, from there on."""
    while True:
        wall = next_wall(rule, wall_of(moment, zone))
        if wall is None:
            return None
        instant = wall.replace(tzinfo=UTC) - offset_of(moment, zone)
        change = first_change(zone, moment, instant)
        if change is None:
            return instant
        if fits(rule, wall_of(change, zone)):
            return change
        moment = change


def next_wall(rule: Calendar, after: datetime.datetime) -> datetime.datetime | None:
    """The next date and time of a calendar, without a zone, later than `after`."""
    date, place = after.date(), bisect_right(rule.times, seconds_of(after))
    last = min(after.year + HORIZON_YEARS, datetime.MAXYEAR)
    while date.year <= last:
        if not rule.in_month(date):
            date = (date.replace(day=28) + 4 * DAY).replace(day=1)
        elif rule.on(date) and place < len(rule.times):
            return datetime.datetime.combine(date, datetime.time()) + datetime.timedelta(seconds=rule.times[place])
        else:
            date += DAY
        place = 0
    return None


def fits(rule: Calendar, wall: datetime.datetime) -> bool:
    """Whether a rule fires at this date and time."""
    place = bisect_right(rule.times, seconds_of(wall))
    return place > 0 and rule.times[place - 1] == seconds_of(wall) and rule.on(wall.date())


def seconds_of(wall: datetime.datetime) -> int:
    """Seconds of the day."""
    return wall.hour * 3600 + wall.minute * 60 + wall.second


def wall_of(moment: datetime.datetime, zone: ZoneInfo) -> datetime.datetime:
    """What clocks of a zone show."""
    return moment.astimezone(zone).replace(tzinfo=None, fold=0)


def offset_of(moment: datetime.datetime, zone: ZoneInfo) -> datetime.timedelta:
    """How far ahead of UTC clocks are."""
    return moment.astimezone(zone).utcoffset() or datetime.timedelta()


def instant_of(wall: datetime.datetime, zone: ZoneInfo) -> datetime.datetime:
    """The moment at which clocks first show this; when they never do, the moment they jump over it. In UTC."""
    first = wall.replace(tzinfo=zone, fold=0).astimezone(UTC)
    if wall_of(first, zone) == wall:
        return first
    before = wall.replace(tzinfo=zone, fold=1).astimezone(UTC)
    return first_change(zone, before, first) or first


def first_change(zone: ZoneInfo, start: datetime.datetime, end: datetime.datetime) -> datetime.datetime | None:
    """The first moment after `start`, up to `end`, at which clocks are set; None when they are not."""
    low, offset = start, offset_of(start, zone)
    while low < end:
        high = min(low + DAY, end)
        if offset_of(high, zone) != offset:
            return changed_between(zone, low, high)
        low = high
    return None


def changed_between(zone: ZoneInfo, low: datetime.datetime, high: datetime.datetime) -> datetime.datetime:
    """Where the offset changes, to the second, between two moments that have different ones."""
    offset = offset_of(low, zone)
    first, last = int(low.timestamp()), int(high.timestamp()) + 1
    while last - first > 1:
        middle = (first + last) // 2
        if offset_of(datetime.datetime.fromtimestamp(middle, UTC), zone) == offset:
            first = middle
        else:
            last = middle
    return datetime.datetime.fromtimestamp(last, UTC)

"""Functions about time. Dates are ISO texts; NOW is an object that reads as one.

Times without a zone are meant in the zone of the clock: that of the bot's configuration (`timezone`), else UTC.
"""

import calendar
import datetime
from collections.abc import Callable

from services.engine.keywords.functions.arguments import integer
from services.engine.keywords.keyword import Keyword, function
from services.engine.program.values import ProgramError, Value, is_number, text_of

Clock = Callable[[], datetime.datetime]
GROUP = "dates"
FORMATS = (
    "%Y-%m-%d", "%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M", "%d/%m/%Y", "%d/%m/%Y %H:%M", "%d/%m/%Y %H:%M:%S", "%d-%m-%Y",
    "%Y/%m/%d", "%Y/%m/%d %H:%M:%S", "%d.%m.%Y", "%m/%d/%Y", "%d %b %Y", "%d %B %Y", "%b %d, %Y", "%B %d, %Y",
    "%H:%M:%S", "%H:%M", "%I:%M %p",
)  # fmt: skip
LONGEST_DATE = 40
UNITS = {
    "year": "years", "years": "years", "yyyy": "years", "y": "years", "month": "months", "months": "months",
    "m": "months", "mm": "months",
    "day": "days", "days": "days", "d": "days", "dd": "days", "week": "weeks", "weeks": "weeks", "ww": "weeks",
    "w": "weeks",
    "hour": "hours", "hours": "hours", "h": "hours", "hh": "hours", "minute": "minutes", "minutes": "minutes",
    "n": "minutes", "mi": "minutes",
    "min": "minutes", "second": "seconds", "seconds": "seconds", "s": "seconds", "ss": "seconds",
}  # fmt: skip
SECONDS = {"weeks": 604_800, "days": 86_400, "hours": 3_600, "minutes": 60, "seconds": 1}
OF_THE_WALL = frozenset({"weeks", "days"})


def parse(value: Value, zone: datetime.tzinfo | None = datetime.UTC) -> datetime.datetime:
    """A point in time; one without a zone is in the zone given. ProgramError when the text is none."""
    if isinstance(value, dict) and isinstance(value.get("timestamp"), int | float):
        return datetime.datetime.fromtimestamp(float(value["timestamp"]), zone)
    text = text_of(value)[: LONGEST_DATE + 1].strip()
    try:
        found = datetime.datetime.fromisoformat(text)
    except ValueError:
        found = by_format(text)
    return found.astimezone(zone) if found.tzinfo else found.replace(tzinfo=zone)


def by_format(text: str) -> datetime.datetime:
    """One of the forms people write, without a zone; the day first where it is not clear."""
    for form in FORMATS if len(text) <= LONGEST_DATE else ():
        try:
            return datetime.datetime.strptime(text, form)  # noqa: DTZ007 - the caller adds the zone
        except ValueError:
            continue
    message = f"expected a date such as 2026-03-14, got {text[:LONGEST_DATE]!r}"
    raise ProgramError(message)


def read(clock: Clock, value: Value) -> datetime.datetime:
    """A point in time, in the zone of the clock."""
    return parse(value, clock().tzinfo)


def written(moment: datetime.datetime, like: Value = "") -> str:
    """A date where a date without a time of day was given and none came in."""
    if len(text_of(like)) <= len("2026-03-14") and (moment.hour, moment.minute, moment.second) == (0, 0, 0):
        return moment.date().isoformat()
    return moment.strftime("%Y-%m-%d %H:%M:%S").rjust(len("2026-03-14 12:00:00"), "0")


def now_object(moment: datetime.datetime) -> dict[str, Value]:
    """What NOW gives. weekday: 1 is Monday, 7 Sunday; timestamp: seconds since 1970."""
    return {
        "year": moment.year,
        "month": moment.month,
        "day": moment.day,
        "hour": moment.hour,
        "minute": moment.minute,
        "second": moment.second,
        "weekday": moment.isoweekday(),
        "timestamp": int(moment.timestamp()),
        "formatted": moment.strftime("%Y-%m-%d %H:%M:%S"),
    }


def is_unit(value: Value) -> bool:
    """Whether it names a unit of time."""
    return isinstance(value, str) and value.strip().lower() in UNITS


def unit_of(arguments: tuple[Value, ...]) -> str:
    """The unit among the arguments, days if there is none. ProgramError for a word that is none."""
    found = next((item for item in arguments if is_unit(item)), "days")
    return UNITS[text_of(found).strip().lower()]


def add(clock: Clock, *arguments: Value) -> str | None:
    """A date, an amount and a unit, in whatever order they come; of NULL, NULL."""
    if None in arguments:
        return None
    kind = unit_of(arguments)
    rest = [item for item in arguments if not is_unit(item)]
    amounts = [item for item in rest if isinstance(item, int | float)] or [item for item in rest if is_number(item)]
    dates = [item for item in rest if not any(item is amount for amount in amounts[:1])]
    if not amounts or len(dates) != 1:
        message = 'DATEADD: expected a date, a number and a unit, such as DATEADD("2026-03-14", 7, "days")'
        raise ProgramError(message)
    return written(moved(read(clock, dates[0]), integer(amounts[0]), kind), dates[0])


def moved(start: datetime.datetime, count: int, kind: str) -> datetime.datetime:
    """So many units later. Days, weeks and months keep the time of day; hours and less are hours that pass."""
    try:
        if kind in {"years", "months"}:
            return add_months(start, count * (12 if kind == "years" else 1))
        step = datetime.timedelta(seconds=count * SECONDS[kind])
        if kind in OF_THE_WALL:
            return start + step
        return (start.astimezone(datetime.UTC) + step).astimezone(start.tzinfo)
    except (OverflowError, ValueError):
        message = "a date is between the years 1 and 9999"
        raise ProgramError(message) from None


def add_months(moment: datetime.datetime, count: int) -> datetime.datetime:
    """The same day of another month, or its last. ValueError when there is no such year."""
    year, month = divmod(moment.year * 12 + moment.month - 1 + count, 12)
    if not datetime.MINYEAR <= year <= datetime.MAXYEAR:
        raise ValueError(year)
    day = min(moment.day, calendar.monthrange(year, month + 1)[1])
    return moment.replace(year=year, month=month + 1, day=day)


def difference(clock: Clock, *arguments: Value) -> int | None:
    """From the first date to the second, in whatever order; negative when the second is earlier; of NULL, NULL."""
    if None in arguments:
        return None
    kind = unit_of(arguments)
    found = [item for item in arguments if not is_unit(item)]
    if len(found) != 2:
        message = 'DATEDIFF: expected two dates and a unit, such as DATEDIFF("2026-03-14", "2026-04-01", "days")'
        raise ProgramError(message)
    return apart(read(clock, found[0]), read(clock, found[1]), kind)


def apart(first: datetime.datetime, second: datetime.datetime, kind: str) -> int:
    """Whole units from one to the other; days are days of the calendar."""
    if second < first:
        return -apart(second, first, kind)
    if kind in OF_THE_WALL:
        return (second.date() - first.date()).days // (7 if kind == "weeks" else 1)
    if kind in SECONDS:
        return int((second.astimezone(datetime.UTC) - first.astimezone(datetime.UTC)).total_seconds() // SECONDS[kind])
    months = (second.year - first.year) * 12 + second.month - first.month
    unfinished = (second.day, second.time()) < (first.day, first.time())
    last_day = second.day == calendar.monthrange(second.year, second.month)[1] and second.day < first.day
    months -= unfinished and not last_day
    return months // 12 if kind == "years" else months


def between(kind: str) -> Callable[..., int | None]:
    """DAYS_BETWEEN and its like: without a sign; of NULL, NULL."""

    def evaluate(clock: Clock, first: Value, second: Value) -> int | None:
        if first is None or second is None:
            return None
        return abs(apart(read(clock, first), read(clock, second), kind))

    return evaluate


def end_of_month(clock: Clock, date: Value, months: Value = 0) -> str | None:
    """The last day of the month so many months on; of NULL, NULL."""
    if date is None:
        return None
    moment = moved(read(clock, date).replace(day=1), integer(months), "months")
    return moment.replace(day=calendar.monthrange(moment.year, moment.month)[1]).date().isoformat()


def is_date(clock: Clock, value: Value) -> bool:
    """Whether it can be read as a date; a number cannot."""
    try:
        read(clock, value)
    except ProgramError:
        return False
    return not isinstance(value, int | float)


def part(name: str) -> Callable[..., int]:
    """YEAR, MONTH ... of a date, or of now."""

    def evaluate(clock: Clock, date: Value = None) -> int:
        moment = clock() if date is None else read(clock, date)
        return moment.isoweekday() if name == "WEEKDAY" else int(getattr(moment, name.lower()))

    return evaluate


def part_of(name: str, summary: str, example: str) -> Keyword:
    """One part of a date."""
    return function(name, "[<date:date>]", f"{summary}, or of now.", example, part(name), GROUP)


def since(name: str, kind: str, example: str) -> Keyword:
    """DAYS_BETWEEN and its like."""
    summary = f"Gives how many whole {kind} lie between two moments, whichever comes first."
    return function(name, "<first:date>, <second:date>", summary, example, between(kind), GROUP)


ANY_ORDER = "The order does not matter: the unit is known by its name, the amount by being a number."
KEYWORDS = (
    function(
        "NOW",
        "",
        "Gives this moment: year, month, day, hour, minute, second, weekday (1 is Monday), timestamp and "
        "formatted; as text it reads 2026-03-14 12:00:00.",
        'TYPEOF(NOW())  \' "object"',
        lambda clock: now_object(clock()),
        GROUP,
    ),
    function(
        "NOW_UTC",
        "",
        "Gives this moment in Coordinated Universal Time.",
        'TYPEOF(NOW_UTC())  \' "object"',
        lambda clock: now_object(clock().astimezone(datetime.UTC)),
        GROUP,
    ),
    function("TODAY", "", "Gives today's date.", "LEN(TODAY())  ' 10", lambda clock: clock().date().isoformat(), GROUP),
    function(
        "TIME", "", "Gives the time of day.", "LEN(TIME())  ' 8", lambda clock: clock().strftime("%H:%M:%S"), GROUP
    ),
    function(
        "TIMESTAMP",
        "",
        "Gives the seconds since the beginning of 1970.",
        "TIMESTAMP() > 1700000000  ' TRUE",
        lambda clock: int(clock().timestamp()),
        GROUP,
    ),
    part_of("YEAR", "Gives the year of a date", 'YEAR("2024-05-06")  \' 2024'),
    part_of("MONTH", "Gives the month of a date", 'MONTH("2024-05-06")  \' 5'),
    part_of("DAY", "Gives the day of the month of a date", 'DAY("2024-05-06")  \' 6'),
    part_of("HOUR", "Gives the hour of a moment", 'HOUR("2024-05-06 07:08:09")  \' 7'),
    part_of("MINUTE", "Gives the minute of a moment", 'MINUTE("2024-05-06 07:08:09")  \' 8'),
    part_of("SECOND", "Gives the second of a moment", 'SECOND("2024-05-06 07:08:09")  \' 9'),
    part_of("WEEKDAY", "Gives the day of the week of a date, 1 for Monday", 'WEEKDAY("2024-05-06")  \' 1'),
    function(
        "DATEADD",
        "<date:date>, <amount:number> [, <unit:text>]",
        "Gives a date so many days, weeks, months, years, hours, minutes or seconds later.",
        'DATEADD("2024-01-31", 1, "month")  \' "2024-02-29"',
        add,
        GROUP,
        "ADD_DAYS",
        documentation=ANY_ORDER,
    ),
    function(
        "DATEDIFF",
        "<first:date>, <second:date> [, <unit:text>]",
        "Gives how many whole days, or other units, the second date is after the first.",
        'DATEDIFF("2024-01-01", "2024-02-01", "day")  \' 31',
        difference,
        GROUP,
        documentation=ANY_ORDER,
    ),
    since("DAYS_BETWEEN", "days", 'DAYS_BETWEEN("2024-01-03", "2024-01-01")  \' 2'),
    since("HOURS_BETWEEN", "hours", 'HOURS_BETWEEN("2024-01-01", "2024-01-02")  \' 24'),
    since("MINUTES_BETWEEN", "minutes", 'MINUTES_BETWEEN("10:00", "11:30")  \' 90'),
    since("SECONDS_BETWEEN", "seconds", 'SECONDS_BETWEEN("2024-01-01", "2024-01-02")  \' 86400'),
    function(
        "DATEVALUE",
        "<date:date>",
        "Gives the date of a moment, whatever way it is written.",
        'DATEVALUE("06/05/2024")  \' "2024-05-06"',
        lambda clock, date: None if date is None else read(clock, date).date().isoformat(),
        GROUP,
    ),
    function(
        "TIMEVALUE",
        "<date:date>",
        "Gives the time of day of a moment.",
        'TIMEVALUE("2024-05-06 07:08:09")  \' "07:08:09"',
        lambda clock, date: None if date is None else read(clock, date).strftime("%H:%M:%S"),
        GROUP,
    ),
    function(
        "CDATE",
        "<date:date>",
        "Gives a date as Parley writes dates.",
        'CDATE("06/05/2024")  \' "2024-05-06"',
        lambda clock, date: None if date is None else written(read(clock, date), date),
        GROUP,
    ),
    function(
        "EOMONTH",
        "<date:date> [, <months:number>]",
        "Gives the last day of the month, or of the one so many months on.",
        'EOMONTH("2024-02-10", 1)  \' "2024-03-31"',
        end_of_month,
        GROUP,
    ),
    function(
        "ISDATE",
        "<value>",
        "Says whether a value can be read as a date.",
        'ISDATE("31/02/2024")  \' FALSE',
        is_date,
        GROUP,
    ),
)

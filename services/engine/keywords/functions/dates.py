"""Functions about time. Dates are ISO texts; NOW is an object that reads as one."""

import calendar
import datetime
from collections.abc import Callable
from typing import Any

from services.engine.program.values import ProgramError, Value, is_number, number_of, text_of

Clock = Callable[[], datetime.datetime]
FORMATS = (
    "%Y-%m-%d", "%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M", "%d/%m/%Y", "%d/%m/%Y %H:%M", "%d-%m-%Y", "%Y/%m/%d", "%d.%m.%Y",
    "%m/%d/%Y", "%d %b %Y", "%d %B %Y", "%H:%M:%S", "%H:%M",
)  # fmt: skip
UNITS = {
    "year": "years", "years": "years", "yyyy": "years", "y": "years", "month": "months", "months": "months",
    "m": "months",
    "day": "days", "days": "days", "d": "days", "week": "weeks", "weeks": "weeks", "ww": "weeks", "w": "weeks",
    "hour": "hours", "hours": "hours", "h": "hours", "minute": "minutes", "minutes": "minutes", "n": "minutes",
    "min": "minutes", "second": "seconds", "seconds": "seconds", "s": "seconds",
}  # fmt: skip
SECONDS = {"weeks": 604_800, "days": 86_400, "hours": 3_600, "minutes": 60, "seconds": 1}


def parse(value: Value) -> datetime.datetime:
    """A point in time. ProgramError when the text is none."""
    if isinstance(value, dict) and "timestamp" in value:
        return datetime.datetime.fromtimestamp(float(value["timestamp"]), datetime.UTC)
    text = text_of(value).strip()
    try:
        found = datetime.datetime.fromisoformat(text)
    except ValueError:
        found = by_format(text)
    return found if found.tzinfo else found.replace(tzinfo=datetime.UTC)


def by_format(text: str) -> datetime.datetime:
    """One of the forms people write; the day first where it is not clear."""
    for form in FORMATS:
        try:
            return datetime.datetime.strptime(text, form).replace(tzinfo=datetime.UTC)
        except ValueError:
            continue
    message = f"expected a date, got {text[:40]!r}"
    raise ProgramError(message)


def written(moment: datetime.datetime, like: Value = "") -> str:
    """A date when there is no time of day in it."""
    if len(text_of(like)) <= 10 and (moment.hour, moment.minute, moment.second) == (0, 0, 0):
        return moment.date().isoformat()
    return moment.strftime("%Y-%m-%d %H:%M:%S")


def now_object(moment: datetime.datetime) -> dict[str, Any]:
    """NOW."""
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
    return isinstance(value, str) and value.lower() in UNITS


def add(_: Clock, *arguments: Value) -> str:
    """DATEADD date, amount, unit, in whatever order they come."""
    unit = next((item for item in arguments if is_unit(item)), "days")
    rest = [item for item in arguments if not is_unit(item)]
    amount = next((item for item in rest if isinstance(item, int | float) or is_number(item)), 0)
    moment = next((item for item in rest if item is not amount), None)
    count = int(number_of(amount))
    kind = UNITS[text_of(unit).lower()]
    start = parse(moment)
    if kind in {"years", "months"}:
        return written(add_months(start, count * (12 if kind == "years" else 1)), moment)
    return written(start + datetime.timedelta(seconds=count * SECONDS[kind]), moment)


def add_months(moment: datetime.datetime, count: int) -> datetime.datetime:
    """The same day of another month, or its last."""
    months = moment.year * 12 + moment.month - 1 + count
    year, month = divmod(months, 12)
    day = min(moment.day, calendar.monthrange(year, month + 1)[1])
    return moment.replace(year=year, month=month + 1, day=day)


def difference(_: Clock, *arguments: Value) -> int:
    """DATEDIFF a, b, unit, in whatever order: how many units from a to b."""
    unit = next((item for item in arguments if is_unit(item)), "days")
    first, second = [parse(item) for item in arguments if not is_unit(item)][:2]
    kind = UNITS[text_of(unit).lower()]
    if kind in {"years", "months"}:
        months = (second.year - first.year) * 12 + second.month - first.month
        return months // 12 if kind == "years" else months
    return int((second - first).total_seconds() // SECONDS[kind])


def apart(unit: str) -> Callable[..., int]:
    """DAYS_BETWEEN and its like."""
    return lambda clock, first, second: abs(difference(clock, first, second, unit))


def end_of_month(_: Clock, date: Value, months: Value = 0) -> str:
    """The last day of the month so many months on."""
    moment = add_months(parse(date).replace(day=1), int(number_of(months)))
    return moment.replace(day=calendar.monthrange(moment.year, moment.month)[1]).date().isoformat()


def is_date(_: Clock, value: Value) -> bool:
    """Whether it can be read as a date."""
    try:
        parse(value)
    except ProgramError:
        return False
    return True


def part(name: str) -> Callable[..., int]:
    """YEAR, MONTH ... of a date, or of now."""

    def read(clock: Clock, value: Value = None) -> int:
        moment = clock() if value is None else parse(value)
        return moment.isoweekday() if name == "weekday" else int(getattr(moment, name))

    return read


FUNCTIONS: dict[str, Callable[..., Value]] = {
    "NOW": lambda clock: now_object(clock()),
    "NOW_UTC": lambda clock: now_object(clock().astimezone(datetime.UTC)),
    "TODAY": lambda clock: clock().date().isoformat(),
    "TIME": lambda clock: clock().strftime("%H:%M:%S"),
    "TIMESTAMP": lambda clock: int(clock().timestamp()),
    "DATEADD": add,
    "ADD_DAYS": add,
    "DATEDIFF": difference,
    "DAYS_BETWEEN": apart("days"),
    "HOURS_BETWEEN": apart("hours"),
    "SECONDS_BETWEEN": apart("seconds"),
    "DATEVALUE": lambda _, value: parse(value).date().isoformat(),
    "CDATE": lambda _, value: written(parse(value), value),
    "TIMEVALUE": lambda _, value: parse(value).strftime("%H:%M:%S"),
    "EOMONTH": end_of_month,
    "ISDATE": is_date,
    **{name.upper(): part(name) for name in ("year", "month", "day", "hour", "minute", "second", "weekday")},
}

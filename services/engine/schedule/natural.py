"""Times in words: "every monday at 9am", "a cada 15 minutos", "каждый день в 9:00"."""

import re
from dataclasses import dataclass, field

from services.engine.schedule.phrases import DAY_WORDS, tokens_of
from services.engine.schedule.rules import EVERY_DAY, EVERY_MONTH, EVERY_WEEKDAY, LAST_DAY, Calendar, Interval, Rule

DAYS = {name: number for number, name in enumerate(DAY_WORDS, 1)}
SECONDS = {"second": 1, "minute": 60, "hour": 3600}
UNITS = frozenset({*SECONDS, "day", "week", "month", "year"})
WORKDAYS, WEEKEND = frozenset(range(1, 6)), frozenset({6, 7})
OFFICE = (9 * 3600, 17 * 3600)
DAY_SECONDS = 86_400
TIME = re.compile(r"(\d{1,2})(?:[:h.](\d{2})?(?::(\d{2}))?)?")
FILLERS = frozenset({"every", "and", "at", "on", "during", "th", "of"})
SEPARATORS = frozenset({"to", "at", "and", "on"})
LARGEST = 10_000
EXAMPLES = (
    '"every 15 minutes", "every day at 9am", "every monday at 14:00", "weekdays at 8:30", "every hour from 9 to 17", '
    '"business hours", or cron such as "0 9 * * 1-5"'
)


@dataclass(slots=True)
class Said:
    """What a text says, in whatever order."""

    unit: str = ""
    count: int = 1
    weekdays: set[int] = field(default_factory=set)
    days: set[int] = field(default_factory=set)
    times: set[int] = field(default_factory=set)
    window: tuple[int, int] | None = None
    business: bool = False


def parse_natural(text: str) -> Rule:
    """A rule. ValueError that says what was not understood, with examples."""
    return rule_of(Reader(text).read())


class Reader:
    """Goes through the tokens once."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens = tokens_of(text)
        self._place = 0
        self._said = Said()

    def read(self) -> Said:
        """Everything that is said. ValueError."""
        if not self._tokens:
            raise ValueError(f"expected a time, such as {EXAMPLES}")
        while self._place < len(self._tokens):
            self._step(self._take())
        return self._said

    def _peek(self, ahead: int = 0) -> str:
        place = self._place + ahead
        return self._tokens[place] if place < len(self._tokens) else ""

    def _take(self) -> str:
        self._place += 1
        return self._tokens[self._place - 1]

    def _step(self, token: str) -> None:
        if token in FILLERS or (token == "to" and self._peek() in {"noon", "midnight"}):
            return
        if token == "from":
            self._span()
        elif token in DAYS:
            self._weekdays(DAYS[token])
        elif token in {"weekday", "weekend"}:
            self._said.weekdays |= WORKDAYS if token == "weekday" else WEEKEND
        elif token == "business":
            self._said.business = True
        elif token in {"first", "last"}:
            self._edge(token)
        elif token in UNITS:
            self._unit(token)
        elif token in {"noon", "midnight"} or token[0].isdigit():
            self._number(token)
        else:
            raise self._strange(token)

    def _edge(self, token: str) -> None:
        """ "first day", "last day", "first monday" of the month."""
        if self._peek() not in DAYS:
            self._said.days.add(1 if token == "first" else LAST_DAY)
            if self._peek() == "day":
                self._take()
        elif token == "first":
            self._said.days |= set(range(1, 8))
        else:
            raise ValueError(f'"{self._text}": the last of a weekday cannot be said; "last day of every month" can')

    def _span(self) -> None:
        """From a time to a time, or from a day to a day. A lone "de" means nothing."""
        while self._peek() in {"at", "on"}:
            self._take()
        if not self._is_time():
            return
        first = self._time(self._take())
        if self._peek() not in SEPARATORS:
            raise ValueError(f'"{self._text}": expected when it ends, as in "from 9 to 17"')
        while self._peek() in SEPARATORS:
            self._take()
        if not self._is_time():
            raise ValueError(f'"{self._text}": expected when it ends, as in "from 9 to 17"')
        self._said.window = (first, self._time(self._take()))

    def _is_time(self) -> bool:
        return self._peek() in {"noon", "midnight"} or self._peek()[:1].isdigit()

    def _weekdays(self, first: int) -> None:
        follows = self._peek(1)
        through = self._peek() == "to" or (self._peek() == "on" and self._tokens[self._place - 2] == "from")
        if not (through and follows in DAYS):
            self._said.weekdays.add(first)
            return
        last = DAYS[follows]
        self._place += 2
        self._said.weekdays |= {(day - 1) % 7 + 1 for day in range(first, last + 1 + (7 if last < first else 0))}

    def _unit(self, token: str) -> None:
        number, after = self._peek(), self._peek(1)
        if token == "day" and number.isdigit() and after not in {"am", "pm", "hour", "o'clock"}:
            self._said.days.add(self._day_of_month(self._take()))
            return
        if token == "day" and self._said.days:
            return
        self._period(token, 1)

    def _period(self, unit: str, count: int) -> None:
        if self._said.unit:
            raise ValueError(f'"{self._text}": expected one period, got both {self._said.unit} and {unit}')
        self._said.unit, self._said.count = unit, count

    def _number(self, token: str) -> None:
        """ "15 minutes", "9am", "14:00", "the 15th"; a bare number is an hour."""
        before = self._tokens[self._place - 2] if self._place > 1 else ""
        following = self._peek()
        if token.isdigit() and following in UNITS and not (before == "at" and following == "hour"):
            if not 1 <= int(token) <= LARGEST:
                raise ValueError(f'"{self._text}": expected a count from 1 to {LARGEST}, got {token}')
            self._period(self._take(), int(token))
        elif token.isdigit() and (following == "th" or (before == "on" and self._said.unit in {"month", "year"})):
            self._said.days.add(self._day_of_month(token))
        else:
            self._said.times.add(self._time(token))

    def _day_of_month(self, token: str) -> int:
        if not 1 <= int(token) <= 31:
            raise ValueError(f'"{self._text}": expected a day of the month from 1 to 31, got {token}')
        return int(token)

    def _time(self, token: str) -> int:
        """Seconds of the day."""
        if token in {"noon", "midnight"}:
            return 43_200 if token == "noon" else 0
        parts = TIME.fullmatch(token)
        if parts is None:
            raise self._strange(token)
        hour, minute, second = (int(part or 0) for part in parts.groups())
        while self._peek() in {"hour", "o'clock"}:
            self._take()
        half = self._take() if self._peek() in {"am", "pm"} else ""
        if half and 1 <= hour <= 12:
            hour = hour % 12 + (12 if half == "pm" else 0)
        if hour > 23 or minute > 59 or second > 59:
            raise ValueError(f'"{self._text}": expected a time of day such as 9am or 14:30, got {token}')
        return hour * 3600 + minute * 60 + second

    def _strange(self, token: str) -> ValueError:
        shown = token.removeprefix("?")
        return ValueError(f'"{self._text}": the word "{shown}" is not understood here; expected for example {EXAMPLES}')


def rule_of(said: Said) -> Rule:
    """What was said as a rule. ValueError when it does not go together."""
    if said == Said():
        raise ValueError(f"expected a time, such as {EXAMPLES}")
    if said.business:
        said.window = said.window or OFFICE
        said.weekdays = said.weekdays or set(WORKDAYS)
        said.unit = said.unit or ("" if said.times else "hour")
    if said.window and not said.unit:
        said.unit = "hour"
    if said.unit in SECONDS:
        return often(said)
    if said.window and not said.business:
        raise ValueError('"from ... to ..." goes with minutes or hours, as in "every hour from 9 to 17"')
    if said.business and not said.times:
        raise ValueError('"business hours" goes with minutes or hours, as in "every 30 minutes during business hours"')
    return on_days(said)


def often(said: Said) -> Rule:
    """Many times a day."""
    if said.times:
        raise ValueError(f'every {said.unit} and a time of day do not go together; "every day at 9am" fires once a day')
    step = said.count * SECONDS[said.unit]
    weekdays = frozenset(said.weekdays) or EVERY_WEEKDAY
    days = frozenset(said.days) or EVERY_DAY
    if said.window:
        first, last = said.window
        if last < first:
            times = sorted({*range(first, DAY_SECONDS, step), *range(0, last + 1, step)})
        else:
            times = list(range(first, last + 1, step))
        return Calendar(tuple(times), weekdays=weekdays, days=days)
    if DAY_SECONDS % step and not said.weekdays and not said.days:
        return Interval(step)
    return Calendar(tuple(range(0, DAY_SECONDS, step)), flowing=step <= 3600, weekdays=weekdays, days=days)


def on_days(said: Said) -> Calendar:
    """At times of certain days."""
    weekdays, days = frozenset(said.weekdays), frozenset(said.days)
    months, count = EVERY_MONTH, said.count
    if said.unit == "week" and not weekdays:
        weekdays = frozenset({7})
    if said.unit in {"month", "year"} and not days and not weekdays:
        days = frozenset({1})
    if said.unit == "year":
        months, days, count = frozenset({1}), days or frozenset({1}), count * 12
    return Calendar(
        times=tuple(sorted(said.times)) or (0,),
        months=months,
        days=days or EVERY_DAY,
        weekdays=weekdays or EVERY_WEEKDAY,
        day_step=count if said.unit == "day" else 1,
        week_step=count if said.unit == "week" else 1,
        month_step=count if said.unit in {"month", "year"} else 1,
    )

import datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.engine.schedule.rules import UTC, Calendar, Interval, fits, wall_of
from services.engine.schedule.when import Rule, next_after, parse, zone_of

pytestmark = pytest.mark.unit

NOW = datetime.datetime(2026, 11, 21, 13, 50, 12, tzinfo=UTC)
GREENWICH = ZoneInfo("UTC")


def moments(when: str, after: datetime.datetime = NOW, zone: str = "UTC", count: int = 2) -> list[str]:
    """The next moments, as clocks of the zone show them."""
    found, place = [], ZoneInfo(zone)
    moment: datetime.datetime | None = after
    for _ in range(count):
        assert moment is not None
        moment = next_after(parse(when), moment, place)
        if moment is None:
            break
        found.append(moment.astimezone(place).strftime("%m-%d %H:%M:%S%z"))
    return found


def shown(when: str) -> str:
    """The next two moments, without seconds."""
    return " · ".join(text[:11] for text in moments(when))


@pytest.mark.parametrize(
    ("when", "expected"),
    [
        ("*/5 * * * *", "11-21 13:55 · 11-21 14:00"),
        ("0 9 * * 1-5", "11-23 09:00 · 11-24 09:00"),
        ("0 0 9 * * MON-FRI", "11-23 09:00 · 11-24 09:00"),
        ("0 0 9 ? * MON-FRI *", "11-23 09:00 · 11-24 09:00"),
        ("0 */10 * * * *", "11-21 14:00 · 11-21 14:10"),
        ("0 9 1,15 * *", "12-01 09:00 · 12-15 09:00"),
        ("0 9 1 * mon", "11-23 09:00 · 11-30 09:00"),
        ("0 9 */2 * mon", "11-23 09:00 · 12-07 09:00"),
        ("0 9 L * ?", "11-30 09:00 · 12-31 09:00"),
        ("0 0 29 2 *", "02-29 00:00 · 02-29 00:00"),
        ("30 22-1 * * 0", "11-22 00:30 · 11-22 01:30"),
        ("0 12 * * fri-sun", "11-22 12:00 · 11-27 12:00"),
        ("0 12 * * 7", "11-22 12:00 · 11-29 12:00"),
        ("0 3/8 * jan-mar *", "01-01 03:00 · 01-01 11:00"),
        ("@hourly", "11-21 14:00 · 11-21 15:00"),
        ("@weekly", "11-22 00:00 · 11-29 00:00"),
    ],
)
def test_cron(when: str, expected: str) -> None:
    assert shown(when) == expected


SAME = {
    "11-21 14:00 · 11-21 14:15": "every 15 minutes|a cada 15 minutos|cada 15 minutos|каждые 15 минут|*/15 * * * *",
    "11-21 13:51 · 11-21 13:52": "every minute|a cada minuto|cada minuto|каждую минуту|ежеминутно",
    "11-21 14:00 · 11-21 15:00": "every hour|hourly|a cada hora|de hora em hora|cada hora|каждый час|ежечасно",
    "11-21 14:00 · 11-21 16:00": "every 2 hours|a cada 2 horas|cada 2 horas|каждые 2 часа",
    "11-22 00:00 · 11-23 00:00": "every day|daily|at midnight|todo dia|diariamente|à meia-noite|cada día|"
    "diario|a medianoche|каждый день|ежедневно|в полночь|EVERY  Day",
    "11-22 00:00 · 11-29 00:00": "every week|weekly|toda semana|semanalmente|cada semana|каждую неделю|раз в неделю",
    "12-01 00:00 · 01-01 00:00": "every month|monthly|todo mês|mensalmente|cada mes|каждый месяц|ежемесячно",
    "01-01 00:00 · 01-01 00:00": "every year|yearly|annually|todo ano|anualmente|cada año|каждый год|ежегодно",
    "11-22 09:00 · 11-23 09:00": "at 9am|9am|every day at 9:00|every day at 9|at 9 o'clock|todos os dias às 9h|"
    "às 9 da manhã|todos los días a las 9:00|a las 9 de la mañana|каждый день в 9:00|ежедневно в 9 утра|в 9 часов",
    "11-21 14:00 · 11-22 14:00": "14:00|at 2pm|every day at 14:00|às 14h|às 2 da tarde|a las 14:00|в 14:00|"
    "в 2 часа дня",
    "11-22 12:00 · 11-23 12:00": "at noon|noon|ao meio-dia|a mediodía|в полдень",
    "11-23 14:00 · 11-30 14:00": "every monday at 14:00|every Monday at 2 p.m.|toda segunda-feira às 14h|"
    "toda segunda às 14:00|cada lunes a las 14:00|каждый понедельник в 14:00|по понедельникам в 14:00",
    "11-23 08:30 · 11-24 08:30": "weekdays at 8:30|every weekday at 8:30am|monday to friday at 8:30|mon to fri at 8:30|"
    "dias úteis às 8h30|segunda a sexta às 8:30|de lunes a viernes a las 8:30|días laborables a las 8:30|"
    "по будням в 8:30|с понедельника по пятницу в 8:30|в рабочие дни в 8:30",
    "11-22 10:00 · 11-28 10:00": "weekends at 10am|fins de semana às 10h|fines de semana a las 10|по выходным в 10:00",
    "11-23 09:00 · 11-23 10:00": "business hours|every hour during business hours|a cada hora no horário comercial|"
    "cada hora durante el horario laboral|каждый час в рабочее время",
    "11-23 09:00 · 11-23 09:20": "every 20 minutes during business hours|a cada 20 minutos durante o horário comercial|"
    "cada 20 minutos en horario de oficina|каждые 20 минут в рабочее время",
    "12-15 09:00 · 01-15 09:00": "every month on the 15th at 9:00|todo dia 15 às 9:00|el día 15 de cada mes a las 9|"
    "каждый месяц 15 числа в 9:00",
    "11-30 09:00 · 12-31 09:00": "last day of every month at 9am|último dia de cada mês às 9h",
    "12-07 09:00 · 01-04 09:00": "first monday of every month at 9am|primeira segunda de cada mês às 9h",
    "11-23 09:00 · 11-23 17:00": "weekdays at 9am and 5pm|dias úteis às 9h e 17h|по будням в 9:00 и 17:00",
    "11-23 14:00 · 11-25 14:00": "every monday, wednesday and friday at 14:00|lunes, miércoles y viernes a las 14:00",
    "11-23 09:00 · 12-07 09:00": "every 2 weeks on monday at 9",
    "11-21 18:00 · 11-21 23:00": "every 5 hours",
}  # fmt: skip


@pytest.mark.parametrize(
    ("when", "expected"), [(when, expected) for expected, whens in SAME.items() for when in whens.split("|")]
)
def test_words_in_four_languages(when: str, expected: str) -> None:
    assert shown(when) == expected


@pytest.mark.parametrize(
    "when",
    [
        "every hour from 9 to 17", "every hour between 9am and 5pm", "a cada hora das 9 às 17", "cada hora de 9 a 17",
        "cada hora desde las 9 hasta las 17", "каждый час с 9 до 17",
    ],
)  # fmt: skip
def test_a_window_has_both_its_ends(when: str) -> None:
    monday = datetime.datetime(2026, 11, 23, tzinfo=UTC)
    assert [text[6:8] for text in moments(when, monday, count=10)] == [*(f"{hour:02}" for hour in range(9, 18)), "09"]


def test_a_window_over_midnight() -> None:
    assert [text[6:11] for text in moments("every 2 hours from 22 to 3", count=5)] == [
        "22:00", "00:00", "02:00", "22:00", "00:00",
    ]  # fmt: skip


def test_seconds() -> None:
    assert [text[6:14] for text in moments("every 30 seconds")] == ["13:50:30", "13:51:00"]
    assert [text[6:14] for text in moments("*/20 * * * * *")] == ["13:50:20", "13:50:40"]


def test_one_moment() -> None:
    assert moments("2026-12-25 09:00", zone="Europe/Lisbon") == ["12-25 09:00:00+0000"]
    assert moments("2026-12-25T09:00:00+03:00") == ["12-25 06:00:00+0000"]
    assert moments("2026-11-21") == [], "is over"


@pytest.mark.parametrize(
    ("when", "says"),
    [
        ("", 'expected a time, such as "every 15 minutes"'),
        ("every", "expected a time"),
        ("every full moon", 'the word "full" is not understood here'),
        ("every 0 minutes", "a count from 1 to 10000, got 0"),
        ("every hour at 9am", "do not go together"),
        ("every day at 25:00", "a time of day such as 9am or 14:30, got 25:00"),
        ("9:70", "got 9:70"),
        ("every day every hour", "one period"),
        ("every day from 9 to 17", "goes with minutes or hours"),
        ("every hour from 9", 'as in "from 9 to 17"'),
        ("day 32", "a day of the month from 1 to 31, got 32"),
        ("61 * * * *", "minute: expected 0 to 59, got '61'"),
        ("0 24 * * *", "hour: expected 0 to 23, got '24'"),
        ("0 9 * foo *", "month: expected 1 to 12, or a name, got 'foo'"),
        ("0 9 9-3 * *", "day of the month: '9-3' ends before it begins"),
        ("*/0 * * * *", "minute: expected 1 to 59, got '0'"),
        ("0 9 * *", "expected 5 fields"),
        ("0 0 9 * * * 2026", "expected 5 fields"),
        ("last monday of every month", "the last of a weekday cannot be said"),
        ("0 0 30 2 *", "never comes"),
        ("2026-02-30 09:00", 'such as "2026-12-25 09:00"'),
        ("every minute " * 20, "at most 200 characters"),
    ],
)
def test_what_cannot_be_read_is_said(when: str, says: str) -> None:
    with pytest.raises(ValueError, match=r".") as raised:
        parse(when)
    assert says in str(raised.value)


def test_zones() -> None:
    assert zone_of("") == GREENWICH
    assert zone_of("America/Sao_Paulo").key == "America/Sao_Paulo"
    for name in ("Mars/Olympus", "../../etc/passwd", "\0"):
        with pytest.raises(ValueError, match="timezone: expected a name such as"):
            zone_of(name)


def at(text: str, zone: str) -> datetime.datetime:
    return datetime.datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone))


# zone, before, rule, what clocks show then. Clocks go forward: the time that is not there comes when they jump.
FORWARD = [
    ("Europe/Lisbon", "2026-03-28T12:00", "30 1 * * *", ["03-29 02:00:00+0100", "03-30 01:30:00+0100"]),
    ("Europe/Lisbon", "2026-03-28T12:00", "0,30 1 * * *", ["03-29 02:00:00+0100", "03-30 01:00:00+0100"]),
    ("America/Sao_Paulo", "2018-11-03T12:00", "every day", ["11-04 01:00:00-0200", "11-05 00:00:00-0200"]),
    ("America/New_York", "2026-03-08T00:00", "30 2 * * *", ["03-08 03:00:00-0400", "03-09 02:30:00-0400"]),
    ("Europe/Moscow", "2011-03-26T12:00", "15 2 * * *", ["03-27 03:00:00+0400", "03-28 02:15:00+0400"]),
    ("Australia/Lord_Howe", "2026-10-03T12:00", "10 2 * * *", ["10-04 02:30:00+1100", "10-05 02:10:00+1100"]),
]  # fmt: skip
# Clocks go back: the time that is there twice comes the first time only.
BACK = [
    ("Europe/Lisbon", "2026-10-24T12:00", "30 1 * * *", ["10-25 01:30:00+0100", "10-26 01:30:00+0000"]),
    ("America/Sao_Paulo", "2018-02-17T12:00", "30 23 * * *", ["02-17 23:30:00-0200", "02-18 23:30:00-0300"]),
    ("America/New_York", "2026-10-31T12:00", "at 1am", ["11-01 01:00:00-0400", "11-02 01:00:00-0500"]),
    ("Europe/Moscow", "2014-10-25T12:00", "30 1 * * *", ["10-26 01:30:00+0400", "10-27 01:30:00+0300"]),
    ("Australia/Lord_Howe", "2026-04-04T12:00", "45 1 * * *", ["04-05 01:45:00+1100", "04-06 01:45:00+1030"]),
]  # fmt: skip


@pytest.mark.parametrize(("zone", "before", "when", "expected"), FORWARD + BACK)
def test_a_change_of_clocks_fires_once(zone: str, before: str, when: str, expected: list[str]) -> None:
    assert moments(when, at(before, zone), zone) == expected


@pytest.mark.parametrize(
    ("zone", "before", "expected"),
    [
        ("Europe/Lisbon", "2026-10-25T00:45", "01:00+0100 01:30+0100 01:00+0000 01:30+0000 02:00+0000"),
        ("Europe/Lisbon", "2026-03-29T00:15", "00:30+0000 02:00+0100 02:30+0100 03:00+0100 03:30+0100"),
        ("Australia/Lord_Howe", "2026-04-05T01:15", "01:30+1100 01:30+1030 02:00+1030 02:30+1030 03:00+1030"),
        ("Australia/Lord_Howe", "2026-10-04T01:15", "01:30+1030 02:30+1100 03:00+1100 03:30+1100 04:00+1100"),
    ],
)
def test_what_goes_on_round_the_day_follows_the_clock(zone: str, before: str, expected: str) -> None:
    found = moments("*/30 * * * *", at(before, zone), zone, count=5)
    assert [f"{text[6:11]}{text[14:]}" for text in found] == expected.split()


ZONES = (
    "UTC", "Europe/Lisbon", "America/Sao_Paulo", "America/New_York", "Europe/Moscow", "Australia/Lord_Howe",
    "Asia/Kathmandu", "Pacific/Apia", "Africa/Casablanca", "Antarctica/Troll",
)  # fmt: skip
MINUTE = datetime.timedelta(minutes=1)
MINUTES = st.tuples(
    st.sampled_from(["*", "0", "*/7", "30", "1-5", "59"]),
    st.sampled_from(["*", "0", "1", "2", "1-3", "*/6", "23"]),
    st.sampled_from(["*", "*", "1", "L", "*/3", "13,31"]),
    st.sampled_from(["*", "*", "3,10", "2", "*/5"]),
    st.sampled_from(["*", "*", "1-5", "sun", "5"]),
).map(" ".join)
SECONDS = st.tuples(st.sampled_from(["0", "*/20", "15,45"]), MINUTES).map(" ".join)
RULES = st.one_of(SECONDS, st.sampled_from([when for whens in SAME.values() for when in whens.split("|")])).map(parse)
MOMENTS = st.datetimes(
    min_value=datetime.datetime(2005, 1, 1),  # noqa: DTZ001 - hypothesis adds the zone
    max_value=datetime.datetime(2030, 1, 1),  # noqa: DTZ001
    timezones=st.just(UTC),
)


def matches(rule: Rule, moment: datetime.datetime, zone: ZoneInfo) -> bool:
    """Whether a moment is one of a rule: its time, or the jump over its time."""
    if isinstance(rule, Interval):
        return moment.timestamp() % rule.seconds == 0
    assert isinstance(rule, Calendar)
    shown_then = wall_of(moment, zone)
    before = wall_of(moment - datetime.timedelta(seconds=1), zone) + datetime.timedelta(seconds=1)
    jumped = (before + datetime.timedelta(seconds=n) for n in range(int((shown_then - before).total_seconds())))
    return fits(rule, shown_then) or any(fits(rule, wall) for wall in jumped)


@settings(max_examples=300, deadline=None)
@given(RULES, MOMENTS, st.sampled_from(ZONES))
def test_the_next_moment_is_later_and_matches(rule: Rule, moment: datetime.datetime, name: str) -> None:
    zone = ZoneInfo(name)
    found = next_after(rule, moment, zone)
    assert found is not None
    assert found > moment
    assert matches(rule, found, zone)
    assert next_after(rule, found - datetime.timedelta(seconds=1), zone) == found, "nothing is skipped on the way"


def walked(rule: Calendar, start: datetime.datetime, zone: ZoneInfo) -> list[datetime.datetime]:
    """What a rule must do in thirty hours, by looking at the clock each minute: new times it shows or jumps over."""
    highest, found = wall_of(start - datetime.timedelta(hours=6), zone), []
    for number in range(-6 * 60, 30 * 60):
        moment = start + number * MINUTE
        shown_then = wall_of(moment, zone)
        passed = (highest + n * MINUTE for n in range(1, int((shown_then - highest) / MINUTE) + 1))
        if (fits(rule, shown_then) if rule.flowing else any(fits(rule, wall) for wall in passed)) and number > 0:
            found.append(moment)
        highest = max(highest, shown_then)
    return found


CHANGES = [(zone, at(before, zone).astimezone(UTC)) for zone, before, _, _ in FORWARD + BACK]


@settings(max_examples=80, deadline=None)
@given(MINUTES.map(parse), st.sampled_from(CHANGES), st.integers(0, 20 * 60))
def test_nothing_is_left_out_or_repeated(rule: Calendar, change: tuple[str, datetime.datetime], late: int) -> None:
    zone, start = ZoneInfo(change[0]), change[1] + late * MINUTE
    found, moment = list[datetime.datetime](), next_after(rule, start, zone)
    while moment is not None and moment < start + datetime.timedelta(hours=30):
        found.append(moment)
        moment = next_after(rule, moment, zone)
    assert found == walked(rule, start, zone)

"""Answers that are dates and hours."""

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

from services.engine.hearing.folding import folded, plain
from services.engine.program.values import Value

RELATIVE = {
    "today": 0, "hoje": 0, "hoy": 0, "сегодня": 0, "heute": 0, "aujourd'hui": 0,
    "tomorrow": 1, "amanha": 1, "manana": 1, "завтра": 1, "morgen": 1, "demain": 1,
    "yesterday": -1, "ontem": -1, "ayer": -1, "вчера": -1, "gestern": -1, "hier": -1,
    "day after tomorrow": 2, "depois de amanha": 2, "pasado manana": 2, "послезавтра": 2,
    "day before yesterday": -2, "anteontem": -2, "anteayer": -2, "позавчера": -2,
}  # fmt: skip
MONTHS = tuple(
    tuple(folded(name) for name in names.split())
    for names in (
        "jan january janeiro ene enero янв января январь", "feb february fev fevereiro febrero фев февраля февраль",
        "mar march março marzo мар марта март", "apr april abr abril апр апреля апрель",
        "may mai maio mayo мая май", "jun june junho junio июн июня июнь", "jul july julho julio июл июля июль",
        "aug august ago agosto авг августа август", "sep sept september set setembro septiembre сен сентября сентябрь",
        "oct october out outubro octubre окт октября октябрь", "nov november novembro noviembre ноя ноября ноябрь",
        "dec december dez dezembro dic diciembre дек декабря декабрь",
    )
)  # fmt: skip
MONTH = {name: number for number, names in enumerate(MONTHS, 1) for name in names}
YEAR_FIRST = re.compile(r"([0-9]{4})[-/.]([0-9]{1,2})[-/.]([0-9]{1,2})(?:[T ].*)?")
YEAR_LAST = re.compile(r"([0-9]{1,2})([-/.])([0-9]{1,2})\2([0-9]{4})")
DAY_NAMED = re.compile(
    r"([0-9]{1,2})(?:st|nd|rd|th|º|°|o|\.)?[\s-]+(?:de |of )?([^\W\d]+)\.?,?[\s-]+(?:de |del )?([0-9]{4})(?: г\.?)?"
)
MONTH_NAMED = re.compile(r"([^\W\d]+)\.?\s+([0-9]{1,2})(?:st|nd|rd|th)?,?\s+([0-9]{4})")
CLOCK = re.compile(r"([0-9]{1,2})(?:[:hH.]([0-9]{2})?)?\s*(?:([aApP])\.?[mM]\.?|[hH]|uhr)?", re.IGNORECASE)


def day(text: str, now: datetime | None = None) -> Value:
    """ISO; the day first where it is not clear."""
    word = folded(plain(text))
    if word in RELATIVE:
        today = (now or datetime.now(UTC)).date()
        return (today + timedelta(days=RELATIVE[word])).isoformat()
    for year, month, number in candidates(word):
        try:
            return date(year, month, number).isoformat()
        except ValueError:
            continue
    return None


def candidates(word: str) -> Iterator[tuple[int, int, int]]:
    """Year, month, day that a text may mean, the likeliest first."""
    if match := YEAR_FIRST.fullmatch(word):
        yield int(match[1]), int(match[2]), int(match[3])
    elif match := YEAR_LAST.fullmatch(word):
        yield int(match[4]), int(match[3]), int(match[1])
        if match[2] != ".":
            yield int(match[4]), int(match[1]), int(match[3])
    elif (match := DAY_NAMED.fullmatch(word)) and match[2] in MONTH:
        yield int(match[3]), MONTH[match[2]], int(match[1])
    elif (match := MONTH_NAMED.fullmatch(word)) and match[1] in MONTH:
        yield int(match[3]), MONTH[match[1]], int(match[2])


def hour(text: str) -> Value:
    """HH:MM of 24 hours, from either clock."""
    match = CLOCK.fullmatch(plain(text))
    if match is None:
        return None
    hours, minutes, half = int(match[1]), int(match[2] or 0), (match[3] or "").lower()
    if half:
        if not 1 <= hours <= 12:
            return None
        hours = hours % 12 + (12 if half == "p" else 0)
    return f"{hours:02d}:{minutes:02d}" if hours < 24 and minutes < 60 else None

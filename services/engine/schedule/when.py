"""The "when" of SET SCHEDULE: cron, words in four languages, or one moment."""

import datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

from services.engine.schedule.cron import looks_like_cron, parse_cron
from services.engine.schedule.natural import EXAMPLES, parse_natural
from services.engine.schedule.rules import UTC, Once, Rule, next_after

__all__ = ["Once", "Rule", "next_after", "parse", "zone_of"]
LONGEST = 200
BEGINNING = datetime.datetime(2000, 1, 1, tzinfo=UTC)


@lru_cache(maxsize=4096)
def parse(text: str) -> Rule:
    """A rule. ValueError in words for the author, with examples; also for one that would never fire."""
    given = " ".join(text.split())
    if not given:
        raise ValueError(f"expected a time, such as {EXAMPLES}")
    if len(given) > LONGEST:
        raise ValueError(f"a time has at most {LONGEST} characters")
    rule = moment_of(given) or (parse_cron(given) if looks_like_cron(given) else parse_natural(given))
    if not isinstance(rule, Once) and next_after(rule, BEGINNING, ZoneInfo("UTC")) is None:
        raise ValueError(f'"{given}" never comes: there is no such day')
    return rule


def moment_of(text: str) -> Once | None:
    """One moment, when the text is an ISO date or time with a year."""
    if len(text) < len("2026-12-25") or not text[:4].isdigit() or text[4] not in "-0123456789":
        return None
    try:
        return Once(datetime.datetime.fromisoformat(text))
    except ValueError:
        raise ValueError(f'"{text}": expected a date and time such as "2026-12-25 09:00"') from None


@lru_cache(maxsize=1024)
def zone_of(name: str) -> ZoneInfo:
    """The time zone of a name, UTC when empty. ValueError."""
    try:
        return ZoneInfo(name.strip() or "UTC")
    except (LookupError, ValueError, OSError):
        raise ValueError(f'timezone: expected a name such as "Europe/Lisbon", got "{name[:60]}"') from None

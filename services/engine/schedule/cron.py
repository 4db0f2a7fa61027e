"""Cron: five fields (minute hour day month weekday), or six with seconds first."""

from services.engine.schedule.rules import EVERY_DAY, EVERY_WEEKDAY, LAST_DAY, Calendar

MONTHS = {name: number for number, name in enumerate("jan feb mar apr may jun jul aug sep oct nov dec".split(), 1)}
WEEKDAYS = {name: number for number, name in enumerate("sun mon tue wed thu fri sat".split())}
FIELDS: tuple[tuple[str, int, int, dict[str, int]], ...] = (
    ("second", 0, 59, {}),
    ("minute", 0, 59, {}),
    ("hour", 0, 23, {}),
    ("day of the month", 1, 31, {}),
    ("month", 1, 12, MONTHS),
    ("day of the week", 0, 7, WEEKDAYS),
)
MACROS = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}
CHARACTERS = frozenset("0123456789*/,-?LlWw#")
ANY = frozenset({"*", "?"})


def looks_like_cron(text: str) -> bool:
    """Whether a text is meant as cron: its first word is a macro, or a field made of cron's own characters."""
    words = text.split()
    return words[0].startswith("@") or (len(words) > 2 and all(set(word) <= CHARACTERS for word in words[:2]))


def parse_cron(text: str) -> Calendar:
    """A rule. ValueError that names the field."""
    words = MACROS.get(text.strip().lower(), text).split()
    if len(words) == 7 and words[6] in ANY:  # any year
        del words[6]
    if len(words) not in (5, 6):
        raise ValueError(
            f"expected 5 fields (minute hour day month weekday) or 6 (seconds first), got {len(words)}: "
            '"0 9 * * 1-5" is 9:00 from Monday to Friday'
        )
    words = ["0", *words] if len(words) == 5 else words
    seconds, minutes, hours, days, months, week = (
        values_of(word.lower(), *field) for word, field in zip(words, FIELDS, strict=True)
    )
    restricted = (words[3] not in ANY, words[5] not in ANY)
    return Calendar(
        times=tuple(h * 3600 + m * 60 + s for h in sorted(hours) for m in sorted(minutes) for s in sorted(seconds)),
        flowing=len(hours) == 24,
        months=months,
        days=days if restricted[0] else EVERY_DAY,
        weekdays=frozenset(day or 7 for day in week) if restricted[1] else EVERY_WEEKDAY,
        either=all(restricted) and not (words[3].startswith("*") or words[5].startswith("*")),
    )


def values_of(word: str, name: str, least: int, most: int, names: dict[str, int]) -> frozenset[int]:
    """The numbers a field stands for."""
    found: set[int] = set()
    for part in word.split(","):
        found |= part_of(part, name, least, most, names)
    return frozenset(found)


def part_of(part: str, name: str, least: int, most: int, names: dict[str, int]) -> set[int]:
    """ "*", "5", "1-5", "*/10", "3/10", "mon-fri", "l"."""
    if part == "l" and name == "day of the month":
        return {LAST_DAY}
    span, slash, step_text = part.partition("/")
    step = number_of(step_text, name, 1, most, {}) if slash else 1
    if span in ANY:
        first, last = least, most
    elif "-" in span:
        first, last = (number_of(item, name, least, most, names) for item in span.split("-", 1))
    else:
        first = number_of(span, name, least, most, names)
        last = most if slash else first
    if last >= first:
        return set(range(first, last + 1, step))
    if name not in {"day of the week", "hour", "month"}:
        raise ValueError(f"{name}: {span!r} ends before it begins")
    # "fri-mon", "22-2": over the end and on from the beginning
    size = 7 if names is WEEKDAYS else most - least + 1
    return {(value - least) % size + least for value in range(first, last + size + 1, step)}


def number_of(text: str, name: str, least: int, most: int, names: dict[str, int]) -> int:
    """A number or a name of it. ValueError."""
    if text in names:
        return names[text]
    if text.isascii() and text.isdigit() and least <= int(text) <= most:
        return int(text)
    raise ValueError(f"{name}: expected {least} to {most}{', or a name' if names else ''}, got {text!r}")

"""What the scripts of a version declare: SET SCHEDULE, WEBHOOK, ON.

Shapes: {"kind": "schedule", "when", "script": "" or "other.bas", "entry", "line"}, {"kind": "webhook", "name", "line"},
{"kind": "event", "event", "of", "options": {...}, "entry", "line"}. Other kinds are for others.
"""

import datetime
import re
import uuid
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from services.common.errors import FieldViolation, InvalidArgument
from services.common.identifiers import derived_id
from services.engine.schedule import when
from services.engine.schedule.phrases import plain

MOST = 1000
MISFIRES = ("once", "skip", "always")
EVENTS = frozenset({"insert", "update", "delete", "email", "change", "form", "custom"})
STRANGE = re.compile(r"[^a-z0-9_.]+")
LONGEST_NAME, LONGEST_TARGET = 100, 255
SHORTEST_KEY = 8
YES = frozenset({"true", "yes", "1", "on"})


@dataclass(frozen=True, slots=True)
class Schedule:
    """A rule of time and what it starts. `script`: without ".bas"; `misfire`: see policy.py."""

    id: uuid.UUID
    script: str
    entry: str
    rule: str
    zone: str
    misfire: str = "once"
    grace: int = 300

    def next_after(self, moment: datetime.datetime) -> datetime.datetime | None:
        """When it is due next."""
        return when.next_after(when.parse(self.rule), moment, when.zone_of(self.zone))


@dataclass(frozen=True, slots=True)
class Webhook:
    """A web address of a bot. `key`: the author's own, empty when one is made; `keyless`: anybody may call."""

    name: str
    script: str
    entry: str = ""
    key: str = field(default="", repr=False)
    keyless: bool = False


@dataclass(frozen=True, slots=True)
class EventRule:
    """What starts when something happens to `target`."""

    id: uuid.UUID
    event: str
    target: str
    options: Mapping[str, Any]
    script: str
    entry: str


@dataclass(frozen=True, slots=True)
class Declared:
    """All of a version."""

    schedules: tuple[Schedule, ...] = ()
    webhooks: tuple[Webhook, ...] = ()
    events: tuple[EventRule, ...] = ()
    scripts: frozenset[str] = frozenset()


class Mistake(ValueError):
    """What is wrong with a declaration, in words for the author."""


class Reader:
    """Reads the declarations of the programs of a version, {name: document}, and the configuration."""

    def __init__(self, bot: str, programs: Mapping[str, Mapping[str, Any]], config: Mapping[str, str]) -> None:
        self._bot = bot
        self._programs = programs
        self._config = {name.lower(): text.strip() for name, text in config.items()}
        self._seen: Counter[tuple[str, ...]] = Counter()
        self._wrong: list[FieldViolation] = []

    def read(self) -> Declared:
        """Everything. InvalidArgument (PROGRAM_INVALID) with file and line of what cannot be used."""
        schedules = tuple(self._each("schedule", self._schedule))
        webhooks = {item.name: item for item in self._each("webhook", self._webhook)}
        events = tuple(self._each("event", self._event))
        if self._wrong:
            first = self._wrong[0]
            raise InvalidArgument(
                f"{len(self._wrong)} errors; the first: {first.field}: {first.description}",
                reason="PROGRAM_INVALID",
                violations=self._wrong,
            )
        return Declared(schedules, tuple(webhooks.values()), events, frozenset(self._programs))

    def _each(self, kind: str, read: Any) -> Iterator[Any]:  # noqa: ANN401 - one of three
        count = 0
        for program, document in sorted(self._programs.items()):
            for given in document.get("declarations", ()):
                if given.get("kind") != kind:
                    continue
                count += 1
                try:
                    if count > MOST:
                        raise Mistake(f"a bot has at most {MOST} of these")
                    yield read(program, given)
                except ValueError as error:
                    place = f"{program}.bas:{given.get('line', 1)}:1"
                    self._wrong.append(FieldViolation(place, str(error)))

    def _identity(self, *parts: str) -> uuid.UUID:
        """The same in the next version when it says the same."""
        self._seen[parts] += 1
        return derived_id(self._bot, *parts, self._seen[parts])

    def _schedule(self, program: str, given: Mapping[str, Any]) -> Schedule:
        rule = " ".join(str(given.get("when", "")).split())
        when.parse(rule)
        script = stem(str(given.get("script") or program))
        if script not in self._programs:
            raise Mistake(f"SET SCHEDULE: there is no script {script}.bas in this bot")
        entry = str(given.get("entry") or "")
        timing = timing_of(self._config)
        return Schedule(self._identity("schedule", script, entry, rule), script, entry, rule, *timing)

    def _webhook(self, program: str, given: Mapping[str, Any]) -> Webhook:
        name = address_of(str(given.get("name", "")))
        if not 0 < len(name) <= LONGEST_NAME:
            raise Mistake(f"WEBHOOK: expected a name with letters or digits in it, at most {LONGEST_NAME}")
        key = self._setting(name, "key") or str(given.get("key") or "")
        if 0 < len(key) < SHORTEST_KEY:
            raise Mistake(f"webhook-{name}-key: expected at least {SHORTEST_KEY} characters, so that nobody guesses it")
        keyless = self._setting(name, "public").lower() in YES
        return Webhook(name, program, str(given.get("entry") or ""), key, keyless)

    def _setting(self, name: str, what: str) -> str:
        return self._config.get(f"webhook-{name}-{what}") or self._config.get(f"webhook-{what}", "")

    def _event(self, program: str, given: Mapping[str, Any]) -> EventRule:
        event, target = str(given.get("event", "")), str(given.get("of", "")).strip()
        if event not in EVENTS:
            raise Mistake(f"ON: there is no event {event!r}; expected one of {', '.join(sorted(EVENTS))}")
        if not 0 < len(target) <= LONGEST_TARGET:
            raise Mistake(f"ON {event.upper()}: expected what it is about, at most {LONGEST_TARGET} characters")
        target = target if event == "change" else target.lower()
        entry = str(given.get("entry") or "")
        identity = self._identity("event", program, event, target, entry)
        return EventRule(identity, event, target, dict(given.get("options") or {}), program, entry)


def timing_of(config: Mapping[str, str]) -> tuple[str, str, int]:
    """Time zone, misfire policy and grace in seconds. ValueError."""
    zone = config.get("timezone") or config.get("time-zone") or "UTC"
    misfire = config.get("schedule-misfire", "").lower() or "once"
    grace = config.get("schedule-grace", "") or "300"
    if misfire not in MISFIRES:
        raise Mistake(f"schedule-misfire: expected {', '.join(MISFIRES)}, got {misfire[:40]!r}")
    if not grace.isdecimal() or int(grace) > 31_536_000:
        raise Mistake(f"schedule-grace: expected seconds, got {grace[:40]!r}")
    return when.zone_of(zone).key, misfire, int(grace)


def address_of(name: str) -> str:
    """The name of a webhook as part of an address: small letters and digits, "-" for what is neither; may be empty."""
    return STRANGE.sub("-", plain(name)).strip("-.")


def stem(path: str) -> str:
    """The name of a script: "tools/Report.bas" is "report"."""
    name = path.replace("\\", "/").rpartition("/")[2].strip()
    return (name[:-4] if name.lower().endswith(".bas") else name).lower()

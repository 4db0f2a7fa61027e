"""Golden conversations: what a bot must say and do, written down beside it in YAML."""

import datetime
import random
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from cli.authoring.package import Playable, is_package, load
from cli.authoring.stage import Acted, Circumstances, Stage
from cli.failure import Failure
from services.engine.basic.packages import home_of
from services.engine.machine import machine as m
from services.engine.machine.outcomes import PerformEffect, Say
from services.engine.program.values import Value

LARGEST_FILE = 1_048_576
ENDINGS = (".yaml", ".yml")
KEYS = frozenset({"name", "script", "clock", "locale", "variables", "memory", "config", "mocks", "steps", "seed"})
STEP_KEYS = frozenset({"say", "expect", "suggestions", "effects", "waiting", "variables", "memory"})
MOCK_KEYS = frozenset({"keyword", "when", "value", "error", "times"})
NOON = datetime.datetime(2026, 3, 14, 12, 0, tzinfo=datetime.UTC)
WAITING = {m.AskUser: "message", m.Ended: "over", m.Failed: "failed"}


@dataclass(slots=True)
class Mock:
    """What a keyword gives instead of being performed. left: how often; None: always."""

    keyword: str
    when: dict[str, Value]
    value: Value = None
    error: str = ""
    left: int | None = None


@dataclass(slots=True)
class Golden:
    """One file. home: the package it is about."""

    path: Path
    home: Path
    content: dict[str, Any]

    @property
    def name(self) -> str:
        """As it is shown."""
        return str(self.content.get("name") or self.path.stem)


@dataclass(slots=True)
class Happened:
    """What one step gave."""

    said: list[str] = field(default_factory=list)
    suggestions: list[str] = field(default_factory=list)
    acted: list[Acted] = field(default_factory=list)
    outcome: object = None


def found(path: Path) -> Iterator[Golden]:
    """Conversations of a file, a package, or all packages below a folder. Failure for a file that is none."""
    if path.is_file():
        yield read(path)
        return
    packages = [path] if is_package(path) else sorted(item for item in path.rglob("*.gbai") if item.is_dir())
    for package in packages:
        for folder in (*package.glob("*.gbtest"), package / "tests"):
            for file in sorted(folder.glob("*")):
                if file.suffix in ENDINGS:
                    yield read(file)


def read(path: Path) -> Golden:
    """A file, checked. Failure says what is wrong with it."""
    try:
        if path.stat().st_size > LARGEST_FILE:
            raise Failure(f"{path}: a conversation is at most 1 MiB")
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise Failure(f"{path}: {error}") from None
    if not isinstance(content, dict) or not isinstance(content.get("steps"), list):
        raise Failure(f"{path}: expected an object with `steps`, a list")
    unknown(path, content, KEYS)
    for step in content["steps"]:
        unknown(path, step, STEP_KEYS)
    for mock in content.get("mocks", ()):
        unknown(path, mock, MOCK_KEYS)
    return Golden(path, home_of(path), content)


def unknown(path: Path, content: object, keys: frozenset[str]) -> None:
    """Failure for a key that has no meaning."""
    if not isinstance(content, dict):
        raise Failure(f"{path}: expected an object, got {content!r}")
    strange = sorted(set(map(str, content)) - keys)
    if strange:
        raise Failure(f"{path}: {', '.join(strange)} means nothing here; there are {', '.join(sorted(keys))}")


def play(golden: Golden, playable: Playable | None = None) -> list[str]:
    """Run a conversation; lines that say where it differs, none when it is as it should be. Failure."""
    content = golden.content
    playable = playable or load(golden.home)
    script = str(content.get("script", "start")).lower().removesuffix(".bas")
    if script not in playable.programs:
        raise Failure(f"{golden.path}: the package has no script {script}")
    config = playable.config | {str(key): str(value) for key, value in content.get("config", {}).items()}
    mocks = Mocks(content.get("mocks", ()))
    stage = Stage(
        Playable(playable.home, playable.programs, config, playable.tables), script, mocks.perform, around(content)
    )
    random.seed(content.get("seed", 1))
    for number, step in enumerate(content["steps"], 1):
        happened = Happened()
        if "say" in step and stage.state.over:
            return [f"step {number}: {step['say']!r} is said, but the script is over"]
        if "say" in step or number == 1:
            happened = advance(stage, None) if number == 1 else happened
            if "say" in step:
                happened = joined(happened, advance(stage, str(step["say"])))
        problems = [*mocks.missing, *differences(step, happened, stage)]
        if problems:
            return [f"step {number}" + (f", after {step['say']!r}" if "say" in step else ""), *indented(problems)]
    return []


def around(content: dict[str, Any]) -> Circumstances:
    """Clock, language, what is known before. Failure for a clock that is none."""
    clock = content.get("clock", NOON)
    if isinstance(clock, str):
        try:
            clock = datetime.datetime.fromisoformat(clock)
        except ValueError:
            raise Failure(f"clock: expected a time such as 2026-03-14T12:00:00+00:00, got {clock!r}") from None
    if isinstance(clock, datetime.datetime) and clock.tzinfo is None:
        clock = clock.replace(tzinfo=datetime.UTC)
    variables = {str(name).lower(): value for name, value in content.get("variables", {}).items()}
    return Circumstances(clock, str(content.get("locale", "en")), variables, content.get("memory", {}))


def advance(stage: Stage, said: str | None) -> Happened:
    """Go on to the next stop."""
    made = Happened()
    for item in stage.go(said):
        if isinstance(item, Say):
            made.said.append(item.text)
            made.suggestions += [chip["text"] for chip in item.suggestions]
        elif isinstance(item, Acted):
            made.acted.append(item)
        elif isinstance(item, m.AskUser | m.Ended | m.Failed):
            made.outcome = item
    return made


def joined(first: Happened, second: Happened) -> Happened:
    """Two stops as one step."""
    return Happened(
        first.said + second.said, first.suggestions + second.suggestions, first.acted + second.acted, second.outcome
    )


class Mocks:
    """What keywords give. missing: those that were asked for and nobody made up."""

    def __init__(self, listed: object) -> None:
        rows = listed if isinstance(listed, list) else []
        self._mocks = [
            Mock(
                " ".join(str(row["keyword"]).upper().split()),
                dict(row.get("when", {})),
                row.get("value"),
                str(row.get("error", "")),
                row.get("times"),
            )
            for row in rows
        ]
        self.missing: list[str] = []

    def perform(self, wanted: PerformEffect) -> m.EffectResult | m.EffectError:
        """The first that fits."""
        for mock in self._mocks:
            if mock.keyword == wanted.keyword and fits(mock.when, wanted.arguments) and mock.left != 0:
                mock.left = mock.left - 1 if mock.left is not None else None
                return m.EffectError(mock.error) if mock.error else m.EffectResult(mock.value)
        self.missing.append(f"{shown(wanted)} was reached, and no mock gives it a value")
        return m.EffectResult(None)


def shown(wanted: PerformEffect) -> str:
    """A keyword with what it was told."""
    told = ", ".join(f"{name}: {value!r}" for name, value in wanted.arguments.items())
    return f"{wanted.keyword} ({told[:300]})"


def fits(expected: object, value: Value) -> bool:
    """Whether a value is what is expected: {matches: pattern}, {contains: text}, parts of an object, or the same."""
    if isinstance(expected, dict) and set(expected) == {"matches"}:
        return re.search(str(expected["matches"]), str(value)) is not None
    if isinstance(expected, dict) and set(expected) == {"contains"}:
        return str(expected["contains"]) in str(value)
    if isinstance(expected, dict) and isinstance(value, dict):
        return all(name in value and fits(part, value[name]) for name, part in expected.items())
    if isinstance(expected, list) and isinstance(value, list):
        return len(expected) == len(value) and all(map(fits, expected, value))
    return bool(expected == value)


# differences


def differences(step: dict[str, Any], happened: Happened, stage: Stage) -> list[str]:
    """What is not as the step says; what it does not mention may be anything."""
    problems: list[str] = []
    if "expect" in step:
        problems += compared("said", as_list(step["expect"]), happened.said)
    elif isinstance(happened.outcome, m.Failed) and step.get("waiting") != "failed":
        problems.append(f"the script failed: {happened.outcome.message} (line {happened.outcome.line})")
    if "suggestions" in step:
        problems += compared("suggested", as_list(step["suggestions"]), happened.suggestions)
    if "effects" in step:
        written = [item.wanted for item in happened.acted if item.writes]
        problems += effects(as_list(step["effects"]), written)
    if "waiting" in step:
        state = WAITING.get(type(happened.outcome), "")
        why = f": {happened.outcome.message}" if isinstance(happened.outcome, m.Failed) else ""
        problems += [] if state == step["waiting"] else [f"expected waiting: {step['waiting']}, got {state}{why}"]
    for name, value in step.get("variables", {}).items():
        known = stage.state.globals.get(str(name).lower())
        problems += [] if fits(value, known) else [f"expected {name} = {value!r}, got {known!r}"]
    for scope, values in step.get("memory", {}).items():
        for name, value in values.items():
            kept = stage.memory.kept.get((scope, name))
            problems += [] if fits(value, kept) else [f"expected {scope} memory {name} = {value!r}, got {kept!r}"]
    return problems


def as_list(value: object) -> list[Any]:
    """One is a list of one."""
    return value if isinstance(value, list) else [] if value is None else [value]


def compared(what: str, expected: list[Any], got: list[str]) -> list[str]:
    """Two lists beside each other: - what is missing, + what is there instead."""
    if len(expected) == len(got) and all(map(fits, expected, got)):
        return []
    lines = [f"{what}:"]
    for index in range(max(len(expected), len(got))):
        wanted = expected[index] if index < len(expected) else None
        have = got[index] if index < len(got) else None
        if index < len(expected) and index < len(got) and fits(wanted, have):
            lines.append(f"    {have}")
            continue
        lines += [f"  - {wanted}"] if index < len(expected) else []
        lines += [f"  + {have}"] if index < len(got) else []
    return lines


def effects(expected: list[Any], got: list[PerformEffect]) -> list[str]:
    """Keywords that change something outside, in their order."""
    same = len(expected) == len(got) and all(map(effect_fits, expected, got))
    if same:
        return []
    return ["effects:", *(f"  - {item}" for item in expected), *(f"  + {shown(item)}" for item in got)]


def effect_fits(expected: object, got: PerformEffect) -> bool:
    """The name of a keyword, or {keyword, with}."""
    if isinstance(expected, str):
        return expected.upper() == got.keyword
    if not isinstance(expected, dict):
        return False
    return str(expected.get("keyword", "")).upper() == got.keyword and fits(expected.get("with", {}), got.arguments)


def indented(lines: list[str]) -> list[str]:
    """A step further in."""
    return [f"  {line}" for line in lines]

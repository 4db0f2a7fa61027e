"""What goes into a run of the machine and what comes out of it."""

import datetime
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from services.engine.program.values import Value

Clock = Callable[[], datetime.datetime]


@dataclass(frozen=True, slots=True)
class Budgets:
    """What one turn may use: nodes, seconds of computing, messages, characters of output."""

    nodes: int = 1_000_000
    seconds: float = 5.0
    messages: int = 200
    characters: int = 262_144


@dataclass(slots=True)
class Say:
    """A message to the person. attachments: [{name, uri, content_type}]."""

    text: str
    suggestions: list[dict[str, str]] = field(default_factory=list)
    attachments: list[dict[str, str]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Input:
    """What a person said. attachments: [{name, uri, content_type}]."""

    text: str
    action: str = ""
    attachments: tuple[dict[str, str], ...] = ()
    locale: str = ""


@dataclass(frozen=True, slots=True)
class TimerFired:
    """The time waited for has come."""


@dataclass(frozen=True, slots=True)
class EffectResult:
    """What an effect gave, changed in the conversation's settings, said, and what it keeps as (scope, key, value)."""

    value: Value
    settings: Mapping[str, Value] = field(default_factory=dict)
    says: tuple[Say, ...] = ()
    variables: tuple[tuple[str, str, Value], ...] = ()


@dataclass(frozen=True, slots=True)
class EffectError:
    """Why an effect failed, or nobody will answer, in words for the script."""

    message: str


@dataclass(frozen=True, slots=True)
class AskUser:
    """Waits for a message."""


@dataclass(frozen=True, slots=True)
class Sleep:
    """Waits for a time, seconds since the epoch."""

    until: float


@dataclass(frozen=True, slots=True)
class PerformEffect:
    """A keyword to be performed outside. key: the same after a crash."""

    keyword: str
    arguments: dict[str, Value]
    key: str


@dataclass(frozen=True, slots=True)
class Ended:
    """The program is over."""

    value: Value = None


@dataclass(frozen=True, slots=True)
class Failed:
    """The program ended with an error nobody caught."""

    message: str
    line: int


@dataclass(frozen=True, slots=True)
class Paused:
    """The program has computed for its slice of time and is not at a stop: the run goes on with go_on()."""


@dataclass(frozen=True, slots=True)
class TraceEvent:
    """A node that was executed: what it took, what it gave, how long it was about it, and what went wrong."""

    program: str
    node: str
    op: str
    line: int
    input: Value = None
    output: Value = None
    milliseconds: float = 0.0
    error: str = ""


Resume = Input | TimerFired | EffectResult | EffectError | None
Outcome = AskUser | Sleep | PerformEffect | Ended | Failed


@dataclass(slots=True)
class Step:
    """What happened up to the next stop."""

    outputs: list[Say]
    outcome: Outcome

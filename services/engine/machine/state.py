"""The state of a conversation's program: explicit, small, JSON. Whatever replica reads it goes on from there."""

from dataclasses import dataclass, field
from typing import Any

import orjson

from services.engine.program.values import Value, owned

VERSION = 1
SHORT = {
    "f": "frames",
    "g": "globals",
    "w": "waiting",
    "u": "until",
    "a": "attempts",
    "k": "visits",
    "r": "resume_next",
    "s": "suggestions",
    "p": "pending",
    "c": "collections",
    "x": "context",
    "h": "history",
    "t": "settings",
    "n": "run",
    "i": "heard",
}
"""Fields as they are written; those that are empty are not."""


@dataclass(slots=True)
class Frame:
    """A program or subroutine under way. `node` is what runs next; `handlers`: where errors go, innermost last.

    script: a whole script that another one called; failed: the node a handler was entered from, its label and variable.
    """

    program: str
    node: str
    locals: dict[str, Value] | None = None
    into: list[Any] | None = None
    handlers: list[tuple[str, str]] = field(default_factory=list)
    script: bool = False
    failed: list[str] = field(default_factory=list)

    def to_json(self) -> list[Any]:
        """As a list."""
        return [self.program, self.node, self.locals, self.into, self.handlers, self.script, self.failed]

    @classmethod
    def from_json(cls, row: list[Any]) -> "Frame":
        """From a list."""
        return cls(row[0], row[1], row[2], row[3], [(item[0], item[1]) for item in row[4]], row[5], row[6])


@dataclass(slots=True)
class MachineState:
    """frames: innermost last, none when the program is over; waiting: "" or message, timer, effect.

    pending: variable changes [scope, key, value] that the next commit writes; visits: counts effects, for their keys;
    settings: what keywords leave for later ones, such as headers of requests; printed: lines of PRINT since the last
    stop, which are not kept; run: what started the program when no person did, {seq, cause, call, once, depth};
    heard: the number of the message that a HEAR took last: after a crash no other HEAR takes it again.
    """

    frames: list[Frame] = field(default_factory=list)
    globals: dict[str, Value] = field(default_factory=dict)
    waiting: str = ""
    until: float | None = None
    attempts: int = 0
    visits: int = 0
    resume_next: bool = False
    suggestions: list[dict[str, str]] = field(default_factory=list)
    pending: list[list[Value]] = field(default_factory=list)
    collections: list[str] = field(default_factory=list)
    context: dict[str, str] = field(default_factory=dict)
    history: list[list[str]] = field(default_factory=list)
    settings: dict[str, Value] = field(default_factory=dict)
    printed: list[str] = field(default_factory=list)
    run: dict[str, Any] = field(default_factory=dict)
    heard: int = 0

    def keep(self, scope: str, key: str, value: Value) -> None:
        """Written with the commit of the turn; the last value of a key stands."""
        self.pending = [change for change in self.pending if change[:2] != [scope, key]]
        self.pending.append([scope, key, owned(value)])

    @property
    def over(self) -> bool:
        """No program runs."""
        return not self.frames

    def to_bytes(self) -> bytes:
        """For the ledger."""
        document: dict[str, Any] = {"v": VERSION}
        for short, name in SHORT.items():
            value = getattr(self, name)
            if value:
                document[short] = [frame.to_json() for frame in value] if short == "f" else value
        return orjson.dumps(document)

    @classmethod
    def from_bytes(cls, raw: bytes) -> "MachineState":
        """From the ledger. ValueError for a version this one does not know."""
        document = orjson.loads(raw)
        if document.pop("v", None) != VERSION:
            message = f"expected machine state of version {VERSION}"
            raise ValueError(message)
        fields = {SHORT[short]: value for short, value in document.items()}
        fields["frames"] = [Frame.from_json(row) for row in fields.get("frames", ())]
        return cls(**fields)

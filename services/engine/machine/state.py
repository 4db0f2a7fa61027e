"""The state of a conversation's program: explicit, small, JSON. Whatever replica reads it goes on from there."""

import json
from dataclasses import dataclass, field
from typing import Any

from services.engine.program.values import Value, owned

VERSION = 1


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
    stop, which are not kept; run: what started the program when no person did, {seq, cause, call, once, depth}.
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
        document = {
            "v": VERSION,
            "f": [frame.to_json() for frame in self.frames],
            "g": self.globals,
            "w": self.waiting,
            "u": self.until,
            "a": self.attempts,
            "k": self.visits,
            "r": self.resume_next,
            "s": self.suggestions,
            "p": self.pending,
            "c": self.collections,
            "x": self.context,
            "h": self.history,
            "t": self.settings,
            "n": self.run,
        }
        return json.dumps(document, separators=(",", ":"), ensure_ascii=False).encode()

    @classmethod
    def from_bytes(cls, raw: bytes) -> "MachineState":
        """From the ledger. ValueError for a version this one does not know."""
        document = json.loads(raw)
        if document.get("v") != VERSION:
            message = f"expected machine state of version {VERSION}, got {document.get('v')!r}"
            raise ValueError(message)
        return cls(
            frames=[Frame.from_json(row) for row in document["f"]],
            globals=document["g"],
            waiting=document["w"],
            until=document["u"],
            attempts=document["a"],
            visits=document["k"],
            resume_next=document["r"],
            suggestions=document["s"],
            pending=document["p"],
            collections=document["c"],
            context=document["x"],
            history=document["h"],
            settings=document.get("t", {}),
            run=document.get("n", {}),
        )

"""A program: an immutable document of nodes.

Nodes are JSON objects with `op`, mostly `next`, and their source `line`:

    say {text} · ask {into, type, choices} · set {target, value} · branch {cases: [{when, to}], else}
    foreach {item, items, body} · jump {to} · call {sub, arguments, into} · return {value} · wait {seconds}
    apply {keyword, arguments, into} · effect {keyword, arguments, into} · run {value, arguments, into}
    on_error {mode, to} · fail {message} · end {value}

Any node may have `catch`: [the node that handles its error, the variable that gets the message].

Expressions are JSON arrays; see machine/expressions.py.
"""

import hashlib
import json
from dataclasses import dataclass, field
from typing import Any

FORMAT = "parley/1"
Node = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Subroutine:
    """A SUB or FUNCTION: parameter names and its first node."""

    parameters: tuple[str, ...]
    entry: str


@dataclass(frozen=True, slots=True)
class Program:
    """name: file stem; origin: basic or flow; entry: first node; tool: what PARAM and DESCRIPTION declare.

    declarations: what is said of the bot: tables, web addresses, schedules, events, included scripts.
    """

    name: str
    origin: str
    entry: str
    nodes: dict[str, Node]
    subroutines: dict[str, Subroutine] = field(default_factory=dict)
    system_prompt: str = ""
    tool: dict[str, Any] = field(default_factory=dict)
    declarations: list[dict[str, Any]] = field(default_factory=list)

    def to_json(self) -> dict[str, Any]:
        """The document."""
        return {
            "format": FORMAT,
            "name": self.name,
            "origin": self.origin,
            "entry": self.entry,
            "nodes": self.nodes,
            "subs": {name: [list(sub.parameters), sub.entry] for name, sub in self.subroutines.items()},
            "system_prompt": self.system_prompt,
            "tool": self.tool,
            "declarations": self.declarations,
        }

    @classmethod
    def from_json(cls, document: dict[str, Any]) -> "Program":
        """The program of a document. ValueError for a format this version does not know."""
        if document.get("format") != FORMAT:
            message = f"expected a program of format {FORMAT}, got {document.get('format')!r}"
            raise ValueError(message)
        return cls(
            name=document["name"],
            origin=document["origin"],
            entry=document["entry"],
            nodes=document["nodes"],
            subroutines={name: Subroutine(tuple(sub[0]), sub[1]) for name, sub in document["subs"].items()},
            system_prompt=document.get("system_prompt", ""),
            tool=document.get("tool", {}),
            declarations=document.get("declarations", []),
        )

    def digest(self) -> str:
        """SHA-256 of the document."""
        return hashlib.sha256(json.dumps(self.to_json(), sort_keys=True).encode()).hexdigest()

"""A program made ready to run: its expressions as closures, once for all conversations."""

import json
from collections.abc import Iterator

from services.engine.machine.expressions import Evaluate, compiled
from services.engine.machine.hot import Heads
from services.engine.machine.loops import successors
from services.engine.machine.migrating import TEMPORARY
from services.engine.program.program import Node, Program

Ready = tuple[Node, dict[str, Evaluate]]
FIELDS = ("text", "value", "items", "seconds", "message", "choices")


class Loaded:
    """A program with its expressions compiled."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.heads = Heads(program)
        self.nodes: dict[str, Ready] = {name: (node, closures(node)) for name, node in program.nodes.items()}
        self._needed: dict[str, frozenset[str]] = {}

    def needed(self, place: str) -> frozenset[str]:
        """Temporaries that some node mentions which may run from this one on, itself included: all others are waste."""
        if place not in self._needed:
            found: set[str] = set()
            seen, waiting = {place}, [place]
            while waiting:
                node = self.program.nodes.get(waiting.pop(), {})
                found.update(TEMPORARY.findall(json.dumps(node)))
                more = [name for name in following(node) if name not in seen]
                seen.update(more)
                waiting += more
            self._needed[place] = frozenset(found)
        return self._needed[place]


def following(node: Node) -> Iterator[str]:
    """Where a node may lead, by errors too."""
    yield from successors(node)
    if "catch" in node:
        yield node["catch"][0]
    if "to" in node:
        yield node["to"]


def closures(node: Node) -> dict[str, Evaluate]:
    """The compiled expressions of a node, by field."""
    made = {name: compiled(node[name]) for name in FIELDS if isinstance(node.get(name), list)}
    for index, case in enumerate(node.get("cases", ())):
        made[f"when{index}"] = compiled(case["when"])
    arguments = node.get("arguments")
    if isinstance(arguments, dict):
        made |= {f"argument {name}": compiled(value) for name, value in arguments.items()}
    elif isinstance(arguments, list):
        made |= {f"argument {index}": compiled(value) for index, value in enumerate(arguments)}
    return made

"""Running conversations from one version to another: every node of the old program that the new one still has keeps
its meaning under a new id, and with it its temporaries.

Nodes are compared by what they do, in order, as a text comparison compares lines; ids and line numbers do not count.
"""

import copy
import difflib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from services.engine.machine.state import Frame, MachineState
from services.engine.program.program import Node, Program

PLACES = frozenset({"next", "else", "done", "to", "catch", "line"})
TEMPORARY = re.compile(r"\$\d+")
MIGRATES = frozenset({"message", "timer"})


@dataclass(frozen=True, slots=True)
class Correspondence:
    """Ids and temporaries of an old program in a new one."""

    nodes: Mapping[str, str]
    temporaries: Mapping[str, str]


def doing(node: Node) -> dict[str, Any]:
    """What a node does, without where it leads."""
    kept = {name: value for name, value in node.items() if name not in PLACES and name != "cases"}
    kept["cases"] = [case["when"] for case in node.get("cases", ())]
    return kept


def signature(node: Node) -> str:
    """The same for nodes that do the same; temporaries are all alike."""
    return TEMPORARY.sub("$", json.dumps(doing(node), sort_keys=True, ensure_ascii=False))


def correspondence(old: Program, new: Program) -> Correspondence:
    """Which nodes and temporaries of the old program the new one has."""
    before, after = list(old.nodes), list(new.nodes)
    matcher = difflib.SequenceMatcher(
        None, [signature(old.nodes[name]) for name in before], [signature(new.nodes[name]) for name in after], False
    )
    nodes: dict[str, str] = {}
    temporaries: dict[str, str] = {}
    for block in matcher.get_matching_blocks():
        for offset in range(block.size):
            first, second = before[block.a + offset], after[block.b + offset]
            nodes[first] = second
            pairs = zip(temporaries_of(old.nodes[first]), temporaries_of(new.nodes[second]), strict=False)
            for known, now in pairs:
                temporaries.setdefault(known, now)
    return Correspondence(nodes, temporaries)


def temporaries_of(node: Node) -> list[str]:
    """Names of temporaries, in the order in which they stand."""
    return TEMPORARY.findall(json.dumps(doing(node), sort_keys=True))


def migrated(
    state: MachineState, old: Mapping[str, Program], new: Mapping[str, Program], known: dict[str, Correspondence]
) -> MachineState | None:
    """The state under the new version; None when it stands somewhere the new version does not have.

    known: what was found for these two versions before, by program; it is added to, since finding it takes long.
    """
    if state.waiting not in MIGRATES:
        return None
    moved = copy.deepcopy(state)
    for frame in moved.frames:
        if frame.program not in new or frame.program not in old:
            return None
        if frame.program not in known:
            known[frame.program] = correspondence(old[frame.program], new[frame.program])
        if not move(frame, known[frame.program]):
            return None
    for program in dict.fromkeys(frame.program for frame in state.frames):
        moved.globals = renamed(moved.globals, known[program].temporaries)
    return moved


def move(frame: Frame, pair: Correspondence) -> bool:
    """A frame to its new ids; whether all of them exist."""
    places = [frame.node, *(node for node, _ in frame.handlers)]
    if any(place not in pair.nodes for place in places):
        return False
    frame.node = pair.nodes[frame.node]
    frame.handlers = [(pair.nodes[node], variable) for node, variable in frame.handlers]
    if frame.locals is not None:
        frame.locals = renamed(frame.locals, pair.temporaries)
    if frame.into is not None:
        frame.into = json.loads(
            TEMPORARY.sub(lambda match: pair.temporaries.get(match[0], match[0]), json.dumps(frame.into))
        )
    return True


def renamed(variables: dict[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    """Variables with their temporaries under their new names; those that no node has any more are dropped."""
    kept = {name: value for name, value in variables.items() if name[:1] != "$"}
    return kept | {names[name]: value for name, value in variables.items() if name in names}

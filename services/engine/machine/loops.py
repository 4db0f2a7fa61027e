"""Loops of a program: which nodes go round, where they leave."""

from collections.abc import Iterator
from dataclasses import dataclass

from services.engine.program.program import Node

Graph = dict[str, Node]


@dataclass(frozen=True, slots=True)
class Loop:
    """head: where a round begins; nodes: all of a round, the head too."""

    head: str
    nodes: frozenset[str]


def successors(node: Node) -> Iterator[str]:
    """Where a node may lead without waiting."""
    for case in node.get("cases", ()):
        yield case["to"]
    for slot in ("else", "next", "done"):
        if slot in node:
            yield node[slot]


def order(identifier: str) -> int:
    """The number in n12: nodes are numbered in source order."""
    return int(identifier[1:])


def loops(nodes: Graph) -> dict[str, Loop]:
    """Natural loops by their heads: an edge backwards closes one, and it holds all that can reach that edge."""
    before: dict[str, list[str]] = {}
    for name, node in nodes.items():
        for target in successors(node):
            before.setdefault(target, []).append(name)
    found: dict[str, set[str]] = {}
    for name, node in nodes.items():
        for target in successors(node):
            if target in nodes and order(target) <= order(name):
                found.setdefault(target, {target}).update(reaching(name, target, before))
    return {head: Loop(head, frozenset(members)) for head, members in found.items()}


def reaching(latch: str, head: str, before: dict[str, list[str]]) -> set[str]:
    """Nodes from which the latch is reached without passing the head, and that stand behind the head."""
    found, waiting = {latch}, [latch]
    while waiting:
        name = waiting.pop()
        if name == head:
            continue
        for item in before.get(name, ()):
            if item not in found and order(item) >= order(head):
                found.add(item)
                waiting.append(item)
    return found


def meeting(first: str, second: str, nodes: Graph, inside: frozenset[str], head: str) -> str | None:
    """The first node that both ways come to within a round."""
    common = reachable(first, nodes, inside, head) & reachable(second, nodes, inside, head)
    return min(common, key=order) if common else None


def reachable(start: str, nodes: Graph, inside: frozenset[str], head: str) -> set[str]:
    """What is reached from a node within a round."""
    if start not in inside or start == head:
        return set()
    found, waiting = {start}, [start]
    while waiting:
        for target in successors(nodes[waiting.pop()]):
            if target in inside and target != head and target not in found:
                found.add(target)
                waiting.append(target)
    return found

"""Resident memory of the whole stack, shared pages counted once."""

from bench.speed.figures import Figure
from bench.speed.workbench import Workbench
from cli.stack.measuring import resident
from cli.stack.stack import Stack


def resident_mib(stack: Stack) -> float:
    """MiB of all components."""
    state = stack.layout.read_state() or {"components": []}
    return sum(resident(item["pid"]) for item in state["components"])


async def figures(bench: Workbench, _: float) -> list[Figure]:
    """The largest component, and all together, with whatever the run has done before."""
    state = bench.stack.layout.read_state() or {"components": []}
    sizes = {item["name"]: resident(item["pid"]) for item in state["components"]}
    largest = max(sizes, key=lambda name: sizes[name])
    return [
        Figure("memory", f"largest: {largest}", sizes[largest], "MiB"),
        Figure("memory", "whole stack", sum(sizes.values()), "MiB", aim=1536, at_most=True),
    ]

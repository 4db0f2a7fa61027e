"""A program made ready to run: its expressions as closures, once for all conversations."""

from services.engine.machine.expressions import Evaluate, compiled
from services.engine.machine.hot import Heads
from services.engine.program.program import Node, Program

Ready = tuple[Node, dict[str, Evaluate]]
FIELDS = ("text", "value", "items", "seconds", "message", "choices")


class Loaded:
    """A program with its expressions compiled."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.heads = Heads(program)
        self.nodes: dict[str, Ready] = {name: (node, closures(node)) for name, node in program.nodes.items()}


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

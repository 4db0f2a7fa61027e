"""A tool that a person starts asks for what it needs to know: a small program before each tool."""

from collections.abc import Mapping
from typing import Any

from services.engine.hearing.kinds import CONVERTED, FILES, VALIDATORS, canonical
from services.engine.program.program import Program
from services.engine.program.values import text_of
from services.engine.tools.schema import Parameter, ToolDescription, fitting, tool_of

BEFORE = "ask:"
"""Before the name of a tool: the program that asks, then runs it."""
Node = dict[str, Any]


def heard_as(item: Parameter) -> str:
    """The type of HEAR that fits a parameter."""
    if item.choices:
        return "CHOICE"
    kind = {"NUMBER": "FLOAT", "DATETIME": "ANY", "TIMESTAMP": "ANY"}.get(item.kind, canonical(item.kind))
    return kind if (kind in VALIDATORS or kind in FILES) and kind not in CONVERTED else "ANY"


def nodes_of(tool: ToolDescription, line: int = 1) -> dict[str, Node]:
    """Each parameter that has no value is asked for, or gets its default; then the tool runs."""
    made: dict[str, Node] = {}
    for index, item in enumerate(tool.parameters):
        following = f"n{index + 1}"
        place, absent = ["var", item.variable], {"when": ["call", "ISNULL", ["var", item.variable]]}
        first = f"say{index}" if item.required else f"set{index}"
        made[f"n{index}"] = {"op": "branch", "line": line, "cases": [{**absent, "to": first}], "else": following}
        if item.required:
            question = ["lit", item.description or item.name]
            made[first] = {"op": "say", "line": line, "text": question, "next": f"ask{index}"}
            choices = ["list", *(["lit", text_of(choice)] for choice in item.choices)] if item.choices else None
            made[f"ask{index}"] = {
                "op": "ask",
                "line": line,
                "into": place,
                "type": heard_as(item),
                "choices": choices,
                "next": following,
            }
        else:
            default = ["lit", fitting(item, item.default)]
            made[first] = {"op": "set", "line": line, "target": place, "value": default, "next": following}
    last = f"n{len(tool.parameters)}"
    result = ["var", "_"]
    made[last] = {
        "op": "run",
        "line": line,
        "value": ["lit", tool.script],
        "arguments": [],
        "into": result,
        "next": "r",
    }
    made["r"] = {"op": "return", "line": line, "value": result}
    return made


def asking(programs: Mapping[str, Program]) -> dict[str, Program]:
    """A program that asks for each tool, by `ask:` and its name."""
    tools = [tool for tool in map(tool_of, programs.values()) if tool is not None]
    return {f"{BEFORE}{tool.script}": Program(f"{BEFORE}{tool.script}", "tool", "n0", nodes_of(tool)) for tool in tools}

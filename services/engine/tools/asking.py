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
    """Each parameter that has no value is asked for, or gets its default; then the tool runs. Three nodes each."""
    made: dict[str, Node] = {}
    for index, item in enumerate(tool.parameters):
        test, first, second, following = (f"n{3 * index + step}" for step in range(1, 5))
        place = ["var", item.variable]
        absent = {"when": ["call", "ISNULL", place], "to": first}
        made[test] = {"op": "branch", "line": line, "cases": [absent], "else": following}
        if item.required:
            question = ["lit", item.description or item.name]
            made[first] = {"op": "say", "line": line, "text": question, "next": second}
            choices = ["list", *(["lit", text_of(choice)] for choice in item.choices)] if item.choices else None
            asked = {"into": place, "type": heard_as(item), "choices": choices}
            made[second] = {"op": "ask", "line": line, **asked, "next": following}
        else:
            default = ["lit", fitting(item, item.default)]
            made[first] = {"op": "set", "line": line, "target": place, "value": default, "next": following}
    last, end = (f"n{3 * len(tool.parameters) + step}" for step in (1, 2))
    result = ["var", "_"]
    run = {"value": ["lit", tool.script], "arguments": [], "into": result}
    made[last] = {"op": "run", "line": line, **run, "next": end}
    made[end] = {"op": "return", "line": line, "value": result}
    return made


def asking(programs: Mapping[str, Program]) -> dict[str, Program]:
    """A program that asks for each tool, by `ask:` and its name."""
    tools = [tool for tool in map(tool_of, programs.values()) if tool is not None]
    return {f"{BEFORE}{tool.script}": Program(f"{BEFORE}{tool.script}", "tool", "n1", nodes_of(tool)) for tool in tools}

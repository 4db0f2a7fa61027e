"""What a script's PARAM and DESCRIPTION say, as JSON Schema, and arguments that are checked against it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from services.engine.hearing.kinds import canonical, heard
from services.engine.program.program import Program
from services.engine.program.values import ProgramError, Value, equal, is_number, number_of, owned, text_of

NAME = re.compile(r"[^A-Za-z0-9_-]")
LONGEST_NAME = 64
JSON_TYPES = {
    "INTEGER": "integer", "INT": "integer", "LONG": "integer", "NUMBER": "number", "FLOAT": "number",
    "DOUBLE": "number", "DECIMAL": "number", "MONEY": "number", "CURRENCY": "number", "AMOUNT": "number",
    "BOOLEAN": "boolean", "BOOL": "boolean", "ARRAY": "array", "LIST": "array", "OBJECT": "object", "MAP": "object",
    "JSON": "object",
}  # fmt: skip
FORMATS = {
    "DATE": "date", "DATETIME": "date-time", "TIMESTAMP": "date-time", "TIME": "time", "HOUR": "time",
    "EMAIL": "email", "URL": "uri", "LINK": "uri", "UUID": "uuid", "GUID": "uuid",
}  # fmt: skip
EXPECTED = {
    "integer": "a whole number", "number": "a number", "boolean": "true or false", "array": "a list",
    "object": "an object", "string": "a text", "EMAIL": "an e-mail address", "DATE": "a date such as 2026-12-25",
    "HOUR": "a time such as 14:30", "MOBILE": "a phone number with 10 to 15 digits", "URL": "a web address",
    "UUID": "an identifier (UUID)", "date-time": "a moment such as 2026-12-25T14:30",
}  # fmt: skip
CHECKED = frozenset({"EMAIL", "DATE", "HOUR", "MOBILE", "URL", "UUID"})


@dataclass(frozen=True, slots=True)
class Parameter:
    """One PARAM. kind: as written, such as DATE; choices: of ENUM; has_default: whether DEFAULT was said."""

    name: str
    kind: str
    description: str = ""
    required: bool = True
    example: Value = None
    default: Value = None
    has_default: bool = False
    choices: tuple[Value, ...] = ()

    @property
    def json_type(self) -> str:
        """integer, number, boolean, array, object or string."""
        return JSON_TYPES.get(self.kind, "string")

    @property
    def variable(self) -> str:
        """The script's variable."""
        return self.name.rstrip("$%").lower()


@dataclass(frozen=True, slots=True)
class ToolDescription:
    """name: as models know it, [A-Za-z0-9_-]{1,64}; script: the program's name."""

    name: str
    script: str
    description: str
    parameters: tuple[Parameter, ...] = ()


def parameter(given: Mapping[str, Any]) -> Parameter:
    """A PARAM as the compiler kept it."""
    choices = given.get("enum")
    listed = choices if isinstance(choices, list) else [] if choices is None else [choices]
    return Parameter(
        name=str(given["name"]),
        kind=str(given.get("type", "STRING")).upper(),
        description=text_of(given.get("description")),
        required=bool(given.get("required", True)) and "default" not in given,
        example=given.get("like"),
        default=given.get("default"),
        has_default="default" in given,
        choices=tuple(listed),
    )


def tool_of(program: Program) -> ToolDescription | None:
    """The tool a script is; None when it neither describes itself nor has parameters."""
    if not program.tool:
        return None
    return ToolDescription(
        name=NAME.sub("_", program.name)[:LONGEST_NAME],
        script=program.name,
        description=text_of(program.tool.get("description")),
        parameters=tuple(map(parameter, program.tool.get("parameters", []))),
    )


def tools_of(programs: Mapping[str, Program]) -> list[ToolDescription]:
    """All tools of a version, by name."""
    found = [tool_of(program) for program in programs.values()]
    return sorted((item for item in found if item is not None), key=lambda item: item.name)


def property_of(item: Parameter) -> dict[str, Any]:
    """The schema of one parameter."""
    made: dict[str, Any] = {"type": item.json_type}
    if item.description:
        made["description"] = item.description
    if item.json_type == "string" and item.kind in FORMATS:
        made["format"] = FORMATS[item.kind]
    if item.choices:
        made["enum"] = [fitting(item, choice) for choice in item.choices]
    if item.example is not None:
        made["examples"] = [fitting(item, item.example)]
    if item.has_default:
        made["default"] = fitting(item, item.default)
    return made


def fitting(item: Parameter, value: Value) -> Value:
    """An example or default in the type of its parameter; as written when it does not fit."""
    if item.json_type == "string":
        return value if value is None else text_of(value)
    try:
        return typed(item, value)
    except ProgramError:
        return value


def schema_of(tool: ToolDescription) -> dict[str, Any]:
    """The JSON Schema (2020-12) of a tool's arguments."""
    return {
        "type": "object",
        "properties": {item.name: property_of(item) for item in tool.parameters},
        "required": [item.name for item in tool.parameters if item.required],
        "additionalProperties": False,
    }


def openai_form(tool: ToolDescription) -> dict[str, Any]:
    """{type: function, function: {name, description, parameters}}."""
    function = {"name": tool.name, "description": tool.description, "parameters": schema_of(tool)}
    return {"type": "function", "function": function}


def mcp_form(tool: ToolDescription) -> dict[str, Any]:
    """{name, description, inputSchema}."""
    return {"name": tool.name, "description": tool.description, "inputSchema": schema_of(tool)}


def checked(
    tool: ToolDescription, given: Mapping[str, Value], known: Mapping[str, Value] | None = None
) -> dict[str, Value]:
    """Variables for the script, by their names in lower case. `known`: those that are there already.

    ProgramError names the parameter and says what was expected.
    """
    by_name = {item.variable: item for item in tool.parameters}
    values = {name.rstrip("$%").lower(): value for name, value in given.items()}
    for name in values:
        if name not in by_name:
            message = f"{tool.script}: there is no parameter {name[:80]}; there are {', '.join(by_name) or 'none'}"
            raise ProgramError(message)
    made: dict[str, Value] = {}
    for name, item in by_name.items():
        if values.get(name) is not None:
            made[name] = argument(tool, item, values[name])
        elif item.has_default:
            made[name] = fitting(item, item.default)
        elif known is not None and known.get(name) is not None:
            made[name] = known[name]
        elif item.required:
            message = f"{tool.script}: {item.name} is missing" + (f": {item.description}" if item.description else "")
            raise ProgramError(message)
        else:
            made[name] = None
    return made


def argument(tool: ToolDescription, item: Parameter, value: Value) -> Value:
    """One argument, in its type and among the choices. ProgramError."""
    try:
        found = typed(item, value)
    except ProgramError as error:
        message = f"{tool.script}: {item.name}: {error}"
        raise ProgramError(message) from None
    if not item.choices:
        return found
    choice = next((each for each in item.choices if same(found, each)), None)
    if choice is None:
        message = (
            f"{tool.script}: {item.name}: expected one of {', '.join(map(text_of, item.choices))}, got {shown(value)}"
        )
        raise ProgramError(message)
    return fitting(item, choice)


def same(left: Value, right: Value) -> bool:
    """Equal, whatever the case of letters."""
    return equal(left, right) or text_of(left).strip().lower() == text_of(right).strip().lower()


def shown(value: Value) -> str:
    """A value in an error."""
    return repr(text_of(value)[:40])


def typed(item: Parameter, value: Value) -> Value:
    """A value in the type of a parameter. ProgramError says what was expected."""
    found = converted(item, value)
    if found is None:
        kind = canonical(item.kind)
        if FORMATS.get(item.kind) == "date-time":
            kind = "date-time"
        expected = EXPECTED.get(kind) or EXPECTED[item.json_type]
        message = f"expected {expected}, got {shown(value)}"
        raise ProgramError(message)
    return owned(found)


def converted(item: Parameter, value: Value) -> Value:
    """A value in the type of a parameter; None when it does not fit."""
    wanted = item.json_type
    if wanted == "array":
        return value if isinstance(value, list) else None
    if wanted == "object":
        return value if isinstance(value, dict) else None
    if isinstance(value, list | dict):
        return None
    if wanted == "boolean":
        return value if isinstance(value, bool) else heard("BOOLEAN", text_of(value), [])
    if wanted in {"integer", "number"}:
        return numeric(value, whole=wanted == "integer")
    text = text_of(value).strip()
    if FORMATS.get(item.kind) == "date-time":
        return moment(text)
    kind = canonical(item.kind)
    return heard(kind, text, [], datetime.now(UTC)) if kind in CHECKED else text_of(value)


def moment(text: str) -> str | None:
    """A date with a time, as it was written; None when it is none."""
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return None
    return text


def numeric(value: Value, *, whole: bool) -> Value:
    """A number; None when there is none, or when it has a fraction and should not."""
    if isinstance(value, bool) or not is_number(value):
        return None
    found = number_of(value)
    if not whole:
        return found
    return int(found) if float(found).is_integer() else None

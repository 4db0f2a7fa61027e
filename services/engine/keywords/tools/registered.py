"""Which tools the model may use in a conversation."""

from services.engine.keywords.keyword import Arguments, Effect, Keyword
from services.engine.machine.state import MachineState
from services.engine.program.values import ProgramError, Value, text_of

TOOLS, OFFERED = "tools", "offered-tools"
MOST_TOOLS = 128


def tool_name(value: Value) -> str:
    """A tool's name: the last part of a path, without .bas, lower case. ProgramError when empty."""
    name = text_of(value).strip().replace("\\", "/").rpartition("/")[2].removesuffix(".bas").lower()
    if not name or len(name) > 200:
        message = "expected the name of a tool: that of its script"
        raise ProgramError(message)
    return name


def registered(settings: dict[str, Value]) -> list[str]:
    """Names of the tools of a conversation, in the order they came."""
    found = settings.get(TOOLS)
    return [text_of(name) for name in found] if isinstance(found, list) else []


def add(state: MachineState, arguments: Arguments) -> None:
    """One more, or several. ProgramError when there are too many."""
    known = registered(state.settings)
    wanted = arguments["tools"] if "tools" in arguments else [arguments["tool"]]
    known += [name for name in map(tool_name, wanted) if name not in known]
    if len(known) > MOST_TOOLS:
        message = f"a conversation may have {MOST_TOOLS} tools"
        raise ProgramError(message)
    state.settings[TOOLS] = known


def remove(state: MachineState, arguments: Arguments) -> bool:
    """One less; whether it was there."""
    name, known = tool_name(arguments["tool"]), registered(state.settings)
    state.settings[TOOLS] = [item for item in known if item != name]
    return name in known


def clear(state: MachineState, _: Arguments) -> None:
    """None."""
    state.settings.pop(TOOLS, None)


def names(state: MachineState, _: Arguments) -> list[Value]:
    """The names."""
    return list(registered(state.settings))


def parameter(state: MachineState, arguments: Arguments) -> Value:
    """What this script was started with; NULL when it was not given."""
    return state.globals.get(text_of(arguments["name"]).strip().lower())


USE_TOOL = Keyword(
    name="USE TOOL",
    group="tools",
    summary="Lets the model use a script of this bot as a tool in free answers.",
    forms=("USE TOOL <tool:name>", "USE TOOL <tools:values>"),
    effect=Effect.STATE,
    example='USE TOOL "book-table"',
    documentation="A path is reduced to the name of its script: `.gbdialog/book-table.bas` is `book-table`.",
    aliases=("ADD TOOL",),
    apply=add,
)
REMOVE_TOOL = Keyword(
    name="REMOVE TOOL",
    group="tools",
    summary="The model may no longer use a tool; says whether it could.",
    forms=("REMOVE TOOL <tool:name>",),
    effect=Effect.STATE,
    example='REMOVE TOOL "book-table"',
    apply=remove,
)
CLEAR_TOOLS = Keyword(
    name="CLEAR TOOLS",
    group="tools",
    summary="The model may use no tool any more.",
    forms=("CLEAR TOOLS",),
    effect=Effect.STATE,
    example="CLEAR TOOLS",
    apply=clear,
)
LIST_TOOLS = Keyword(
    name="LIST TOOLS",
    group="tools",
    summary="Gives the names of the tools of this conversation.",
    forms=("LIST TOOLS",),
    effect=Effect.STATE,
    example="FOR EACH tool IN LIST TOOLS()\n  PRINT tool\nNEXT",
    apply=names,
)
GET_TOOL_PARAM = Keyword(
    name="GET TOOL PARAM",
    group="tools",
    summary="Gives an argument this script was started with; NULL when it was not given.",
    forms=("GET TOOL PARAM <name>",),
    effect=Effect.STATE,
    example='city = GET TOOL PARAM "city"',
    apply=parameter,
)

"""Which documents free answers rest on."""

from services.engine.keywords.keyword import Arguments, Effect, Keyword
from services.engine.machine.state import MachineState
from services.engine.program.values import ProgramError, Value, text_of

MOST_COLLECTIONS = 64


def collection_name(value: Value) -> str:
    """A collection's name: the last part of a path, without .gbkb, lower case. ProgramError when empty."""
    name = text_of(value).strip().replace("\\", "/").rstrip("/").rpartition("/")[2].removesuffix(".gbkb").lower()
    if not name:
        message = "expected the name of a collection"
        raise ProgramError(message)
    return name


def use(state: MachineState, arguments: Arguments) -> None:
    """Free answers rest on this collection too."""
    name = collection_name(arguments["name"])
    if name in state.collections:
        return
    if len(state.collections) >= MOST_COLLECTIONS:
        message = f"a conversation may use {MOST_COLLECTIONS} collections"
        raise ProgramError(message)
    state.collections.append(name)


def clear(state: MachineState, arguments: Arguments) -> None:
    """Forget one collection, or all."""
    name = collection_name(arguments.get("name", "all"))
    state.collections = [] if name == "all" else [item for item in state.collections if item != name]


USE_KB = Keyword(
    name="USE KB",
    group="knowledge",
    summary="Lets free answers rest on a collection of documents.",
    forms=("USE KB <name:name>",),
    effect=Effect.STATE,
    example='USE KB "handbook"',
    aliases=("ADD KB", "SET KB"),
    apply=use,
)
CLEAR_KB = Keyword(
    name="CLEAR KB",
    group="knowledge",
    summary="Free answers no longer rest on a collection, or on any.",
    forms=("CLEAR KB [<name:name>]",),
    effect=Effect.STATE,
    example="CLEAR KB",
    apply=clear,
)

"""Which documents free answers rest on."""

from services.engine.keywords.keyword import Arguments, Effect, Keyword
from services.engine.machine.state import MachineState
from services.engine.program.values import text_of


def use(state: MachineState, arguments: Arguments) -> None:
    """Free answers rest on this collection too."""
    name = text_of(arguments["name"]).removesuffix(".gbkb").lower()
    if name not in state.collections:
        state.collections.append(name)


def clear(state: MachineState, arguments: Arguments) -> None:
    """Forget one collection, or all."""
    name = text_of(arguments.get("name", "all")).removesuffix(".gbkb").lower()
    state.collections = [] if name == "all" else [item for item in state.collections if item != name]


USE_KB = Keyword(
    name="USE KB",
    group="knowledge",
    summary="Lets free answers rest on a collection of documents.",
    forms=("USE KB <name:name>",),
    effect=Effect.STATE,
    example='USE KB "handbook"',
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

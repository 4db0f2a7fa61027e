"""What the model is told about the conversation."""

from services.engine.keywords.keyword import Arguments, Effect, Keyword
from services.engine.machine.state import MachineState
from services.engine.program.values import text_of


def remember(state: MachineState, arguments: Arguments) -> None:
    """Something the model should know."""
    name = text_of(arguments.get("name", arguments.get("value", "")))
    state.context[name] = text_of(arguments["value"])


SET_CONTEXT = Keyword(
    name="SET CONTEXT",
    group="dialog",
    summary="Tells the model something for the free answers of this conversation.",
    forms=(
        "SET CONTEXT <name> AS <value>",
        "SET CONTEXT <name>, <value>",
        "SET CONTEXT <name> = <value>",
        "SET CONTEXT <value>",
    ),
    effect=Effect.STATE,
    example='SET CONTEXT "tone" AS "short and friendly"',
    apply=remember,
)

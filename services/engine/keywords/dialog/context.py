"""What the model is told about the conversation."""

from services.engine.keywords.keyword import Arguments, Effect, Keyword
from services.engine.machine.state import MachineState
from services.engine.program.values import ProgramError, text_of

MOST_CONTEXTS = 64
LONGEST_TEXT = 32_768
LONGEST_NAME = 200


def remember(state: MachineState, arguments: Arguments) -> None:
    """Something the model should know. ProgramError when it is told too much."""
    text = text_of(arguments["value"])
    name = text_of(arguments.get("name", text))[:LONGEST_NAME]
    if len(text) > LONGEST_TEXT or (name not in state.context and len(state.context) >= MOST_CONTEXTS):
        message = f"SET CONTEXT: {MOST_CONTEXTS} texts of at most {LONGEST_TEXT} characters may be kept"
        raise ProgramError(message)
    state.context[name] = text


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

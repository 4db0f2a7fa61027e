"""Lines for whoever looks after the bot; the person does not see them."""

from services.engine.keywords.keyword import Arguments, Effect, Keyword
from services.engine.machine.state import MachineState
from services.engine.program.values import text_of

MOST_LINES = 1000


def printed(state: MachineState, arguments: Arguments) -> None:
    """A line of the log and of the trace."""
    if len(state.printed) < MOST_LINES:
        state.printed.append(" ".join(text_of(item) for item in arguments.get("values", [])))


def logged(state: MachineState, arguments: Arguments) -> None:
    """A line with its level."""
    if len(state.printed) < MOST_LINES:
        level = text_of(arguments.get("level", "INFO")).upper()
        state.printed.append(f"{level} {text_of(arguments['data'])}")


PRINT = Keyword(
    name="PRINT",
    group="dialog",
    summary="Writes a line into the log; the person does not see it.",
    forms=("PRINT [<values:values>]",),
    effect=Effect.STATE,
    example='PRINT "order", total',
    apply=printed,
)
LOG = Keyword(
    name="LOG LINE",
    group="dialog",
    summary="Writes a line with a level into the log.",
    forms=("LOG <level:word>, <data>", "LOG <data>", "LOG <level:word> <data>"),
    effect=Effect.STATE,
    example='LOG "WARN", "stock is low"',
    apply=logged,
)
CLEAR_ERROR = Keyword(
    name="CLEAR ERROR",
    group="dialog",
    summary="Forgets the last error.",
    forms=("CLEAR ERROR",),
    effect=Effect.STATE,
    example="CLEAR ERROR",
    apply=lambda state, _: state.globals.update({"error": False, "error_message": "", "err": 0, "err_description": ""}),
)

"""Choices offered with the next message."""

from services.engine.keywords.keyword import Arguments, Effect, Keyword
from services.engine.machine.state import MachineState
from services.engine.program.values import text_of

MOST_SUGGESTIONS = 32


def suggest(state: MachineState, arguments: Arguments) -> None:
    """A choice that comes with the next stop."""
    shown = text_of(arguments.get("text", arguments.get("value", "")))
    value = text_of(arguments["value"]) if "value" in arguments and "plain" in arguments else shown
    if "tool" in arguments:
        value = f"/{text_of(arguments['tool'])}"
        shown = shown or text_of(arguments["tool"])
    if len(state.suggestions) < MOST_SUGGESTIONS:
        state.suggestions.append({"text": shown, "value": value or shown})


def clear(state: MachineState, _: Arguments) -> None:
    """Nothing is offered."""
    state.suggestions.clear()


ADD_SUGGESTION = Keyword(
    name="ADD SUGGESTION",
    group="dialog",
    summary="Offers a choice with the next message.",
    forms=(
        "ADD SUGGESTION TEXT <value> AS <text>",
        "ADD SUGGESTION TOOL <tool> [AS <text>]",
        "ADD SUGGESTION <context> AS <text>",
        "ADD SUGGESTION <text>",
    ),
    effect=Effect.STATE,
    example='ADD SUGGESTION "hours" AS "When are you open?"\nTALK "How can I help?"',
    apply=suggest,
)
CLEAR_SUGGESTIONS = Keyword(
    name="CLEAR SUGGESTIONS",
    group="dialog",
    summary="Takes back what was offered and not shown yet.",
    forms=("CLEAR SUGGESTIONS",),
    effect=Effect.STATE,
    example="CLEAR SUGGESTIONS",
    apply=clear,
)

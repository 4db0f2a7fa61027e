"""Choices offered with the next message."""

from services.engine.keywords.keyword import Arguments, Effect, Keyword
from services.engine.keywords.tools.registered import OFFERED, tool_name
from services.engine.machine.state import MachineState
from services.engine.program.values import Value, text_of

MOST_SUGGESTIONS = 32
LONGEST_SHOWN, LONGEST_SENT = 256, 1024
"""As messages carry them."""


def offer(state: MachineState, shown: Value, sent: Value) -> None:
    """A choice that comes with the next stop. shown: what is on it; sent: what the person says by taking it."""
    chip = {"text": text_of(shown)[:LONGEST_SHOWN], "value": text_of(sent)[:LONGEST_SENT]}
    if chip["text"] and chip not in state.suggestions and len(state.suggestions) < MOST_SUGGESTIONS:
        state.suggestions.append(chip)


def suggest(state: MachineState, arguments: Arguments) -> None:
    """A text that is sent as it is shown."""
    offer(state, arguments["text"], arguments["text"])


def suggest_text(state: MachineState, arguments: Arguments) -> None:
    """A text that stands for another."""
    offer(state, arguments.get("text", arguments["value"]), arguments["value"])


def suggest_tool(state: MachineState, arguments: Arguments) -> None:
    """A tool that runs when its choice is taken."""
    name = tool_name(arguments["tool"])
    known = state.settings.get(OFFERED)
    others = [item for item in known if item != name] if isinstance(known, list) else []
    state.settings[OFFERED] = [*others[-MOST_SUGGESTIONS:], name]
    offer(state, arguments.get("text", name), f"/{name}")


def clear(state: MachineState, _: Arguments) -> None:
    """Nothing is offered."""
    state.suggestions.clear()


ADD_SUGGESTION = Keyword(
    name="ADD SUGGESTION",
    group="dialog",
    summary="Offers a choice with the next message.",
    forms=("ADD SUGGESTION <context> AS <text>", "ADD SUGGESTION <context>, <text>", "ADD SUGGESTION <text>"),
    effect=Effect.STATE,
    example='ADD SUGGESTION "hours" AS "When are you open?"\nTALK "How can I help?"',
    documentation="Taking a choice says its text. The name before AS is that of a SET CONTEXT; the model is told all "
    "of them, so nothing needs to be chosen.",
    apply=suggest,
)
ADD_SUGGESTION_TEXT = Keyword(
    name="ADD SUGGESTION TEXT",
    group="dialog",
    summary="Offers a choice that says something else than what it shows.",
    forms=("ADD SUGGESTION TEXT <value> [AS <text>]",),
    effect=Effect.STATE,
    example='ADD SUGGESTION TEXT "order 2 teas" AS "The usual"\nTALK "What will it be?"',
    apply=suggest_text,
)
ADD_SUGGESTION_TOOL = Keyword(
    name="ADD SUGGESTION TOOL",
    group="dialog",
    summary="Offers a choice that runs a tool.",
    forms=("ADD SUGGESTION TOOL <tool:name> [AS <text>]",),
    effect=Effect.STATE,
    example='ADD SUGGESTION TOOL "book-table" AS "Book a table"\nTALK "How can I help?"',
    documentation="Taking it says `/` and the name of the tool. What the tool needs to know is asked for.",
    apply=suggest_tool,
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

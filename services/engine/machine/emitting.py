"""Statements that only change the state: suggestions, variables to be written, collections, context."""

from collections.abc import Callable

from services.engine.machine.state import MachineState
from services.engine.machine.values import Value, owned, text_of

Emitter = Callable[[MachineState, dict[str, Value]], None]
MOST_SUGGESTIONS = 32


def suggestion(state: MachineState, values: dict[str, Value]) -> None:
    """A choice that comes with the next stop."""
    text = text_of(values["text"])
    if len(state.suggestions) < MOST_SUGGESTIONS:
        state.suggestions.append({"text": text, "value": text_of(values["value"]) or text})


def set_variable(state: MachineState, values: dict[str, Value]) -> None:
    """Written with the commit of the turn; the last value of a key stands."""
    scope, key = text_of(values["scope"]), text_of(values["key"])
    state.pending = [change for change in state.pending if change[:2] != [scope, key]]
    state.pending.append([scope, key, owned(values["value"])])


def use_kb(state: MachineState, values: dict[str, Value]) -> None:
    """Free answers rest on this collection too."""
    name = text_of(values["name"]).removesuffix(".gbkb").lower()
    if name not in state.collections:
        state.collections.append(name)


def clear_kb(state: MachineState, values: dict[str, Value]) -> None:
    """Forget one collection, or all."""
    name = text_of(values.get("name", "all")).removesuffix(".gbkb").lower()
    state.collections = [] if name == "all" else [item for item in state.collections if item != name]


def clear_error(state: MachineState, _: dict[str, Value]) -> None:
    """No error stands."""
    state.globals |= {"error": False, "error_message": "", "err": 0, "err_description": ""}


def context(state: MachineState, values: dict[str, Value]) -> None:
    """Something the model should know."""
    state.context[text_of(values["name"])] = text_of(values["value"])


EMITTED: dict[str, Emitter] = {
    "suggestion": suggestion,
    "clear_suggestions": lambda state, _: state.suggestions.clear(),
    "variable": set_variable,
    "use_kb": use_kb,
    "clear_kb": clear_kb,
    "clear_error": clear_error,
    "context": context,
    "log": lambda _state, _values: None,
}

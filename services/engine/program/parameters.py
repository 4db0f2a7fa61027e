"""param-* keys of a configuration: variables of its scripts."""

from collections.abc import Mapping

from services.engine.program.values import Value

PREFIX = "param-"


def parameters(config: Mapping[str, str]) -> dict[str, Value]:
    """param-* keys are variables of the script, without the prefix and typed; botname is the bot's name."""
    found = {name[len(PREFIX) :].lower(): typed(text) for name, text in config.items() if is_parameter(name)}
    return found | {"botname": config.get("bot-name", "")}


def is_parameter(name: str) -> bool:
    """Whether a key is a parameter."""
    return name.lower().startswith(PREFIX)


def typed(text: str) -> Value:
    """An integer, a number, a truth value or text."""
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return {"true": True, "false": False}.get(text.strip().lower(), text)

"""What a bot's configuration gives its scripts."""

import re
from collections.abc import Mapping

from services.engine.program.values import Value

PARAMETER = "param-"
NUMBER = re.compile(r"[-+]?\d{1,15}(\.\d+)?")
TRUTH = {"true": True, "false": False}


def parameters(config: Mapping[str, str]) -> dict[str, Value]:
    """param-* keys of the configuration are variables of the script, without the prefix and typed."""
    found = {
        name[len(PARAMETER) :].lower().replace("-", "_"): typed(text)
        for name, text in config.items()
        if name.lower().startswith(PARAMETER)
    }
    return found | {"botname": config.get("bot-name", "")}


def typed(text: str) -> Value:
    """A whole number, a number, a truth value or text."""
    plain = text.strip()
    match = NUMBER.fullmatch(plain)
    if match is not None:
        return float(plain) if match[1] else int(plain)
    return TRUTH.get(plain.lower(), text)

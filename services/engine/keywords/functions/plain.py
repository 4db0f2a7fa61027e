"""The functions of the library as keywords."""

import inspect
from collections.abc import Iterator

from services.engine.keywords.functions.library import FUNCTIONS
from services.engine.keywords.keyword import Evaluate, Keyword, function


def form_of(evaluate: Evaluate) -> str:
    """<text>, <count> of a function's own parameters; what has a default may be left out."""
    parts: list[str] = []
    unwrapped = inspect.unwrap(evaluate)
    parameters = list(inspect.signature(unwrapped).parameters.values())
    for item in parameters if unwrapped is not evaluate else parameters[1:]:
        mark = ", " if parts else ""
        if item.kind is inspect.Parameter.VAR_POSITIONAL:
            parts.append(f"[{mark}<{item.name}:values>]" if parts else f"[<{item.name}:values>]")
        elif item.default is inspect.Parameter.empty:
            parts.append(f"{mark}<{item.name}>")
        else:
            parts.append(f" [{mark}<{item.name}>]" if parts else f"[<{item.name}>]")
    return "".join(parts).replace("<_>", "<value>")


def named() -> Iterator[Keyword]:
    """A keyword a function."""
    special = {
        "FORMAT": ("FORMAT <value>, <pattern>", "FORMAT <value> AS <pattern>"),
        "SORT": ("SORT <values> [, <field>] [, <order>]", "SORT <values> BY <field> [<order:word>]"),
    }
    for name, evaluate in FUNCTIONS.items():
        made = function(name, form_of(evaluate), f"{name}.", f"x = {name}()", evaluate, "functions")
        yield (
            made
            if name not in special
            else Keyword(
                name=name,
                group="functions",
                summary=made.summary,
                forms=special[name],
                effect=made.effect,
                example=made.example,
                evaluate=evaluate,
            )
        )


KEYWORDS = tuple(named())

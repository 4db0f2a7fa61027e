"""Path templates of google.api.http: `/v1/{name=sessions/*}:end`."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

VARIABLE = re.compile(r"\{([a-z0-9_.]+)(?:=([^}]*))?\}")
SEGMENT = "[^/]+"


@dataclass(frozen=True, slots=True)
class Variable:
    """A variable of a template: the field it binds and the pattern its value has ("sessions/*")."""

    field: str
    pattern: str

    @property
    def expression(self) -> str:
        """The pattern as a regular expression, unanchored."""
        return _expression(self.pattern, SEGMENT)


def variables(template: str) -> Iterator[Variable]:
    """The variables of a template, in order."""
    return (Variable(found[1], found[2] or "*") for found in VARIABLE.finditer(template))


def regular_expression(template: str) -> str:
    """What every path of the template matches, whole; RE2 syntax."""
    parts: list[str] = []
    end = 0
    for found in VARIABLE.finditer(template):
        # A verb after ":" is no part of the last segment, so a segment never eats it.
        parts += [_expression(template[end : found.start()], SEGMENT), _expression(found[2] or "*", "[^/:]+")]
        end = found.end()
    return "".join([*parts, _expression(template[end:], SEGMENT)])


def constant(template: str) -> bool:
    """The template names exactly one path."""
    return not VARIABLE.search(template) and "*" not in template


def _expression(pattern: str, segment: str) -> str:
    return re.escape(pattern).replace(r"\*\*", ".+").replace(r"\*", segment)

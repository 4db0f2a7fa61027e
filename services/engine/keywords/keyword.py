"""What one keyword is: how it is written, what it does to the world, who does it.

A third party adds keywords through the entry point group `parley.keywords`: each entry is a `Keyword`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from typing import TYPE_CHECKING

from services.engine.keywords.forms import Form, heads, parse_form
from services.engine.program.values import Value

if TYPE_CHECKING:
    from services.engine.keywords.world import World
    from services.engine.machine.state import MachineState

Arguments = dict[str, Value]
Evaluate = Callable[..., Value]
"""(clock, *values) -> value: a function without effects."""
Apply = Callable[["MachineState", Arguments], Value]
"""Changes what the conversation itself remembers."""
Perform = Callable[["World", Arguments], Awaitable[Value]]
"""Does something outside the conversation. Optional slots that were not written are absent from the arguments."""


class Effect(StrEnum):
    """What repeating it after a crash would do: nothing (pure, state, read), or once too often (write)."""

    PURE = "pure"
    STATE = "state"
    READ = "idempotent"
    WRITE = "side effect"


@dataclass(frozen=True, kw_only=True)
class Keyword:
    """A keyword. `needs`: what must come before it can be performed; until then it parses, and raises when reached.

    name: head words in capitals; group: chapter of the manual; forms: patterns (see forms.py); example: a script;
    permission: what a bot must be allowed; slow: what was said so far is shown before it is performed.
    """

    name: str
    group: str
    summary: str
    forms: tuple[str, ...]
    effect: Effect
    example: str
    aliases: tuple[str, ...] = ()
    documentation: str = ""
    permission: str = ""
    needs: str = ""
    slow: bool = False
    syntax: bool = False
    evaluate: Evaluate | None = None
    apply: Apply | None = None
    perform: Perform | None = None

    @cached_property
    def patterns(self) -> tuple[Form, ...]:
        """The forms, parsed, those of the aliases too: an alias takes the place of the name at the head of a form."""
        written = list(self.forms)
        for alias in self.aliases:
            written += [alias + form[len(self.name) :] for form in self.forms if form.startswith(self.name)]
        return tuple(parse_form(text) for text in written)

    @property
    def available(self) -> bool:
        """Whether this installation can do it."""
        return not self.needs

    def slots(self) -> dict[str, str]:
        """Names of all slots, with their kinds."""
        return {slot.name: slot.kind for form in self.patterns for slot in form.slots()}

    def head_words(self) -> tuple[str, ...]:
        """The words all its forms begin with."""
        return heads(self.patterns[0]) if self.patterns else tuple(self.name.split())


def function(
    name: str,
    form: str,
    summary: str,
    example: str,
    evaluate: Evaluate,
    group: str,
    *aliases: str,
    also: tuple[str, ...] = (),
    documentation: str = "",
) -> Keyword:
    """A keyword without effects. `form`: what follows the name; also: other forms of it."""
    return Keyword(
        name=name,
        group=group,
        summary=summary,
        forms=tuple(f"{name} {each}".strip() for each in (form, *also)),
        effect=Effect.PURE,
        example=example,
        aliases=aliases,
        documentation=documentation,
        evaluate=evaluate,
    )

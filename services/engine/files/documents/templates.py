"""Templates: {{field}}, {{customer.name}}, {{#rows}} ... {{/rows}}, {{^rows}} ... {{/rows}}.

{{#name}} repeats what is in it for each item of a list, shows it once for anything else that is true; {{^name}} shows
it when there is nothing. {{#each name}} and {{#if name}} with {{/each}} and {{/if}} mean the same. In a list {{.}} is
the item, {{@index}} its place from 1. Fields that are not there are empty. Nothing else is evaluated.
"""

import html
import re
from collections.abc import Callable
from dataclasses import dataclass, field

from services.engine.program.values import ProgramError, Value, look_up, text_of, truthy

TAG = re.compile(r"\{\{\{?\s*([#^/]?)\s*([^{}]*?)\s*\}?\}\}")
WORDS = re.compile(r"(?:each|if)\s+", re.IGNORECASE)
LARGEST = 5_000_000
DEEPEST = 16
Escape = Callable[[str], str]


@dataclass(slots=True)
class Block:
    """Text, names of fields, and blocks in blocks. kind: "#", "^", or "" for the whole."""

    kind: str = ""
    name: str = ""
    parts: list["str | Field | Block"] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Field:
    """A place for a value."""

    name: str


def fill(template: str, data: Value, escape: Escape = html.escape) -> str:
    """The template with the values of data in it. ProgramError for blocks that do not close, and for too much."""
    out: list[str] = []
    room = [LARGEST]
    render(parsed(template), [data], out, room, escape)
    return "".join(out)


def markdown_escape(text: str) -> str:
    """Text that means nothing to Markdown, and stays on its line."""
    one_line = " ".join(text.split("\n"))
    return re.sub(r"([\\`*_\[\]<>#|~&])", r"\\\1", one_line)


def parsed(template: str) -> Block:
    """The blocks of a template. ProgramError."""
    stack = [Block()]
    position = 0
    for tag in TAG.finditer(template):
        stack[-1].parts.append(template[position : tag.start()])
        position = tag.end()
        kind, name = tag[1], WORDS.sub("", tag[2])
        if kind == "/":
            close(stack, name)
        elif kind:
            block = Block(kind, name)
            stack[-1].parts.append(block)
            stack.append(block)
            if len(stack) > DEEPEST:
                message = f"the blocks of the template are more than {DEEPEST} deep"
                raise ProgramError(message)
        else:
            stack[-1].parts.append(Field(name))
    stack[-1].parts.append(template[position:])
    if len(stack) > 1:
        message = f"the template has no {{{{/{stack[-1].name}}}}} for its {{{{{stack[-1].kind}{stack[-1].name}}}}}"
        raise ProgramError(message)
    return stack[0]


def close(stack: list[Block], name: str) -> None:
    """The innermost block ends. ProgramError when another one would."""
    known = {stack[-1].name.lower(), "", "each", "if"}
    if len(stack) == 1 or name.lower() not in known:
        message = f"the template has a {{{{/{name}}}}} that closes nothing"
        raise ProgramError(message)
    stack.pop()


def render(block: Block, scopes: list[Value], out: list[str], room: list[int], escape: Escape) -> None:
    """Everything in a block, once. ProgramError when it becomes too much."""
    for part in block.parts:
        if isinstance(part, Block):
            repeat(part, scopes, out, room, escape)
            continue
        text = part if isinstance(part, str) else escape(text_of(value_of(part.name, scopes)))
        room[0] -= len(text) + 1
        if room[0] < 0:
            message = f"what the template makes has more than {LARGEST:,} characters"
            raise ProgramError(message)
        out.append(text)


def repeat(block: Block, scopes: list[Value], out: list[str], room: list[int], escape: Escape) -> None:
    """A block as often as its value says."""
    value = value_of(block.name, scopes)
    if block.kind == "^":
        if not truthy(value):
            render(block, scopes, out, room, escape)
    elif isinstance(value, list):
        for number, item in enumerate(value, 1):
            inner = {**item, "@index": number} if isinstance(item, dict) else {".": item, "@index": number}
            render(block, [*scopes, inner], out, room, escape)
    elif truthy(value):
        render(block, [*scopes, value], out, room, escape)


def value_of(name: str, scopes: list[Value]) -> Value:
    """A field of the innermost scope that has it; None when none does."""
    first, *rest = [name] if name in {".", "@index"} else name.split(".")
    for scope in reversed(scopes):
        if isinstance(scope, dict) and any(key.lower() == first.lower() for key in scope):
            value = look_up(scope, first)
            for key in rest:
                value = look_up(value, key, optional=True)
            return value
    return scopes[-1] if name in {".", "this"} else None

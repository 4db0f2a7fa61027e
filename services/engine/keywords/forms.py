"""Patterns of keywords, such as `SEND MAIL <to>, <subject>, <body> [, <attachments:list>] [USING <account>]`.

Words in capitals and punctuation stand for themselves. `<name:kind>` is a slot, `[...]` may be left out, `(a | b)` is
one of several. What may stand in a slot is its kind:

value text number list object boolean date   an expression; the kind is said in the manual and checked where it is known
condition    an expression that may compare, also where the keyword is itself part of an expression
name         a bare word that is no variable stands for itself, anything else is an expression
word         one bare word or text
where        a condition over columns
filter       a filter text; values inserted into it stay values
fields       a = 1, b AS v: an object
columns      (a, b) VALUES (1, 2) -> {"a": 1, "b": 2}
named        values with commas between, each with the name of the variable it came from: [{"name", "value"}]
order        what follows ORDER BY, up to LIMIT, as text
variable     a place to put a value
values       everything up to the end, with commas between
rest         text without quotes up to the end of the line, or an expression
sql          the source text up to the end of the statement, and the variables it names: {"text", "variables"}
anything     whatever follows, not looked at
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

KINDS = frozenset(
    """value text number list object boolean date condition name word where filter fields named columns order variable
    values rest sql anything""".split()
)
PIECE = re.compile(r"<(\w+)(?::(\w+))?>|([\[\]()|])|([A-Z0-9_$%?]+)|([,:;=#.*])|(\s+)")


@dataclass(frozen=True, slots=True)
class Literal:
    """A word or a mark that stands for itself."""

    text: str


@dataclass(frozen=True, slots=True)
class Slot:
    """A place for something of a kind."""

    name: str
    kind: str


@dataclass(frozen=True, slots=True)
class Optional:
    """What may be left out."""

    items: tuple["Item", ...]


@dataclass(frozen=True, slots=True)
class Choice:
    """One of several."""

    options: tuple[tuple["Item", ...], ...]


Item = Literal | Slot | Optional | Choice


@dataclass(frozen=True, slots=True)
class Form:
    """A pattern and the text it was written as."""

    text: str
    items: tuple[Item, ...]

    def slots(self) -> Iterator[Slot]:
        """All slots, in order."""
        yield from slots_of(self.items)


def slots_of(items: tuple[Item, ...]) -> Iterator[Slot]:
    """All slots, in order, those of optional parts and choices too."""
    for item in items:
        if isinstance(item, Slot):
            yield item
        elif isinstance(item, Optional):
            yield from slots_of(item.items)
        elif isinstance(item, Choice):
            for option in item.options:
                yield from slots_of(option)


def parse_form(text: str) -> Form:
    """The pattern of a text. ValueError with the text when it is none."""
    pieces: list[tuple[str, str, str]] = []
    position = 0
    while position < len(text):
        match = PIECE.match(text, position)
        if match is None:
            message = f"{text!r} is no form: {text[position:]!r}"
            raise ValueError(message)
        position = match.end()
        if not match[6]:
            pieces.append((match[1] or "", match[2] or "value", match[3] or match[4] or match[5] or ""))
    items, rest = sequence(pieces, 0, text)
    if rest != len(pieces):
        message = f"{text!r} is no form: a bracket is closed that is not open"
        raise ValueError(message)
    return Form(text, items)


def sequence(pieces: list[tuple[str, str, str]], position: int, text: str) -> tuple[tuple[Item, ...], int]:
    """Items up to a closing bracket or bar."""
    found: list[Item] = []
    while position < len(pieces):
        name, kind, mark = pieces[position]
        if name:
            if kind not in KINDS:
                message = f"{text!r} is no form: there is no kind {kind}"
                raise ValueError(message)
            found.append(Slot(name, kind))
        elif mark == "[":
            inner, position = sequence(pieces, position + 1, text)
            found.append(Optional(inner))
        elif mark == "(":
            choice, position = options(pieces, position + 1, text)
            found.append(choice)
        elif mark in {"]", ")", "|"}:
            return tuple(found), position
        else:
            found.append(Literal(mark))
        position += 1
    return tuple(found), position


def options(pieces: list[tuple[str, str, str]], position: int, text: str) -> tuple[Choice, int]:
    """Sequences with bars between, up to the closing bracket."""
    found: list[tuple[Item, ...]] = []
    while True:
        inner, position = sequence(pieces, position, text)
        found.append(inner)
        if position >= len(pieces):
            message = f"{text!r} is no form: ( is not closed"
            raise ValueError(message)
        if pieces[position][2] == ")":
            return Choice(tuple(found)), position
        position += 1


def heads(form: Form) -> tuple[str, ...]:
    """The words a form begins with."""
    found: list[str] = []
    for item in form.items:
        if not isinstance(item, Literal) or not item.text[0].isalnum():
            break
        found.append(item.text)
    return tuple(found)


def starters(items: tuple[Item, ...], *, after: bool = False) -> Iterator[str]:
    """Words that follow a slot, and so end the value in it."""
    for item in items:
        if isinstance(item, Slot):
            after = True
        elif isinstance(item, Literal):
            if after and item.text[0].isalpha():
                yield item.text
            after = after and not item.text[0].isalpha()
        else:
            for inner in (item.items,) if isinstance(item, Optional) else item.options:
                yield from starters(inner, after=after)
            after = True


def words(items: tuple[Item, ...]) -> Iterator[str]:
    """All words of a form."""
    for item in items:
        if isinstance(item, Literal):
            yield item.text
        elif isinstance(item, Optional):
            yield from words(item.items)
        elif isinstance(item, Choice):
            for option in item.options:
                yield from words(option)


def readable(form: str) -> str:
    """A form as the manual shows it: SEND MAIL to, subject, body [, attachments]."""
    made = []
    for piece in form.replace("<", "\0<").split("\0"):
        if piece.startswith("<"):
            slot, _, rest = piece[1:].partition(">")
            made.append(slot.partition(":")[0].replace("_", " ") + rest)
        else:
            made.append(piece)
    return "".join(made)

"""What could be written here: keywords with their forms, names of the script, types, tables, scripts."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from services.engine.basic.answers import TYPES
from services.engine.basic.outline import LABEL, SUB, VARIABLE, Outline
from services.engine.keywords.forms import Choice, Item, Literal, Slot
from services.engine.keywords.keyword import Effect, Keyword
from services.engine.keywords.registry import registry

HEARD = re.compile(r"\bHEAR\s+\S+\s+AS\s+\w*$", re.IGNORECASE)
GOING = re.compile(r"\bGOTO\s+\w*$", re.IGNORECASE)
CALLING = re.compile(r"\bCALL\s+\w*$", re.IGNORECASE)
NAMING = re.compile(r'\b(?:CALL|INCLUDE|USE\s+TOOL|ADD\s+TOOL)\s+"[^"]*$', re.IGNORECASE)
TABLES = re.compile(
    r'\b(?:FIND(?:\s+ALL)?|SAVE|INSERT(?:\s+INTO)?|UPDATE|DELETE(?:\s+FROM)?|MERGE|FROM|SEARCH)\s+"?\w*$', re.IGNORECASE
)
BLOCKS = {
    "IF": "IF ${1:condition} THEN\n\t$0\nEND IF",
    "FOR": "FOR ${1:i} = ${2:1} TO ${3:10}\n\t$0\nNEXT",
    "FOR EACH": "FOR EACH ${1:item} IN ${2:items}\n\t$0\nNEXT",
    "WHILE": "WHILE ${1:condition}\n\t$0\nWEND",
    "DO": "DO\n\t$0\nLOOP UNTIL ${1:condition}",
    "SELECT CASE": "SELECT CASE ${1:value}\n\tCASE ${2:1}\n\t\t$0\nEND SELECT",
    "SWITCH": "SWITCH ${1:value}\n\tCASE ${2:1}\n\t\t$0\nEND SWITCH",
    "SUB": "SUB ${1:name}(${2})\n\t$0\nEND SUB",
    "FUNCTION": "FUNCTION ${1:name}(${2})\n\tRETURN $0\nEND FUNCTION",
    "TRY": "TRY\n\t$0\nCATCH ${1:problem}\nEND TRY",
    "WITH": "WITH ${1:object}\n\t$0\nEND WITH",
    "BEGIN TALK": "BEGIN TALK\n$0\nEND TALK",
    "BEGIN SYSTEM PROMPT": "BEGIN SYSTEM PROMPT\n$0\nEND SYSTEM PROMPT",
    "BEGIN MAIL": "BEGIN MAIL ${1:to}\nSubject: ${2}\n\n$0\nEND MAIL",
    "TABLE": "TABLE ${1:name}\n\t${2:id} integer KEY\n\t$0\nEND TABLE",
}


@dataclass(frozen=True, slots=True)
class Completion:
    """insert: a snippet with $1 ...; kind: keyword, function, variable, subroutine, label, type, table or script."""

    label: str
    kind: str
    insert: str
    detail: str = ""
    keyword: str = ""


def completions(made: Outline, before: str, tables: Iterable[str], scripts: Iterable[str]) -> list[Completion]:
    """What fits behind the text of the line before the cursor."""
    if HEARD.search(before):
        return [Completion(name, "type", name) for name in sorted(TYPES)] + named(made, VARIABLE)
    if GOING.search(before):
        return named(made, LABEL)
    if CALLING.search(before):
        return named(made, SUB) + [Completion(name, "script", f'"{name}.bas"') for name in sorted(scripts)]
    if NAMING.search(before):
        return [Completion(name, "script", name) for name in sorted(scripts)]
    if TABLES.search(before):
        return [Completion(name, "table", name) for name in sorted(tables)] + named(made, VARIABLE)
    return [*named(made, VARIABLE), *named(made, SUB), *keywords()]


def named(made: Outline, kind: str) -> list[Completion]:
    """Names of the script."""
    details = {item.name.lower(): item.detail for item in made.definitions}
    return [Completion(name, kind, name, details.get(name, "")) for name in made.known(kind)]


def keywords() -> Iterator[Completion]:
    """All keywords, a snippet for each form."""
    for item in sorted(registry().by_name.values(), key=lambda item: item.name):
        if item.name in BLOCKS:
            yield Completion(item.name, "keyword", BLOCKS[item.name], item.summary, item.name)
        elif item.effect is Effect.PURE:
            yield Completion(item.name, "function", called(item), item.summary, item.name)
        else:
            yield from (
                Completion(label(form), "keyword", snippet(form.items), item.summary, item.name)
                for form in item.patterns[: len(item.forms)]
            )


def label(form: object) -> str:
    """A form as a list of completions shows it: without kinds of slots."""
    return re.sub(r"<(\w+)(?::\w+)?>", r"\1", str(getattr(form, "text", form)))


def called(item: Keyword) -> str:
    """A function with places for its values."""
    slots = [slot.name for slot in item.patterns[0].slots()] if item.patterns else []
    return f"{item.name}({', '.join(f'${{{index}:{name}}}' for index, name in enumerate(slots, 1))})"


def snippet(items: tuple[Item, ...]) -> str:
    """A form without what may be left out; texts are in quotes already."""
    parts: list[str] = []
    for index, piece in enumerate(pieces(items), 1):
        if isinstance(piece, Slot):
            place = f"${{{index}:{piece.name}}}"
            parts.append(f'"{place}"' if piece.kind in {"text", "name", "filter"} else place)
        elif piece.text == "," and parts:
            parts[-1] += ","
        else:
            parts.append(piece.text)
    return " ".join(parts)


def pieces(items: tuple[Item, ...]) -> Iterator[Literal | Slot]:
    """Words and slots that must be there; of several the first."""
    for item in items:
        if isinstance(item, Literal | Slot):
            yield item
        elif isinstance(item, Choice):
            yield from pieces(item.options[0])

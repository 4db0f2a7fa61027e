"""INCLUDE: the subroutines of other scripts of the package, taken in when a script is compiled."""

from collections.abc import Callable, Iterator
from itertools import pairwise

from services.engine.basic import tree
from services.engine.basic.cursor import defined
from services.engine.basic.lexer import Lexer, Token
from services.engine.basic.parser import Parser

Library = Callable[[str], str | None]
"""The text of a script by its name without folder and ending; None when there is none."""
MOST_INCLUDED = 50


def stem(path: str) -> str:
    """lib/Common.bas is common."""
    return path.replace("\\", "/").rpartition("/")[2].lower().removesuffix(".bas")


def included(tokens: list[Token], library: Library, seen: dict[str, list[Token]]) -> None:
    """All scripts that are included, those that they include too, each once: their tokens by name, in `seen`."""
    for name in named(tokens):
        if name in seen or len(seen) >= MOST_INCLUDED:
            continue
        text = library(name)
        if text is not None:
            seen[name] = Lexer(text).run()
            included(seen[name], library, seen)


def named(tokens: list[Token]) -> Iterator[str]:
    """What the INCLUDE lines name."""
    start = True
    for token, after in pairwise(tokens):
        if start and token.upper == "INCLUDE" and after.kind in {"word", "string"}:
            yield stem(after.text)
        start = token.kind == "newline"


def names_of(found: dict[str, list[Token]]) -> frozenset[str]:
    """The SUBs and FUNCTIONs of included scripts."""
    return frozenset(name for tokens in found.values() for name in defined(tokens))


def definitions(found: dict[str, list[Token]], own: frozenset[str]) -> tuple[tree.Define, ...]:
    """Their subroutines, except those the script has itself. What is wrong in them is said where they are checked."""
    made: dict[str, tree.Define] = {}
    for tokens in filter(None, found.values()):
        parser = Parser(list(tokens))
        parser.defined |= own
        for item in parser.parse().statements:
            if isinstance(item, tree.Define) and item.name not in own:
                made.setdefault(item.name, item)
    return tuple(made.values())

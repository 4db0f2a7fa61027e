"""Trees without their places: what a script means, wherever it is written."""

from collections.abc import Hashable
from dataclasses import fields, is_dataclass

from services.engine.basic import tree
from services.engine.basic.diagnostics import ScriptError
from services.engine.basic.lexer import Lexer
from services.engine.basic.parser import Parser

PLACES = frozenset({"line", "column"})


def shape(item: object) -> Hashable:
    """Kinds and contents, without lines and columns; equal for scripts that mean the same."""
    if is_dataclass(item):
        parts = tuple(shape(getattr(item, field.name)) for field in fields(item) if field.name not in PLACES)
        return (type(item).__name__, *parts)
    if isinstance(item, dict):
        return tuple(sorted((str(key), shape(value)) for key, value in item.items() if key not in PLACES))
    if isinstance(item, list | tuple):
        return tuple(shape(part) for part in item)
    return (type(item).__name__, str(item))


def parsed(source: str) -> tuple[tree.Script, list[ScriptError]]:
    """The tree of a text and what is wrong with it."""
    lexer = Lexer(source)
    parser = Parser(lexer.run(), lexer.lines)
    script = parser.parse()
    return script, [*lexer.errors, *parser.errors]

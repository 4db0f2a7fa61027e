"""Expressions as text: no more brackets than the reading of them needs."""

import json
import math
from collections.abc import Iterable

from services.engine.basic import tree
from services.engine.basic.lexer import SMART

LEVELS = {"OR": 1, "XOR": 1, "AND": 2, "NOT": 3, "&": 5, "+": 6, "-": 6, "*": 7, "/": 7, "MOD": 7, "^": 9}
GREEDY = -1
"""Of what takes all that follows: in brackets wherever something may follow."""
COMPARISON, CONCATENATION, SIGN, PRIMARY = 4, 5, 8, 10
UNWRITABLE = frozenset("\r") | frozenset(map(chr, SMART))
ESCAPES = {"\\": "\\\\", "\n": "\\n", "\t": "\\t", '"': '""'}


class Unprintable(ValueError):
    """No text is read as this."""


class Verbatim(str):
    """Lines that no block may indent."""

    __slots__ = ()


def quoted(text: str) -> str:
    """Text as a literal. Unprintable with ${ in it, which would be computed, and for what ends a line."""
    if "${" in text:
        raise Unprintable("a literal with ${ in it is read as a template")
    if UNWRITABLE & set(text):
        raise Unprintable("a literal cannot hold carriage returns or typographic quotes")
    return f'"{escaped(text)}"'


def is_text(item: tree.Expression) -> bool:
    """Whether an expression is a text written out."""
    return isinstance(item, tree.Literal) and isinstance(item.value, str)


def escaped(text: str) -> str:
    """What stands between the quotes."""
    return "".join(ESCAPES.get(letter, letter) for letter in text)


class Values:
    """One method an expression."""

    def value(self, item: tree.Expression, least: int = 0) -> str:
        """An expression; in brackets when it binds less than `least`."""
        text: str
        text, level = getattr(self, f"_value_{type(item).__name__.lower()}")(item)
        return f"({text})" if level < least else text

    def outer(self, item: tree.Expression) -> str:
        """An expression that is the whole of a statement's value."""
        return self.value(item, GREEDY)

    def tight(self, item: tree.Expression) -> str:
        """An expression where no comparison may stand."""
        return self.value(item, CONCATENATION)

    def listed(self, items: Iterable[tree.Expression]) -> str:
        """Values with commas between."""
        return ", ".join(map(self.value, items))

    def plain(self, value: object) -> str:
        """What a declaration holds."""
        if isinstance(value, str):
            return quoted(value)
        if isinstance(value, list | dict):
            return json.dumps(value, ensure_ascii=False)
        return self.literal(value)

    def literal(self, value: object) -> str:
        """A number, a truth value, NULL, a text."""
        if value is None:
            return "NULL"
        if isinstance(value, bool):
            return "TRUE" if value else "FALSE"
        if isinstance(value, str):
            return quoted(value)
        if isinstance(value, float) and not math.isfinite(value):
            raise Unprintable("no literal is infinite")
        return repr(value)

    def _value_literal(self, item: tree.Literal) -> tuple[str, int]:
        return self.literal(item.value), PRIMARY

    def _value_template(self, item: tree.Template) -> tuple[str, int]:
        parts: list[str] = []
        text = all(map(is_text, item.parts))
        for part in item.parts:
            if not text and isinstance(part, tree.Literal) and is_text(part) and part.value:
                quoted(str(part.value))
                parts.append(escaped(str(part.value)))
                text = True
            else:
                parts.append(f"${{{self.value(part)}}}")
                text = False
        return f'"{"".join(parts)}"', PRIMARY

    def _value_name(self, item: tree.Name) -> tuple[str, int]:
        return item.name, PRIMARY

    def _value_member(self, item: tree.Member) -> tuple[str, int]:
        of = self.value(item.of, PRIMARY)
        if isinstance(item.of, tree.Literal | tree.Template | tree.Listing | tree.Mapping):
            of = f"({of})"
        key = item.key
        if isinstance(key, tree.Literal) and isinstance(key.value, str) and key.value.isidentifier():
            return f"{of}{'?.' if item.optional else '.'}{key.value}", PRIMARY
        return f"{of}[{self.value(key)}]", PRIMARY

    def _value_method(self, item: tree.Method) -> tuple[str, int]:
        of = self.value(item.of, PRIMARY)
        if isinstance(item.of, tree.Literal | tree.Template | tree.Listing | tree.Mapping):
            of = f"({of})"
        return f"{of}.{item.name}({self.listed(item.arguments)})", PRIMARY

    def _value_call(self, item: tree.Call) -> tuple[str, int]:
        return f"{item.name}({self.listed(item.arguments)})", PRIMARY

    def _value_listing(self, item: tree.Listing) -> tuple[str, int]:
        return f"[{self.listed(item.items)}]", PRIMARY

    def _value_mapping(self, item: tree.Mapping) -> tuple[str, int]:
        pairs = ", ".join(f"{quoted(key)}: {self.value(part)}" for key, part in item.items)
        return f"#{{{pairs}}}", PRIMARY

    def _value_unary(self, item: tree.Unary) -> tuple[str, int]:
        if item.operator == "NOT":
            return f"NOT {self.value(item.operand, COMPARISON)}", LEVELS["NOT"]
        return f"-{self.value(item.operand, LEVELS['^'])}", SIGN

    def _value_binary(self, item: tree.Binary) -> tuple[str, int]:
        level = LEVELS.get(item.operator, COMPARISON)
        left, right = (level, level + 1)
        if item.operator == "^":
            left, right = PRIMARY, SIGN
        return f"{self.value(item.left, left)} {item.operator} {self.value(item.right, right)}", level

    def _value_where(self, item: tree.Where) -> tuple[str, int]:
        return self.value(item.condition), 0

    def _value_filter(self, item: tree.Filter) -> tuple[str, int]:
        return self.tight(item.text), 0

    def _value_runscript(self, item: tree.RunScript) -> tuple[str, int]:
        more = "".join(f", {self.value(part)}" for part in item.arguments)
        return f"CALL {self.value(item.path)}{more}", GREEDY

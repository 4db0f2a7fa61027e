"""Expressions as Python source, for loops that have become hot.

Types are not known, so that the usual case is written out and everything else goes to the function the interpreter
uses: `a + 1` is `(v_a + 1 if v_a.__class__ is int else add(v_a, 1))`.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from services.engine.machine.expressions import LARGEST_TEXT, MAKERS, OPERATORS, Evaluate, Scope, bounded
from services.engine.program.values import Value, compare, look_up, number_of, owned, sized, text_of, truthy

Encoded = list[Any]
ARITHMETIC = {"+": "+", "-": "-", "*": "*"}
COMPARISONS = {"=": "==", "<>": "!=", "<": "<", ">": ">", "<=": "<=", ">=": ">="}
SIMPLE = re.compile(r"v_\w+|-?\d+(\.\d+)?")
LARGEST_SOURCE = 20_000


class Untranslatable(Exception):
    """Something that is left to the interpreter."""


@dataclass(frozen=True, slots=True)
class Code:
    """Source and what it gives: number (of the usual size), boolean, text or any."""

    source: str
    kind: str = "any"

    @property
    def simple(self) -> bool:
        """Whether it may be written twice."""
        return SIMPLE.fullmatch(self.source) is not None


@dataclass(slots=True)
class Names:
    """Names the source uses: variables by their own names, constants and functions by made ones."""

    variables: dict[str, str] = field(default_factory=dict)
    constants: dict[str, Any] = field(default_factory=dict)
    scratch: int = 0

    def variable(self, name: str) -> str:
        """The local name of a variable."""
        return self.variables.setdefault(name, f"v_{len(self.variables)}")

    def constant(self, value: Any) -> str:  # noqa: ANN401 - whatever a literal is
        """The name of an object the source refers to."""
        name = f"k_{len(self.constants)}"
        self.constants[name] = value
        return name

    def temporary(self) -> str:
        """A name for a value that is needed twice."""
        self.scratch += 1
        return f"t_{self.scratch}"


GLOBALS: dict[str, Any] = {
    "add": OPERATORS["+"],
    "subtract": OPERATORS["-"],
    "multiply": OPERATORS["*"],
    "modulo": OPERATORS["MOD"],
    "compare": compare,
    "look_up": look_up,
    "number_of": number_of,
    "owned": owned,
    "sized": sized,
    "text_of": text_of,
    "truthy": truthy,
    "bounded": bounded,
    "LARGEST_TEXT": LARGEST_TEXT,
    "LEAST": -(2**62),
    "MOST": 2**62,
}
SIZES = frozenset({"LEN", "UBOUND"})
SLOW = {"+": "add", "-": "subtract", "*": "multiply", "MOD": "modulo"}


class Translator:
    """One method a kind of expression."""

    def __init__(self, numbers: frozenset[str] = frozenset()) -> None:
        self.names = Names()
        self._numeric = numbers
        self.kind = ""

    def translate(self, encoded: Encoded) -> Code:
        """The source of an expression. Untranslatable for what the interpreter had better do."""
        maker: Callable[[Encoded], Code] | None = getattr(self, f"_{encoded[0]}", None)
        if maker is None:
            raise Untranslatable(encoded[0])
        made = maker(encoded)
        if len(made.source) > LARGEST_SOURCE:
            raise Untranslatable("too long")
        return made

    def condition(self, encoded: Encoded) -> str:
        """Source whose truth is that of the expression."""
        made = self.translate(encoded)
        return made.source if made.kind == "boolean" else f"truthy({made.source})"

    def stored(self, encoded: Encoded) -> str:
        """Source of a value that shares nothing with another variable; `kind` says what it is."""
        made = self.translate(encoded)
        self.kind = made.kind
        if encoded[0] == "lit" or made.kind in {"boolean", "text"}:
            return made.source if not isinstance(encoded[-1], list | dict) else f"owned({made.source})"
        if made.kind == "number":
            name = self.names.temporary()
            return f"({name} if LEAST < ({name} := {made.source}) < MOST else sized({name}))"
        name = self.names.temporary()
        usual = f"(({name} := {made.source}).__class__ is int or {name}.__class__ is float) and LEAST < {name} < MOST"
        return f"({name} if {usual} else owned({name}))"

    def _lit(self, encoded: Encoded) -> Code:
        value = encoded[1]
        if isinstance(value, bool):
            return Code(repr(value), "boolean")
        if isinstance(value, int | float) and abs(value) < 2**53 and SIMPLE.fullmatch(repr(value)):
            return Code(repr(value), "number")
        if isinstance(value, str):
            return Code(self.names.constant(value), "text")
        return Code("None") if value is None else Code(self.names.constant(value))

    def _var(self, encoded: Encoded) -> Code:
        return Code(self.names.variable(encoded[1]), "number" if encoded[1] in self._numeric else "any")

    def _un(self, encoded: Encoded) -> Code:
        if encoded[1] == "NOT":
            return Code(f"(not {self.condition(encoded[2])})", "boolean")
        operand = self.translate(encoded[2])
        return Code(f"(-number_of({operand.source}))", "number")

    def _and(self, encoded: Encoded) -> Code:
        left, right = encoded[1], encoded[2]
        return Code(f"({self.condition(left)} and {self.condition(right)})", "boolean")

    def _or(self, encoded: Encoded) -> Code:
        left, right = self.translate(encoded[1]), self.translate(encoded[2])
        if left.kind == right.kind == "boolean":
            return Code(f"({left.source} or {right.source})", "boolean")
        name = self.names.temporary()
        return Code(f"({name} if truthy({name} := {left.source}) else {right.source})")

    def _bin(self, encoded: Encoded) -> Code:
        operator = encoded[1]
        left, right = self.translate(encoded[2]), self.translate(encoded[3])
        if operator in ARITHMETIC:
            return self._numbers(ARITHMETIC[operator], SLOW[operator], left, right)
        if operator == "MOD":
            return self._modulo(left, right)
        if operator in COMPARISONS:
            return self._compared(operator, left, right)
        if operator == "&":
            return self._joined(left, right)
        apply = self.names.constant(OPERATORS[operator])
        return Code(f"{apply}({left.source}, {right.source})", "number" if operator in {"/", "^"} else "any")

    def _joined(self, left: Code, right: Code) -> Code:
        name = self.names.temporary()
        whole = f"{self._as_text(left)} + {self._as_text(right)}"
        return Code(f"({name} if len({name} := {whole}) <= LARGEST_TEXT else bounded({name}))", "text")

    def _as_text(self, code: Code) -> str:
        if code.kind == "text":
            return code.source
        again, made = self._named(code)
        return f"({again} if {made}.__class__ is str else text_of({again}))"

    def _numbers(self, mark: str, slow: str, left: Code, right: Code) -> Code:
        first, second, tests = self._both(left, right)
        kind = "number" if mark != "+" or left.kind == right.kind == "number" else "any"
        if not tests:
            return Code(f"({first} {mark} {second})", kind)
        return Code(f"({first} {mark} {second} if {tests} else {slow}({first}, {second}))", kind)

    def _modulo(self, left: Code, right: Code) -> Code:
        """For positive whole numbers % is what MOD is."""
        first, second, tests = self._both(left, right, whole=True)
        usual = " and ".join(filter(None, [tests, f"{first} >= 0", f"{second} > 0"]))
        return Code(f"({first} % {second} if {usual} else modulo({first}, {second}))", "number")

    def _compared(self, operator: str, left: Code, right: Code) -> Code:
        mark = COMPARISONS[operator]
        if left.kind == right.kind == "number" and SIMPLE.fullmatch(left.source) and SIMPLE.fullmatch(right.source):
            return Code(f"({left.source} {mark} {right.source})", "boolean")
        if operator in {"=", "<>"} and "text" in {left.kind, right.kind}:
            return self._same_text(operator, left, right)
        first, second, tests = self._both(left, right)
        if not tests:
            return Code(f"({first} {mark} {second})", "boolean")
        slow = f"compare({operator!r}, {first}, {second})"
        return Code(f"({first} {mark} {second} if {tests} else {slow})", "boolean")

    def _same_text(self, operator: str, left: Code, right: Code) -> Code:
        first, left_is = self._named(left)
        second, right_is = self._named(right)
        tests = joined([left, right], [self._is_text(left_is, left), self._is_text(right_is, right)])
        if not tests:
            return Code(f"({first} {COMPARISONS[operator]} {second})", "boolean")
        slow = f"compare({operator!r}, {first}, {second})"
        return Code(f"({first} {COMPARISONS[operator]} {second} if {tests} else {slow})", "boolean")

    def _is_text(self, made: str, code: Code) -> str:
        if code.kind != "text":
            return f"{made}.__class__ is str"
        return "" if code.source.startswith("k_") else f"{made} is not None"

    def _both(self, left: Code, right: Code, *, whole: bool = False) -> tuple[str, str, str]:
        """Two operands by name, and the test that they are numbers; both are evaluated, in order, before the test."""
        first, left_is = self._named(left)
        second, right_is = self._named(right)
        tests = [
            self._is_number(left_is, first, left, whole=whole),
            self._is_number(right_is, second, right, whole=whole),
        ]
        return first, second, joined([left, right], tests)

    def _named(self, code: Code) -> tuple[str, str]:
        """How a value is written the second time, and how the first time, when it is computed."""
        if code.simple or code.source.startswith("k_"):
            return code.source, code.source
        name = self.names.temporary()
        return name, f"({name} := {code.source})"

    def _is_number(self, made: str, again: str, code: Code, *, whole: bool) -> str:
        if code.kind == "number" and not whole:
            return "" if code.simple else f"{made} is not None"
        if code.kind == "number" and code.simple and "." not in code.source:
            return "" if not code.source.startswith("v_") else f"{made}.__class__ is int"
        if whole:
            return f"{made}.__class__ is int"
        return f"({made}.__class__ is int or {again}.__class__ is float)"

    def _text(self, encoded: Encoded) -> Code:
        parts = [self.translate(part) for part in encoded[1:]]
        joined = ", ".join(part.source if part.kind == "text" else f"text_of({part.source})" for part in parts)
        return Code(f"bounded(''.join(({joined},)))", "text")

    def _list(self, encoded: Encoded) -> Code:
        return Code("[" + ", ".join(self.translate(part).source for part in encoded[1:]) + "]")

    def _map(self, encoded: Encoded) -> Code:
        items = ", ".join(f"{self.names.constant(key)}: {self.translate(part).source}" for key, part in encoded[1:])
        return Code("{" + items + "}")

    def _get(self, encoded: Encoded) -> Code:
        of, key = self.translate(encoded[1]), self.translate(encoded[2])
        if not of.simple or not (key.simple or key.source.startswith("k_")):
            return Code(f"look_up({of.source}, {key.source}, optional={bool(encoded[3])})")
        slow = f"look_up({of.source}, {key.source}, optional={bool(encoded[3])})"
        if key.kind == "text":
            usual = f"{of.source}.__class__ is dict and {key.source} in {of.source}"
        else:
            within = f"{key.source}.__class__ is int and 0 <= {key.source} < len({of.source})"
            usual = f"{of.source}.__class__ is list and {within}"
        return Code(f"({of.source}[{key.source}] if {usual} else {slow})")

    def _call(self, encoded: Encoded) -> Code:
        return self._closure(encoded, 2)

    def _method(self, encoded: Encoded) -> Code:
        return self._closure(encoded, 3, [encoded[1]])

    def _closure(self, encoded: Encoded, first: int, of: list[Encoded] | None = None) -> Code:
        """A function through the interpreter's own closure, which says what went wrong; its arguments come by place."""
        arguments = [*(of or []), *encoded[first:]]
        if not of and len(arguments) == 1 and encoded[1] in SIZES:
            return self._size(encoded)
        return self._called(encoded, arguments, of)

    def _size(self, encoded: Encoded) -> Code:
        """LEN and UBOUND of texts and lists."""
        argument = self.translate(encoded[2])
        again, made = self._named(argument)
        usual = f"{made}.__class__ is list or {again}.__class__ is str"
        slow = self.names.constant(by_place(MAKERS["call"](["call", encoded[1], ["var", "0"]])))
        return Code(f"(len({again}) if {usual} else {slow}(clock, {again}))", "number")

    def _called(self, encoded: Encoded, arguments: list[Encoded], of: list[Encoded] | None) -> Code:
        places: list[Encoded] = [["var", str(index)] for index in range(len(arguments))]
        name = encoded[2] if of else encoded[1]
        shape = ["method", places[0], name, *places[1:]] if of else ["call", name, *places]
        made = self.names.constant(by_place(MAKERS[encoded[0]](shape)))
        return Code(f"{made}(clock, {', '.join(self.translate(part).source for part in arguments)})")


def by_place(evaluate: Evaluate) -> Callable[..., Value]:
    """A closure called with values instead of a scope."""

    def call(clock: Callable[[], Any], *values: Value) -> Value:
        return evaluate(Scope({str(index): value for index, value in enumerate(values)}, clock))

    return call


def joined(operands: list[Code], tests: list[str]) -> str:
    """Tests of two operands as one. What is computed in a test must have been, whatever the others say: two such tests
    are both evaluated, in order; a single one comes first."""
    computed = [test for code, test in zip(operands, tests, strict=True) if test and not code.simple]
    plain = [test for code, test in zip(operands, tests, strict=True) if test and code.simple]
    first = " & ".join(f"({test})" for test in computed) if len(computed) > 1 else "".join(computed)
    return " and ".join(filter(None, [first and f"({first})", *plain]))

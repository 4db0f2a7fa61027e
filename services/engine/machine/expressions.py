"""Expressions as closures: compiled once when a program is loaded, called for every visit.

["lit", v] ["var", name] ["get", of, key, optional] ["text", ...] ["list", ...] ["map", [key, e], ...]
["call", name, ...] ["method", of, name, ...] ["un", op, e] ["bin", op, a, b] ["and", a, b] ["or", a, b]
"""

import math
from collections.abc import Callable
from typing import Any

from services.engine.keywords.forms import readable
from services.engine.keywords.functions.arguments import joined
from services.engine.keywords.functions.methods import METHODS
from services.engine.keywords.registry import registry
from services.engine.program.values import (
    ProgramError,
    Value,
    compare,
    equal,
    look_up,
    number_of,
    sized,
    text_of,
    truthy,
)

LARGEST_TEXT = 1_048_576
LARGEST_POWER = 4096


class Scope:
    """The variables an expression sees: a subroutine's own first, then those of the script. `clock` gives the time."""

    __slots__ = ("clock", "globals", "locals")

    def __init__(self, globals_: dict[str, Value], clock: Callable[[], Any]) -> None:
        self.globals = globals_
        self.locals: dict[str, Value] | None = None
        self.clock = clock

    def read(self, name: str) -> Value:
        """A variable; NULL when it was never set."""
        if self.locals is not None and name in self.locals:
            return self.locals[name]
        return self.globals.get(name)

    def write(self, name: str, value: Value) -> None:
        """Set a variable: a parameter or temporary ($1) in its subroutine, else one of the script."""
        if self.locals is not None and (name in self.locals or name[0] == "$"):
            self.locals[name] = value
        else:
            self.globals[name] = value


Evaluate = Callable[[Scope], Value]


def compiled(encoded: list[Any]) -> Evaluate:
    """The closure of an encoded expression. ValueError for one this version does not know."""
    maker = MAKERS.get(encoded[0])
    if maker is None:
        message = f"unknown expression {encoded[0]!r}"
        raise ValueError(message)
    return maker(encoded)


def literal(encoded: list[Any]) -> Evaluate:
    """A constant."""
    value = encoded[1]
    return lambda _: value


def variable(encoded: list[Any]) -> Evaluate:
    """A variable."""
    name = encoded[1]
    return lambda scope: scope.read(name)


def member(encoded: list[Any]) -> Evaluate:
    """A field or an element."""
    of, key = compiled(encoded[1]), compiled(encoded[2])
    optional = bool(encoded[3])
    return lambda scope: look_up(of(scope), key(scope), optional=optional)


def template(encoded: list[Any]) -> Evaluate:
    """Text with values in it."""
    parts = [compiled(part) for part in encoded[1:]]
    return lambda scope: joined("", (text_of(part(scope)) for part in parts))


def listing(encoded: list[Any]) -> Evaluate:
    """A list."""
    parts = [compiled(part) for part in encoded[1:]]
    return lambda scope: [part(scope) for part in parts]


def mapping(encoded: list[Any]) -> Evaluate:
    """An object."""
    parts = [(key, compiled(part)) for key, part in encoded[1:]]
    return lambda scope: {key: part(scope) for key, part in parts}


def call(encoded: list[Any]) -> Evaluate:
    """A function."""
    name = encoded[1]
    known = registry().functions.get(name)
    function = known.evaluate if known is not None else None
    parts = [compiled(part) for part in encoded[2:]]
    if function is None:
        return failing(f"{name} is not available on this installation")
    if name == "IIF" and len(parts) in {2, 3}:
        return chosen(*parts)
    expected = " or ".join(readable(form) for form in known.forms) if known is not None else name

    def evaluate(scope: Scope) -> Value:
        try:
            return function(scope.clock, *(part(scope) for part in parts))
        except ProgramError:
            raise
        except TypeError:
            message = f"{name}: expected {expected}"
            raise ProgramError(message) from None
        except (ValueError, ArithmeticError, LookupError, AttributeError) as error:
            message = f"{name}: {error}"
            raise ProgramError(message) from None

    return evaluate


def chosen(condition: Evaluate, first: Evaluate, second: Evaluate = lambda _: None) -> Evaluate:
    """IIF: only the value that is meant is looked at, so that IIF(n > 0, total / n, 0) divides by no zero."""
    return lambda scope: first(scope) if truthy(condition(scope)) else second(scope)


def failing(message: str) -> Evaluate:
    """An error at run time."""

    def evaluate(_: Scope) -> Value:
        raise ProgramError(message)

    return evaluate


def method(encoded: list[Any]) -> Evaluate:
    """value.method(...)."""
    of, name = compiled(encoded[1]), encoded[2]
    parts = [compiled(part) for part in encoded[3:]]
    function = METHODS.get(name)
    if function is None:
        return failing(f"there is no method .{name}()")

    def evaluate(scope: Scope) -> Value:
        try:
            return function(of(scope), *(part(scope) for part in parts))
        except ProgramError:
            raise
        except (TypeError, ValueError, ArithmeticError, LookupError, AttributeError) as error:
            message = f".{name}(): {error}"
            raise ProgramError(message) from None

    return evaluate


def unary(encoded: list[Any]) -> Evaluate:
    """NOT and minus."""
    operand = compiled(encoded[2])
    if encoded[1] == "NOT":
        return lambda scope: not truthy(operand(scope))
    return lambda scope: -number_of(operand(scope))


def both(encoded: list[Any]) -> Evaluate:
    """AND: the second is looked at only when the first holds."""
    left, right = compiled(encoded[1]), compiled(encoded[2])
    return lambda scope: truthy(left(scope)) and truthy(right(scope))


def either(encoded: list[Any]) -> Evaluate:
    """OR gives the first operand that holds: (GET "session.name" OR "Unknown")."""
    left, right = compiled(encoded[1]), compiled(encoded[2])

    def evaluate(scope: Scope) -> Value:
        value = left(scope)
        return value if truthy(value) else right(scope)

    return evaluate


def binary(encoded: list[Any]) -> Evaluate:
    """Two operands."""
    operator, left, right = encoded[1], compiled(encoded[2]), compiled(encoded[3])
    if operator in {"=", "<>", "<", ">", "<=", ">="}:
        return lambda scope: compare(operator, left(scope), right(scope))
    apply = OPERATORS[operator]
    return lambda scope: apply(left(scope), right(scope))


def bounded(text: str) -> str:
    """Texts have an end."""
    if len(text) > LARGEST_TEXT:
        message = "a text may have a million characters"
        raise ProgramError(message)
    return text


def add(left: Value, right: Value) -> Value:
    """Numbers are added, lists joined, anything with text is concatenated."""
    if isinstance(left, int | float) and isinstance(right, int | float):
        return left + right
    if isinstance(left, list):
        return [*left, *right] if isinstance(right, list) else [*left, right]
    if isinstance(left, str) or isinstance(right, str):
        return bounded(text_of(left) + text_of(right))
    return number_of(left) + number_of(right)


def divide(left: Value, right: Value) -> Value:
    """A whole result stays whole."""
    low = number_of(right)
    if low == 0:
        message = "division by zero"
        raise ProgramError(message)
    result = number_of(left) / low
    return int(result) if result.is_integer() and abs(result) < 2**53 else result


def modulo(left: Value, right: Value) -> Value:
    """The sign of the first operand, as BASIC has it."""
    low = number_of(right)
    if low == 0:
        message = "division by zero"
        raise ProgramError(message)
    result = math.fmod(number_of(left), low)
    return int(result) if result.is_integer() else result


def power(left: Value, right: Value) -> Value:
    """Bounded, so that no script computes for minutes."""
    base, exponent = number_of(left), number_of(right)
    if abs(exponent) > LARGEST_POWER or (isinstance(base, int) and abs(base) > 2**64):
        base = float(base)
    try:
        result = base**exponent
    except (OverflowError, ZeroDivisionError):
        message = f"{base} ^ {exponent} is too large"
        raise ProgramError(message) from None
    if isinstance(result, complex):
        message = f"{base} ^ {exponent} is not a number"
        raise ProgramError(message)
    return sized(result)


def contains(left: Value, right: Value) -> bool:
    """Text in text without regard to case, item in list, key in object."""
    if isinstance(left, list):
        return any(equal(item, right) for item in left)
    if isinstance(left, dict):
        return look_up(left, right) is not None
    return text_of(right).lower() in text_of(left).lower()


def like(left: Value, right: Value) -> bool:
    """% stands for anything, _ for one character; without either it means "contains"."""
    pattern, text = text_of(right).lower().replace("*", "%"), text_of(left).lower()
    if "%" not in pattern and "_" not in pattern:
        return pattern in text
    return fits(text, pattern)


def fits(text: str, pattern: str) -> bool:
    """Whether a text fits a pattern of % and _; linear in practice, never more than their product."""
    at, mark, star, resume = 0, 0, -1, 0
    while at < len(text):
        if mark < len(pattern) and pattern[mark] == "%":
            star, resume, mark = mark, at, mark + 1
        elif mark < len(pattern) and pattern[mark] in {text[at], "_"}:
            at, mark = at + 1, mark + 1
        elif star >= 0:
            resume += 1
            at, mark = resume, star + 1
        else:
            return False
    return not pattern[mark:].strip("%")


def multiply(left: Value, right: Value) -> Value:
    """Whole numbers stay whole up to 64 bits."""
    return sized(number_of(left) * number_of(right))


OPERATORS: dict[str, Callable[[Value, Value], Value]] = {
    "+": add,
    "-": lambda left, right: number_of(left) - number_of(right),
    "*": multiply,
    "/": divide,
    "MOD": modulo,
    "^": power,
    "&": lambda left, right: bounded(text_of(left) + text_of(right)),
    "IN": lambda left, right: contains(right, left),
    "CONTAINS": contains,
    "LIKE": like,
    "XOR": lambda left, right: truthy(left) != truthy(right),
}
MAKERS: dict[str, Callable[[list[Any]], Evaluate]] = {
    "lit": literal,
    "var": variable,
    "get": member,
    "text": template,
    "list": listing,
    "map": mapping,
    "call": call,
    "method": method,
    "un": unary,
    "bin": binary,
    "and": both,
    "or": either,
}

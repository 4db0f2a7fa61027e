"""CALCULATE: arithmetic written as text. No model, and nothing but numbers."""

import ast
import math
import operator
from collections.abc import Callable

from services.engine.keywords.keyword import function
from services.engine.machine.outcomes import Clock
from services.engine.program.values import ProgramError, Value, look_up, number_of, sized

LONGEST = 1000
DEEPEST = 50
LARGEST_EXPONENT = 1000
BINARY: dict[type[ast.operator], Callable[[float, float], float]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Mod: math.fmod,
    ast.FloorDiv: operator.floordiv,
}
NAMES = {"pi": math.pi, "e": math.e}
FUNCTIONS: dict[str, Callable[..., float]] = {
    "abs": abs, "sqrt": math.sqrt, "round": round, "floor": math.floor, "ceil": math.ceil, "min": min, "max": max,
    "sin": math.sin, "cos": math.cos, "tan": math.tan, "log": math.log, "ln": math.log, "log10": math.log10,
    "exp": math.exp, "sum": lambda *values: math.fsum(values), "avg": lambda *values: math.fsum(values) / len(values),
}  # fmt: skip


def calculated(_: Clock, formula: Value, variables: Value = None) -> Value:
    """The number a formula gives. variables: an object. ProgramError says what is wrong with it."""
    text = str(formula).strip().lstrip("=").replace("^", "**").replace("×", "*").replace("÷", "/").replace("−", "-")
    if not text or len(text) > LONGEST:
        message = f"CALCULATE: expected a formula of at most {LONGEST} characters"
        raise ProgramError(message)
    try:
        tree = ast.parse(text, mode="eval").body
        found = evaluated(tree, variables if isinstance(variables, dict) else {}, 0)
        return whole(sized(found))
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        message = f"CALCULATE: {str(formula)[:80]!r} is no formula such as (price - cost) * 1.2"
    except ZeroDivisionError:
        message = "CALCULATE: division by zero"
    except (OverflowError, TypeError):
        message = "CALCULATE: the result is too large, or a function has too few values"
    raise ProgramError(message)


def whole(value: float) -> int | float:
    """5.0 is 5."""
    return int(value) if isinstance(value, float) and value.is_integer() and abs(value) < 2**53 else value


def evaluated(node: ast.expr, variables: dict[str, Value], depth: int) -> float:
    """A number. ProgramError for what is no arithmetic."""
    if depth > DEEPEST:
        message = f"CALCULATE: a formula may be {DEEPEST} deep"
        raise ProgramError(message)
    if isinstance(node, ast.Constant) and isinstance(node.value, int | float) and not isinstance(node.value, bool):
        return node.value
    if isinstance(node, ast.Name):
        return named(node.id, variables)
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub | ast.UAdd):
        value = evaluated(node.operand, variables, depth + 1)
        return -value if isinstance(node.op, ast.USub) else value
    if isinstance(node, ast.BinOp):
        left, right = evaluated(node.left, variables, depth + 1), evaluated(node.right, variables, depth + 1)
        return power(left, right) if isinstance(node.op, ast.Pow) else computed(node.op, left, right)
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and not node.keywords:
        return called(node.func.id, [evaluated(item, variables, depth + 1) for item in node.args])
    message = "CALCULATE: a formula has numbers, names, + - * / % ^, brackets and functions such as sqrt"
    raise ProgramError(message)


def computed(kind: ast.operator, left: float, right: float) -> float:
    """left + right and its like. ProgramError for operators of programs."""
    found = BINARY.get(type(kind))
    if found is None:
        message = "CALCULATE: the operators are + - * / % ^"
        raise ProgramError(message)
    return sized(found(left, right))


def power(base: float, exponent: float) -> float:
    """base ^ exponent, as floating point where it is large. ProgramError."""
    if abs(exponent) > LARGEST_EXPONENT:
        message = f"CALCULATE: an exponent is at most {LARGEST_EXPONENT}"
        raise ProgramError(message)
    result: float | complex = float(base) ** exponent
    if isinstance(result, complex):
        message = "CALCULATE: a root of a negative number"
        raise ProgramError(message)
    return result


def named(name: str, variables: dict[str, Value]) -> float:
    """The value of a name. ProgramError when there is none."""
    found = look_up(variables, name) if variables else None
    if found is None:
        found = NAMES.get(name.lower())
    if found is None:
        message = f"CALCULATE: there is no value for {name}"
        raise ProgramError(message)
    return number_of(found, f"a number for {name}")


def called(name: str, values: list[float]) -> float:
    """A function's value. ProgramError when there is no such function."""
    found = FUNCTIONS.get(name.lower())
    if found is None:
        message = f"CALCULATE: there is no function {name}; there are {', '.join(sorted(FUNCTIONS))}"
        raise ProgramError(message)
    if name.lower() == "round" and len(values) == 2:
        return round(values[0], int(values[1]))
    if not values:
        message = f"CALCULATE: {name} needs a number"
        raise ProgramError(message)
    return found(*values)


CALCULATE = function(
    "CALCULATE",
    "<formula> [, <variables>]",
    "Gives the number of a formula that is text, with values for its names.",
    'CALCULATE("price * count * (1 - discount)", #{price: 20, count: 3, discount: 0.1})  \' 54',
    calculated,
    "models",
    documentation="Numbers, names, `+ - * / % ^`, brackets, and "
    + ", ".join(f"`{name}`" for name in sorted(FUNCTIONS))
    + ". No model is asked.",
)

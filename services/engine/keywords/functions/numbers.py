"""Functions about numbers. Results that are whole are whole numbers; what is too large is an error of the script."""

import math
import random
from collections.abc import Callable
from decimal import ROUND_HALF_UP, Decimal

from services.engine.keywords.functions.arguments import flattened, integer, whole
from services.engine.keywords.keyword import Keyword, function
from services.engine.program.values import ProgramError, Value, compare, is_number, number_of, sized

GROUP = "numbers"
MOST_DIGITS = 15


def of_number(name: str, summary: str, example: str, compute: Callable[[float], float], *aliases: str) -> Keyword:
    """A function of one number. What it is not defined for is an error of the script."""

    def evaluate(_: object, number: Value) -> Value:
        given = number_of(number)
        try:
            return sized(whole(compute(given)))
        except (ValueError, OverflowError):
            message = f"{name}: there is no result for {given}"
            raise ProgramError(message) from None

    return function(name, "<number:number>", summary, example, evaluate, GROUP, *aliases)


def rounded(_: object, number: Value, digits: Value = 0) -> Value:
    """Half away from zero, as people round: by the digits as they are written."""
    places = max(-MOST_DIGITS, min(MOST_DIGITS, integer(digits)))
    given = number_of(number)
    if abs(given) >= 10**MOST_DIGITS:
        return given
    return whole(float(Decimal(repr(given)).quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP)))


def power(_: object, base: Value, exponent: Value) -> Value:
    """As the operator ^, by way of inexact numbers."""
    try:
        found = float(number_of(base)) ** float(number_of(exponent))
    except (OverflowError, ZeroDivisionError):
        found = math.inf
    if isinstance(found, complex):
        message = "POW: a root of a negative number is not a number"
        raise ProgramError(message)
    return sized(whole(found))


def remainder(_: object, number: Value, divisor: Value) -> Value:
    """The sign of the first."""
    if number_of(divisor) == 0:
        message = "division by zero"
        raise ProgramError(message)
    return whole(math.fmod(number_of(number), number_of(divisor)))


def extreme(operator: str) -> Callable[..., Value]:
    """MAX and MIN: of numbers by size, of other texts, such as dates, by their order; NULLs are passed over."""

    def evaluate(_: object, *values: Value) -> Value:
        found = [item for item in flattened(values) if item is not None]
        if not found:
            return 0
        if all(is_number(item) for item in found):
            found = [number_of(item) for item in found]
        best = found[0]
        for item in found[1:]:
            best = item if compare(operator, item, best) else best
        return best

    return evaluate


def total(_: object, *values: Value) -> Value:
    """0 for nothing."""
    return sized(whole(math.fsum(map(number_of, flattened(values)))))


def average(_: object, *values: Value) -> Value:
    """0 for nothing."""
    found = [number_of(item) for item in flattened(values)]
    return whole(math.fsum(found) / len(found)) if found else 0


def dice(_: object, *bounds: Value) -> Value:
    """Without bounds in [0, 1); else a whole number between them, both included."""
    if not bounds:
        return random.random()  # noqa: S311 - dice, not keys
    low, high = sorted((0 if len(bounds) == 1 else integer(bounds[0]), integer(bounds[-1])))
    return random.randint(low, high)  # noqa: S311 - dice, not keys


KEYWORDS = (
    of_number("ABS", "Gives a number without its sign.", "ABS(-2)  ' 2", abs),
    of_number("INT", "Gives the largest whole number that is not larger: -2 for -1.5.", "INT(-1.5)  ' -2", math.floor),
    of_number("FIX", "Gives a number without its decimals: -1 for -1.5.", "FIX(-1.5)  ' -1", math.trunc),
    of_number("FLOOR", "Rounds a number down to a whole one.", "FLOOR(1.9)  ' 1", math.floor),
    of_number("CEIL", "Rounds a number up to a whole one.", "CEIL(1.1)  ' 2", math.ceil, "CEILING"),
    of_number("SQR", "Gives the square root.", "SQR(9)  ' 3", math.sqrt, "SQRT"),
    of_number("SGN", "Gives 1, 0 or -1: the sign of a number.", "SGN(-3)  ' -1", lambda n: (n > 0) - (n < 0), "SIGN"),
    of_number("EXP", "Gives e to the power of a number.", "EXP(0)  ' 1", math.exp),
    of_number("LOG", "Gives the natural logarithm.", "LOG(1)  ' 0", math.log),
    of_number("LOG10", "Gives the logarithm to base 10.", "LOG10(1000)  ' 3", math.log10),
    of_number("SIN", "Gives the sine of an angle in radians.", "SIN(0)  ' 0", math.sin),
    of_number("COS", "Gives the cosine of an angle in radians.", "COS(0)  ' 1", math.cos),
    of_number("TAN", "Gives the tangent of an angle in radians.", "TAN(0)  ' 0", math.tan),
    of_number("ASIN", "Gives the angle, in radians, whose sine is the number.", "ASIN(0)  ' 0", math.asin),
    of_number("ACOS", "Gives the angle, in radians, whose cosine is the number.", "ACOS(1)  ' 0", math.acos),
    of_number("ATAN", "Gives the angle, in radians, whose tangent is the number.", "ATAN(0)  ' 0", math.atan, "ATN"),
)
ROUND = function(
    "ROUND",
    "<number:number> [, <digits:number>]",
    "Rounds a number, halves away from zero; with digits, to so many decimals.",
    "ROUND(2.675, 2)  ' 2.68",
    rounded,
    GROUP,
)
POW = function(
    "POW",
    "<base:number>, <exponent:number>",
    "Gives a number to the power of another.",
    "POW(2, 10)  ' 1024",
    power,
    GROUP,
    "POWER",
)
MOD = function(
    "MOD",
    "<number:number>, <divisor:number>",
    "Gives what remains of a division, with the sign of the first number.",
    "MOD(7, 3)  ' 1",
    remainder,
    GROUP,
)
PI = function(
    "PI", "", "Gives the circumference of a circle of diameter 1.", "ROUND(PI, 4)  ' 3.1416", lambda _: math.pi, GROUP
)
RND = function(
    "RND",
    "",
    "Gives a number by chance, from 0 up to but not including 1.",
    "RND() < 1  ' TRUE",
    lambda *_: dice(None),
    GROUP,
)
RANDOM = function(
    "RANDOM",
    "[<maximum:number>]",
    "Gives a whole number by chance, from the minimum, or 0, to the maximum.",
    "RANDOM(3, 3)  ' 3",
    dice,
    GROUP,
    also=("<minimum:number>, <maximum:number>",),
)
MAX = function(
    "MAX",
    "<values:values>",
    "Gives the largest of several values, or of a list.",
    "MAX(1, 3, 2)  ' 3",
    extreme(">"),
    GROUP,
)
MIN = function(
    "MIN",
    "<values:values>",
    "Gives the smallest of several values, or of a list.",
    "MIN([4, 2])  ' 2",
    extreme("<"),
    GROUP,
)
SUM = function(
    "SUM", "<values:values>", "Adds several numbers, or those of a list.", "SUM([1, 2, 3])  ' 6", total, GROUP
)
AVG = function(
    "AVG",
    "<values:values>",
    "Gives the mean of several numbers, or of a list; 0 of none.",
    "AVG(2, 4)  ' 3",
    average,
    GROUP,
    "AVERAGE",
)

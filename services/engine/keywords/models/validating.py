"""VALIDATE: a value against rules, without a model."""

from services.engine.hearing.kinds import FILES, VALIDATORS, canonical, heard
from services.engine.keywords.keyword import function
from services.engine.machine.outcomes import Clock
from services.engine.program.values import ProgramError, Value, equal, is_number, number_of, text_of

RULES = """
Rules, several of them with `|` between: any type of HEAR (`email`, `date`, `cpf`, `phone` ...), `required`, `number`,
`min:3` and `max:10` (of a number its size, else the length of the text), `length:5`, `in:tea,coffee`,
`starts:AB`, `ends:.pdf`, `contains:@`.
"""
LONGEST = 10_000


def validated(clock: Clock, value: Value, rule: Value) -> bool:
    """Whether a value keeps all the rules. ProgramError for a rule that is not known."""
    rules = rule if isinstance(rule, list) else text_of(rule).split("|")
    if not rules or not text_of(rules[0]).strip():
        message = f"VALIDATE: expected a rule.{RULES}"
        raise ProgramError(message)
    return all(kept(clock, value, text_of(item).strip()) for item in rules)


def kept(clock: Clock, value: Value, rule: str) -> bool:
    """Whether a value keeps one rule."""
    name, _, limit = rule.partition(":")
    text = text_of(value)[:LONGEST]
    low, limit = name.strip().lower(), limit.strip()
    if low in {"required", "notempty"}:
        return bool(text.strip())
    if low in {"number", "numeric"}:
        return is_number(value)
    if low in {"min", "max", "length"}:
        return measured(value, low, number_of(limit, f"a number after {low}:"))
    if low == "in":
        return any(equal(text.lower(), item.strip().lower()) for item in limit.split(","))
    if low in {"starts", "ends", "contains"}:
        return {"starts": text.startswith(limit), "ends": text.endswith(limit), "contains": limit in text}[low]
    return typed(clock, text, name.strip())


def measured(value: Value, how: str, limit: float) -> bool:
    """min, max, length."""
    size = number_of(value) if is_number(value) and how != "length" else len(text_of(value))
    return {"min": size >= limit, "max": size <= limit, "length": size == limit}[how]


def typed(clock: Clock, text: str, name: str) -> bool:
    """Whether HEAR would take a text as a type. ProgramError for a type that is not known."""
    kind = canonical(name)
    if kind not in VALIDATORS or kind in FILES:
        message = f"VALIDATE: there is no rule {name[:40]!r}.{RULES}"
        raise ProgramError(message)
    return heard(kind, text, [], clock()) is not None


VALIDATE = function(
    "VALIDATE",
    "<value>, <rule>",
    "Says whether a value keeps a rule, or several.",
    'VALIDATE("ana@example.com", "required|email")  \' TRUE',
    validated,
    "models",
    documentation=RULES,
)

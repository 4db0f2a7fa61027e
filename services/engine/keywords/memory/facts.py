"""What a bot remembers of a person, for a while or for ever."""

import datetime
import re

from services.engine.keywords.keyword import Arguments, Effect, Keyword
from services.engine.keywords.memory.variables import Variables, recall
from services.engine.keywords.world import Performed, World
from services.engine.program.values import ProgramError, Value, is_number, number_of, text_of

PREFIX = "remember:"
FOREVER = frozenset({"forever", "always", "sempre", "para sempre", "siempre", "para siempre", "навсегда", "never"})
UNITS = {
    "second": 1, "sec": 1, "segundo": 1, "секунд": 1, "minute": 60, "min": 60, "minuto": 60, "минут": 60,
    "hour": 3600, "hora": 3600, "час": 3600, "day": 86_400, "dia": 86_400, "día": 86_400, "день": 86_400,
    "дн": 86_400, "week": 604_800, "semana": 604_800, "недел": 604_800, "month": 2_592_000, "mes": 2_592_000,
    "mês": 2_592_000, "месяц": 2_592_000, "year": 31_536_000, "ano": 31_536_000, "año": 31_536_000,
    "год": 31_536_000, "лет": 31_536_000,
}  # fmt: skip
SPAN = re.compile(r"(\d{1,6}(?:[.,]\d{1,3})?)\s*([^\W\d_]+)")


def seconds_of(duration: Value) -> float | None:
    """How long: "30 days", 30 (days), "forever" (None). ProgramError."""
    if is_number(duration):
        return float(number_of(duration)) * 86_400
    text = text_of(duration).strip().lower()
    if text in FOREVER:
        return None
    match = SPAN.fullmatch(text)
    unit = max((name for name in UNITS if match and match[2].startswith(name)), key=len, default="")
    if match is None or not unit:
        message = f'expected a duration such as "30 days" or "forever", got {text[:40]!r}'
        raise ProgramError(message)
    return float(match[1].replace(",", ".")) * UNITS[unit]


async def remember(world: World, arguments: Arguments) -> Performed:
    """Kept for the person, until when it is said."""
    value = arguments.get("value", arguments["key"])
    kept: dict[str, Value] = {"value": value}
    span = seconds_of(arguments["duration"]) if "duration" in arguments else None
    if span is not None:
        kept["until"] = (world.clock() + datetime.timedelta(seconds=span)).timestamp()
    return Performed(value, variables=(("user", place(arguments["key"]), kept),))


def place(key: Value) -> str:
    """Where it is kept. ProgramError when the key is empty or too long."""
    name = text_of(key).strip()
    if not name or len(name) > 200:
        message = "REMEMBER: expected a name of 1 to 200 characters first"
        raise ProgramError(message)
    return f"{PREFIX}{name.lower()}"


def fresh(world: World, kept: Value) -> bool:
    """Whether something kept is still to be remembered."""
    return isinstance(kept, dict) and float(kept.get("until", float("inf"))) > world.clock().timestamp()


async def recollect(world: World, arguments: Arguments) -> Value:
    """What REMEMBER kept, else what SET USER MEMORY did; NULL when there is neither, or its time is over."""
    key = place(arguments["key"])
    kept = await recall(world, "user", key)
    if kept is None:
        return await recall(world, "user", text_of(arguments["key"]))
    if not fresh(world, kept):
        return Performed(None, variables=(("user", key, None),))
    return kept["value"]


async def everything(world: World) -> dict[str, Value]:
    """All variables of the person, those of this turn too."""
    found = await world.port(Variables).all(world, "user")
    found |= {key: value for scope, key, value in world.pending if scope == "user"}
    return {key: value for key, value in found.items() if value is not None}


async def facts(world: World, _: Arguments) -> Value:
    """{name: value} of all that is kept for the person and not over."""
    made: dict[str, Value] = {}
    for key, value in (await everything(world)).items():
        if not key.startswith(PREFIX):
            made[key] = value
        elif fresh(world, value):
            made.setdefault(key.removeprefix(PREFIX), value["value"])
    return made


async def forget(world: World, arguments: Arguments) -> Performed:
    """One name, or all; how many were forgotten."""
    known = await everything(world)
    if "key" in arguments:
        name = text_of(arguments["key"])
        known = {key: value for key, value in known.items() if key in {name, place(name)}}
    return Performed(len(known), variables=tuple(("user", key, None) for key in known))


REMEMBER = Keyword(
    name="REMEMBER",
    group="memory",
    summary="Remembers something about the person, for a while or for ever.",
    forms=(
        "REMEMBER <key>, <value> [, <duration>]",
        "REMEMBER <key> AS <value> [FOR <duration>]",
        "REMEMBER <key> = <value>",
        "REMEMBER <key>",
    ),
    effect=Effect.READ,
    example='REMEMBER "size", "42", "30 days"',
    documentation='The duration is a number of days or words such as "2 weeks", "12 hours", "30 dias", "forever".',
    perform=remember,
)
RECALL = Keyword(
    name="RECALL",
    group="memory",
    summary="Gives what REMEMBER kept about the person; NULL when there is nothing, or its time is over.",
    forms=("RECALL <key>",),
    effect=Effect.READ,
    example='size = RECALL "size"',
    perform=recollect,
)
USER_FACTS = Keyword(
    name="USER FACTS",
    group="memory",
    summary="Gives all that is kept for the person, as an object.",
    forms=("USER FACTS",),
    effect=Effect.READ,
    example="known = USER FACTS()\nPRINT known.size",
    perform=facts,
)
CLEAR_USER_MEMORY = Keyword(
    name="CLEAR USER MEMORY",
    group="memory",
    summary="Forgets all that is kept for the person, or one name; gives how many were forgotten.",
    forms=("CLEAR USER MEMORY [<key>]",),
    effect=Effect.READ,
    example="CLEAR USER MEMORY",
    perform=forget,
)

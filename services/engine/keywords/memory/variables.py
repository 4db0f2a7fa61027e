"""Values kept for the bot, the person, the session or the channel."""

from typing import Protocol

from services.engine.keywords.keyword import Arguments, Effect, Keyword
from services.engine.keywords.world import World
from services.engine.machine.state import MachineState
from services.engine.program.values import ProgramError, Value, text_of

SCOPES = ("bot", "user", "session", "channel")


class Variables(Protocol):
    """Where they are kept."""

    async def read(self, world: World, scope: str, key: str) -> Value:
        """A value; None when there is none."""

    async def all(self, world: World, scope: str) -> dict[str, Value]:
        """All values of a scope, 1000 at most."""


async def recall(world: World, scope: str, key: str) -> Value:
    """A value: what this turn set and did not commit yet comes first."""
    for known_scope, known_key, value in reversed(world.pending):
        if (known_scope, known_key) == (scope, key):
            return value
    return await world.port(Variables).read(world, scope, key)


def keep(state: MachineState, scope: str, key: str, value: Value) -> None:
    """Written with the commit of the turn; the last value of a key stands."""
    state.keep(scope, key, value)


def split(name: str) -> tuple[str, str]:
    """session.basket as its scope and key. ProgramError when it has no scope."""
    scope, _, key = name.partition(".")
    if scope.lower() not in SCOPES or not key:
        message = (
            f"expected a name such as session.{name or 'basket'}, that is one of {', '.join(SCOPES)}, a point and a key"
        )
        raise ProgramError(message)
    return scope.lower(), key


def setter(scope: str) -> Keyword:
    """SET BOT MEMORY and its like."""
    upper = scope.upper()

    def apply(state: MachineState, arguments: Arguments) -> None:
        keep(state, scope, text_of(arguments["key"]), arguments["value"])

    return Keyword(
        name=f"SET {upper} MEMORY",
        group="memory",
        summary=f"Keeps a value for the {scope}.",
        forms=(
            f"SET {upper} MEMORY <key>, <value>",
            f"SET {upper} MEMORY <key> AS <value>",
            f"SET {upper} MEMORY <key> = <value>",
        ),
        aliases=(f"SET {upper} FACT",),
        effect=Effect.STATE,
        example=f'SET {upper} MEMORY "last_order", "tea"',
        apply=apply,
    )


def getter(scope: str) -> Keyword:
    """GET BOT MEMORY and its like."""
    upper = scope.upper()

    async def perform(world: World, arguments: Arguments) -> Value:
        return await recall(world, scope, text_of(arguments["key"]))

    return Keyword(
        name=f"GET {upper} MEMORY",
        group="memory",
        summary=f"Gives a value kept for the {scope}; NULL when there is none.",
        forms=(f"GET {upper} MEMORY <key>",),
        aliases=(f"GET {upper} FACT",),
        effect=Effect.READ,
        example=f'order = GET {upper} MEMORY "last_order"',
        perform=perform,
    )


def set_named(state: MachineState, arguments: Arguments) -> None:
    """SET "session.basket", value."""
    scope, key = split(text_of(arguments["name"]))
    keep(state, scope, key, arguments["value"])


def set_session(state: MachineState, arguments: Arguments) -> None:
    """SET SESSION key, value."""
    keep(state, "session", text_of(arguments["key"]), arguments["value"])


async def get_session(world: World, arguments: Arguments) -> Value:
    """GET SESSION key."""
    return await recall(world, "session", text_of(arguments["key"]))


KEYWORDS = (*map(setter, SCOPES), *map(getter, SCOPES))
SET_SESSION = Keyword(
    name="SET SESSION",
    group="memory",
    summary="Keeps a value for this conversation.",
    forms=("SET SESSION <session>, <key>, <value>", "SET SESSION <key>, <value>"),
    effect=Effect.STATE,
    example='SET SESSION "basket", ["tea"]',
    apply=set_session,
)
GET_SESSION = Keyword(
    name="GET SESSION",
    group="memory",
    summary="Gives a value kept for this conversation.",
    forms=("GET SESSION <key>",),
    effect=Effect.READ,
    example='basket = GET SESSION "basket"',
    perform=get_session,
)
SET_NAMED = Keyword(
    name="SET VALUE",
    group="memory",
    summary="Keeps a value under a name such as session.basket.",
    forms=("SET <name>, <value>",),
    effect=Effect.STATE,
    example='SET "session.basket", ["tea"]',
    apply=set_named,
)

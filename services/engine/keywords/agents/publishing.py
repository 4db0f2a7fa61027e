"""Events of scripts."""

from collections.abc import Mapping
from typing import Protocol

from services.engine.keywords.keyword import Arguments, Effect, Keyword
from services.engine.keywords.world import World
from services.engine.program.values import ProgramError, Value, text_of

LONGEST = 200


class Publisher(Protocol):
    """Tells what happened."""

    async def publish(self, world: World, event: str, payload: Mapping[str, Value]) -> int:
        """Once for a world.key; how many scripts it will start. ProgramError."""


async def publish(world: World, arguments: Arguments) -> Value:
    """How many scripts will start. ProgramError."""
    event = text_of(arguments["event"]).strip()
    if not 1 <= len(event) <= LONGEST:
        message = f"PUBLISH EVENT: expected a name of 1 to {LONGEST} characters"
        raise ProgramError(message)
    data = arguments.get("data")
    payload = data if isinstance(data, dict) else {} if data is None else {"data": data}
    return await world.port(Publisher).publish(world, event, {"event": event, **payload})


PUBLISH_EVENT = Keyword(
    name="PUBLISH EVENT",
    group="agents",
    summary="Tells that something happened; scripts of this bot that say ON EVENT start. Gives how many.",
    forms=("PUBLISH EVENT <event> [, <data>]", "PUBLISH EVENT <event> WITH <data>"),
    effect=Effect.WRITE,
    example='PUBLISH EVENT "order_placed", #{order: 7}',
    documentation="Fields of the object are variables of the script that starts; any other value is `data` there.",
    permission="events.publish",
    perform=publish,
)

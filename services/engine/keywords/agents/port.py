"""Other bots of the tenant as keywords see them."""

from typing import Protocol

from services.engine.keywords.world import World
from services.engine.program.values import Value


class OtherBots(Protocol):
    """Bots that help. Names are "x", without "bots/"."""

    async def ask(self, world: World, bot: str, message: str, seconds: float) -> str:
        """What another bot answers from its own prompt, documents and model. ProgramError when there is no such bot or
        the seconds are over, ParleyError."""

    async def share(self, world: World, bot: str, key: str, value: Value) -> None:
        """Keep a value in another bot's memory. ProgramError, ParleyError."""

    async def memory(self, world: World, bot: str) -> dict[str, Value]:
        """What another bot keeps, 1000 values at most. ProgramError, ParleyError."""

"""What keywords and other rooms of the engine ask of schedules and events."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Protocol

from services.engine.keywords.world import World
from services.engine.program.values import Value

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncConnection


class Schedules(Protocol):
    """Scripts that start later."""

    async def at(self, world: World, when: str, script: str) -> None:
        """Start a script by a rule, or once at a moment. A rule takes the place of the script's former one.

        The same `world.key` does it once. ProgramError.
        """

    async def after(
        self, world: World, seconds: float, script: str, entry: str, variables: Mapping[str, Value]
    ) -> None:
        """Start part of a script once, so many seconds from now, with these variables. ProgramError."""


class Events(Protocol):
    """ON INSERT, UPDATE, DELETE, EMAIL, CHANGE, FORM SUBMIT and events of scripts."""

    async def emit(
        self, connection: "AsyncConnection", world: World, event: str, of: str, payloads: Sequence[Mapping[str, Value]]
    ) -> int:
        """Tell what happened, once for each payload; how many scripts it will start.

        `connection`: of the transaction that makes it true: events are kept in that
        transaction and told after it commits, and never if it does not. `event`: "insert", "update", "delete",
        "email", "change", "form", "custom"; `of`: the table, address, path, form or name. A payload becomes variables
        of the script: {"row": ..., "old": ...} for tables.
        """

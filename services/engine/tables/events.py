"""Changes of tables as events: ON INSERT OF, ON UPDATE OF, ON DELETE OF."""

from typing import cast

from sqlalchemy.ext.asyncio import AsyncConnection

from services.engine.keywords.world import World
from services.engine.schedule.port import Events
from services.engine.tables.port import Reader, Row


class TableEvents:
    """Tells events of changes, in the transaction that makes them."""

    def __init__(self, events: Events) -> None:
        self._events = events

    async def changed(
        self, connection: AsyncConnection, world: Reader, table: str, event: str, rows: list[Row]
    ) -> None:
        """An event for every row."""
        await self._events.emit(connection, cast("World", world), event, table, [{"row": row} for row in rows])

"""PUBLISH EVENT: an event of a script, told once."""

from collections.abc import Mapping

from google.protobuf import wrappers_pb2

from services.common.db.engine import Database
from services.common.db.requests import RequestLog
from services.engine.keywords.world import World
from services.engine.program.values import Value
from services.engine.schedule.port import Events
from services.engine.tables.store import asked_of


class StoredPublisher:
    """The port `Publisher`."""

    def __init__(self, database: Database, requests: RequestLog, events: Events) -> None:
        self._database = database
        self._requests = requests
        self._events = events

    async def publish(self, world: World, event: str, payload: Mapping[str, Value]) -> int:
        """Keep it and what it starts in one transaction; how many scripts. ProgramError."""
        async with self._database.unit_of_work(world.tenant) as connection:

            async def work() -> wrappers_pb2.Int64Value:
                return wrappers_pb2.Int64Value(
                    value=await self._events.emit(connection, world, "custom", event, [payload])
                )

            asked = asked_of(world)
            return int((await self._requests.once(connection, asked, wrappers_pb2.Int64Value, work)).value)

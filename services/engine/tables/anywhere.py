"""Tables wherever they are: the bot's own, or those of a connection ("erp.orders", ".orders", TABLE ... ON erp)."""

import json
from collections.abc import Sequence
from typing import NamedTuple

from services.engine.program.values import ProgramError, Value
from services.engine.tables.access import allow, table_of
from services.engine.tables.connections import configured
from services.engine.tables.definition import TableDefinition
from services.engine.tables.filters import Filter
from services.engine.tables.names import table_name
from services.engine.tables.outside import OutsideTables
from services.engine.tables.port import Reader, Row
from services.engine.tables.store import PostgresTables
from services.engine.tables.writes import Write

DEFAULT = "default"


class Place(NamedTuple):
    """connection: empty for the bot's own tables."""

    connection: str
    table: str


def place_of(world: Reader, name: str) -> Place:
    """Where a table is. ProgramError for what is no name."""
    parts = name.strip().removeprefix(".").split(".")
    if len(parts) == 2:
        return Place(parts[0].strip().lower(), parts[1].strip())
    if len(parts) != 1:
        message = f"expected the name of a table, or connection.table, got {name[:60]!r}"
        raise ProgramError(message)
    if name.strip().startswith("."):
        every = sorted(configured(world))
        return Place(every[0] if len(every) == 1 else DEFAULT, parts[0])
    definition = table_of(world, name)
    return Place(definition.connection.lower(), definition.name)


def declared(world: Reader, place: Place) -> TableDefinition:
    """What TABLE ... ON says of a table of a connection; nothing for one that was never declared."""
    try:
        found = world.tables.get(table_name(place.table))
    except ProgramError:
        found = None
    return found if found is not None and found.connection.lower() == place.connection else TableDefinition(place.table)


def readable(world: Reader, place: Place) -> Place:
    """The place, when this person may read there. ProgramError."""
    allow(world, declared(world, place).read_by, f"read {place.table}")
    return place


class AnyTables:
    """The port Tables."""

    def __init__(self, own: PostgresTables, outside: OutsideTables) -> None:
        self._own = own
        self._outside = outside

    async def find(
        self, world: Reader, table: str, where: Filter = None, *, order: str = "", limit: int | None = None
    ) -> list[Row]:
        """As Tables says."""
        place = place_of(world, table)
        if not place.connection:
            return await self._own.find(world, table, where, order=order, limit=limit)
        return await self._outside.find(world, *readable(world, place), where, order=order, limit=limit)

    async def everything(self, world: Reader, table: str, where: Filter = None, *, most: int) -> list[Row]:
        """As Tables says."""
        place = place_of(world, table)
        if not place.connection:
            return await self._own.everything(world, table, where, most=most)
        return await self._outside.everything(world, *readable(world, place), where, most)

    async def count(self, world: Reader, table: str, where: Filter = None) -> int:
        """As Tables says."""
        return int(await self.aggregate(world, table, "count", "", where))

    async def aggregate(self, world: Reader, table: str, how: str, field: str, where: Filter = None) -> Value:
        """As Tables says."""
        place = place_of(world, table)
        if not place.connection:
            return await self._own.aggregate(world, table, how, field, where)
        return await self._outside.aggregate(world, *readable(world, place), how, field, where)

    async def distinct(self, world: Reader, table: str, field: str, where: Filter = None) -> list[Value]:
        """As Tables says."""
        place = place_of(world, table)
        if not place.connection:
            return await self._own.distinct(world, table, field, where)
        return await self._outside.distinct(world, *readable(world, place), field, where)

    async def search(self, world: Reader, table: str, words: str, limit: int = 10) -> list[Row]:
        """As Tables says; in other databases the words themselves are looked for."""
        place = place_of(world, table)
        if not place.connection:
            return await self._own.search(world, table, words, limit)
        return await self._outside.search(world, *readable(world, place), words, limit)

    async def autocomplete(self, world: Reader, table: str, beginning: str, limit: int = 10) -> list[str]:
        """As Tables says; not in other databases."""
        if place_of(world, table).connection:
            message = "AUTOCOMPLETE works on the bot's own tables"
            raise ProgramError(message)
        return await self._own.autocomplete(world, table, beginning, limit)

    async def query(self, world: Reader, parts: Sequence[Value]) -> list[Row]:
        """As Tables says; over the bot's own tables."""
        return await self._own.query(world, parts)

    async def write(self, world: Reader, writes: Sequence[Write]) -> list[Value]:
        """All changes of one place, or none."""
        places = {json.dumps(place_of(world, write["table"])) for write in writes}
        if not any(json.loads(place)[0] for place in places):
            return await self._own.write(world, writes)
        if len(places) > 1:
            message = "a transaction changes the bot's own tables, or one table of a connection"
            raise ProgramError(message)
        place = place_of(world, writes[0]["table"])
        allow(world, declared(world, place).write_by, f"change {place.table}")
        return await self._own.once(world, lambda: self._outside.write(world, *place, writes))

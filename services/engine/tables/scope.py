"""Which rows are of a table: tenant, bot and name, in every statement."""

import uuid
from typing import Any

from services.engine.tables.definition import TableDefinition
from services.engine.tables.port import Reader


def scope(world: Reader, table: TableDefinition) -> dict[str, Any]:
    """Parameters that name a table."""
    return {"tenant": uuid.UUID(world.tenant), "bot": world.bot.removeprefix("bots/"), "table": table.name}

"""Tables of a bot for tests: a store on real PostgreSQL and worlds of several people."""

import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from pydantic import SecretStr
from sqlalchemy import text

from services.common.db.engine import Database
from services.common.db.requests import RequestLog
from services.engine.keywords.world import World
from services.engine.program.values import ProgramError
from services.engine.tables.definition import definitions_of
from services.engine.tables.store import PostgresTables

BOT = text("INSERT INTO engine.bots (tenant_id, id) VALUES (CAST(:tenant AS uuid), :bot) ON CONFLICT DO NOTHING")
CUSTOMERS = {
    "name": "customers",
    "fields": [
        {"name": "id", "type": "number", "key": True},
        {"name": "name", "type": "string", "length": 20, "required": True},
        {"name": "mail", "type": "string"},
        {"name": "age", "type": "integer"},
        {"name": "balance", "type": "number", "length": 8, "precision": 2, "default": 0},
        {"name": "born", "type": "date"},
        {"name": "vip", "type": "boolean"},
        {"name": "tags", "type": "array"},
        {"name": "secret", "type": "string", "read_by": ["manager"], "write_by": ["manager"]},
    ],
}
PRODUCTS = {
    "name": "products",
    "fields": [{"name": "code", "type": "string", "key": True}, {"name": "price", "type": "number"}],
    "write_by": ["manager"],
}
SALARIES = {"name": "salaries", "fields": [{"name": "amount", "type": "number"}], "read_by": ["manager"]}


@dataclass
class TablesWorld:
    """A store and whoever uses it."""

    tables: PostgresTables
    database: Database
    world: World
    requests: RequestLog
    made: int = field(default=0)

    def person(self, **more: Any) -> World:
        """Somebody in an effect of their own."""
        self.made += 1
        return replace(self.world, **{"key": f"effect {self.made}", **more})

    async def write(self, *writes: Any, **more: Any) -> Any:
        found = await self.tables.write(self.person(**more), writes)
        return found[0] if len(found) == 1 else found

    async def find(self, table: str, where: Any = None, **more: Any) -> list[Any]:
        return await self.tables.find(self.person(), table, where, **more)

    async def bot(self, tenant: str, bot: str) -> None:
        async with self.database.unit_of_work(tenant) as connection:
            await connection.execute(BOT, {"tenant": tenant, "bot": bot})


async def tables_world(database: Database, declarations: Iterable[Mapping[str, Any]]) -> TablesWorld:
    world = World(
        tenant=str(uuid.uuid4()),
        bot="bots/shop",
        session="sessions/s",
        user="users/ann",
        key="",
        roles=frozenset({"member"}),
        tables=definitions_of(declarations),
    )
    log = RequestLog("engine", SecretStr("s" * 32))
    made = TablesWorld(PostgresTables(database, log), database, world, log)
    await made.bot(world.tenant, "shop")
    return made


class DriveInMemory:
    """The port Files over a dictionary: the drive has tests of its own."""

    def __init__(self) -> None:
        self.content: dict[str, bytes] = {}

    async def read(self, _: World, path: str) -> bytes:
        if path not in self.content:
            message = f"there is no file {path}"
            raise ProgramError(message)
        return self.content[path]

    async def write(self, _: World, path: str, content: bytes, **__: Any) -> str:
        self.content[path] = content
        return f"files/{path}"

    async def exists(self, _: World, path: str) -> bool:
        return path in self.content

    async def delete(self, world: World, path: str) -> None:
        await self.read(world, path)
        del self.content[path]

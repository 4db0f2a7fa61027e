"""Bots and versions in PostgreSQL."""

import json
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from parley.engine.v1 import bot_pb2 as pb
from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.common.db.engine import Database
from services.common.errors import Aborted, AlreadyExists, NotFound
from services.engine.program.program import Program
from services.engine.publishing import Compiled, diagnostic_message
from services.engine.schedule.rows import Declarations
from services.engine.tables.definition import TableDefinition, definitions_of

COLUMNS = "id, display_name, description, live_version, migrate_version, revision, created_at, updated_at"
VERSION_COLUMNS = "bot_id, version, digest, config, system_prompt, diagnostics, created_at"
GET = text(f"SELECT {COLUMNS} FROM engine.bots WHERE tenant_id = :tenant AND id = :id")  # noqa: S608
LIST = text(
    f"""SELECT {COLUMNS} FROM engine.bots WHERE tenant_id = :tenant AND id > :after ORDER BY id LIMIT :limit"""  # noqa: S608
)
INSERT = text("""INSERT INTO engine.bots (tenant_id, id, display_name, description)
VALUES (:tenant, :id, :display_name, :description) ON CONFLICT DO NOTHING RETURNING id""")
LOCK = text("SELECT live_version FROM engine.bots WHERE tenant_id = :tenant AND id = :id FOR UPDATE")
SAME = text("""SELECT version FROM engine.bot_versions
WHERE tenant_id = :tenant AND bot_id = :id AND digest = :digest""")
NEXT = text("""SELECT coalesce(max(version), 0) + 1 FROM engine.bot_versions
WHERE tenant_id = :tenant AND bot_id = :id""")
ADD_VERSION = text("""INSERT INTO engine.bot_versions
(tenant_id, bot_id, version, digest, scripts, config, system_prompt, programs, diagnostics)
VALUES (:tenant, :id, :version, :digest, CAST(:scripts AS jsonb), CAST(:config AS jsonb), :system_prompt,
        CAST(:programs AS jsonb), CAST(:diagnostics AS jsonb))""")
GO_LIVE = text("""UPDATE engine.bots SET live_version = :version,
migrate_version = CASE WHEN :migrate THEN :version ELSE migrate_version END, revision = revision + 1, updated_at = now()
WHERE tenant_id = :tenant AND id = :id""")
CONFIGURE = text("""INSERT INTO engine.bot_configs (tenant_id, bot_id, config)
SELECT tenant_id, bot_id, config FROM engine.bot_versions
WHERE tenant_id = :tenant AND bot_id = :id AND version = :version
ON CONFLICT (tenant_id, bot_id) DO UPDATE SET config = excluded.config, updated_at = now()""")
GET_VERSION = text(
    f"""SELECT {VERSION_COLUMNS}, scripts FROM engine.bot_versions
    WHERE tenant_id = :tenant AND bot_id = :id AND version = :version"""  # noqa: S608
)
LIST_VERSIONS = text(
    f"""SELECT {VERSION_COLUMNS}, NULL AS scripts FROM engine.bot_versions
    WHERE tenant_id = :tenant AND bot_id = :id AND version < :before ORDER BY version DESC LIMIT :limit"""  # noqa: S608
)
PROGRAMS = text("""SELECT programs, config, system_prompt FROM engine.bot_versions
WHERE tenant_id = :tenant AND bot_id = :id AND version = :version""")
DELETE = text("DELETE FROM engine.bots WHERE tenant_id = :tenant AND id = :id RETURNING id")
UPDATE = text(
    f"""UPDATE engine.bots SET display_name = :display_name, description = :description, revision = revision + 1,
    updated_at = now() WHERE tenant_id = :tenant AND id = :id AND (:revision = 0 OR revision = :revision)
    RETURNING {COLUMNS}"""  # noqa: S608
)


@dataclass(frozen=True, slots=True)
class Release:
    """What a worker runs."""

    programs: Mapping[str, Program]
    config: Mapping[str, str]
    system_prompt: str
    tables: Mapping[str, TableDefinition] = field(default_factory=dict)


class Bots:
    """Rows as messages of the contract."""

    def __init__(self, database: Database, declarations: Declarations) -> None:
        self._database = database
        self._declarations = declarations

    async def create(self, tenant: str, identifier: str, bot: pb.Bot) -> pb.Bot:
        """A new bot. AlreadyExists."""
        values = key(tenant, identifier) | {"display_name": bot.display_name, "description": bot.description}
        async with self._database.unit_of_work(tenant) as connection:
            if (await connection.execute(INSERT, values)).first() is None:
                raise AlreadyExists(f"bots/{identifier} exists", metadata={"name": f"bots/{identifier}"})
            return bot_message((await connection.execute(GET, key(tenant, identifier))).one())

    async def get(self, tenant: str, identifier: str) -> pb.Bot:
        """A bot. NotFound."""
        async with self._database.unit_of_work(tenant) as connection:
            row = (await connection.execute(GET, key(tenant, identifier))).one_or_none()
        if row is None:
            raise missing(f"bots/{identifier}")
        return bot_message(row)

    async def list(self, tenant: str, after: str, limit: int) -> Sequence[pb.Bot]:
        """By name, after a name."""
        values = {"tenant": uuid.UUID(tenant), "after": after, "limit": limit}
        async with self._database.unit_of_work(tenant) as connection:
            return [bot_message(row) for row in await connection.execute(LIST, values)]

    async def update(self, tenant: str, bot: pb.Bot) -> pb.Bot:
        """Change words about a bot. Aborted when the etag is an old one, NotFound."""
        identifier = bot.name.removeprefix("bots/")
        revision = int(bot.etag) if bot.etag.isdigit() else 0
        values = key(tenant, identifier) | {
            "display_name": bot.display_name,
            "description": bot.description,
            "revision": revision,
        }
        async with self._database.unit_of_work(tenant) as connection:
            row = (await connection.execute(UPDATE, values)).one_or_none()
            if row is None and (await connection.execute(GET, key(tenant, identifier))).first() is None:
                raise missing(bot.name)
        if row is None:
            raise Aborted("etag: the bot was changed meanwhile; read it again", metadata={"field": "etag"})
        return bot_message(row)

    async def delete(self, tenant: str, identifier: str) -> None:
        """Remove a bot and its versions. NotFound."""
        async with self._database.unit_of_work(tenant) as connection:
            if (await connection.execute(DELETE, key(tenant, identifier))).first() is None:
                raise missing(f"bots/{identifier}")

    async def publish(
        self, tenant: str, identifier: str, compiled: Compiled, request_scripts: Sequence[pb.Script],
        config: Mapping[str, str], system_prompt: str, *, migrate: bool = False,
    ) -> int:  # fmt: skip
        """The number of the version: a new one, or the one with the same content. It is live afterwards.

        migrate: running conversations are moved to it too.
        """
        async with self._database.unit_of_work(tenant) as connection:
            if (await connection.execute(LOCK, key(tenant, identifier))).first() is None:
                raise missing(f"bots/{identifier}")
            same = key(tenant, identifier) | {"digest": compiled.digest}
            version = (await connection.execute(SAME, same)).scalar_one_or_none()
            if version is None:
                version = (await connection.execute(NEXT, key(tenant, identifier))).scalar_one()
                values = {
                    "version": version,
                    "digest": compiled.digest,
                    "scripts": json.dumps({script.path: script.text for script in request_scripts}),
                    "config": json.dumps(dict(config)),
                    "system_prompt": system_prompt,
                    "programs": json.dumps({name: item.to_json() for name, item in compiled.programs.items()}),
                    "diagnostics": json.dumps(
                        [
                            [d.file, d.line, d.column, d.severity, d.code, d.message, d.suggestion]
                            for d in compiled.diagnostics
                        ]
                    ),
                }
                await connection.execute(ADD_VERSION, key(tenant, identifier) | values)
            await self._go_live(connection, tenant, identifier, version, migrate=migrate)
        return int(version)

    async def roll_back(self, tenant: str, identifier: str, version: int, *, migrate: bool = False) -> pb.Bot:
        """Make a version live. NotFound."""
        async with self._database.unit_of_work(tenant) as connection:
            values = key(tenant, identifier) | {"version": version}
            if (await connection.execute(GET_VERSION, values)).first() is None:
                raise missing(f"bots/{identifier}/versions/{version}")
            await self._go_live(connection, tenant, identifier, version, migrate=migrate)
            return bot_message((await connection.execute(GET, key(tenant, identifier))).one())

    async def _go_live(
        self, connection: AsyncConnection, tenant: str, identifier: str, version: int, *, migrate: bool
    ) -> None:
        values = key(tenant, identifier) | {"version": version}
        await connection.execute(GO_LIVE, values | {"migrate": migrate})
        await connection.execute(CONFIGURE, values)
        row = (await connection.execute(PROGRAMS, values)).one()
        place = (tenant, identifier, version)
        await self._declarations.replace(connection, place, decoded(row.programs), decoded(row.config))

    async def version(self, tenant: str, identifier: str, version: int) -> pb.BotVersion:
        """A version with its scripts. NotFound."""
        values = key(tenant, identifier) | {"version": version}
        async with self._database.unit_of_work(tenant) as connection:
            row = (await connection.execute(GET_VERSION, values)).one_or_none()
        if row is None:
            raise missing(f"bots/{identifier}/versions/{version}")
        return version_message(row)

    async def versions(self, tenant: str, identifier: str, before: int, limit: int) -> Sequence[pb.BotVersion]:
        """Newest first, without scripts."""
        values = key(tenant, identifier) | {"before": before, "limit": limit}
        async with self._database.unit_of_work(tenant) as connection:
            return [version_message(row) for row in await connection.execute(LIST_VERSIONS, values)]

    async def release(self, tenant: str, identifier: str, version: int) -> Release:
        """What a worker runs. NotFound."""
        values = key(tenant, identifier) | {"version": version}
        async with self._database.unit_of_work(tenant) as connection:
            row = (await connection.execute(PROGRAMS, values)).one_or_none()
        if row is None:
            raise missing(f"bots/{identifier}/versions/{version}")
        programs = {name: Program.from_json(document) for name, document in decoded(row.programs).items()}
        said = [item for program in programs.values() for item in program.declarations]
        return Release(programs, decoded(row.config), row.system_prompt, definitions_of(said))


def key(tenant: str, identifier: str) -> dict[str, Any]:
    """Parameters that name a bot."""
    return {"tenant": uuid.UUID(tenant), "id": identifier}


def missing(name: str) -> NotFound:
    """Not there, or another tenant's."""
    return NotFound(f"{name} does not exist", metadata={"name": name})


def decoded(value: Any) -> Any:  # noqa: ANN401 - jsonb
    """A jsonb column, whichever way the driver gave it."""
    return json.loads(value) if isinstance(value, str) else value


def bot_message(row: Row[Any]) -> pb.Bot:
    """A row as its message."""
    live, moves = (
        f"bots/{row.id}/versions/{number}" if number else "" for number in (row.live_version, row.migrate_version)
    )
    bot = pb.Bot(
        name=f"bots/{row.id}",
        display_name=row.display_name,
        description=row.description,
        live_version=live,
        migrate_version=moves,
        etag=str(row.revision),
    )
    bot.create_time.FromDatetime(row.created_at)
    bot.update_time.FromDatetime(row.updated_at)
    return bot


def version_message(row: Row[Any]) -> pb.BotVersion:
    """A row as its message."""
    from services.engine.basic.diagnostics import Diagnostic  # noqa: PLC0415 - only rows with remarks need it

    version = pb.BotVersion(
        name=f"bots/{row.bot_id}/versions/{row.version}",
        digest=row.digest,
        config=decoded(row.config),
        system_prompt=row.system_prompt,
        diagnostics=[diagnostic_message(Diagnostic(*item)) for item in decoded(row.diagnostics)],
    )
    for path, source in (decoded(row.scripts) or {}).items():
        version.scripts.add(path=path, text=source)
    version.create_time.FromDatetime(row.created_at)
    return version

"""Migrations: python -m services.common.db.migrate SERVICE [SERVICE ...] [--check].

Runs as parley_owner (PARLEY_POSTGRES_OWNER_DSN). Each service has a schema named like it, with its own version table.
"""

import asyncio
import os
import sys
from pathlib import Path

from alembic.migration import MigrationContext
from alembic.operations import Operations
from alembic.script import ScriptDirectory
from sqlalchemy import text
from sqlalchemy.engine import Connection
from sqlalchemy.ext.asyncio import create_async_engine

from services.common.db import rls

SERVICES = Path(__file__).resolve().parents[2]
SCRIPT_TEMPLATE = "script.py.mako"


def scripts(service: str) -> ScriptDirectory:
    """The migrations of a service."""
    folder = SERVICES / service / "migrations"
    return ScriptDirectory(str(folder), version_locations=[str(folder / "versions")])


def known_services() -> list[str]:
    """Services that have migrations."""
    return sorted(path.parent.parent.name for path in SERVICES.glob("*/migrations/versions") if any(path.glob("*.py")))


def context_of(connection: Connection, service: str) -> MigrationContext:
    """Alembic's context on the service's schema."""
    return MigrationContext.configure(
        connection, opts={"version_table": "alembic_version", "version_table_schema": service}
    )


def upgrade(connection: Connection, service: str) -> list[str]:
    """Bring one schema up to date; the revisions applied."""
    connection.execute(text("SELECT pg_advisory_xact_lock(hashtext(:name))"), {"name": f"migrate {service}"})
    connection.execute(text(f"CREATE SCHEMA IF NOT EXISTS {service}"))
    directory = scripts(service)
    context = context_of(connection, service)
    current = context.get_current_heads()
    pending = [
        script
        for script in reversed(list(directory.walk_revisions("base", "heads")))
        if script.revision not in applied(directory, current)
    ]
    with Operations.context(context):
        for script in pending:
            script.module.upgrade()
            stamp(context, connection, service, script.revision)
        rls.open_schema(connection_operations(connection), service)
    return [script.revision for script in pending]


def applied(directory: ScriptDirectory, heads: tuple[str, ...]) -> set[str]:
    """All revisions at or below the heads."""
    done: set[str] = set()
    for head in heads:
        done.update(script.revision for script in directory.walk_revisions("base", head))
    return done


def stamp(context: MigrationContext, connection: Connection, service: str, revision: str) -> None:
    """Record a revision as the newest."""
    context._ensure_version_table()  # noqa: SLF001 - alembic offers it only through its environment files
    connection.execute(text(f"DELETE FROM {service}.alembic_version"))  # noqa: S608 - a service's own name
    connection.execute(
        text(f"INSERT INTO {service}.alembic_version (version_num) VALUES (:revision)"),  # noqa: S608
        {"revision": revision},
    )


class connection_operations:  # noqa: N801 - stands in for alembic's `op`
    """The one method of alembic's `op` that rls needs."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def execute(self, statement: str) -> None:
        """Run a statement."""
        self._connection.execute(text(statement))


def pending(connection: Connection, service: str) -> bool:
    """Whether a schema is behind its migrations."""
    return set(context_of(connection, service).get_current_heads()) != set(scripts(service).get_heads())


def main(arguments: list[str]) -> int:
    """Exit code 0 when up to date; with --check, 1 when something is pending."""
    checking = "--check" in arguments
    names = [item for item in arguments if not item.startswith("--")] or known_services()
    dsn = os.environ.get("PARLEY_POSTGRES_OWNER_DSN", "")
    if not dsn:
        print("PARLEY_POSTGRES_OWNER_DSN: expected the DSN of the role parley_owner", file=sys.stderr)  # noqa: T201
        return 2
    return asyncio.run(run(dsn, names, checking=checking))


async def run(dsn: str, names: list[str], *, checking: bool) -> int:
    """Upgrade or check each service, one transaction a service."""
    engine = create_async_engine(dsn.replace("postgresql://", "postgresql+asyncpg://", 1))
    behind = 0
    try:
        for name in names:
            async with engine.begin() as connection:
                if checking:
                    behind += await connection.run_sync(pending, name)
                    continue
                for revision in await connection.run_sync(upgrade, name):
                    print(f"{name} {revision}")  # noqa: T201
    finally:
        await engine.dispose()
    return 1 if behind else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

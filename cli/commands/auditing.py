"""audit: whether somebody changed the record of who did what."""

import asyncio
import json
import os
import sys
from pathlib import Path

import asyncpg
import click
from rich.console import Console
from rich.table import Table

from cli.commands.options import data_option, running_state
from cli.failure import Failure
from cli.stack.layout import Layout
from cli.stack.servers import Postgres

OWNER = "PARLEY_POSTGRES_OWNER_DSN"
CHECK = """SELECT tenant_id::text AS tenant, slug, entries, newest, encode(newest_hash, 'hex') AS hash, broken
FROM session.check_audit()"""
CONNECT_SECONDS, CHECK_SECONDS = 5.0, 600.0


@click.command()
@click.option("--json", "as_json", is_flag=True, help="A list of {tenant, slug, entries, newest, hash, broken}.")
@data_option
def audit(*, as_json: bool, data: Path) -> None:
    """Check the audit log of every tenant; exit code 1 when an entry does not follow from the one before.

    Asks the stack, or the database that PARLEY_POSTGRES_OWNER_DSN names. Keep hashes elsewhere, of the newest entries:
    a log whose end was cut off is whole in itself.

    Example:  ./parley audit --json
    """
    logs = asyncio.run(checked(os.environ.get(OWNER) or owner_of(data)))
    if as_json:
        click.echo(json.dumps(logs))
    else:
        table = Table("tenant", "entries", "newest", "its hash", "log", box=None)
        for item in logs:
            verdict = "whole" if item["broken"] is None else f"broken at {item['broken']}"
            table.add_row(*(str(item[name]) for name in ("slug", "entries", "newest", "hash")), verdict)
        Console(highlight=False, width=None if sys.stdout.isatty() else 160).print(table)
    sys.exit(any(item["broken"] is not None for item in logs))


def owner_of(data: Path) -> str:
    """The address of a running stack's database, as its owner. Failure when none runs."""
    ports = {item["name"]: item["port"] for item in running_state(data)["components"]}
    layout = Layout(data.resolve())
    return Postgres(layout, layout.secrets(), ports["postgres"]).dsn("owner")


async def checked(dsn: str) -> list[dict[str, object]]:
    """What the database says of each tenant's log. Failure."""
    try:
        connection = await asyncpg.connect(dsn, timeout=CONNECT_SECONDS, command_timeout=CHECK_SECONDS)
        try:
            return [dict(row) for row in await connection.fetch(CHECK)]
        finally:
            await connection.close()
    except asyncpg.InsufficientPrivilegeError:
        raise Failure("this role does not see the logs", f"give {OWNER} the address of the role parley_owner") from None
    except (OSError, TimeoutError, ValueError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        raise Failure(f"the database does not answer: {type(error).__name__}", "look at ./parley status") from None


COMMANDS = (audit,)

"""deploy: a package into the running stack."""

import asyncio
import sys
from pathlib import Path

import asyncpg
import click
from rich.console import Console

from cli.commands.checking import show
from cli.commands.options import data_option, running_state
from cli.deploy import Deployer, Package
from cli.failure import Failure
from cli.stack.layout import Layout
from cli.stack.servers import Postgres
from services.engine.basic.packages import check_paths

DEFAULT_TENANT = "SELECT tenant_id::text FROM session.tenants WHERE slug = 'default'"
CONNECT_SECONDS = 5.0


@click.command()
@click.argument("path", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--migrate", is_flag=True, help="Move running conversations to the new version too.")
@data_option
def deploy(path: Path, *, migrate: bool, data: Path) -> None:
    """Check a package and make it live.

    A conversation keeps the version it began with. With --migrate, those that wait go on under the new one as soon as
    they next act, when it still has the place where they wait; the others keep their version.

    Example:  ./parley deploy bots/hello.gbai --migrate
    """
    state = running_state(data)
    refuse_errors(path)
    package = Package(path.resolve())
    version = asyncio.run(deployed(package, Layout(data.resolve()), state["components"], migrate=migrate))
    Console(highlight=False).print(
        f"{version} is live" + ("; conversations that wait are moved to it" if migrate else "")
    )


def refuse_errors(path: Path) -> None:
    """Show what is wrong with the package; nothing is deployed when something is an error."""
    found = list(check_paths([path]))
    errors = 0
    for file in found:
        for item in file.diagnostics:
            show(item, file.lines)
            errors += item.severity == "error"
    if errors:
        click.echo(f"{path.name}: {errors} errors, nothing was deployed", err=True)
        sys.exit(1)


async def deployed(package: Package, layout: Layout, components: list[dict[str, object]], *, migrate: bool) -> str:
    """The name of the version that is live afterwards. Failure."""
    ports = {str(item["name"]): int(str(item["port"])) for item in components}
    deployer = Deployer(await tenant_of(layout, ports), layout.keys / "deployer.pem", ports)
    try:
        return await deployer.deploy(package, migrate=migrate)
    finally:
        await deployer.close()


async def tenant_of(layout: Layout, ports: dict[str, int]) -> str:
    """The tenant of the stack. Failure."""
    dsn = Postgres(layout, layout.secrets(), ports["postgres"]).dsn("owner")
    try:
        connection = await asyncpg.connect(dsn, timeout=CONNECT_SECONDS, command_timeout=CONNECT_SECONDS)
        try:
            found = await connection.fetchval(DEFAULT_TENANT)
        finally:
            await connection.close()
    except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        raise Failure(f"the database does not answer: {type(error).__name__}", "look at ./parley status") from None
    if found is None:
        raise Failure("the session service has made no tenant yet", "read ./parley logs session")
    return str(found)


COMMANDS = (deploy,)

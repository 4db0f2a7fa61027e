"""Databases of other people: conn-{bot}-{name}-Server, Name, Username, Password, Port, Driver in config.csv.

Where they are is somebody else's choosing, so a host must be of the public internet unless the installation says
otherwise, and the address that was looked at is the one that is connected to.
"""

import asyncio
import re
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import URL, MetaData, Table, event
from sqlalchemy.engine import Connection as SyncConnection
from sqlalchemy.exc import NoSuchTableError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from services.common.security.safe_addresses import closed_because, literal
from services.engine.program.values import ProgramError
from services.engine.tables.names import nearest
from services.engine.tables.port import Reader

DRIVERS = {
    **dict.fromkeys(("postgres", "postgresql", "psql", "pg"), ("postgresql+asyncpg", 5432)),
    **dict.fromkeys(("mysql", "mariadb", "mysql2"), ("mysql+aiomysql", 3306)),
    **dict.fromkeys(("sqlite", "sqlite3"), ("sqlite+aiosqlite", 0)),
}
KEY = re.compile(
    r"conn-(?:(?P<bot>.+)-)?(?P<name>[A-Za-z0-9_]+)-(?P<what>server|name|username|password|port|driver)", re.IGNORECASE
)
HOST = re.compile(r"[A-Za-z0-9:]([A-Za-z0-9.:-]*[A-Za-z0-9])?")
FILE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*(\.(db|sqlite|sqlite3))?")
TABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
CONNECT_SECONDS = 5
SECONDS = 30.0
MOST_ENGINES = 64
POOL = 2


@dataclass(frozen=True, slots=True)
class Connection:
    """What config.csv says of one."""

    name: str
    driver: str
    server: str
    database: str
    username: str
    password: str
    port: int


def configured(world: Reader) -> dict[str, dict[str, str]]:
    """What config.csv says of the bot's connections, by their names in lower case."""
    bot = world.bot.removeprefix("bots/").lower()
    found: dict[str, dict[str, str]] = {}
    for key, value in world.config.items():
        match = KEY.fullmatch(key.strip())
        if match and (match["bot"] or bot).lower() in {bot, "default"}:
            found.setdefault(match["name"].lower(), {})[match["what"].lower()] = value.strip()
    return found


def connection_of(world: Reader, name: str) -> Connection:
    """A connection by its name. ProgramError for one that is not configured, or not well."""
    every = configured(world)
    given = every.get(name.lower())
    if given is None:
        names = ", ".join(sorted(every)) or "none"
        message = f"there is no connection {name[:60]}{nearest(name.lower(), every)} (config.csv has {names})"
        raise ProgramError(message)
    driver = given.get("driver", "postgres").lower()
    if driver not in DRIVERS:
        message = f"not available on this installation: connections with the driver {driver[:40]}"
        raise ProgramError(message)
    port = given.get("port") or str(DRIVERS[driver][1])
    if not port.isdecimal() or int(port) > 65535:
        message = f"connection {name}: expected a port from 1 to 65535, got {port[:20]!r}"
        raise ProgramError(message)
    return Connection(
        name=name.lower(),
        driver=driver,
        server=given.get("server", ""),
        database=given.get("name", ""),
        username=given.get("username", ""),
        password=given.get("password", ""),
        port=int(port),
    )


class Connections:
    """Pools of the databases that bots name, few and small; the one that was not used longest goes first.

    private: whether hosts may be elsewhere than in the public internet; folder: where SQLite files are, a folder for
    every bot; None: there are none.
    """

    def __init__(self, *, private: bool, folder: Path | None) -> None:
        self._private = private
        self._folder = folder
        self._engines: OrderedDict[tuple[str, str, Connection, str], AsyncEngine] = OrderedDict()

    async def open(self, world: Reader, name: str) -> AsyncEngine:
        """The pool of a connection. ProgramError."""
        wanted = connection_of(world, name)
        url, address = await self._place(world, wanted)
        key = (world.tenant, world.bot, wanted, address)
        if key not in self._engines:
            self._engines[key] = made(url, wanted)
        self._engines.move_to_end(key)
        while len(self._engines) > MOST_ENGINES:
            _, old = self._engines.popitem(last=False)
            await old.dispose()
        return self._engines[key]

    async def _place(self, world: Reader, wanted: Connection) -> tuple[URL, str]:
        """Where it is."""
        driver = DRIVERS[wanted.driver][0]
        if driver.startswith("sqlite"):
            path = self._file(world, wanted)
            return URL.create(driver, database=str(path)), str(path)
        address = await self._address(wanted)
        url = URL.create(driver, wanted.username, wanted.password, address, wanted.port, wanted.database)
        return url, address

    def _file(self, world: Reader, wanted: Connection) -> Path:
        """A file in the bot's own folder. ProgramError for anything else."""
        if self._folder is None:
            message = "not available on this installation: SQLite"
            raise ProgramError(message)
        name = wanted.database or wanted.server
        if not FILE.fullmatch(name):
            message = f"connection {wanted.name}: expected the name of a file such as shop.db, got {name[:60]!r}"
            raise ProgramError(message)
        folder = self._folder / world.tenant / world.bot.removeprefix("bots/")
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / name
        if path.is_symlink() or path.resolve().parent != folder.resolve():
            message = f"connection {wanted.name}: {name} is not a file of this bot"
            raise ProgramError(message)
        return path

    async def _address(self, wanted: Connection) -> str:
        """The address of the server, looked up once and looked at. ProgramError."""
        host = wanted.server.strip("[]")
        if not HOST.fullmatch(host):
            message = f"connection {wanted.name}: expected the name of a host, got {host[:60]!r}"
            raise ProgramError(message)
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                found = await asyncio.get_running_loop().getaddrinfo(host, wanted.port, proto=6)
        except (OSError, TimeoutError, UnicodeError):
            message = f"connection {wanted.name}: the host is not known"
            raise ProgramError(message) from None
        addresses = [str(item[4][0]) for item in found]
        for address in addresses:
            parsed = literal(address)
            if not self._private and (parsed is None or closed_because(parsed)):
                message = f"connection {wanted.name}: its host is not in the public internet"
                raise ProgramError(message)
        return addresses[0]

    async def close(self) -> None:
        """Give all connections back."""
        while self._engines:
            _, engine = self._engines.popitem()
            await engine.dispose()


def made(url: URL, wanted: Connection) -> AsyncEngine:
    """A pool. Nothing of this process's own environment is used to sign in."""
    more: dict[str, Any] = {"pool_size": POOL, "max_overflow": 0, "pool_timeout": CONNECT_SECONDS, "pool_recycle": 300}
    if url.drivername.startswith("postgresql"):
        more["connect_args"] = {
            "timeout": CONNECT_SECONDS,
            "command_timeout": SECONDS,
            "user": wanted.username or "nobody",
            "password": wanted.password,
            "ssl": "prefer",
        }
    elif url.drivername.startswith("mysql"):
        more["connect_args"] = {"connect_timeout": CONNECT_SECONDS, "local_infile": False, "charset": "utf8mb4"}
    else:
        more = {"connect_args": {"timeout": CONNECT_SECONDS}}
    engine = create_async_engine(url, **more)
    if url.drivername.startswith("sqlite"):
        event.listen(engine.sync_engine, "connect", bounded)
    return engine


def bounded(connection: Any, _: object) -> None:  # noqa: ANN401 - a connection of SQLite
    """A file of 256 MiB at most."""
    cursor = connection.cursor()
    cursor.execute("PRAGMA max_page_count = 65536")
    cursor.execute("PRAGMA trusted_schema = OFF")
    cursor.close()


def described(connection: SyncConnection, name: str) -> Table:
    """A table as the database describes it. NoSuchTableError."""
    return Table(name, MetaData(), autoload_with=connection, resolve_fks=False)


async def reflected(connection: AsyncConnection, name: str) -> Table:
    """A table as the database describes it. ProgramError when there is none."""
    if not TABLE.fullmatch(name):
        message = f"expected the name of a table (letters, digits and _), got {name[:60]!r}"
        raise ProgramError(message)
    for spelled in dict.fromkeys((name, name.lower())):
        try:
            return await connection.run_sync(described, spelled)
        except NoSuchTableError:
            continue
    message = f"the connection has no table {name}"
    raise ProgramError(message)

"""Tables of external connections: real PostgreSQL, real SQLite, and MariaDB where the machine has it."""

import shutil
import subprocess
import time
import uuid
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pymysql
import pytest
from sqlalchemy import make_url

from cli.stack.layout import unused_port
from services.common.db.engine import Database
from services.engine.keywords.world import World
from services.engine.program.values import ProgramError
from services.engine.tables import writes
from services.engine.tables.anywhere import AnyTables
from services.engine.tables.connections import Connections
from services.engine.tables.definition import definitions_of
from services.engine.tables.filters import filter_of
from services.engine.tables.outside import OutsideTables
from tests.integration.engine.tables_world import TablesWorld, tables_world
from tests.servers import Postgres

pytestmark = pytest.mark.integration
ATTACKS = ["x' OR '1'='1", "'; DROP TABLE orders; --", '"; --', "\\'; --", "%s", ":x"]
CREATE = """CREATE TABLE orders (
    id integer PRIMARY KEY{serial}, name varchar(40) NOT NULL, total numeric(8, 2), placed date, paid boolean)"""


class Outside:
    """A connection called erp."""

    def __init__(self, shop: TablesWorld, connections: Connections, config: dict[str, str]) -> None:
        self.tables = AnyTables(shop.tables, OutsideTables(connections))
        self.shop = shop
        self.config = {f"conn-shop-erp-{key}": value for key, value in config.items()}

    def person(self, **more: Any) -> World:
        return self.shop.person(**{"config": self.config, **more})

    async def write(self, *changes: Any, **more: Any) -> Any:
        return (await self.tables.write(self.person(**more), changes))[0]

    async def find(self, where: Any = None, **more: Any) -> list[Any]:
        return await self.tables.find(self.person(), "erp.orders", where, **more)


@pytest.fixture
async def own(engine_database: Database) -> TablesWorld:
    return await tables_world(engine_database, [])


async def make_postgres(own: TablesWorld, postgres: Postgres, connections: Connections) -> Outside:
    await postgres.as_owner("DROP TABLE IF EXISTS public.orders", CREATE.format(serial=""))
    url = make_url(postgres.owner_dsn)
    config = {
        "Server": str(url.host), "Port": str(url.port), "Name": str(url.database), "Username": str(url.username),
        "Password": str(url.password), "Driver": "postgres",
    }  # fmt: skip
    return Outside(own, connections, config)


async def make_sqlite(own: TablesWorld, folder: Path, connections: Connections) -> Outside:
    import aiosqlite

    path = folder / own.world.tenant / "shop" / "erp.db"
    path.parent.mkdir(parents=True)
    async with aiosqlite.connect(path) as connection:
        await connection.execute(CREATE.format(serial=""))
    return Outside(own, connections, {"Name": "erp.db", "Driver": "sqlite"})


MARIADB = shutil.which("mariadbd", path="/usr/sbin:/usr/local/sbin:/usr/bin") or shutil.which("mariadbd")
SYSTEM = Path("/usr/share/mysql")


@pytest.fixture(scope="session")
def mariadb(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """Not a coroutine: it is asked for while another fixture is being made."""
    assert MARIADB is not None
    folder = tmp_path_factory.mktemp("mariadb")
    script = folder / "init.sql"
    grants = ["CREATE DATABASE erp", "CREATE USER 'shop'@'127.0.0.1' IDENTIFIED BY 'pa''ss'"]
    script.write_text(";\n".join([*grants, "GRANT ALL ON erp.* TO 'shop'@'127.0.0.1'", ""]))
    where = [f"--datadir={folder}/data", "--user=root"]
    (folder / "data").mkdir()
    system = [(SYSTEM / f"mysql_system_tables{part}.sql").read_text() for part in ("", "_data")]
    subprocess.run(
        [MARIADB, "--no-defaults", "--bootstrap", "--skip-grant-tables", *where],
        input="\n".join(["CREATE DATABASE mysql;", "USE mysql;", *system]).encode(),
        check=True,
        capture_output=True,
        timeout=60,
    )
    port = unused_port(set())
    network = [f"--port={port}", "--bind-address=127.0.0.1", f"--socket={folder}/s", "--skip-name-resolve"]
    process = subprocess.Popen(
        [MARIADB, "--no-defaults", *where, *network, f"--init-file={script}"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    end = time.monotonic() + 45
    while not answers(port):
        assert time.monotonic() < end
        time.sleep(0.05)
    named = {"Server": "127.0.0.1", "Port": str(port), "Name": "erp", "Username": "shop", "Password": "pa'ss"}
    yield {**named, "Driver": "mariadb"}
    process.kill()
    process.wait(20)


def reached(port: int) -> Any:
    return pymysql.connect(host="127.0.0.1", port=port, user="shop", password="pa'ss", database="erp")


def answers(port: int) -> bool:
    try:
        reached(port).close()
    except pymysql.Error:
        return False
    return True


def make_mariadb(own: TablesWorld, config: dict[str, str], connections: Connections) -> Outside:
    with reached(int(config["Port"])) as connection, connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS orders")
        cursor.execute(CREATE.format(serial=""))
    return Outside(own, connections, config)


NO_MARIADB = pytest.mark.skipif(MARIADB is None, reason="this machine has no mariadbd")


@pytest.fixture(params=["postgres", "sqlite", pytest.param("mariadb", marks=NO_MARIADB)])
async def erp(
    request: pytest.FixtureRequest, own: TablesWorld, postgres: Postgres, tmp_path: Path
) -> AsyncIterator[Outside]:
    connections = Connections(private=True, folder=tmp_path)
    if request.param == "postgres":
        yield await make_postgres(own, postgres, connections)
    elif request.param == "sqlite":
        yield await make_sqlite(own, tmp_path, connections)
    else:
        yield make_mariadb(own, request.getfixturevalue("mariadb"), connections)
    await connections.close()


ANN = {"ID": 1, "Name": "Ann", "total": "9.5", "placed": "25/12/2025", "paid": True}
BOB = {"id": 2, "name": "Bob", "total": 20, "placed": "2026-01-02", "paid": False}


async def test_rows_are_written_found_and_counted(erp: Outside) -> None:
    await erp.write(writes.insert("erp.orders", [ANN, BOB]))
    found = await erp.find(filter_of("total < 10 AND placed < '2026-01-01' AND paid = true AND name like 'a%'"))
    assert found == [{"id": 1, "name": "Ann", "total": 9.5, "placed": "2025-12-25", "paid": True}]
    assert [row["id"] for row in await erp.find(order="total DESC")] == [2, 1]
    assert [row["id"] for row in await erp.find(filter_of("not (id in (1, 7)) or name = 'x'"))] == [2]
    assert [row["id"] for row in await erp.find(filter_of("id between 2 and 9"), limit=1)] == [2]
    assert await erp.tables.count(erp.person(), "erp.orders") == 2
    assert await erp.tables.aggregate(erp.person(), "erp.orders", "SUM", "total") == 29.5
    assert await erp.tables.distinct(erp.person(), "erp.orders", "name", filter_of("id=1")) == ["Ann"]
    assert [row["id"] for row in await erp.tables.search(erp.person(), "erp.orders", "BO")] == [2]
    assert len(await erp.tables.everything(erp.person(), "erp.orders", most=2)) == 2
    with pytest.raises(ProgramError, match="more than 1 rows"):
        await erp.tables.everything(erp.person(), "erp.orders", most=1)


async def test_rows_are_changed_merged_and_removed(erp: Outside) -> None:
    await erp.write(writes.save("erp.orders", [ANN, BOB]))
    await erp.write(writes.save("erp.orders", {"id": 1, "total": 11}))
    assert (await erp.find(filter_of("id=1")))[0]["total"] == 11
    merged = await erp.write(
        writes.merge("erp.orders", [{"id": 1, "total": 11}, {"id": 2, "total": 1}, {"id": 3, "name": "Cid"}], "id")
    )
    assert merged == {"inserted": 1, "updated": 1, "unchanged": 1, "total": 3}
    assert await erp.write(writes.update("erp.orders", filter_of("total = 11"), {"paid": False})) == 1
    assert await erp.write(writes.delete("erp.orders", filter_of("name = 'Cid'"))) == 1
    assert await erp.tables.count(erp.person(), "erp.orders") == 2


async def test_a_repeated_effect_is_done_once(erp: Outside) -> None:
    world = erp.person(key="the same")
    change = [writes.insert("erp.orders", ANN)]
    assert await erp.tables.write(world, change) == await erp.tables.write(world, change)
    assert await erp.tables.count(erp.person(), "erp.orders") == 1


@pytest.mark.parametrize("attack", ATTACKS)
async def test_texts_are_texts(erp: Outside, attack: str) -> None:
    await erp.write(writes.insert("erp.orders", [{**ANN, "name": attack}, BOB]))
    where = filter_of({"parts": ["name='", attack, "'"]})
    assert [row["id"] for row in await erp.find(where)] == [1]
    assert [row["id"] for row in await erp.find(filter_of({"parts": ["id=", attack, ""]}))] == []
    assert [row["id"] for row in await erp.tables.search(erp.person(), "erp.orders", attack)] == [1]
    assert await erp.write(writes.update("erp.orders", where, {"name": attack + "!"})) == 1
    for refused in (
        erp.tables.find(erp.person(), f"erp.{attack}"),
        erp.find(filter_of("id=1"), order=attack),
        erp.tables.aggregate(erp.person(), "erp.orders", "sum", attack),
        erp.tables.distinct(erp.person(), "erp.orders", attack),
        erp.write(writes.insert("erp.orders", {attack: 1})),
        erp.write(writes.merge("erp.orders", [BOB], attack)),
    ):
        with pytest.raises(ProgramError):
            await refused
    assert await erp.tables.count(erp.person(), "erp.orders") == 2


async def test_what_does_not_fit_is_said(erp: Outside) -> None:
    for row, expected in (
        ({**ANN, "total": "much"}, "orders.total: expected a number, got 'much'"),
        ({**ANN, "placed": "soon"}, "orders.placed: expected a date"),
        ({**ANN, "nmae": 1}, "did you mean name"),
    ):
        with pytest.raises(ProgramError, match=expected):
            await erp.write(writes.insert("erp.orders", row))
    await erp.write(writes.insert("erp.orders", ANN))
    with pytest.raises(ProgramError, match="a key is taken"):
        await erp.write(writes.insert("erp.orders", ANN))
    with pytest.raises(ProgramError, match="has no table nowhere"):
        await erp.tables.find(erp.person(), "erp.nowhere")
    assert await erp.tables.count(erp.person(), "erp.orders") == 1


async def test_names_of_connections(erp: Outside) -> None:
    await erp.write(writes.insert("erp.orders", ANN))
    assert len(await erp.tables.find(erp.person(), ".orders")) == 1
    assert len(await erp.tables.find(erp.person(), ".erp.orders")) == 1
    declared = definitions_of([{"name": "orders", "connection": "ERP", "read_by": ["manager"], "fields": []}])
    manager = erp.person(tables=declared, roles=frozenset({"manager"}))
    assert len(await erp.tables.find(manager, "orders")) == 1
    with pytest.raises(ProgramError, match="it is for manager"):
        await erp.tables.find(erp.person(tables=declared), "orders")
    with pytest.raises(ProgramError, match="there is no connection epr; did you mean erp"):
        await erp.tables.find(erp.person(), "epr.orders")


async def test_another_bot_has_other_connections(erp: Outside) -> None:
    await erp.shop.bot(erp.shop.world.tenant, "other")
    with pytest.raises(ProgramError, match="there is no connection erp"):
        await erp.tables.find(erp.person(bot="bots/other"), "erp.orders")


@pytest.mark.parametrize(
    "host",
    "127.0.0.1 localhost 10.0.0.1 169.254.169.254 [::1] ::ffff:127.0.0.1 0.0.0.0 2130706433 0x7f000001".split(),
)
async def test_hosts_are_of_the_public_internet(own: TablesWorld, host: str) -> None:
    outside = Outside(own, Connections(private=False, folder=None), {"Server": host, "Driver": "postgres"})
    with pytest.raises(ProgramError, match=r"not in the public internet|host is not known"):
        await outside.find()


@pytest.mark.parametrize("host", ["", "/var/run/postgresql", "a b", "x'y", "h?host=/tmp", "h,127.0.0.1", "-x"])
async def test_a_host_is_the_name_of_a_host(own: TablesWorld, host: str) -> None:
    outside = Outside(own, Connections(private=True, folder=None), {"Server": host, "Driver": "mysql"})
    with pytest.raises(ProgramError, match="expected the name of a host"):
        await outside.find()


@pytest.mark.parametrize("name", [*"../x.db /etc/passwd a/b.db file:x?mode=ro :memory: .hidden x.txt".split(), ""])
async def test_sqlite_stays_in_the_folder_of_the_bot(own: TablesWorld, tmp_path: Path, name: str) -> None:
    outside = Outside(own, Connections(private=True, folder=tmp_path), {"Name": name, "Driver": "sqlite"})
    with pytest.raises(ProgramError, match="expected the name of a file"):
        await outside.find()


async def test_sqlite_follows_no_link(own: TablesWorld, tmp_path: Path) -> None:
    folder = tmp_path / own.world.tenant / "shop"
    folder.mkdir(parents=True)
    (folder / "erp.db").symlink_to(tmp_path / "other.db")
    outside = Outside(own, Connections(private=True, folder=tmp_path), {"Name": "erp.db", "Driver": "sqlite"})
    with pytest.raises(ProgramError, match="not a file of this bot"):
        await outside.find()


async def test_what_an_installation_does_not_have(own: TablesWorld) -> None:
    for config in ({"Driver": "sqlite", "Name": "a.db"}, {"Driver": "oracle", "Server": "h"}):
        outside = Outside(own, Connections(private=True, folder=None), config)
        with pytest.raises(ProgramError, match="not available on this installation"):
            await outside.find()


async def test_a_server_that_is_away_is_said_without_its_address(own: TablesWorld) -> None:
    config = {"Server": "127.0.0.1", "Port": str(unused_port(set())), "Driver": "postgres", "Password": "secret"}
    with pytest.raises(ProgramError, match="the database of the connection erp does not answer") as told:
        await Outside(own, Connections(private=True, folder=None), config).find()
    assert "127.0.0.1" not in str(told.value)


async def test_pools_are_bounded(own: TablesWorld, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from services.engine.tables import connections as module

    monkeypatch.setattr(module, "MOST_ENGINES", 2)
    connections = Connections(private=True, folder=tmp_path)
    world = replace(own.world, config={f"conn-shop-c{n}-{key}": value for n in range(5) for key, value in
                                       {"Driver": "sqlite", "Name": f"{uuid.uuid4().hex}.db"}.items()})  # fmt: skip
    for number in range(5):
        await connections.open(world, f"c{number}")
    assert len(connections._engines) == 2
    await connections.close()

"""The engine's tables on a real PostgreSQL."""

from collections.abc import AsyncIterator

import pytest

from services.common.db import migrate
from services.common.db.engine import Database
from tests.integration.engine.tables_world import CUSTOMERS, PRODUCTS, SALARIES, TablesWorld, tables_world
from tests.servers import Postgres


@pytest.fixture(scope="session")
async def engine_database(postgres: Postgres) -> AsyncIterator[Database]:
    await migrate.run(postgres.owner_dsn, ["engine"], checking=False)
    database = Database(postgres.app_dsn, schema="engine", pool_size=8, name="engine-tests")
    await database.open()
    yield database
    await database.close()


@pytest.fixture
async def shop(engine_database: Database) -> TablesWorld:
    return await tables_world(engine_database, [CUSTOMERS, PRODUCTS, SALARIES])

"""Migrations: applied once, in order, by one at a time, into a schema of their own."""

import asyncio
import uuid
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest

from services.common.db import migrate
from tests.servers import Postgres

pytestmark = pytest.mark.integration
REVISION = '''"""{text}"""

from alembic import op

from services.common.db import rls

revision = "{revision}"
down_revision = {down}


def upgrade() -> None:
    {body}
'''
FIRST = """op.execute("CREATE TABLE {schema}.things (id uuid PRIMARY KEY, tenant_id uuid NOT NULL)")
    rls.protect(op, "{schema}", "things")"""
SECOND = 'op.execute("ALTER TABLE {schema}.things ADD COLUMN note text")'


class Service:
    """A made-up service with migrations."""

    def __init__(self, services: Path, postgres: Postgres) -> None:
        self.name = f"migrated_{uuid.uuid4().hex[:8]}"
        self.versions = services / self.name / "migrations" / "versions"
        self.versions.mkdir(parents=True)
        self.postgres = postgres

    def add(self, revision: str, body: str, down: str | None = None) -> None:
        text = REVISION.format(text=revision, revision=revision, down=repr(down), body=body.format(schema=self.name))
        (self.versions / f"{revision}_.py").write_text(text)

    async def run(self, *, checking: bool = False) -> int:
        return await migrate.run(self.postgres.owner_dsn, [self.name], checking=checking)

    async def ask(self, statement: str, dsn: str = "") -> object:
        connection = await asyncpg.connect(dsn or self.postgres.owner_dsn)
        try:
            return await connection.fetchval(statement.format(schema=self.name))
        finally:
            await connection.close()


@pytest.fixture
async def service(postgres: Postgres, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Service]:
    monkeypatch.setattr(migrate, "SERVICES", tmp_path)
    made = Service(tmp_path, postgres)
    yield made
    await postgres.as_owner(f"DROP SCHEMA IF EXISTS {made.name} CASCADE")


async def test_what_is_pending_is_said_and_then_applied(service: Service, capsys: pytest.CaptureFixture[str]) -> None:
    service.add("0001", FIRST)
    assert await service.run(checking=True) == 1
    assert await service.run() == 0
    assert capsys.readouterr().out == f"{service.name} 0001\n"
    assert await service.run(checking=True) == 0
    service.add("0002", SECOND, "0001")
    assert await service.run(checking=True) == 1
    assert await service.run() == 0
    assert capsys.readouterr().out == f"{service.name} 0002\n"
    assert await service.run() == 0
    assert await service.ask("SELECT version_num FROM {schema}.alembic_version") == "0002"


async def test_two_at_once_apply_it_once(service: Service, capsys: pytest.CaptureFixture[str]) -> None:
    service.add("0001", FIRST)
    service.add("0002", SECOND, "0001")
    assert set(await asyncio.gather(service.run(), service.run(), service.run())) == {0}
    assert sorted(capsys.readouterr().out.split()) == sorted([service.name, "0001", service.name, "0002"])


async def test_one_that_fails_leaves_nothing(service: Service) -> None:
    service.add("0001", FIRST)
    service.add("0002", 'op.execute("SELECT 1/0")', "0001")
    with pytest.raises(Exception, match="division by zero"):
        await service.run()
    assert await service.ask("SELECT to_regclass('{schema}.things')::text") is None
    assert await service.run(checking=True) == 1


async def test_a_protected_table_shows_its_rows_to_their_tenant(service: Service) -> None:
    service.add("0001", FIRST)
    await service.run()
    tenant = uuid.uuid4()
    connection = await asyncpg.connect(service.postgres.app_dsn)
    async with connection.transaction():
        await connection.execute("SELECT set_config('app.tenant_id', $1, true)", str(tenant))
        await connection.execute(f"INSERT INTO {service.name}.things VALUES ($1, $1)", tenant)
        assert await connection.fetchval(f"SELECT count(*) FROM {service.name}.things") == 1
    assert await connection.fetchval(f"SELECT count(*) FROM {service.name}.things") == 0
    await connection.close()
    forced = "SELECT relforcerowsecurity FROM pg_class WHERE oid = '{schema}.things'::regclass"
    assert await service.ask(forced) is True


def test_without_the_owners_address_it_says_so(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("PARLEY_POSTGRES_OWNER_DSN", raising=False)
    assert migrate.main(["session"]) == 2
    assert "PARLEY_POSTGRES_OWNER_DSN" in capsys.readouterr().err

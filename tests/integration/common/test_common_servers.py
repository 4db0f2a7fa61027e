"""The servers of the tests themselves: they come up, and come back."""

import asyncpg
import pytest

from tests.servers import Nats, Postgres

pytestmark = pytest.mark.integration


async def test_every_role_may_connect(postgres: Postgres, nats: Nats, valkey_url: str) -> None:
    for dsn, role in (
        (postgres.owner_dsn, "parley_owner"),
        (postgres.app_dsn, "parley_app"),
        (postgres.relay_dsn, "parley_relay"),
    ):
        connection = await asyncpg.connect(dsn)
        assert await connection.fetchval("SELECT current_user") == role
        assert not await connection.fetchval("SELECT rolbypassrls FROM pg_roles WHERE rolname = current_user")
        await connection.close()
    assert nats.url.startswith("nats://parley:")
    assert valkey_url.startswith("redis://:")

"""A database of its own, a real session service, the channels service."""

import base64
import secrets
from collections.abc import AsyncIterator

import aiohttp
import asyncpg
import pytest

from cli.stack.layout import Layout
from cli.stack.servers import DATABASE, SUPERUSER
from services.channels.config import ChannelsSettings
from services.common.db import migrate
from services.session.config import SessionSettings
from services.session.server import SessionService
from tests.integration.channels.world import ChannelsWorld, MoreKeys, receiving, run_channels
from tests.integration.llm.running import Caller, running
from tests.servers import Nats, Postgres

NAME = "channels_tests"


@pytest.fixture(scope="session")
async def addresses(postgres: Postgres, layout: Layout) -> tuple[str, str]:
    """DSNs of the app and the relay role."""
    password = layout.secrets()["postgres"]
    connection = await asyncpg.connect(
        f"postgresql://{SUPERUSER}:{password}@127.0.0.1:{postgres.component.port}/{DATABASE}"
    )
    try:
        await connection.execute(f"CREATE DATABASE {NAME} OWNER parley_owner")
    finally:
        await connection.close()
    owner, app, relay = (
        f"{dsn.rpartition('/')[0]}/{NAME}" for dsn in (postgres.owner_dsn, postgres.app_dsn, postgres.relay_dsn)
    )
    await migrate.run(owner, ["session", "channels"], checking=False)
    return app, relay


@pytest.fixture(scope="session")
async def channels_running(
    addresses: tuple[str, str],
    postgres: Postgres,
    nats: Nats,
    valkey_url: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> AsyncIterator[ChannelsWorld]:
    folder = tmp_path_factory.mktemp("channels")
    (folder / "admin").write_text("correct horse battery staple\n")
    keys = MoreKeys(folder)
    shared = {
        "postgres_dsn": addresses[0],
        "postgres_relay_dsn": addresses[1],
        "nats_url": nats.url,
        "valkey_url": valkey_url,
        "key_encryption_key": base64.b64encode(secrets.token_bytes(32)).decode(),
    }
    session_settings = keys.settings(
        SessionSettings,
        "session",
        **shared,
        admin_password_file=folder / "admin",
        argon2_memory_kib=64,
        argon2_iterations=1,
        signing_key_lead_seconds=0,
        engine_address="127.0.0.1:1",
    )
    settings = keys.settings(
        ChannelsSettings,
        "channels",
        **shared,
        session_address=f"127.0.0.1:{session_settings.port}",
        loopback_webhooks=True,
        delivery_backoff=(0.05, 0.1, 0.2),
        delivery_seconds=1.0,
        delivery_lease=3.0,
        rpc_timeout=1.5,
        delivery_poll=0.05,
        collect_interval=0.2,
        collect_age=0.3,
        gap_seconds=5.0,
    )
    async with running(SessionService(), session_settings) as session:
        live = await run_channels(settings)
        caller = Caller(keys, channels=settings.port, session=session_settings.port)
        async with aiohttp.ClientSession() as http:
            made = ChannelsWorld(settings, live, session, caller, http, postgres, nats, folder)
            yield made
        await made.running.stop()
        await caller.mesh.close()


@pytest.fixture
async def world(channels_running: ChannelsWorld) -> AsyncIterator[ChannelsWorld]:
    async with receiving(channels_running):
        yield channels_running

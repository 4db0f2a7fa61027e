"""A database of its own, a real session service and a real engine."""

import base64
import secrets
from collections.abc import AsyncIterator

import aiohttp
import asyncpg
import pytest

from cli.stack.layout import Layout, unused_port
from cli.stack.servers import DATABASE, SUPERUSER
from services.common.db import migrate
from services.engine.config import EngineSettings
from services.engine.server import EngineService
from services.session.config import SessionSettings
from services.session.server import SessionService
from tests.integration.channels.world import MoreKeys
from tests.integration.llm.running import Caller, running
from tests.integration.schedule.world import ScheduleWorld
from tests.servers import Nats, Postgres

NAME = "schedule_tests"


@pytest.fixture(scope="session")
async def addresses(postgres: Postgres, layout: Layout) -> dict[str, str]:
    """DSNs by role."""
    superuser = (
        f"postgresql://{SUPERUSER}:{layout.secrets()['postgres']}@127.0.0.1:{postgres.component.port}/{DATABASE}"
    )
    connection = await asyncpg.connect(superuser)
    try:
        await connection.execute(f"CREATE DATABASE {NAME} OWNER parley_owner")
    finally:
        await connection.close()
    known = {"owner": postgres.owner_dsn, "app": postgres.app_dsn, "relay": postgres.relay_dsn, "super": superuser}
    made = {role: f"{dsn.rpartition('/')[0]}/{NAME}" for role, dsn in known.items()}
    await migrate.run(made["owner"], ["session", "engine"], checking=False)
    return made


@pytest.fixture(scope="session")
async def schedule_running(
    addresses: dict[str, str], nats: Nats, valkey_url: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[ScheduleWorld]:
    folder = tmp_path_factory.mktemp("schedule")
    (folder / "admin").write_text("correct horse battery staple\n")
    keys = MoreKeys(folder)
    engine_port = unused_port(set())
    shared = {
        "postgres_dsn": addresses["app"],
        "postgres_relay_dsn": addresses["relay"],
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
        engine_address=f"127.0.0.1:{engine_port}",
        sweep_interval=0.1,
        sweep_grace=0.2,
    )
    settings = keys.settings(
        EngineSettings,
        "engine",
        port=engine_port,
        **shared,
        session_address=f"127.0.0.1:{session_settings.port}",
        llm_address="127.0.0.1:1",
        kb_address="127.0.0.1:1",
        drive_address="127.0.0.1:1",
        channels_address="127.0.0.1:1",
        schedule_poll=0.2,
        event_poll=0.1,
        webhooks_per_second=0.5,
        webhook_burst=30,
    )
    service = EngineService()
    async with running(SessionService(), session_settings) as session, running(service, settings) as engine:
        await engine.operations.start(settings.host, settings.operations_port)
        caller = Caller(keys, engine=settings.port, session=session_settings.port)
        async with (
            aiohttp.ClientSession() as http,
            asyncpg.create_pool(addresses["super"], min_size=1, max_size=4) as superuser,
        ):
            yield ScheduleWorld(settings, engine, session, caller, superuser, http)
        await caller.mesh.close()


@pytest.fixture
async def world(schedule_running: ScheduleWorld) -> ScheduleWorld:
    return schedule_running.fresh()

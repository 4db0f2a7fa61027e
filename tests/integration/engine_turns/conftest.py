"""A database of its own, a real session service, and an engine whose turns the tests run."""

import base64
import secrets
from collections.abc import AsyncIterator

import asyncpg
import pytest

from cli.stack.layout import Layout, unused_port
from cli.stack.servers import DATABASE, SUPERUSER
from services.common.db import migrate
from services.common.security.sealing import Vault, key_of
from services.engine.config import EngineSettings
from services.engine.schedule.rows import Declarations
from services.engine.server import EngineService
from services.engine.store import Bots
from services.session.config import SessionSettings
from services.session.server import SessionService
from tests.integration.channels.world import MoreKeys
from tests.integration.engine_turns.world import TurnsWorld
from tests.integration.llm.running import Caller, running
from tests.servers import Nats, Postgres

NAME = "turns_tests"


@pytest.fixture(scope="session")
async def turn_addresses(postgres: Postgres, layout: Layout) -> dict[str, str]:
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
async def world(
    turn_addresses: dict[str, str], nats: Nats, valkey_url: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[TurnsWorld]:
    folder = tmp_path_factory.mktemp("turns")
    (folder / "admin").write_text("correct horse battery staple\n")
    keys = MoreKeys(folder)
    engine_port = unused_port(set())
    shared = {
        "postgres_dsn": turn_addresses["app"],
        "postgres_relay_dsn": turn_addresses["relay"],
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
        works=False,
        lease_seconds=30,
        turn_nodes=20_000,
        session_address=f"127.0.0.1:{session_settings.port}",
        llm_address="127.0.0.1:1",
        kb_address="127.0.0.1:1",
        drive_address="127.0.0.1:1",
    )
    service = EngineService()
    async with running(SessionService(), session_settings), running(service, settings) as engine:
        caller = Caller(keys, engine=settings.port, session=session_settings.port)
        bots = Bots(engine.database, Declarations(Vault(key_of(settings.key_encryption_key))))
        tools = service._tools(engine, settings, bots)
        async with asyncpg.create_pool(turn_addresses["super"], min_size=1, max_size=4) as superuser:
            yield TurnsWorld(engine, caller, superuser, tools)
        await caller.mesh.close()

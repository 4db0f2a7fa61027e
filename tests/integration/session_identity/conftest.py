"""A whole identity service in this process: real PostgreSQL, Valkey, gRPC and HTTP."""

import base64
import contextlib
import json
import os
import secrets
import subprocess
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from joserfc.jwk import OKPKey

from cli.stack.layout import Layout, unused_port
from cli.stack.servers import Postgres, valkey
from services.common.db import migrate
from services.common.service import assemble, connect
from services.session.identity.settings import IdentitySettings
from services.session.identity.wiring import add_identity
from tests.integration.session_identity.outside import OutsideIssuer
from tests.integration.session_identity.world import ADMIN_PASSWORD, Channel, World


@contextlib.contextmanager
def running(component: Any) -> Iterator[None]:
    process = subprocess.Popen(
        component.command,
        env={**os.environ, **component.environment},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        **component.options,
    )
    try:
        yield
    finally:
        process.send_signal(component.stop_signal)
        process.wait(20)


async def until_ready(component: Any) -> None:
    import asyncio

    async with asyncio.timeout(30):
        while not await component.ready():
            await asyncio.sleep(0.02)


@pytest.fixture(scope="session")
async def servers(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[tuple[Postgres, str, Path]]:
    folder = tmp_path_factory.mktemp("identity")
    layout = Layout(folder)
    layout.prepare()
    passwords = layout.secrets()
    postgres = Postgres(layout, passwords, unused_port(set()))
    postgres.initialise()
    cache_port = unused_port(set())
    cache = valkey(layout, passwords, cache_port)
    with running(postgres.component()), running(cache):
        await until_ready(postgres.component())
        await until_ready(cache)
        await postgres.prepare_roles()
        await migrate.run(postgres.dsn("owner"), ["session"], checking=False)
        yield postgres, f"redis://:{passwords['valkey']}@127.0.0.1:{cache_port}/0", folder


@pytest.fixture(scope="session")
async def issuer() -> AsyncIterator[OutsideIssuer]:
    async with OutsideIssuer() as running_issuer:
        yield running_issuer


@pytest.fixture(scope="session")
async def world(servers: tuple[Postgres, str, Path], issuer: OutsideIssuer) -> AsyncIterator[World]:
    postgres, cache_url, folder = servers
    mesh_key = OKPKey.generate_key("Ed25519", private=True)
    (folder / "session.pem").write_bytes(mesh_key.as_pem(private=True))
    public = {**mesh_key.as_dict(private=False), "kid": "session", "use": "sig"}
    (folder / "mesh.json").write_text(json.dumps({"keys": [public]}))
    (folder / "admin").write_text(ADMIN_PASSWORD + "\n")
    operations_port = unused_port(set())
    settings = IdentitySettings(
        port=unused_port(set()),
        operations_port=operations_port,
        postgres_dsn=postgres.dsn("app"),
        postgres_relay_dsn=postgres.dsn("relay"),
        valkey_url=cache_url,
        mesh_key_file=folder / "session.pem",
        mesh_jwks_file=folder / "mesh.json",
        page_token_secret=secrets.token_hex(16),
        token_jwks_url=f"http://127.0.0.1:{operations_port}/.well-known/jwks.json",
        key_encryption_key=base64.b64encode(secrets.token_bytes(32)).decode(),
        admin_password_file=folder / "admin",
        argon2_memory_kib=64,
        argon2_iterations=1,
        signing_key_lead_seconds=0,
        oidc_issuers=issuer.configuration(),
    )
    chassis = assemble("session", settings)
    await connect(chassis)
    identity = await add_identity(chassis, settings)
    await chassis.server.start()
    await chassis.operations.start(settings.host, settings.operations_port)
    client = Channel(f"{settings.host}:{settings.port}")
    yield World(chassis, identity, client, settings, issuer, postgres.dsn("owner"))
    await client.channel.close()
    await chassis.server.stop(1)
    await chassis.tasks.close()
    await chassis.operations.stop()
    await chassis.mesh.close()
    await chassis.cache.close()
    await chassis.database.close()
    await chassis.relay_database.close()
    await identity.close()

"""A whole identity service in this process: real PostgreSQL, Valkey, gRPC and HTTP."""

import asyncio
import base64
import contextlib
import json
import os
import secrets
import subprocess
import warnings
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from joserfc.jwk import OKPKey

from cli.stack.component import Component
from cli.stack.layout import Layout, unused_port
from cli.stack.servers import DATABASE, SUPERUSER, Postgres, valkey
from services.common.db import migrate
from services.common.service import assemble, connect
from services.session.identity.settings import IdentitySettings
from services.session.identity.wiring import add_identity
from tests.integration.session_identity.outside import OutsideIssuer
from tests.integration.session_identity.people import sign_in
from tests.integration.session_identity.world import ADMIN_PASSWORD, Channel, World


@dataclass(frozen=True)
class Servers:
    """What the installation stands on."""

    postgres: Postgres
    superuser_dsn: str
    cache_url: str
    folder: Path


@contextlib.contextmanager
def running(component: Component) -> Iterator[None]:
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


async def until_ready(component: Component) -> None:
    async with asyncio.timeout(30):
        while not await component.ready():  # noqa: ASYNC110 - a process cannot set an event
            await asyncio.sleep(0.02)


@pytest.fixture(scope="session")
async def servers(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Servers]:
    layout = Layout(tmp_path_factory.mktemp("identity"))
    layout.prepare()
    passwords = layout.secrets()
    port, cache_port = unused_port(set()), unused_port(set())
    postgres = Postgres(layout, passwords, port)
    postgres.initialise()
    cache = valkey(layout, passwords, cache_port)
    with running(postgres.component()), running(cache):
        await until_ready(postgres.component())
        await until_ready(cache)
        await postgres.prepare_roles()
        await migrate.run(postgres.dsn("owner"), ["session"], checking=False)
        superuser = f"postgresql://{SUPERUSER}:{passwords['postgres']}@127.0.0.1:{port}/{DATABASE}"
        cache_url = f"redis://:{passwords['valkey']}@127.0.0.1:{cache_port}/0"
        yield Servers(postgres, superuser, cache_url, layout.data)


@pytest.fixture(scope="session")
async def issuer() -> AsyncIterator[OutsideIssuer]:
    async with OutsideIssuer() as running_issuer:
        yield running_issuer


@pytest.fixture(scope="session")
def settings(servers: Servers, issuer: OutsideIssuer) -> IdentitySettings:
    folder = servers.folder
    mesh_key = OKPKey.generate_key("Ed25519", private=True)
    (folder / "session.pem").write_bytes(mesh_key.as_pem(private=True))
    public = {**mesh_key.as_dict(private=False), "kid": "session", "use": "sig"}
    (folder / "mesh.json").write_text(json.dumps({"keys": [public]}))
    (folder / "admin").write_text(ADMIN_PASSWORD + "\n")
    operations_port = unused_port(set())
    values = {
        "port": unused_port({operations_port}),
        "operations_port": operations_port,
        "postgres_dsn": servers.postgres.dsn("app"),
        "postgres_relay_dsn": servers.postgres.dsn("relay"),
        "valkey_url": servers.cache_url,
        "mesh_key_file": folder / "session.pem",
        "mesh_jwks_file": folder / "mesh.json",
        "page_token_secret": secrets.token_hex(16),
        "token_jwks_url": f"http://127.0.0.1:{operations_port}/.well-known/jwks.json",
        "key_encryption_key": base64.b64encode(secrets.token_bytes(32)).decode(),
        "admin_password_file": folder / "admin",
        "argon2_memory_kib": 64,
        "argon2_iterations": 1,
        "signing_key_lead_seconds": 0,
        "oidc_issuers": issuer.configuration(),
    }
    return IdentitySettings.model_validate(values)


@pytest.fixture(scope="session")
async def world(servers: Servers, settings: IdentitySettings, issuer: OutsideIssuer) -> AsyncIterator[World]:
    chassis = assemble("session", settings)
    await connect(chassis)
    identity = await add_identity(chassis, settings)
    await chassis.server.start()
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "shutdown_timeout")
        await chassis.operations.start(settings.host, settings.operations_port)
    made = World(
        chassis, identity, Channel(f"{settings.host}:{settings.port}"), settings, issuer, servers.superuser_dsn
    )
    made.first = await sign_in(made, "admin@parley.local", ADMIN_PASSWORD)
    yield made
    await made.client.channel.close()
    await chassis.server.stop(1)
    await chassis.tasks.close()
    await chassis.operations.stop()
    await chassis.mesh.close()
    await chassis.cache.close()
    await chassis.database.close()
    await chassis.relay_database.close()
    await identity.close()

"""A whole identity service in this process: real PostgreSQL, Valkey, gRPC and HTTP."""

import base64
import json
import secrets
from collections.abc import AsyncIterator
from dataclasses import dataclass

import asyncpg
import pytest
from joserfc.jwk import OKPKey

from cli.stack.layout import Layout, unused_port
from cli.stack.servers import DATABASE, SUPERUSER
from services.common.db import migrate
from services.common.service import assemble, connect
from services.session.identity.settings import IdentitySettings
from services.session.identity.wiring import add_identity
from tests.integration.session_identity.outside import OutsideIssuer
from tests.integration.session_identity.people import sign_in
from tests.integration.session_identity.world import ADMIN_PASSWORD, Channel, World
from tests.servers import Postgres

DATABASE_NAME = "identity"


@dataclass(frozen=True)
class Databases:
    """A database of its own, so that the first start is the first; by role."""

    owner: str
    app: str
    relay: str
    superuser: str


@pytest.fixture(scope="session")
async def databases(postgres: Postgres, layout: Layout) -> Databases:
    password = layout.secrets()["postgres"]
    superuser = f"postgresql://{SUPERUSER}:{password}@127.0.0.1:{postgres.component.port}/{DATABASE}"
    connection = await asyncpg.connect(superuser)
    try:
        await connection.execute(f"CREATE DATABASE {DATABASE_NAME} OWNER parley_owner")
    finally:
        await connection.close()
    addresses = (postgres.owner_dsn, postgres.app_dsn, postgres.relay_dsn, superuser)
    made = Databases(*(f"{address.rpartition('/')[0]}/{DATABASE_NAME}" for address in addresses))
    await migrate.run(made.owner, ["session"], checking=False)
    return made


@pytest.fixture(scope="session")
async def issuer() -> AsyncIterator[OutsideIssuer]:
    async with OutsideIssuer() as running_issuer:
        yield running_issuer


@pytest.fixture(scope="session")
def settings(databases: Databases, valkey_url: str, layout: Layout, issuer: OutsideIssuer) -> IdentitySettings:
    folder = layout.data / "identity"
    folder.mkdir()
    mesh_key = OKPKey.generate_key("Ed25519", private=True)
    (folder / "session.pem").write_bytes(mesh_key.as_pem(private=True))
    public = {**mesh_key.as_dict(private=False), "kid": "session", "use": "sig"}
    (folder / "mesh.json").write_text(json.dumps({"keys": [public]}))
    (folder / "admin").write_text(ADMIN_PASSWORD + "\n")
    operations_port = unused_port(set())
    values = {
        "port": unused_port({operations_port}),
        "operations_port": operations_port,
        "postgres_dsn": databases.app,
        "postgres_relay_dsn": databases.relay,
        "valkey_url": valkey_url,
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
async def world(databases: Databases, settings: IdentitySettings, issuer: OutsideIssuer) -> AsyncIterator[World]:
    chassis = assemble("session", settings)
    await connect(chassis)
    identity = await add_identity(chassis, settings)
    await chassis.server.start()
    await chassis.operations.start(settings.host, settings.operations_port)
    channel = Channel(f"{settings.host}:{settings.port}")
    made = World(chassis, identity, channel, settings, issuer, databases.superuser, databases.owner)
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

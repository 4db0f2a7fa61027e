"""A service in this process, on a port of its own, and a caller inside the mesh."""

import contextlib
import json
import secrets
import uuid
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from joserfc.jwk import OKPKey

from cli.stack.layout import unused_port
from services.common import context
from services.common.config import Settings
from services.common.rpc.client import Mesh
from services.common.security.principal import Principal
from services.common.security.tokens import MeshSigner
from services.common.service import Chassis, Service, assemble, connect, stop

S = TypeVar("S", bound=Settings)
NAMES = ("llm", "kb", "drive", "engine")


@dataclass
class Keys:
    """Mesh keys in a folder."""

    folder: Path
    secret: str = field(default_factory=lambda: secrets.token_hex(16))

    def __post_init__(self) -> None:
        public = []
        for name in NAMES:
            key = OKPKey.generate_key("Ed25519", private=True)
            (self.folder / f"{name}.pem").write_bytes(key.as_pem(private=True))
            public.append({**key.as_dict(private=False), "kid": name, "use": "sig"})
        (self.folder / "mesh.json").write_text(json.dumps({"keys": public}))

    def settings(self, kind: type[S], name: str, **more: Any) -> S:
        port = more.pop("port", 0) or unused_port(set())
        values = {
            "port": port,
            "operations_port": unused_port({port}),
            "mesh_key_file": self.folder / f"{name}.pem",
            "mesh_jwks_file": self.folder / "mesh.json",
            "page_token_secret": self.secret,
            "stop_seconds": 0.5,
            **more,
        }
        return kind.model_validate(values)


@contextlib.asynccontextmanager
async def running(service: Service, settings: Settings) -> AsyncIterator[Chassis]:
    """The service, built and listening."""
    chassis = assemble(service.name, settings)
    await connect(chassis)
    await service.open(chassis)
    await chassis.server.start()
    await chassis.server.set_ready(True)
    try:
        yield chassis
    finally:
        await stop(service, chassis)


class Caller:
    """The engine, calling for somebody."""

    def __init__(self, keys: Keys, **addresses: int) -> None:
        targets = {f"{name}_address": f"127.0.0.1:{port}" for name, port in addresses.items()}
        self.mesh = Mesh(keys.settings(Settings, "engine", **targets), MeshSigner("engine", keys.folder / "engine.pem"))

    @contextlib.contextmanager
    def acting(self, tenant: str, *roles: str, seconds: float | None = 30.0) -> Iterator[None]:
        who = Principal(tenant, f"users/{uuid.uuid5(uuid.NAMESPACE_URL, tenant)}", frozenset(roles or ("admin",)))
        with context.acting_for(who, seconds=seconds):
            yield

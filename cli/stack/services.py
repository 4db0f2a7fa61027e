"""Parley's own processes and the environment each is given."""

import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path

from joserfc.jwk import OKPKey

from cli.stack.component import Component, http_check
from cli.stack.layout import GATEWAYS, ROOT, SERVICES, Layout, write_private
from cli.stack.servers import BUCKET, Postgres

STUBS = ROOT / "build" / "stubs"
DEPLOYER = "deployer"
Replicas = Mapping[str, int]


def instances(name: str, replicas: Replicas) -> list[str]:
    """Names of the processes of a service: "engine", "engine-2" ..."""
    return [name, *(f"{name}-{number}" for number in range(2, replicas.get(name, 1) + 1))]


def replica_ports(replicas: Replicas) -> list[str]:
    """Names of the ports that replicas need beside those every stack has."""
    more = [item for name in replicas for item in instances(name, replicas)[1:]]
    return [*more, *(f"{item}_operations" for item in more)]


def mesh_keys(layout: Layout) -> Path:
    """A key pair a service; the path of the file with all public halves."""
    public = []
    for name in (*SERVICES, *GATEWAYS, DEPLOYER):
        path = layout.keys / f"{name}.pem"
        if not path.exists():
            key = OKPKey.generate_key("Ed25519", private=True)
            write_private(path, key.as_pem(private=True).decode())
        key = OKPKey.import_key(path.read_text(), {"kid": name})
        public.append({**key.as_dict(private=False), "kid": name, "use": "sig"})
    jwks = layout.keys / "mesh.json"
    write_private(jwks, json.dumps({"keys": public}))
    return jwks


def origins(edge: int, told: Mapping[str, str]) -> list[str]:
    """Whose pages may use the API: the edge's own, under each of its names, and those of PARLEY_ALLOWED_ORIGINS."""
    own = [f"http://127.0.0.1:{edge}", f"http://localhost:{edge}", told.get("PARLEY_PUBLIC_URL", "")]
    named = [*own, *told.get("PARLEY_ALLOWED_ORIGINS", "").split(",")]
    return list(dict.fromkeys(filter(None, (origin.strip().rstrip("/") for origin in named))))


def shared_environment(
    layout: Layout,
    secrets: dict[str, str],
    ports: dict[str, int],
    postgres: Postgres,
    public_url: str,
    replicas: Replicas,
) -> dict[str, str]:
    """What every service is told."""
    environment = {
        "PYTHONPATH": f"{ROOT}{os.pathsep}{STUBS}",
        "MALLOC_ARENA_MAX": "2",
        "GRPC_ENABLE_FORK_SUPPORT": "false",
        "PARLEY_HOST": "127.0.0.1",
        "PARLEY_POSTGRES_DSN": postgres.dsn("app"),
        "PARLEY_POSTGRES_RELAY_DSN": postgres.dsn("relay"),
        "PARLEY_NATS_URL": f"nats://parley:{secrets['nats']}@127.0.0.1:{ports['nats']}",
        "PARLEY_VALKEY_URL": f"redis://:{secrets['valkey']}@127.0.0.1:{ports['valkey']}/0",
        "PARLEY_MESH_JWKS_FILE": str(layout.keys / "mesh.json"),
        "PARLEY_TOKEN_JWKS_URL": f"http://127.0.0.1:{ports['session_operations']}/.well-known/jwks.json",
        "PARLEY_PAGE_TOKEN_SECRET": secrets["page_token"],
        "PARLEY_KEY_ENCRYPTION_KEY": secrets["key_encryption"],
        "PARLEY_S3_ENDPOINT": f"127.0.0.1:{ports['s3']}",
        "PARLEY_S3_ACCESS_KEY": secrets["s3_access"],
        "PARLEY_S3_SECRET_KEY": secrets["s3_secret"],
        "PARLEY_S3_BUCKET": BUCKET,
        "PARLEY_S3_PUBLIC_URL": public_url,
        "PARLEY_PUBLIC_URL": public_url,
        "PARLEY_ADMIN_PASSWORD_FILE": str(layout.admin_password),
        "PARLEY_OPENAPI_FILE": str(ROOT / "build" / "openapi.json"),
        "PARLEY_LOOPBACK_WEBHOOKS": "true",
    }
    for name in SERVICES:
        addresses = ",".join(f"127.0.0.1:{ports[item]}" for item in instances(name, replicas))
        environment[f"PARLEY_{name.upper()}_ADDRESS"] = f"ipv4:{addresses}"
    return environment


def component(
    name: str, module: str, shared: dict[str, str], layout: Layout, ports: dict[str, int], after: tuple[str, ...]
) -> Component:
    """One of ours. The caller's own PARLEY_ variables win, so that a model or a log level can be set for a start."""
    key = layout.keys / f"{module.rpartition('.')[2]}.pem"
    operations = ports[f"{name}_operations"]
    data = layout.data / "services" / name
    data.mkdir(parents=True, exist_ok=True)
    if module.startswith("gateway."):
        shared = {key: value for key, value in shared.items() if "POSTGRES" not in key}
    environment = {
        **shared,
        "PARLEY_PORT": str(ports.get(name, operations)),
        "PARLEY_OPERATIONS_PORT": str(operations),
        "PARLEY_MESH_KEY_FILE": str(key),
        "PARLEY_DATA_DIR": str(data),
        **{key: value for key, value in os.environ.items() if key.startswith("PARLEY_")},
    }
    return Component(
        name,
        [sys.executable, "-m", module],
        http_check(f"http://127.0.0.1:{operations}/readyz"),
        port=ports.get(name, operations),
        environment=environment,
        after=after,
        options={"cwd": str(ROOT)},
    )


def ours(layout: Layout, shared: dict[str, str], ports: dict[str, int], replicas: Replicas) -> list[Component]:
    """All services, as often as wanted, and the gateways."""
    made = [
        component(item, f"services.{name}", shared, layout, ports, ("migrations",))
        for name in SERVICES
        for item in instances(name, replicas)
    ]
    made += [component(name, f"gateway.{name}", shared, layout, ports, ()) for name in GATEWAYS]
    return [item for item in made if (ROOT / item.command[-1].replace(".", "/") / "__main__.py").exists()]

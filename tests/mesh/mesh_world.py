"""The stack under test as its callers see it: one public port, REST, gRPC and WebSocket over it."""

import asyncio
import io
import json
import os
import shutil
import signal
import tempfile
import uuid
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import grpc.aio
import yaml
from yarl import URL

from cli.deploy import deploy_all
from cli.stack.layout import ROOT, unused_port
from cli.stack.stack import Stack
from services.common.security.principal import Principal
from services.common.security.tokens import MeshSigner
from tests.waiting import until

ADMIN = "admin@parley.local"
PASSWORD = "plenty of characters here"
HEADERS_SECONDS, REQUEST_SECONDS, FIRST_FRAME_SECONDS = 1.0, 2.0, 2.0
CALL = aiohttp.ClientTimeout(total=30)
# Guessing is made slow in earnest elsewhere; here it would only make signing in slow.
SETTINGS = {
    "PARLEY_ARGON2_MEMORY_KIB": "1024",
    "PARLEY_ARGON2_ITERATIONS": "1",
    "PARLEY_FIRST_FRAME_SECONDS": str(FIRST_FRAME_SECONDS),
}


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP answer, read to its end. `body`: its JSON, None when it is none."""

    status: int
    headers: Mapping[str, str]
    raw: bytes

    @property
    def body(self) -> Any:
        try:
            return json.loads(self.raw)
        except ValueError:
            return None

    @property
    def info(self) -> dict[str, Any]:
        """The one ErrorInfo of a google.rpc.Status as JSON; asserts that it is one."""
        assert self.headers["content-type"].startswith("application/json"), self.raw[:300]
        body = self.body
        assert set(body) == {"code", "message", "details"}, body
        assert isinstance(body["code"], int), body
        assert body["message"], body
        kinds = [detail["@type"].rpartition(".")[2] for detail in body["details"]]
        assert kinds.count("ErrorInfo") == 1, body
        found: dict[str, Any] = body["details"][kinds.index("ErrorInfo")]
        assert found["domain"] == "parley"
        return found

    def refused(self, status: int, code: grpc.StatusCode, reason: str) -> dict[str, Any]:
        """Assert that it is this refusal, in the shape of all; its ErrorInfo."""
        assert self.status == status, (self.status, self.raw[:500])
        info = self.info
        assert (self.body["code"], info["reason"]) == (code.value[0], reason), self.body
        return info

    def fields(self) -> set[str]:
        """Fields that a refusal names."""
        found = [item["field_violations"] for item in self.body["details"] if "field_violations" in item]
        return {violation["field"] for violations in found for violation in violations}


class Mesh:
    """A running stack and clients of its edge."""

    def __init__(self, stack: Stack) -> None:
        self.stack = stack
        self.http = aiohttp.ClientSession(timeout=CALL, connector=aiohttp.TCPConnector(limit=0))
        self.channel = grpc.aio.insecure_channel(f"127.0.0.1:{stack.edge}")
        self.owner = ""
        self.tenant = ""

    @property
    def url(self) -> str:
        return self.stack.public_url

    async def call(
        self,
        method: str,
        path: str,
        body: Any = None,
        token: str = "",
        *,
        data: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """One HTTP call; the path is sent as it is."""
        sent = {"authorization": f"Bearer {token}"} if token else {}
        sent |= headers or {}
        if data is not None:
            sent.setdefault("content-type", "application/json")
        body_of = io.BytesIO(data) if data is not None else None
        url = URL(path if path.startswith("http") else self.url + path, encoded=True)
        async with self.http.request(
            method, url, json=body, data=body_of, headers=sent, allow_redirects=False
        ) as answer:
            return Answer(
                answer.status, {name.lower(): value for name, value in answer.headers.items()}, await answer.read()
            )

    async def ok(self, method: str, path: str, body: Any = None, token: str = "") -> Any:
        """The JSON of a call that must succeed."""
        answer = await self.call(method, path, body, token)
        assert answer.status == 200, (method, path, answer.status, answer.raw[:500])
        return answer.body

    async def visitor(self, tenant: str = "default") -> str:
        """A fresh visitor's token."""
        return str((await self.ok("POST", "/v1/visitors:signIn", {"tenant": tenant}))["access_token"])

    async def sign_in(self, email: str, first: str, tenant: str = "default") -> str:
        """Tokens of somebody whose password is still the first one."""
        who = {"email": email, "tenant": tenant}
        held = await self.ok("POST", "/v1/users:signIn", who | {"password": first})
        change = {"current_password": first, "new_password": PASSWORD}
        await self.ok("POST", "/v1/users/me:changePassword", change, held["access_token"])
        return str((await self.ok("POST", "/v1/users:signIn", who | {"password": PASSWORD}))["access_token"])

    async def member(self, maker: str, tenant: str, *roles: str) -> str:
        """The token of a new account with these roles."""
        email = f"{uuid.uuid4().hex}@example.com"
        made = await self.call(
            "POST", "/v1/users", {"user": {"email": email, "roles": roles}, "password": PASSWORD + "1"}, maker
        )
        assert made.status == 200, made.raw
        return await self.sign_in(email, PASSWORD + "1", tenant)

    async def make_tenant(self) -> tuple[str, str]:
        """(short name, token of its owner)."""
        slug = f"t{uuid.uuid4().hex[:12]}"
        body = {"tenant": {"slug": slug}, "owner_email": f"owner@{slug}.example.com"}
        made = await self.ok("POST", "/v1/tenants", body, self.owner)
        return slug, await self.sign_in(made["owner"]["email"], made["one_time_password"], slug)

    def mesh_token(self) -> str:
        """What a service of the mesh shows to another when it acts for the tenant's owner."""
        owner = Principal(self.tenant, "services/deployer", frozenset({"owner"}))
        return MeshSigner("deployer", self.stack.layout.keys / "deployer.pem").token(owner)

    def component(self, name: str) -> dict[str, Any]:
        """What the supervisor says of a component."""
        state = self.stack.layout.read_state()
        assert state is not None
        return next(item for item in state["components"] if item["name"] == name)

    def kill(self, name: str) -> int:
        """kill -9; how often it had been started again before."""
        found = self.component(name)
        os.kill(found["pid"], signal.SIGKILL)
        return int(found["restarts"])

    async def back(self, name: str, restarts: int) -> None:
        """Return when the supervisor has started it again and it is ready."""
        await until(lambda: self.component(name)["restarts"] > restarts and self.component(name)["state"] == "ready")

    async def rows(self, tenant: str) -> dict[str, str]:
        """A digest of all rows of a tenant, a table each."""
        assert self.stack.postgres is not None
        tables = str(await self.stack.postgres.value(TABLES)).split()
        parts = (
            f"SELECT '{table}' AS name, md5(coalesce(string_agg(t::text, '|' ORDER BY t::text), '')) AS sum "
            f"FROM {table} t WHERE tenant_id = '{tenant}'"
            for table in tables
        )
        query = f"SELECT json_object_agg(name, sum) FROM ({' UNION ALL '.join(parts)}) AS all_tables"
        found: dict[str, str] = json.loads(str(await self.stack.postgres.value(query)))
        return found

    async def count(self, table: str) -> int:
        """Rows of a table, of all tenants."""
        assert self.stack.postgres is not None
        return int(str(await self.stack.postgres.value(f"SELECT count(*) FROM {table}")))


TABLES = """SELECT string_agg(table_schema || '.' || table_name, ' ' ORDER BY 1) FROM information_schema.columns
WHERE column_name = 'tenant_id' AND table_schema IN ('session', 'engine', 'llm', 'kb', 'channels', 'drive')"""


async def hasten(mesh: Mesh) -> None:
    """Make the edge impatient with slow senders, so that no test waits for minutes. It starts again for that."""
    path = mesh.stack.layout.data / "envoy.yaml"
    made = yaml.safe_load(path.read_text())
    manager = made["static_resources"]["listeners"][0]["filter_chains"][0]["filters"][0]["typed_config"]
    assert {"request_headers_timeout", "request_timeout"} <= set(manager)
    manager |= {"request_headers_timeout": f"{HEADERS_SECONDS}s", "request_timeout": f"{REQUEST_SECONDS}s"}
    path.write_text(yaml.safe_dump(made, sort_keys=False))
    await mesh.back("envoy", mesh.kill("envoy"))


def fresh_folder() -> Path:
    """One that PostgreSQL's own user may pass through."""
    folder = Path(tempfile.mkdtemp(prefix="parley-mesh-"))
    folder.chmod(0o755)
    return folder


@asynccontextmanager
async def running(**environment: str) -> AsyncIterator[Mesh]:
    """A whole stack with the bots of this checkout, gone at the end."""
    folder = fresh_folder()
    stack = Stack(folder / "stack", port=unused_port(set()), environment=SETTINGS | environment)
    mesh = Mesh(stack)
    try:
        await stack.start()
        await asyncio.gather(hasten(mesh), deploy_all(stack, ROOT / "bots"))
        mesh.tenant = await stack.default_tenant()

        async def keys_known() -> bool:
            answer = await mesh.call("GET", "/v1/sessions", token=await mesh.visitor())
            return answer.status == 200

        await until(keys_known)
        mesh.owner = await mesh.sign_in(ADMIN, stack.secrets["admin_password"])
        yield mesh
    finally:
        await mesh.http.close()
        await mesh.channel.close()
        await stack.stop()
        shutil.rmtree(stack.layout.exposed(), ignore_errors=True)
        shutil.rmtree(folder, ignore_errors=True)

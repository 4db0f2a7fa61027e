"""A stack of its own for a run of benchmarks, with the limits for people raised."""

import contextlib
import uuid
from pathlib import Path
from typing import Any, Self

import aiohttp
import grpc.aio
from parley.engine.v1 import bot_pb2, bot_service_pb2, bot_service_pb2_grpc

from bench.folders import run_folder
from cli.stack.layout import unused_port
from cli.stack.stack import Stack
from services.common.security.principal import Principal
from services.common.security.tokens import MeshSigner

UNLIMITED = {"PARLEY_FRAMES_PER_MINUTE": "100000000", "PARLEY_MESSAGES_PER_MINUTE": "100000000"}


class Workbench:
    """An async context: inside it the stack runs.

    `environment`: settings beside the raised limits; `data`: the folder of the stack, which stays, a temporary one
    when None.
    """

    def __init__(self, environment: dict[str, str] | None = None, data: Path | None = None) -> None:
        self._held = contextlib.ExitStack()
        self.folder = self._held.enter_context(run_folder(data))
        settings = UNLIMITED | (environment or {})
        self.stack = Stack(self.folder, port=unused_port(set()), environment=settings)
        self.client = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=64))

    @property
    def url(self) -> str:
        """The edge."""
        return self.stack.public_url

    async def __aenter__(self) -> Self:
        try:
            await self.stack.start()
        except BaseException:
            await self.__aexit__()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.client.close()
        await self.stack.stop()
        self._held.close()

    async def call(self, method: str, path: str, body: dict[str, Any] | None = None, token: str = "") -> dict[str, Any]:
        """One REST call. ClientResponseError."""
        headers = {"authorization": f"Bearer {token}"} if token else {}
        async with self.client.request(method, self.url + path, json=body, headers=headers) as answer:
            answer.raise_for_status()
            content: dict[str, Any] = await answer.json()
            return content

    async def visitor(self, bot: str) -> str:
        """An access token."""
        return str((await self.call("POST", "/v1/visitors:signIn", {"bot": bot}))["access_token"])

    async def session(self, bot: str, token: str) -> str:
        """A new session's name."""
        made = await self.call("POST", f"/v1/sessions?request_id={uuid.uuid4()}", {"bot": f"bots/{bot}"}, token)
        return str(made["name"])

    async def ticket(self, session: str, token: str) -> str:
        """Where a WebSocket of this session is opened, once."""
        made = await self.call("POST", f"/v1/{session}:createTicket", {}, token)
        return f"{self.url.replace('http', 'ws', 1)}/v1/ws?ticket={made['ticket']}"

    async def publish(self, name: str, script: str) -> None:
        """Make a bot of one script live."""
        await publish(self.stack, name, script)


async def owner_metadata(stack: Stack) -> tuple[tuple[str, str], ...]:
    """Metadata of a call by the stack's own deployer, who may do everything in the first tenant."""
    owner = Principal(await stack.default_tenant(), "services/deployer", frozenset({"owner"}))
    token = MeshSigner("deployer", stack.layout.keys / "deployer.pem").token(owner)
    return (("authorization", f"Bearer {token}"),)


async def publish(stack: Stack, name: str, script: str) -> None:
    """Make a bot of one script live."""
    metadata = await owner_metadata(stack)
    async with grpc.aio.insecure_channel(f"127.0.0.1:{stack.ports['engine']}") as channel:
        bots = bot_service_pb2_grpc.BotServiceStub(channel)
        request = bot_service_pb2.CreateBotRequest(bot=bot_pb2.Bot(), bot_id=name)
        try:
            await bots.CreateBot(request, timeout=20, metadata=metadata, wait_for_ready=True)
        except grpc.aio.AioRpcError as error:
            if error.code() is not grpc.StatusCode.ALREADY_EXISTS:
                raise
        scripts = [bot_pb2.Script(path="start.bas", text=script)]
        version = bot_service_pb2.PublishBotRequest(bot=f"bots/{name}", scripts=scripts)
        await bots.PublishBot(version, timeout=20, metadata=metadata)

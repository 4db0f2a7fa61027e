"""What stands behind Envoy here: two real gRPC services with canned replies, and an HTTP server for the rest."""

import asyncio
import base64
import json
import socket
import time
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import grpc
from aiohttp import WSMsgType, web
from cryptography.hazmat.primitives import hashes, hmac, serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from google.protobuf import any_pb2
from google.rpc import error_details_pb2, status_pb2
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_status import rpc_status
from parley.session.v1 import (
    identity_service_pb2,
    identity_service_pb2_grpc,
    session_pb2,
    session_service_pb2,
    session_service_pb2_grpc,
)

Context: TypeAlias = grpc.aio.ServicerContext[Any, Any]
Message: TypeAlias = Any
SESSION = "sessions/01890000-0000-7000-8000-000000000001"
MISSING = "sessions/01890000-0000-7000-8000-00000000dead"
BROKEN_AFTER_ONE, BROKEN_AT_ONCE, QUIET = 1, 2, 3


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


class Signer:
    """Makes tokens, good and bad ones."""

    def __init__(self, key_id: str = "one") -> None:
        self.key = Ed25519PrivateKey.generate()
        self.key_id = key_id

    @property
    def public(self) -> bytes:
        return self.key.public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)

    @property
    def jwk(self) -> dict[str, str]:
        common = {"kid": self.key_id, "use": "sig", "alg": "EdDSA"}
        return {"kty": "OKP", "crv": "Ed25519", "x": encoded(self.public), **common}

    def token(self, header: Mapping[str, object] | None = None, /, **claims: object) -> str:
        head = {"alg": "EdDSA", "typ": "at+jwt", "kid": self.key_id, **(header or {})}
        now = int(time.time())
        body = {
            "iss": "parley",
            "aud": "parley-api",
            "sub": "users/1",
            "tid": "t",
            "iat": now,
            "exp": now + 300,
            **claims,
        }
        signed = f"{encoded(json.dumps(head).encode())}.{encoded(json.dumps(body).encode())}"
        return f"{signed}.{encoded(self._signature(str(head['alg']), signed.encode()))}"

    def _signature(self, algorithm: str, signed: bytes) -> bytes:
        if algorithm == "none":
            return b""
        if algorithm == "HS256":
            code = hmac.HMAC(self.public, hashes.SHA256())
            code.update(signed)
            return code.finalize()
        return self.key.sign(signed)


@dataclass
class Call:
    """A call that reached the service."""

    method: str
    metadata: dict[str, str]
    remaining: float | None
    request: Message


@dataclass
class Seen:
    """What the doubles were asked."""

    calls: list[Call] = field(default_factory=list)
    requests: list[web.Request] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    release: asyncio.Event = field(default_factory=asyncio.Event)
    ended: asyncio.Event = field(default_factory=asyncio.Event)
    unavailable: int = 0

    def note(self, method: str, request: object, context: Context) -> Call:
        metadata = {key: value for key, value in (context.invocation_metadata() or ()) if isinstance(value, str)}
        self.calls.append(Call(method, metadata, context.time_remaining(), request))
        return self.calls[-1]

    @property
    def last(self) -> Call:
        return self.calls[-1]


class Sessions(session_service_pb2_grpc.SessionServiceServicer):
    def __init__(self, seen: Seen) -> None:
        self.seen = seen

    async def CreateSession(self, request: Message, context: Context) -> session_pb2.Session:
        self.seen.note("CreateSession", request, context)
        return session_pb2.Session(name=SESSION, bot=request.session.bot, state=session_pb2.Session.STATE_ACTIVE)

    async def GetSession(self, request: Message, context: Context) -> session_pb2.Session:
        self.seen.note("GetSession", request, context)
        if self.seen.unavailable:
            self.seen.unavailable -= 1
            await context.abort(grpc.StatusCode.UNAVAILABLE, "gone for a moment")
        if request.name == MISSING:
            await context.abort_with_status(rpc_status.to_status(not_found()))
        return session_pb2.Session(name=request.name, bot="bots/hello", state=session_pb2.Session.STATE_ACTIVE)

    async def ListSessions(self, request: Message, context: Context) -> session_service_pb2.ListSessionsResponse:
        self.seen.note("ListSessions", request, context)
        sessions = [session_pb2.Session(name=SESSION, bot="bots/hello")] * (request.page_size or 1)
        return session_service_pb2.ListSessionsResponse(sessions=sessions)

    async def PostMessage(self, request: Message, context: Context) -> session_pb2.Message:
        self.seen.note("PostMessage", request, context)
        if self.seen.unavailable:
            self.seen.unavailable -= 1
            await context.abort(grpc.StatusCode.UNAVAILABLE, "gone for a moment")
        if request.text == "slow":
            await self.seen.release.wait()
        return session_pb2.Message(name=f"{request.session}/messages/1", seq=1, text=request.text)

    async def StreamEvents(self, request: Message, context: Context) -> AsyncIterator[session_pb2.SessionEvent]:
        self.seen.note("StreamEvents", request, context)
        if request.after_seq == BROKEN_AT_ONCE:
            await context.abort(grpc.StatusCode.RESOURCE_EXHAUSTED, "too many listeners")
        yield session_pb2.SessionEvent(seq=1, message=session_pb2.Message(seq=1, text="first"))
        if request.after_seq == BROKEN_AFTER_ONE:
            await context.abort(grpc.StatusCode.INTERNAL, "broke in the middle")
        try:
            await self.seen.release.wait()
        finally:
            self.seen.ended.set()
        yield session_pb2.SessionEvent(seq=2, completed=session_pb2.TurnCompleted(turn=1))


class Authentication(identity_service_pb2_grpc.AuthServiceServicer):
    def __init__(self, seen: Seen) -> None:
        self.seen = seen

    async def SignInVisitor(self, request: Message, context: Context) -> identity_service_pb2.TokenSet:
        self.seen.note("SignInVisitor", request, context)
        return identity_service_pb2.TokenSet(access_token="a", subject="visitors/1")

    async def RotateSigningKey(
        self, request: Message, context: Context
    ) -> identity_service_pb2.RotateSigningKeyResponse:
        self.seen.note("RotateSigningKey", request, context)
        return identity_service_pb2.RotateSigningKeyResponse(key_id="two")


def not_found() -> status_pb2.Status:
    detail = any_pb2.Any()
    detail.Pack(error_details_pb2.ErrorInfo(reason="RESOURCE_NOT_FOUND", domain="parley"))
    return status_pb2.Status(code=grpc.StatusCode.NOT_FOUND.value[0], message="no such session", details=[detail])


async def grpc_server(seen: Seen, port: int) -> grpc.aio.Server:
    """Serves the doubles; the caller stops it."""
    server = grpc.aio.server(options=[("grpc.so_reuseport", 0)])
    session_service_pb2_grpc.add_SessionServiceServicer_to_server(Sessions(seen), server)  # type: ignore[abstract]
    identity_service_pb2_grpc.add_AuthServiceServicer_to_server(Authentication(seen), server)  # type: ignore[abstract]
    state = health.aio.HealthServicer()
    await state.set("", health_pb2.HealthCheckResponse.SERVING)
    health_pb2_grpc.add_HealthServicer_to_server(state, server)
    if server.add_insecure_port(f"127.0.0.1:{port}") == 0:
        message = f"port {port} is taken"
        raise RuntimeError(message)
    await server.start()
    return server


class Plain:
    """Operations listeners, webhook receiver, bridge, pages and object store in one HTTP server."""

    def __init__(self, seen: Seen, signer: Signer) -> None:
        self.seen = seen
        self.signer = signer
        self.api_keys = {"pk_good": "apiKeys/1"}
        self.runner: web.AppRunner | None = None

    async def start(self, port: int) -> None:
        application = web.Application(client_max_size=200 << 20, handler_args={})
        application.router.add_get("/.well-known/jwks.json", self.keys)
        application.router.add_route("*", "/authorize", self.authorize)
        application.router.add_get("/v1/ws", self.socket)
        application.router.add_get("/ws/{bot}", self.socket)
        application.router.add_route("*", "/{path:.*}", self.anything)
        self.runner = web.AppRunner(application, access_log=None)
        await self.runner.setup()
        await web.TCPSite(self.runner, "127.0.0.1", port).start()

    async def stop(self) -> None:
        if self.runner:
            await self.runner.cleanup()

    async def keys(self, _: web.Request) -> web.Response:
        return web.json_response({"keys": [self.signer.jwk]})

    async def authorize(self, request: web.Request) -> web.Response:
        self.seen.requests.append(request)
        subject = self.api_keys.get(request.headers.get("x-api-key", ""))
        if subject is None:
            return web.Response(status=401, text="unknown key")
        return web.Response(headers={"authorization": f"Bearer {self.signer.token(sub=subject)}"})

    async def socket(self, request: web.Request) -> web.WebSocketResponse:
        self.seen.requests.append(request)
        socket_ = web.WebSocketResponse()
        await socket_.prepare(request)
        async for message in socket_:
            if message.type == WSMsgType.TEXT:
                await socket_.send_str(f"echo {message.data}")
        return socket_

    async def anything(self, request: web.Request) -> web.Response:
        self.seen.requests.append(request)
        self.seen.bodies.append(await request.read())
        if request.path == "/large.html":
            return web.Response(text="<p>page</p>" * 1000, content_type="text/html")
        return web.Response(text=f"{request.method} {request.path}", content_type="text/html")

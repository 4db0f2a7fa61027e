"""A conversation over any of the five ways in."""

import base64
import json
import struct
import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import aiohttp
from google.protobuf.message import Message
from parley.session.v1 import session_pb2, session_service_pb2, session_service_pb2_grpc

from tests.mesh.mesh_world import Answer, Mesh
from tests.waiting import until

SERVICE = "/parley.session.v1.SessionService"


def subject_of(token: str) -> str:
    """Who a token is for, unverified."""
    part = token.split(".")[1]
    return str(json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))["sub"])


def framed(message: Message) -> bytes:
    """A gRPC-Web frame."""
    body = message.SerializeToString()
    return struct.pack(">BI", 0, len(body)) + body


def frames(body: bytes) -> Iterator[tuple[int, bytes]]:
    """(flags, payload) of each gRPC-Web frame."""
    at = 0
    while at < len(body):
        flags, length = struct.unpack_from(">BI", body, at)
        yield flags, body[at + 5 : at + 5 + length]
        at += 5 + length


@dataclass
class Talk:
    """One session of one person."""

    mesh: Mesh
    token: str
    name: str

    @classmethod
    async def begin(cls, mesh: Mesh, bot: str = "hello", token: str = "") -> "Talk":
        """A new session whose bot has said its first words."""
        token = token or await mesh.visitor()
        made = await mesh.ok("POST", f"/v1/sessions?request_id={uuid.uuid4()}", {"bot": f"bots/{bot}"}, token)
        talk = cls(mesh, token, made["name"])
        await until(talk.greeted)
        return talk

    async def greeted(self) -> bool:
        return bool((await self.session())["turn"])

    @property
    def metadata(self) -> tuple[tuple[str, str], ...]:
        return (("authorization", f"Bearer {self.token}"),)

    @property
    def stub(self) -> "session_service_pb2_grpc.SessionServiceAsyncStub":
        return session_service_pb2_grpc.SessionServiceStub(self.mesh.channel)

    async def session(self) -> Any:
        """As it stands."""
        return await self.mesh.ok("GET", f"/v1/{self.name}", token=self.token)

    async def ledger(self, after: int = 0) -> list[Any]:
        """Messages after a number."""
        path = f"/v1/{self.name}/messages?page_size=500&after_seq={after}"
        found: list[Any] = (await self.mesh.ok("GET", path, token=self.token))["messages"]
        return found

    async def post(self, body: Any, **more: Any) -> Answer:
        """POST messages, whatever comes of it."""
        return await self.mesh.call("POST", f"/v1/{self.name}/messages", body, self.token, **more)

    async def consumed(self, seq: int) -> list[Any]:
        """What the bot said to the message of that number."""

        async def done() -> bool:
            return bool((await self.session())["consumed_seq"] >= seq)

        await until(done)
        return [message for message in await self.ledger(seq) if message["role"] == "ROLE_BOT"]

    async def say(self, text: str) -> list[Any]:
        """By REST: post, then look; the replies."""
        answer = await self.post({"text": text, "request_id": str(uuid.uuid4())})
        assert answer.status == 200, answer.raw
        return await self.consumed(answer.body["seq"])

    async def say_sse(self, text: str) -> list[Any]:
        """By server-sent events: the events of the turn."""
        path, body = f"/v1/{self.name}/messages:stream", {"text": text, "request_id": str(uuid.uuid4())}
        answer = await self.mesh.call("POST", path, body, self.token)
        assert answer.headers["content-type"].startswith("text/event-stream"), answer.raw
        events = [json.loads(part.removeprefix(b"data: ")) for part in answer.raw.split(b"\n\n") if part.strip()]
        assert [event["seq"] for event in events] == list(range(1, len(events) + 1))
        return events

    async def say_grpc(self, text: str) -> list[session_pb2.SessionEvent]:
        """By gRPC: the events of the turn."""
        call = self.stub.StreamTurn(self.request(text), metadata=self.metadata, timeout=20)
        return [event async for event in call]

    async def say_grpc_web(self, text: str, *, as_text: bool) -> list[session_pb2.SessionEvent]:
        """By gRPC-Web, binary or base64: the events of the turn."""
        raw, trailers = await self.grpc_web("StreamTurn", self.request(text), as_text=as_text)
        assert b"grpc-status:0" in trailers.replace(b" ", b"")
        return [session_pb2.SessionEvent.FromString(part) for part in raw]

    async def grpc_web(self, method: str, request: Message, *, as_text: bool) -> tuple[list[bytes], bytes]:
        """Messages and trailers of a call in gRPC-Web framing."""
        kind = f"application/grpc-web{'-text' if as_text else ''}+proto"
        body = base64.b64encode(framed(request)) if as_text else framed(request)
        headers = {"content-type": kind, "accept": kind, "x-grpc-web": "1"}
        answer = await self.mesh.call("POST", f"{SERVICE}/{method}", token=self.token, data=body, headers=headers)
        assert answer.headers["content-type"] == kind, answer.raw
        found = list(frames(unpadded(answer.raw) if as_text else answer.raw))
        assert [flags for flags, _ in found] == [0] * (len(found) - 1) + [0x80]
        return [payload for _, payload in found[:-1]], found[-1][1]

    def request(self, text: str) -> session_service_pb2.PostMessageRequest:
        return session_service_pb2.PostMessageRequest(session=self.name, text=text, request_id=str(uuid.uuid4()))

    async def ticket(self) -> str:
        """For one WebSocket."""
        made = await self.mesh.ok("POST", f"/v1/{self.name}:createTicket", {}, self.token)
        return str(made["ticket"])

    @asynccontextmanager
    async def socket(self, after: int = 0) -> AsyncIterator["Socket"]:
        """A WebSocket that has been told what came after a number."""
        async with self.mesh.http.ws_connect(f"{self.mesh.url}/v1/ws?ticket={await self.ticket()}") as raw:
            socket = Socket(raw)
            await raw.send_json({"type": "resume", "after": after})
            await socket.frame("ready")
            yield socket


@dataclass
class Socket:
    """A WebSocket and what came over it."""

    raw: aiohttp.ClientWebSocketResponse
    messages: list[Any] = field(default_factory=list)
    completed: int = 0

    async def frame(self, kind: str, **wanted: Any) -> Any:
        """The next frame of a kind that has these values; what comes on the way is kept."""
        while True:
            frame = await self.raw.receive_json(timeout=20)
            if frame["type"] == "message":
                self.messages.append(frame)
            if frame["type"] == "completed":
                self.completed = max(self.completed, frame["seq"])
            if frame["type"] == kind and wanted.items() <= frame.items():
                return frame

    async def say(self, text: str, identifier: str = "") -> list[Any]:
        """The bot's messages of the turn."""
        sent = {"type": "message", "id": identifier or str(uuid.uuid4()), "text": text}
        await self.raw.send_json(sent)
        seq = (await self.frame("accepted", id=sent["id"]))["seq"]
        while self.completed < seq:  # a quick bot has answered before the message was acknowledged
            await self.frame("completed")
        return [message for message in self.messages if message["role"] == "bot" and message["seq"] > seq]


def unpadded(raw: bytes) -> bytes:
    """Bytes of base64 that was encoded in pieces, each with its own padding."""
    pieces = raw.replace(b"=", b"= ").split()
    joined = b""
    start = b""
    for piece in pieces:
        start += piece
        if len(start) % 4 == 0:
            joined += base64.b64decode(start)
            start = b""
    return joined + base64.b64decode(start)


def texts(events: list[Any]) -> list[str]:
    """What the bot says in events, of REST or gRPC."""
    if events and isinstance(events[0], dict):
        said = [event["message"] for event in events if "message" in event]
        return [message["text"] for message in said if message["role"] == "ROLE_BOT"]
    return [event.message.text for event in events if event.message.role == session_pb2.Message.ROLE_BOT]

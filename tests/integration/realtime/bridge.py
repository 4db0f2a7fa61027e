"""The real bridge over the real session service, and clients of it: aiohttp's, and one that writes its own bytes."""

import asyncio
import base64
import contextlib
import json
import os
import socket
import struct
import sys
import uuid
import warnings
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any, Self

import aiohttp
from aiohttp import WSMsgType
from parley.session.v1 import session_service_pb2 as service_pb

from cli.stack.layout import unused_port
from gateway.realtime.config import RealtimeSettings
from gateway.realtime.server import RealtimeService
from services.common.service import Chassis
from tests.integration.llm.running import running
from tests.integration.session_ledger.world import LedgerWorld, Person, Worker
from tests.waiting import until

Frame = dict[str, Any]


def bridge_settings(world: LedgerWorld, **more: Any) -> RealtimeSettings:
    """On ports of its own."""
    port = unused_port(set())
    return RealtimeSettings.model_validate(
        {
            "port": port,
            "operations_port": unused_port({port}),
            "nats_url": world.nats.url,
            "mesh_key_file": world.folder / "realtime.pem",
            "mesh_jwks_file": world.folder / "mesh.json",
            "page_token_secret": "0123456789abcdef",
            "session_address": f"{world.settings.host}:{world.settings.port}",
            "engine_address": f"127.0.0.1:{world.bots_port}",
            "public_url": "https://chat.example.com",
            "stop_seconds": 0.5,
            **more,
        }
    )


@dataclass
class Bridge:
    """Where it listens."""

    world: LedgerWorld
    settings: RealtimeSettings
    http: aiohttp.ClientSession
    chassis: Chassis | None = None
    peers: list["Bytes"] = field(default_factory=list)

    @property
    def operations(self) -> str:
        return f"http://127.0.0.1:{self.settings.operations_port}"

    async def ticket(self, person: Person) -> str:
        with person.acting():
            made = await self.world.sessions.CreateTicket(service_pb.CreateTicketRequest(session=person.session))
        return str(made.ticket)

    def socket(self, path: str, **options: Any) -> "Client":
        return Client(self, path, options)

    async def enter(self, person: Person, **options: Any) -> "Client":
        """A socket for the person's session, upgraded."""
        return self.socket(f"/v1/ws?ticket={await self.ticket(person)}", **options)

    async def raw(self, path: str) -> "Bytes":
        """A socket that writes its own bytes, upgraded."""
        made = await self.half_open()
        await made.upgrade(path)
        return made

    async def half_open(self) -> "Bytes":
        """A TCP connection that has said nothing yet."""
        peer = socket.socket()
        peer.setblocking(False)
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65_536)  # so that it is soon full when nobody reads
        await asyncio.get_running_loop().sock_connect(peer, ("127.0.0.1", self.settings.port))
        made = Bytes(*await asyncio.open_connection(sock=peer, limit=2**20))
        self.peers.append(made)
        return made


@contextlib.asynccontextmanager
async def bridge_running(world: LedgerWorld, **more: Any) -> AsyncIterator[Bridge]:
    """In this process."""
    settings = bridge_settings(world, **more)
    async with running(RealtimeService(), settings) as chassis, aiohttp.ClientSession() as http:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "shutdown_timeout")
            await chassis.operations.start(settings.host, settings.operations_port)
        made = Bridge(world, settings, http, chassis)
        yield made
        for peer in made.peers:
            await peer.close()


class Process:
    """The bridge as a process that can be killed and started again on the same port."""

    def __init__(self, settings: RealtimeSettings) -> None:
        self._settings = settings
        self._process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        values = self._settings.model_dump(mode="python", exclude_none=True)
        assert self._settings.nats_url is not None
        values["nats_url"] = self._settings.nats_url.get_secret_value()
        values["page_token_secret"] = self._settings.page_token_secret.get_secret_value()
        environment = {f"PARLEY_{name.upper()}": str(value) for name, value in values.items() if value != ""}
        self._process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "gateway.realtime",
            env={**os.environ, **environment, "PYTHONPATH": os.pathsep.join(sys.path)},
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
        )
        await until(self._listens)

    async def _listens(self) -> bool:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", self._settings.port)
        except OSError:
            return False
        writer.close()
        return True

    async def kill(self) -> None:
        """kill -9."""
        assert self._process is not None
        self._process.kill()
        await self._process.wait()
        self._process = None

    async def terminate(self) -> None:
        """As a roll-out would."""
        assert self._process is not None
        self._process.terminate()
        await self._process.wait()
        self._process = None

    async def close(self) -> None:
        if self._process is not None:
            await self.kill()


@dataclass
class Client:
    """A browser's WebSocket. Frames are noted as they come; `code` is set when the server has closed."""

    bridge: Bridge
    path: str
    options: dict[str, Any]
    frames: list[Frame] = field(default_factory=list)
    code: int | None = None
    reason: str = ""
    _socket: aiohttp.ClientWebSocketResponse | None = None
    _reader: "asyncio.Task[None] | None" = None

    async def __aenter__(self) -> Self:
        url = f"http://127.0.0.1:{self.bridge.settings.port}{self.path}"
        self._socket = await self.bridge.http.ws_connect(url, max_msg_size=0, **self.options)
        self._reader = asyncio.create_task(self._read(self._socket))
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._socket is not None
        assert self._reader is not None
        await self._socket.close()
        self._reader.cancel()
        await asyncio.gather(self._reader, return_exceptions=True)

    async def _read(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        while True:
            message = await socket.receive()
            if message.type == WSMsgType.TEXT:
                self.frames.append(json.loads(message.data))
            elif message.type == WSMsgType.CLOSE:
                self.code, self.reason = message.data, message.extra or ""
                return
            elif message.type == WSMsgType.CLOSING:  # by this side
                return
            elif message.type in {WSMsgType.CLOSED, WSMsgType.ERROR}:
                self.code = socket.close_code or 1006
                return

    async def send(self, frame: Frame) -> None:
        assert self._socket is not None
        await self._socket.send_str(json.dumps(frame))

    async def send_bytes(self, payload: bytes) -> None:
        assert self._socket is not None
        await self._socket.send_bytes(payload)

    async def send_text(self, payload: str) -> None:
        assert self._socket is not None
        await self._socket.send_str(payload)

    async def resume(self, after: int = 0) -> Frame:
        await self.send({"type": "resume", "after": after})
        return await self.next("ready")

    async def say(self, text: str, identifier: str = "") -> str:
        chosen = identifier or str(uuid.uuid4())
        await self.send({"type": "message", "id": chosen, "text": text})
        return chosen

    async def next(self, kind: str, count: int = 1) -> Frame:
        """The count-th frame of a type."""
        await until(lambda: len(self.of(kind)) >= count or self.code is not None, 20)
        assert len(self.of(kind)) >= count, f"closed with {self.code} {self.reason}; {self.frames}"
        return self.of(kind)[count - 1]

    def of(self, kind: str) -> list[Frame]:
        return [frame for frame in self.frames if frame.get("type") == kind]

    @property
    def numbers(self) -> list[int]:
        return [frame["seq"] for frame in self.of("message")]

    async def closed(self, seconds: float = 20) -> int:
        await until(lambda: self.code is not None, seconds)
        assert self.code is not None
        return self.code


@dataclass
class Bytes:
    """A peer that need not keep to the protocol."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def upgrade(self, path: str) -> None:
        key = base64.b64encode(os.urandom(16)).decode()
        self.writer.write(
            f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
            f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n\r\n".encode()
        )
        head = await asyncio.wait_for(self.reader.readuntil(b"\r\n\r\n"), 10)
        assert head.startswith(b"HTTP/1.1 101"), head

    def frame(self, opcode: int, payload: bytes, *, fin: bool = True, claimed: int | None = None) -> None:
        """A masked frame; `claimed`: the length it says it has."""
        length = len(payload) if claimed is None else claimed
        head = bytes([(0x80 if fin else 0) | opcode])
        if length < 126:
            head += bytes([0x80 | length])
        elif length < 65_536:
            head += bytes([0x80 | 126]) + struct.pack("!H", length)
        else:
            head += bytes([0x80 | 127]) + struct.pack("!Q", length)
        self.writer.write(head + b"\0\0\0\0" + payload)

    async def receive(self) -> tuple[int, bytes]:
        """Opcode and payload of the next frame."""
        first, second = await self.reader.readexactly(2)
        length = second & 0x7F
        if length == 126:
            (length,) = struct.unpack("!H", await self.reader.readexactly(2))
        elif length == 127:
            (length,) = struct.unpack("!Q", await self.reader.readexactly(8))
        return first & 0x0F, await self.reader.readexactly(length)

    async def close_code(self, seconds: float = 20) -> int:
        """The code the server closes with; what comes before is thrown away."""
        async with asyncio.timeout(seconds):
            while True:
                opcode, payload = await self.receive()
                if opcode == 8:
                    payload[2:].decode()
                    return int(struct.unpack("!H", payload[:2])[0])

    async def gone(self, seconds: float = 20) -> bytes:
        """All the server still says until it hangs up."""
        try:
            return await asyncio.wait_for(self.reader.read(-1), seconds)
        except ConnectionResetError:
            return b""

    async def close(self) -> None:
        self.writer.close()
        with contextlib.suppress(OSError):
            await self.writer.wait_closed()


@contextlib.asynccontextmanager
async def answering(person: Person) -> AsyncIterator[None]:
    """A worker that echoes what the person says, for a while."""
    worker = Worker(person.world)

    async def work() -> None:
        while True:
            await worker.serve(person)
            await asyncio.sleep(0.005)

    task = asyncio.create_task(work())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

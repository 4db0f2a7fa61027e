"""picows behind the small port: upgrade, origin, sizes, pings."""

import asyncio
from collections.abc import Callable
from typing import cast
from urllib.parse import parse_qs, urlsplit

from picows import (
    WSCloseCode,
    WSFrame,
    WSListener,
    WSMsgType,
    WSTransport,
    WSUpgradeRequest,
    WSUpgradeResponse,
    WSUpgradeResponseWithListener,
    ws_create_server,
)

from gateway.realtime.config import RealtimeSettings
from gateway.realtime.connection import CLOSE_LARGE, CLOSE_PROTOCOL, Connection, Socket
from services.common.telemetry.metrics import Metrics

TEXT, CLOSE, PING, CONTINUATION = WSMsgType.TEXT, WSMsgType.CLOSE, WSMsgType.PING, WSMsgType.CONTINUATION
CARRYING = (WSMsgType.TEXT, WSMsgType.BINARY, WSMsgType.CONTINUATION)  # compared in this order, cheaper than a hash
CLOSE_SECONDS = 5.0
LONGEST_REASON = 120
Opener = Callable[[str, dict[str, str], Socket], Connection | None]


class PicowsSocket:
    """The port over a transport."""

    def __init__(self, transport: WSTransport, writable: asyncio.Event) -> None:
        self._transport = transport
        self._writable = writable
        self._waiting: Callable[[], int] = transport.underlying_transport.get_write_buffer_size

    def send(self, text: bytes) -> int:
        """Send a text frame; bytes that wait."""
        self._transport.send(TEXT, text)
        return self._waiting()

    def pong(self, payload: bytes) -> int:
        """Answer a ping; bytes that wait."""
        self._transport.send_pong(payload)
        return self._waiting()

    async def drained(self) -> None:
        """Return when the peer has taken most of what was sent."""
        await self._writable.wait()

    def close(self, code: int, reason: str) -> None:
        """Close frame, then the connection; a peer that does not read is not waited for."""
        self._transport.send_close(cast("WSCloseCode", code), shortened(reason))
        self._transport.disconnect()
        asyncio.get_running_loop().call_later(CLOSE_SECONDS, self._transport.underlying_transport.abort)


class SessionListener(WSListener):
    """Callbacks of one connection."""

    def __init__(self, server: "SocketServer", path: str, query: dict[str, str]) -> None:
        super().__init__()
        self._server = server
        self._path = path
        self._query = query
        self._connection: Connection | None = None
        self._parts: list[bytes] | None = None
        self._size = 0
        self._largest = server.settings.frame_bytes
        self._writable = asyncio.Event()
        self._writable.set()

    def on_ws_connected(self, transport: WSTransport) -> None:
        """Open the connection."""
        self._connection = self._server.opener(self._path, self._query, PicowsSocket(transport, self._writable))
        self._server.joined(self)
        if self._connection is None:
            transport.send_close(WSCloseCode.POLICY_VIOLATION, b"unknown path")
            transport.disconnect()
        else:
            self._connection.open()

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        """A frame, or a part of one."""
        kind, connection = frame.msg_type, self._connection
        if kind == CLOSE:
            transport.send_close(answered(frame.get_close_code()), b"")
            transport.disconnect()
        elif connection is None or not connection.allows():
            return
        elif kind in CARRYING:
            if frame.fin and kind != CONTINUATION and self._parts is None and frame.payload_size <= self._largest:
                connection.on_frame(frame.get_payload_as_bytes())
            else:
                self._collect(connection, frame)
        elif kind == PING:
            connection.on_ping(frame.get_payload_as_bytes())

    def _collect(self, connection: Connection, frame: WSFrame) -> None:
        self._size += frame.payload_size
        if self._size > self._largest:
            connection.close(CLOSE_LARGE, "the frame is too large")
            return
        if (frame.msg_type == CONTINUATION) is (self._parts is None):
            connection.close(CLOSE_PROTOCOL, "a part without its beginning, or a beginning among parts")
            return
        if self._parts is None:
            self._parts = []
        self._parts.append(frame.get_payload_as_bytes())
        if frame.fin:
            payload = b"".join(self._parts)
            self._parts, self._size = None, 0
            connection.on_frame(payload)

    def on_ws_disconnected(self, transport: WSTransport) -> None:
        """Stop listening."""
        self._server.left(self)
        if self._connection is not None:
            self._server.spawn(self._connection)

    def pause_writing(self) -> None:
        """The peer reads more slowly than it is written to."""
        self._writable.clear()

    def resume_writing(self) -> None:
        """It has caught up."""
        self._writable.set()

    def shut(self, code: int, reason: str) -> None:
        """The server goes away."""
        if self._connection is not None:
            self._connection.close(code, reason)


class SocketServer:
    """Listens; one SessionListener a connection."""

    def __init__(self, settings: RealtimeSettings, metrics: Metrics, opener: Opener) -> None:
        self.settings = settings
        self.opener = opener
        self._metrics = metrics
        self._origins = settings.origins()
        self._open: set[SessionListener] = set()
        self._leaving: set[asyncio.Task[None]] = set()
        self._server: asyncio.base_events.Server | None = None

    async def start(self) -> None:
        """Bind. OSError when the port is taken."""
        self._server = await ws_create_server(
            self._accept,
            self.settings.host,
            self.settings.port,
            websocket_handshake_timeout=5,
            enable_auto_ping=True,
            enable_auto_pong=False,  # a flood of pings is counted like any other frames
            auto_ping_idle_timeout=self.settings.ping_seconds,
            auto_ping_reply_timeout=self.settings.pong_seconds,
            max_frame_size=2 * self.settings.frame_bytes,  # so that most frames that are too large get our own code
            backlog=1024,
        )

    def _accept(self, request: WSUpgradeRequest) -> WSListener | WSUpgradeResponseWithListener:
        try:
            parts = urlsplit(request.path.decode("latin-1"))
            allowed = self._origin_allowed(request)
        except ValueError:
            return refusal(400, "expected an address")
        if not allowed:
            return refusal(403, "this origin may not connect")
        if len(self._open) >= self.settings.maximum_connections:
            return refusal(503, "too many connections; try again")
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        return SessionListener(self, parts.path, query)

    def _origin_allowed(self, request: WSUpgradeRequest) -> bool:
        origin = str(request.headers.get("origin", ""))
        if not origin:
            return True
        own = urlsplit(origin).netloc
        named = bool(self._origins & {"*", origin.rstrip("/")})
        return named or (bool(own) and own == str(request.headers.get("host", "")))

    def joined(self, listener: SessionListener) -> None:
        """Count."""
        self._open.add(listener)
        self._metrics.ws_connections.set(len(self._open))

    def left(self, listener: SessionListener) -> None:
        """Count."""
        self._open.discard(listener)
        self._metrics.ws_connections.set(len(self._open))

    def spawn(self, connection: Connection) -> None:
        """Let a connection that is gone clean up."""
        task = asyncio.create_task(connection.gone())
        self._leaving.add(task)
        task.add_done_callback(self._leaving.discard)

    async def stop(self) -> None:
        """Ask every peer to come back elsewhere."""
        if self._server is not None:
            self._server.close()
        for listener in list(self._open):
            listener.shut(4000, "going away; reconnect")


def answered(code: WSCloseCode) -> WSCloseCode:
    """The code to answer a closing frame with: one without a code has a number that no frame may carry."""
    return WSCloseCode.OK if code == WSCloseCode.NO_INFO else code


def shortened(reason: str) -> bytes:
    """As much of a reason as a close frame holds, without half a character at its end."""
    return reason.encode()[:LONGEST_REASON].decode(errors="ignore").encode()


def refusal(status: int, words: str) -> WSUpgradeResponseWithListener:
    """An HTTP answer instead of an upgrade."""
    response = WSUpgradeResponse.create_error_response(status, words.encode())
    return WSUpgradeResponseWithListener(response, None)

"""Light WebSocket clients: they must cost less than what they measure."""

import asyncio
import json
import time
import uuid
from collections.abc import Callable

from picows import WSFrame, WSListener, WSMsgType, WSTransport, ws_connect

OPEN_SECONDS = 20.0


class Talker(WSListener):
    """One person: say() sends a message, `heard` gets the seconds from there to the bot's reply."""

    def __init__(self, heard: Callable[["Talker", float], None]) -> None:
        super().__init__()
        self._heard = heard
        self._transport: WSTransport | None = None
        self._sent = 0.0
        self.waiting = False
        self.listening = asyncio.Event()

    def on_ws_connected(self, transport: WSTransport) -> None:
        """Say where to go on from."""
        self._transport = transport
        transport.send(WSMsgType.TEXT, b'{"type":"resume","after":0}')

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        """A reply of the bot ends a turn."""
        if frame.msg_type != WSMsgType.TEXT:
            return
        content = frame.get_payload_as_bytes()
        if b'"type":"ready"' in content:
            self.listening.set()
        elif self.waiting and b'"role":"bot"' in content:
            self.waiting = False
            self._heard(self, time.perf_counter() - self._sent)

    def say(self, text: str) -> None:
        """Send a message."""
        if self._transport is None:
            return
        self.waiting, self._sent = True, time.perf_counter()
        message = {"type": "message", "id": str(uuid.uuid4()), "text": text}
        self._transport.send(WSMsgType.TEXT, json.dumps(message).encode())

    def close(self) -> None:
        """Hang up."""
        if self._transport is not None:
            self._transport.disconnect()


async def connect(url: str, heard: Callable[[Talker, float], None]) -> Talker:
    """A talker that hears what is said from now on. TimeoutError."""
    _, listener = await ws_connect(lambda: Talker(heard), url, websocket_handshake_timeout=OPEN_SECONDS)
    if not isinstance(listener, Talker):
        message = "expected a talker"
        raise TypeError(message)
    async with asyncio.timeout(OPEN_SECONDS):
        await listener.listening.wait()
    return listener

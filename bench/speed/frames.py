"""WebSocket frames in and out of the bridge, against a bare picows echo."""

import asyncio
import time
from collections.abc import Sequence

from picows import WSFrame, WSListener, WSMsgType, WSTransport, ws_connect

from bench.speed import turns
from bench.speed.ceilings import ceiling_process
from bench.speed.figures import Figure, middle
from bench.speed.workbench import Workbench

SOCKETS, WINDOW, ROUNDS = 8, 8, 3
PING = b'{"type":"ping","t":12345}'


class Pinger(WSListener):
    """Keeps WINDOW pings under way; counts the answers."""

    def __init__(self) -> None:
        super().__init__()
        self._transport: WSTransport | None = None
        self.answers = 0
        self.running = False

    def on_ws_connected(self, transport: WSTransport) -> None:
        """Keep the transport."""
        self._transport = transport

    def start(self) -> None:
        """Fill the window."""
        self.running, self.answers = True, 0
        if self._transport is not None:
            for _ in range(WINDOW):
                self._transport.send(WSMsgType.TEXT, PING)

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        """One more for each answer."""
        self.answers += 1
        if self.running:
            transport.send(WSMsgType.TEXT, PING)

    def close(self) -> None:
        """Hang up."""
        if self._transport is not None:
            self._transport.disconnect()


async def pinger(url: str) -> Pinger:
    """Connected."""
    _, listener = await ws_connect(Pinger, url)
    if not isinstance(listener, Pinger):
        message = "expected a pinger"
        raise TypeError(message)
    return listener


async def measure(pingers: Sequence[Pinger], seconds: float) -> float:
    """Frames in and out a second."""
    for item in pingers:
        item.start()
    began = time.perf_counter()
    await asyncio.sleep(seconds)
    frames = 2 * sum(item.answers for item in pingers) / (time.perf_counter() - began)
    for item in pingers:
        item.running = False
    await asyncio.sleep(0.1)
    return frames


async def figures(bench: Workbench, seconds: float) -> list[Figure]:
    """Both past Envoy, straight at the listeners, in turns."""
    await bench.publish(turns.NAME, turns.SCRIPT)
    token = await bench.visitor(turns.NAME)
    session = await bench.session(turns.NAME, token)
    direct = f"127.0.0.1:{bench.stack.ports['realtime']}"
    bridged: list[Pinger] = []
    for _ in range(SOCKETS):
        address = await bench.ticket(session, token)
        bridged.append(await pinger(address.replace(bench.url.removeprefix("http://"), direct)))
    ours: list[float] = []
    bare: list[float] = []
    async with ceiling_process("bench.speed.echo_frames") as port:
        echoes = [await pinger(f"ws://127.0.0.1:{port}/") for _ in range(SOCKETS)]
        for _ in range(ROUNDS):
            ours.append(await measure(bridged, seconds / ROUNDS))
            bare.append(await measure(echoes, seconds / ROUNDS))
    for item in (*bridged, *echoes):
        item.close()
    return [
        Figure("frames", "in and out of the bridge", middle(ours), "frames/s", ceiling=round(middle(bare), 1), aim=0.5)
    ]

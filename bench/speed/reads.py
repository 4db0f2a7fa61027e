"""REST reads through Envoy, against a bare grpc.aio echo behind an Envoy of the same configuration."""

import asyncio
import time
from typing import cast

from bench.speed import turns
from bench.speed.ceilings import ceiling_process, edge_of
from bench.speed.figures import Figure, middle, percentile
from bench.speed.workbench import Workbench

CONNECTIONS, ROUNDS = 64, 3


class Reader(asyncio.Protocol):
    """One connection that asks again as soon as it is answered. `times`: seconds of each request."""

    def __init__(self, request: bytes) -> None:
        self._request = request
        self._transport: asyncio.Transport | None = None
        self._missing = -1
        self._received = b""
        self._sent = 0.0
        self.times: list[float] = []
        self.refused = 0
        self.asking = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        self._transport = cast("asyncio.Transport", transport)

    def ask(self) -> None:
        """Send the request."""
        if self._transport is not None:
            self._sent = time.perf_counter()
            self._transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        """Count whole answers."""
        self._received += data
        head = self._received.find(b"\r\n\r\n")
        if head < 0:
            return
        length = int(self._received[:head].lower().partition(b"content-length:")[2].split(b"\r\n", 1)[0])
        if len(self._received) < head + 4 + length:
            return
        self.times.append(time.perf_counter() - self._sent)
        self.refused += not self._received.startswith(b"HTTP/1.1 200")
        self._received = b""
        if self.asking:
            self.ask()

    def close(self) -> None:
        """Hang up."""
        if self._transport is not None:
            self._transport.close()


async def measure(port: int, request: bytes, seconds: float) -> tuple[float, list[float]]:
    """Answers a second, and the seconds of each. RuntimeError when one was not 200."""
    loop = asyncio.get_running_loop()
    readers = [
        (await loop.create_connection(lambda: Reader(request), "127.0.0.1", port))[1] for _ in range(CONNECTIONS)
    ]
    began = time.perf_counter()
    for reader in readers:
        reader.asking = True
        reader.ask()
    await asyncio.sleep(seconds)
    lasted = time.perf_counter() - began
    times = [item for reader in readers for item in reader.times]
    for reader in readers:
        reader.asking = False
        reader.close()
    if any(reader.refused for reader in readers):
        message = "an answer was not 200"
        raise RuntimeError(message)
    return len(times) / lasted, times


async def figures(bench: Workbench, seconds: float) -> list[Figure]:
    """The two in turns, three rounds, medians."""
    await bench.publish(turns.NAME, turns.SCRIPT)
    token = await bench.visitor(turns.NAME)
    session = await bench.session(turns.NAME, token)
    path = f"/v1/{session}"
    lines = f"GET {path} HTTP/1.1\r\nhost: bench\r\nauthorization: Bearer {token}\r\n\r\n"
    request = lines.encode()
    read: list[float] = []
    bare: list[float] = []
    times: list[float] = []
    async with ceiling_process("bench.speed.echo_grpc") as echo, edge_of(bench, {"session": echo}) as ceiling:
        for port in (bench.stack.edge, ceiling):
            await measure(port, request, 1.0)
        for _ in range(ROUNDS):
            rate, taken = await measure(bench.stack.edge, request, seconds / ROUNDS)
            read.append(rate)
            times += taken
            bare.append((await measure(ceiling, request, seconds / ROUNDS))[0])
    return [
        Figure("reads", "GET a session", middle(read), "requests/s", ceiling=round(middle(bare), 1), aim=0.8),
        Figure("reads", "p99 of GET", percentile(times, 0.99) * 1000, "ms"),
    ]

"""What a connection does to a peer, seen at its socket."""

from types import SimpleNamespace
from typing import Any

import pytest

from gateway.realtime.connection import CLOSE_SLOW, Connection

pytestmark = pytest.mark.unit
LARGEST = 65_536


class Socket:
    """Holds what was sent; so many bytes wait."""

    def __init__(self, waiting: int) -> None:
        self.waiting = waiting
        self.pongs: list[bytes] = []
        self.codes: list[int] = []

    def pong(self, payload: bytes) -> int:
        self.pongs.append(payload)
        return self.waiting

    def close(self, code: int, reason: str) -> None:
        self.codes.append(code)


@pytest.mark.parametrize(("waiting", "codes"), [(LARGEST, []), (LARGEST + 1, [CLOSE_SLOW])])
def test_pings_whose_answers_pile_up_close(waiting: int, codes: list[int]) -> None:
    settings = SimpleNamespace(frames_per_minute=600, messages_per_minute=240, buffer_bytes=LARGEST)
    shared: Any = SimpleNamespace(settings=settings)
    socket: Any = Socket(waiting)
    connection = Connection(shared, socket, admit=lambda: pytest.fail("nobody is let in"))
    connection.on_ping(b"?")
    assert (socket.pongs, socket.codes) == ([b"?"], codes)

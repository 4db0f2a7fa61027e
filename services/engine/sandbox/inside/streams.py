"""What the code writes: read as it comes, kept up to a bound, the rest thrown away."""

import os

PIECE = 1 << 16
FLOOD = 16


class Stream:
    """The reading end of a pipe. kept: its first `most` bytes; total: all that came."""

    def __init__(self, descriptor: int, most: int) -> None:
        os.set_blocking(descriptor, False)
        self.descriptor = descriptor
        self.kept = bytearray()
        self.total = 0
        self._most = most

    @property
    def flooded(self) -> bool:
        """Whether so much came that no more should be read."""
        return self.total > self._most * FLOOD

    @property
    def truncated(self) -> bool:
        """Whether something was thrown away."""
        return self.total > len(self.kept)

    def read(self) -> bool:
        """What is there now, a piece of it; False when nothing will come any more."""
        try:
            piece = os.read(self.descriptor, PIECE)
        except BlockingIOError:
            return True
        self.total += len(piece)
        self.kept += piece[: self._most - len(self.kept)]
        return bool(piece)

    def drain(self) -> None:
        """The rest, once all writers are gone."""
        while not self.flooded and self.read():
            pass

"""Bodies that come compressed, taken apart within a bound: a small body may be a very large one."""

import zlib

GZIP_BITS = 31
GZIP_MARK = b"\x1f\x8b"
GZIP = frozenset({"gzip", "x-gzip"})
PLAIN = frozenset({"", "identity"})


class Gunzip:
    """A gzip stream, of one member or several, piece by piece."""

    def __init__(self) -> None:
        self._stream = zlib.decompressobj(GZIP_BITS)
        self._over = False

    def feed(self, piece: bytes, most: int) -> bytes:
        """What a piece becomes, at most so many bytes of it; the rest is lost. ValueError for what is not gzip."""
        out = bytearray()
        while piece and len(out) < most and not self._over:
            try:
                out += self._stream.decompress(piece, most - len(out))
            except zlib.error:
                message = "not gzip"
                raise ValueError(message) from None
            piece = self._stream.unconsumed_tail
            if self._stream.eof:
                piece = self._next_member()
        return bytes(out)

    def _next_member(self) -> bytes:
        rest = self._stream.unused_data
        if len(rest) < len(GZIP_MARK):  # zlib keeps it until the next piece tells
            return b""
        if not rest.startswith(GZIP_MARK):
            self._over = True  # padding, which readers of gzip ignore
            return b""
        self._stream = zlib.decompressobj(GZIP_BITS)
        return rest


def decoder(encoding: str) -> Gunzip | None:
    """What takes a Content-Encoding apart, None when nothing has to. ValueError for one that was not asked for."""
    name = encoding.strip().lower()
    if name in PLAIN:
        return None
    if name in GZIP:
        return Gunzip()
    message = "an encoding that was not asked for"
    raise ValueError(message)

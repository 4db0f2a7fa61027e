"""Ranges of bytes, cut into what is asked of the store and what goes into one event."""

from collections.abc import Iterator

from services.common.errors import OutOfRange

WINDOW_BYTES = 1024 * 1024
EVENT_BYTES = 256 * 1024


def end_of(offset: int, length: int, size: int) -> int:
    """The byte behind the last one wanted; a length of 0 means to the end. OutOfRange for an offset beyond the end."""
    if offset > size:
        raise OutOfRange(
            f"offset: expected at most {size}, the size of the file, got {offset}",
            metadata={"field": "offset", "size": str(size)},
        )
    return min(offset + length, size) if length else size


def pieces(start: int, end: int, step: int) -> Iterator[tuple[int, int]]:
    """(first byte, bytes) of each piece of [start, end), each `step` bytes but the last."""
    for first in range(start, end, step):
        yield first, min(step, end - first)

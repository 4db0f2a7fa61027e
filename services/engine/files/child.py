"""The process in which documents are worked on: asked on its input, answering on its output.

A frame is a length (8 bytes), a JSON text with {"$bytes": n} where bytes stand, and the bytes. No pickles: what a
hostile document does to this process must not reach the one that asked.
"""

import importlib
import json
import os
import struct
import sys
from typing import Any, BinaryIO

PLACES = ("services.engine.files.documents.", "services.engine.web.scraping", "services.engine.web.feeds")
LARGEST_FRAME = 256 * 1024 * 1024
LARGEST_SPACE = 2 * 1024**3
LARGEST_TEMPORARY = 128 * 1024 * 1024


def pack(value: object) -> bytes:
    """A value as a frame, without its length."""
    blobs: list[bytes] = []
    text = json.dumps(flattened(value, blobs)).encode()
    return b"".join([struct.pack("<Q", len(text)), text, *(struct.pack("<Q", len(blob)) + blob for blob in blobs)])


def flattened(value: object, blobs: list[bytes]) -> object:
    """The value with numbers of blobs where bytes were."""
    if isinstance(value, bytes):
        blobs.append(value)
        return {"$bytes": len(blobs) - 1}
    if isinstance(value, dict):
        return {"$object": {str(key): flattened(item, blobs) for key, item in value.items()}}
    return [flattened(item, blobs) for item in value] if isinstance(value, list | tuple) else value


def unpack(frame: bytes) -> Any:  # noqa: ANN401 - JSON with bytes in it
    """The value of a frame. ValueError, struct.error for what is none."""
    (length,) = struct.unpack_from("<Q", frame)
    position = 8 + length
    blobs = []
    while position < len(frame):
        (size,) = struct.unpack_from("<Q", frame, position)
        blobs.append(frame[position + 8 : position + 8 + size])
        position += 8 + size
    return restored(json.loads(frame[8 : 8 + length]), blobs)


def restored(value: Any, blobs: list[bytes]) -> Any:  # noqa: ANN401 - JSON
    """The value with its bytes."""
    if isinstance(value, dict):
        if "$bytes" in value:
            return blobs[value["$bytes"]]
        return {key: restored(item, blobs) for key, item in value["$object"].items()}
    return [restored(item, blobs) for item in value] if isinstance(value, list) else value


def answer(request: Any) -> dict[str, object]:  # noqa: ANN401 - JSON
    """What a function gives, or in words why not."""
    from services.engine.program.values import ProgramError  # noqa: PLC0415 - after the limits are set

    module, name, arguments = request
    if not module.startswith(PLACES):
        return {"error": "there is no such work"}
    try:
        return {"value": getattr(importlib.import_module(module), name)(*arguments)}
    except ProgramError as error:
        return {"error": str(error)}
    except MemoryError:
        return {"error": "the document needs too much memory"}
    except Exception as error:  # noqa: BLE001 - libraries raise anything for a damaged document
        return {"error": "the document is damaged, or of another kind than its name says", "cause": repr(error)[:300]}


def limit() -> None:
    """No more memory and no larger files than documents need; what is opened for reading is harmless."""
    try:
        import resource  # noqa: PLC0415 - there is none on Windows
    except ImportError:
        return
    resource.setrlimit(resource.RLIMIT_AS, (LARGEST_SPACE, LARGEST_SPACE))
    resource.setrlimit(resource.RLIMIT_FSIZE, (LARGEST_TEMPORARY, LARGEST_TEMPORARY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    os.nice(5)


def serve(asked: BinaryIO, told: BinaryIO) -> None:
    """Until the input ends: the engine is gone."""
    while len(head := asked.read(8)) == 8:
        (length,) = struct.unpack("<Q", head)
        if length > LARGEST_FRAME:
            return
        frame = pack(answer(unpack(asked.read(length))))
        told.write(struct.pack("<Q", len(frame)) + frame)
        told.flush()


if __name__ == "__main__":
    limit()
    channel = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what a library prints must not come between the frames
    serve(sys.stdin.buffer, channel)

"""The scratch folder: what is put in, how full it is, what comes out. Its owner is hostile: no link is followed."""

import contextlib
import os
import stat
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

DEEPEST = 16
NAME = "parley-sandbox-"
FLAGS = os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK


def fill(folder: str, files: Mapping[str, bytes], owner: tuple[int, int] | None) -> None:
    """Write files by relative path into an empty folder. owner: user and group they are given to."""
    for name, content in files.items():
        path = os.path.join(folder, name)  # noqa: PTH118 - pathlib would double the time to start
        parent = os.path.dirname(path)  # noqa: PTH120
        os.makedirs(parent, exist_ok=True)  # noqa: PTH103
        target = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        with open(target, "wb") as stream:  # noqa: PTH123
            stream.write(content)
    if owner:
        for root, _, names in os.walk(folder):
            os.chown(root, *owner)
            for name in names:
                os.chown(os.path.join(root, name), *owner)  # noqa: PTH118


@dataclass(slots=True)
class Found:
    """What came out. left_out: there was more than fits, deeper, or not readable."""

    files: dict[str, bytes] = field(default_factory=dict)
    left_out: bool = False


def collect(folder: str, before: Mapping[str, bytes], most_bytes: int, most_files: int) -> Found:
    """Regular files that are new or not as before, by relative path, as many as fit."""
    found = Found()
    room = most_bytes
    for name, descriptor, size in _regular(folder, found):
        old = before.get(name)
        if size > room + (len(old) if old is not None else 0):
            found.left_out = True
            continue
        content = _read(descriptor, size)
        if content == old:
            continue
        if len(content) > room or len(found.files) >= most_files:
            found.left_out = True
            continue
        found.files[name] = content
        room -= len(content)
    return found


def _regular(folder: str, found: Found) -> Iterator[tuple[str, int, int]]:
    """Name, open descriptor and size of each regular file; the descriptor is closed after its turn."""
    waiting = [""]
    while waiting:
        inside = waiting.pop()
        try:
            entries = sorted(os.listdir(os.path.join(folder, inside)))  # noqa: PTH118, PTH208
        except OSError:
            found.left_out = True
            continue
        for entry in entries:
            name = f"{inside}/{entry}" if inside else entry
            path = os.path.join(folder, name)  # noqa: PTH118
            kind = os.lstat(path).st_mode
            if stat.S_ISDIR(kind) and name.count("/") < DEEPEST:
                waiting.append(name)
            elif stat.S_ISREG(kind) and _writable_as_text(name):
                yield from _opened(name, path, found)
            elif not stat.S_ISLNK(kind):
                found.left_out = True


def _writable_as_text(name: str) -> bool:
    return name.isprintable()  # excludes what is no UTF-8: it arrives as surrogates


def _opened(name: str, path: str, found: Found) -> Iterator[tuple[str, int, int]]:
    try:
        descriptor = os.open(path, os.O_RDONLY | FLAGS)
    except OSError:
        found.left_out = True
        return
    try:
        yield name, descriptor, os.fstat(descriptor).st_size
    finally:
        os.close(descriptor)


def _read(descriptor: int, size: int) -> bytes:
    pieces = []
    while size > 0 and (piece := os.read(descriptor, min(size, 1 << 20))):
        pieces.append(piece)
        size -= len(piece)
    return b"".join(pieces)


def too_full(folder: str, most_bytes: int, most_files: int) -> bool:
    """Whether a folder without a bound of its own holds more than it may."""
    size = count = 0
    waiting = [folder]
    while waiting:
        with contextlib.suppress(OSError), os.scandir(waiting.pop()) as entries:
            for entry in entries:
                count += 1
                with contextlib.suppress(OSError):
                    size += entry.stat(follow_symlinks=False).st_blocks * 512
                    if entry.is_dir(follow_symlinks=False):
                        waiting.append(entry.path)
                if size > most_bytes or count > most_files:
                    return True
    return False


def make(room: str) -> str:
    """A new folder below `room`."""
    return tempfile.mkdtemp(prefix=NAME, dir=room)


def remove(folder: str) -> None:
    """With all that is in it, however deep."""
    subprocess.run(["/bin/chmod", "-R", "u+rwx", folder], check=False, capture_output=True)  # noqa: S603
    subprocess.run(["/bin/rm", "-rf", "--", folder], check=False, capture_output=True)  # noqa: S603

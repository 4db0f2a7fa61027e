"""ZIP archives: what comes out of one is no more, no larger and nowhere else than it may be."""

import io
import stat
import zipfile
import zlib
from collections.abc import Iterator

from services.engine.files.paths import clean_path
from services.engine.program.values import ProgramError

MOST_ENTRIES = 1_000
LARGEST_ENTRY = 32 * 1024 * 1024
LARGEST_TOTAL = 100 * 1024 * 1024
# Text is packed ten times, a table of zeros a thousand times: what is packed more is there to fill memory.
HIGHEST_RATIO = 200
SMALL = 1024 * 1024
PIECE = 65_536
ENCRYPTED = 0x1
BROKEN = (zipfile.BadZipFile, zlib.error, NotImplementedError, EOFError, OSError, RuntimeError, ValueError)
EPOCH = (1980, 1, 1, 0, 0, 0)


def compress(names: list[str], contents: list[bytes]) -> bytes:
    """An archive of files: the same for the same files. ProgramError for two of one name."""
    out = io.BytesIO()
    taken: set[str] = set()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in zip(names, contents, strict=True):
            refuse_twice(name, taken)
            archive.writestr(zipfile.ZipInfo(name, EPOCH), content, zipfile.ZIP_DEFLATED)
    return out.getvalue()


def extract(content: bytes) -> list[list[object]]:
    """[path, bytes] of each file. Archives in it stay archives. ProgramError for what is refused."""
    found: list[list[object]] = []
    with opened(content) as archive:
        total, taken = 0, set[str]()
        for entry in files_of(archive):
            path = clean_path(entry.filename)
            refuse_twice(path, taken)
            data = unpacked(archive, entry)
            total += len(data)
            if total > LARGEST_TOTAL:
                raise too_large()
            found.append([path, data])
    return found


def check_zip(content: bytes) -> None:
    """ProgramError for an archive that says of itself that it is too large: documents are archives too."""
    with opened(content) as archive:
        total = 0
        for entry in files_of(archive):
            total += entry.file_size
            refuse_bomb(entry)
        if total > LARGEST_TOTAL:
            raise too_large()


def opened(content: bytes) -> zipfile.ZipFile:
    """An archive. ProgramError when it is none."""
    try:
        return zipfile.ZipFile(io.BytesIO(content))
    except BROKEN:
        message = "this is no ZIP archive, or a damaged one"
        raise ProgramError(message) from None


def files_of(archive: zipfile.ZipFile) -> Iterator[zipfile.ZipInfo]:
    """Entries that are plain files. ProgramError for links, secrets and too many."""
    entries = archive.infolist()
    if len(entries) > MOST_ENTRIES:
        message = f"the archive has {len(entries):,} entries; {MOST_ENTRIES:,} at most"
        raise ProgramError(message)
    for entry in entries:
        if entry.flag_bits & ENCRYPTED:
            message = "the archive is protected with a password; such archives cannot be opened"
            raise ProgramError(message)
        kind = stat.S_IFMT(entry.external_attr >> 16)
        if kind not in {0, stat.S_IFREG, stat.S_IFDIR}:
            message = f"the archive has a link or a device in it ({entry.filename[:60]!r}); only files are taken out"
            raise ProgramError(message)
        if not entry.is_dir():
            yield entry


def unpacked(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> bytes:
    """The bytes of an entry, whatever it says of its size. ProgramError."""
    refuse_bomb(entry)
    data = bytearray()
    try:
        with archive.open(entry) as source:
            while piece := source.read(PIECE):
                data += piece
                if len(data) > LARGEST_ENTRY:
                    raise too_large()
    except BROKEN:
        message = f"{entry.filename[:60]!r} in the archive is damaged, or packed in an unusual way"
        raise ProgramError(message) from None
    return bytes(data)


def refuse_bomb(entry: zipfile.ZipInfo) -> None:
    """ProgramError for an entry that grows beyond measure."""
    if entry.file_size > LARGEST_ENTRY:
        raise too_large()
    if entry.file_size > SMALL and entry.file_size > HIGHEST_RATIO * max(entry.compress_size, 1):
        message = f"{entry.filename[:60]!r} in the archive grows more than {HIGHEST_RATIO} times: it is not taken out"
        raise ProgramError(message)


def refuse_twice(name: str, taken: set[str]) -> None:
    """ProgramError for a name that is there already, also in other capitals."""
    if name.casefold() in taken:
        message = f"two files of the archive are named {name[:60]!r}"
        raise ProgramError(message)
    taken.add(name.casefold())


def too_large() -> ProgramError:
    """Beyond the limits."""
    entry, total = LARGEST_ENTRY // 1024**2, LARGEST_TOTAL // 1024**2
    return ProgramError(f"the archive is too large: {entry} MB a file, {total} MB together at most")

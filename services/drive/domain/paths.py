"""Paths of files: what is refused, and one spelling for what looks the same."""

import unicodedata
from uuid import UUID

from services.common.errors import InvalidArgument

LONGEST = 512
UPLOADS = "uploads"
# Control characters, surrogates, line and paragraph separators: a path is one line of text.
REFUSED = frozenset({"Cc", "Cs", "Zl", "Zp"})
# Characters that turn the direction of writing make "exe.jpg" of "gpj.exe".
TURNING = frozenset("\u200e\u200f\u061c\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
LAST_CHARACTER = "\U0010ffff"


def clean_path(path: str, field: str = "path", longest: int = LONGEST) -> str:
    """The path in NFC. InvalidArgument that names `field` when it is empty, leads elsewhere, or is no line of text."""
    clean = unicodedata.normalize("NFC", path)
    if not clean or len(clean) > longest:
        raise InvalidArgument.field(field, f"1 to {longest} characters", f"{len(clean)} characters")
    if not printable(clean):
        raise InvalidArgument.field(field, "text without control characters or backslashes", clean)
    if any(segment in {".", ".."} or not segment.strip() for segment in clean.split("/")):
        raise InvalidArgument.field(field, 'a path such as "invoices/2026/07.pdf", no empty or dotted segments', clean)
    return clean


def clean_prefix(prefix: str) -> str:
    """The beginning of paths, in NFC; it may end anywhere. InvalidArgument for what no path can begin with."""
    clean = unicodedata.normalize("NFC", prefix)
    if not printable(clean) or clean.startswith("/"):
        raise InvalidArgument.field("prefix", 'the beginning of a path, such as "invoices/"', clean)
    return clean


def upload_path(identifier: UUID, file_name: str) -> str:
    """Where an upload is kept: "uploads/<file id>/<file name>". InvalidArgument that names file_name."""
    folder = f"{UPLOADS}/{identifier}/"
    return folder + clean_path(file_name, "file_name", LONGEST - len(folder))


def name_of(path: str) -> str:
    """The last segment."""
    return path.rpartition("/")[2]


def printable(text: str) -> bool:
    """Whether it is one line that shows what it is."""
    return not any(
        character == "\\"
        or character in TURNING
        or unicodedata.category(character) in REFUSED
        or is_noncharacter(ord(character))
        for character in text
    )


def is_noncharacter(point: int) -> bool:
    """Code points that never stand for anything; the last of them ends the range of a prefix."""
    return point & 0xFFFE == 0xFFFE or 0xFDD0 <= point <= 0xFDEF

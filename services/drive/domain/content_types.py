"""MIME types: which are taken, and which are given back as they are."""

import re
from urllib.parse import quote

from services.common.errors import InvalidArgument

UNKNOWN = "application/octet-stream"
LONGEST = 255
TOKEN = r"[a-z0-9!#$&^_.+-]{1,127}"
PARAMETER = r"; *[A-Za-z0-9!#$&^_.+-]{1,64}=(?:[A-Za-z0-9!#$&^_.+:-]{1,127}|\"[^\"\\\x00-\x1f\x7f-\U0010ffff]{0,127}\")"
SHAPE = re.compile(rf"({TOKEN}/{TOKEN})((?: *{PARAMETER})*)")
# A browser runs nothing of these, whatever is in them. What is not listed could be a page with a script in it.
HARMLESS = frozenset(
    {
        "application/gzip", "application/json", "application/msword", "application/pdf", "application/rtf",
        "application/vnd.ms-excel", "application/vnd.ms-powerpoint", "application/zip",
        "image/avif", "image/bmp", "image/gif", "image/heic", "image/heif", "image/jpeg", "image/png", "image/tiff",
        "image/webp", "text/csv", "text/markdown", "text/plain",
    }
)  # fmt: skip
HARMLESS_BEGINNINGS = (
    "audio/",
    "video/",
    "application/vnd.openxmlformats-officedocument.",
    "application/vnd.oasis.opendocument.",
)


def clean_content_type(content_type: str) -> str:
    """type/subtype in small letters, parameters kept; "application/octet-stream" when empty. InvalidArgument."""
    if not content_type.strip():
        return UNKNOWN
    essence, semicolon, parameters = content_type.strip().partition(";")
    clean = essence.strip().lower() + (f"{semicolon}{parameters}".rstrip() if parameters.strip() else "")
    if len(clean) > LONGEST or SHAPE.fullmatch(clean) is None:
        raise InvalidArgument.field("content_type", 'a MIME type such as "image/png"', content_type)
    return clean


def served_type(content_type: str) -> str:
    """What a browser is told: the type when a browser runs nothing of it, else "application/octet-stream"."""
    essence = content_type.partition(";")[0].strip()
    harmless = essence in HARMLESS or essence.startswith(HARMLESS_BEGINNINGS)
    return content_type if harmless and not essence.endswith(("+xml", "+html")) else UNKNOWN


def attachment(name: str) -> str:
    """A Content-Disposition that saves under `name` (RFC 6266): plain letters for old readers, all for the others."""
    plain = "".join(character if is_plain(character) else "_" for character in name)
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"


def is_plain(character: str) -> bool:
    """Whether a character may stand in a quoted string without being escaped, and is not taken for an escape."""
    return " " <= character <= "~" and character not in '"\\%'

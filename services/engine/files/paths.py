"""Paths as scripts write them: always below the bot's own folder, whatever is tried."""

import re
import unicodedata
from urllib.parse import unquote

from services.engine.program.values import ProgramError, Value, text_of

LONGEST = 400
LONGEST_SEGMENT = 200
ATTACHMENT = re.compile(r"files/[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")
PACKAGE_FOLDER = re.compile(r"[^/]*\.gbdrive/", re.IGNORECASE)
REFUSED = frozenset({"Cc", "Cs", "Co", "Cn", "Zl", "Zp"})
# Characters that turn the direction of writing make "exe.jpg" of "gpj.exe".
TURNING = frozenset("\u200e\u200f\u061c\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def clean_path(path: Value) -> str:
    """The path of a file, relative to the bot's drive, or "files/{uuid}". ProgramError when it leads elsewhere."""
    text = checked(path)
    if not text or text.endswith("/"):
        raise refused(path, "a file's name is missing at its end")
    return text


def clean_folder(path: Value) -> str:
    """The path of a folder without its last slash, "" for the top. ProgramError when it leads elsewhere."""
    text = text_of(path).strip()
    return "" if text in {"", "/", ".", "./"} else checked(text).rstrip("/")


def checked(path: Value) -> str:
    """The path in one spelling. ProgramError."""
    if not isinstance(path, str):
        message = f'expected the path of a file such as "reports/july.pdf", got {text_of(path)[:40]!r}'
        raise ProgramError(message)
    text = unicodedata.normalize("NFC", path.strip())
    if len(text) > LONGEST or any(len(segment) > LONGEST_SEGMENT for segment in text.split("/")):
        raise refused(path, f"a path has {LONGEST} characters at most, each part {LONGEST_SEGMENT}")
    for reading in (text, unquote(text), unicodedata.normalize("NFKC", text)):
        refuse_elsewhere(path, reading)
    if unicodedata.normalize("NFKC", text).count("/") != text.count("/"):
        raise refused(path, "it has a character that only looks like a slash")
    return PACKAGE_FOLDER.sub("", text, count=1) if PACKAGE_FOLDER.match(text) else text


def refuse_elsewhere(path: str, reading: str) -> None:
    """ProgramError when the path, read this way, leads out of the drive or is no line of text."""
    if any(unicodedata.category(sign) in REFUSED or sign in TURNING for sign in reading):
        raise refused(path, "it has characters that cannot be seen")
    if reading.startswith("/") or "\\" in reading or SCHEME.match(reading):
        raise refused(path, "it begins at the top of the bot's drive, without a slash, a drive letter or an address")
    segments = [visible(segment) for segment in reading.removesuffix("/").split("/")]
    if any(segment in {"", ".", ".."} for segment in segments):
        raise refused(path, "it must not be empty or have empty or dotted parts such as ..")


def visible(segment: str) -> str:
    """What can be seen of a part of a path."""
    return "".join(sign for sign in segment if unicodedata.category(sign) != "Cf").strip()


def refused(path: Value, why: str) -> ProgramError:
    """In words for the author."""
    return ProgramError(f"{text_of(path)[:80]!r} is no path in the bot's drive: {why}")


def is_attachment(path: str) -> bool:
    """Whether it names a file the person sent."""
    return ATTACHMENT.fullmatch(path) is not None


def name_of(path: str) -> str:
    """The last part."""
    return path.rpartition("/")[2]


def ending_of(path: str) -> str:
    """What stands behind the last dot of the name, in small letters: "pdf"; empty without one."""
    name = name_of(path)
    return name.rpartition(".")[2].lower() if "." in name else ""


def with_ending(path: str, ending: str) -> str:
    """The path with another ending."""
    folder, slash, name = path.rpartition("/")
    stem = name.rpartition(".")[0] or name
    return f"{folder}{slash}{stem}.{ending}"

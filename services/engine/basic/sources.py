"""Scripts as files: what cannot be read as text is said like any other mistake."""

from dataclasses import dataclass, field
from pathlib import Path

from services.engine.basic.compiler import LARGEST_SCRIPT
from services.engine.basic.diagnostics import Diagnostic

OLDER = "cp1252"
"""What editors of Windows wrote before UTF-8."""


@dataclass(frozen=True, slots=True)
class Source:
    """A file's text; None when it is none, and then a diagnostic says why."""

    text: str | None
    diagnostics: list[Diagnostic] = field(default_factory=list)


def read_source(path: Path, shown: str) -> Source:
    """The text of a file of at most 1 MiB, whatever it holds; `shown`: its name in diagnostics."""
    try:
        if path.stat().st_size > LARGEST_SCRIPT:
            return refused(shown, "BAS100", "a script is at most 1 MiB")
        raw = path.read_bytes()
    except OSError as error:
        return refused(shown, "BAS101", f"this file cannot be read: {error.strerror or 'unknown reason'}")
    return decoded(raw, shown)


def decoded(raw: bytes, shown: str) -> Source:
    """Bytes as text: UTF-8, UTF-16 with its mark, or with a warning what older editors of Windows wrote."""
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        return Source(raw.decode("utf-16", errors="replace"))
    if b"\0" in raw:
        return refused(shown, "BAS101", "this file is no text", "a script is a text file in UTF-8")
    try:
        return Source(raw.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        column = error.start - (raw.rfind(b"\n", 0, error.start) + 1) + 1
        words = "this file is not UTF-8; it is read as Windows-1252"
        warning = Diagnostic(shown, line, column, "warning", "BAS108", words, "save it as UTF-8")
        return Source(raw.decode(OLDER, errors="replace"), [warning])


def refused(shown: str, code: str, message: str, suggestion: str = "") -> Source:
    """No text, and why."""
    return Source(None, [Diagnostic(shown, 1, 1, "error", code, message, suggestion)])

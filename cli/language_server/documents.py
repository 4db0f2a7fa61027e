"""Open texts and the package around them, in the terms of the protocol: lines from 0, columns in UTF-16 units."""

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote, urlsplit

from lsprotocol import types

from services.engine.basic.compiler import compile_basic
from services.engine.basic.diagnostics import Diagnostic
from services.engine.basic.outline import TABLE, Outline, Place, outline
from services.engine.basic.packages import home_of, scripts_of, text_of

SEVERITIES = {"error": types.DiagnosticSeverity.Error, "warning": types.DiagnosticSeverity.Warning}
MOST_KNOWN = 64


def path_of(uri: str) -> Path | None:
    """The file of an address; None when it is none."""
    parts = urlsplit(uri)
    return Path(unquote(parts.path)) if parts.scheme == "file" else None


def units(text: str) -> int:
    """Length as the protocol counts."""
    return len(text.encode("utf-16-le")) // 2


def column_of(line: str, character: int) -> int:
    """A column that counts from 1 in characters, of one that counts from 0 in UTF-16 units."""
    return len(line.encode("utf-16-le")[: character * 2].decode("utf-16-le", errors="ignore")) + 1


def position(lines: list[str], line: int, column: int) -> types.Position:
    """A place of ours as the protocol's."""
    text = lines[line - 1] if 1 <= line <= len(lines) else ""
    return types.Position(max(0, line - 1), units(text[: max(0, column - 1)]))


def extent(lines: list[str], place: Place) -> types.Range:
    """A name."""
    begin = position(lines, place.line, place.column)
    return types.Range(begin, position(lines, place.line, place.column + len(place.text)))


class Documents:
    """Outlines of texts, made once for each text."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[str, Outline]] = {}

    def outline(self, uri: str, text: str) -> Outline:
        """The names of a text."""
        known = self._known.pop(uri, None)
        if known is None or known[0] != text:
            known = (text, outline(text))
        self._known[uri] = known
        while len(self._known) > MOST_KNOWN:
            self._known.pop(next(iter(self._known)))
        return known[1]

    def forget(self, uri: str) -> None:
        """A text was closed."""
        self._known.pop(uri, None)


def siblings(uri: str) -> dict[str, Path]:
    """Scripts of the package by name."""
    path = path_of(uri)
    if path is None:
        return {}
    return {name: file for name, file in scripts_of(home_of(path)).items() if file is not None}


def tables_around(uri: str, made: Outline) -> set[str]:
    """Names of the tables that the package describes."""
    found = {item.name for item in made.definitions if item.kind == TABLE}
    for file in siblings(uri).values():
        text = text_of(file) or ""
        if "TABLE" in text.upper():
            found |= {item.name for item in outline(text).definitions if item.kind == TABLE}
    return found


def diagnostics(uri: str, text: str) -> Iterator[types.Diagnostic]:
    """What is wrong with a text, in its package."""
    others = siblings(uri)
    path = path_of(uri)
    found = compile_basic(text, path.name if path else "script.bas", lambda name: text_of(others.get(name)))
    lines = text.split("\n")
    for item in found.diagnostics:
        yield types.Diagnostic(
            range=underlined(lines, item),
            message=item.message + (f"; {item.suggestion}" if item.suggestion else ""),
            severity=SEVERITIES[item.severity],
            code=item.code,
            source="parley",
        )


def underlined(lines: list[str], item: Diagnostic) -> types.Range:
    """From the place to the end of its word; at least one character."""
    line = lines[item.line - 1] if 1 <= item.line <= len(lines) else ""
    end = item.column
    while end <= len(line) and (line[end - 1].isalnum() or line[end - 1] == "_"):
        end += 1
    return types.Range(position(lines, item.line, item.column), position(lines, item.line, max(end, item.column + 1)))

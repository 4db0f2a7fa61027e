"""What is said of a script: place, code, words, and what was probably meant."""

import difflib
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """line and column count from 1; severity is "error" or "warning"."""

    file: str
    line: int
    column: int
    severity: str
    code: str
    message: str
    suggestion: str = ""


class ScriptError(Exception):
    """One place where a script is wrong; the parser recovers at the next line."""

    def __init__(self, code: str, message: str, line: int, column: int, suggestion: str = "") -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.line = line
        self.column = column
        self.suggestion = suggestion


def closest(word: str, known: Iterable[str], cutoff: float = 0.75) -> str:
    """ "did you mean ...?" or nothing."""
    found = difflib.get_close_matches(word.upper(), list(known), n=1, cutoff=cutoff)
    return f"did you mean {found[0]}?" if found else ""

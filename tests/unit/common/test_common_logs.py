"""Logs on a full disk."""

import io

import pytest

from services.common.telemetry.logs import Lossy

pytestmark = pytest.mark.unit


class Full(io.StringIO):
    def write(self, text: str) -> int:
        raise OSError(28, "No space left on device")

    def flush(self) -> None:
        raise OSError(28, "No space left on device")


def test_a_line_that_cannot_be_written_fails_nobody() -> None:
    stream = Lossy(Full())
    assert stream.write("line\n") == 5
    stream.flush()


def test_other_lines_are_written() -> None:
    kept = io.StringIO()
    stream = Lossy(kept)
    stream.write("line\n")
    stream.flush()
    assert kept.getvalue() == "line\n"

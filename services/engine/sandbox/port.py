"""The sandbox as keywords see it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from services.engine.program.values import Value

MEGABYTE = 1 << 20


class Language(StrEnum):
    """What code may be written in."""

    PYTHON = "python"
    JAVASCRIPT = "javascript"
    BASH = "bash"


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Bounds of one run, over all of its processes unless said otherwise."""

    seconds: float = 30.0
    cpu_seconds: float = 15.0
    memory_bytes: int = 256 * MEGABYTE
    processes: int = 64
    open_files: int = 128  # of each process
    output_bytes: int = 256 * 1024  # of what is printed, and of what is printed as errors
    result_bytes: int = MEGABYTE
    scratch_bytes: int = 64 * MEGABYTE
    scratch_files: int = 1024
    returned_bytes: int = 16 * MEGABYTE  # of files that come back
    returned_files: int = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """Code and what it gets.

    input: the variable `input` (for Bash its JSON text); files: by relative path, put into the scratch folder, which
    is the current one; folders: more names of the scratch folder, such as "/data".
    """

    language: Language
    code: str
    input: Value = None
    files: Mapping[str, bytes] = field(default_factory=dict)
    limits: Limits = field(default_factory=Limits)
    folders: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What came of it.

    output: what was printed; truncated: not all of it is here; result: what the code assigned to `result`, else the
    last line printed if it is JSON, else None; status: exit status, negative for the signal that ended it; error: in
    plain words, empty when all went well; seconds: wall time; files: new and changed ones by relative path;
    files_left_out: there were more than the limits let through.
    """

    output: str
    truncated: bool
    result: Value
    status: int
    error: str
    seconds: float
    files: Mapping[str, bytes]
    files_left_out: bool = False


class Sandbox(Protocol):
    """Runs code that nobody trusts."""

    async def run(self, job: Job) -> Outcome:
        """Run it to its end or its limits; no process of it is left afterwards.

        ProgramError when this installation cannot run it safely, and for code or files that are too large or wrongly
        named. Unavailable when all places are taken for longer than the wait allows.
        """

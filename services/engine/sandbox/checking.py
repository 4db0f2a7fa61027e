"""What a job may bring along."""

from services.engine.program.values import ProgramError
from services.engine.sandbox.port import MEGABYTE, Job

LARGEST_CODE = MEGABYTE
LARGEST_FILES = 16 * MEGABYTE
MOST_FILES = 64
LONGEST_PART, DEEPEST_PATH = 100, 8


def check(job: Job) -> None:
    """ProgramError for code or files that are too large or wrongly named."""
    if len(job.code) > LARGEST_CODE:
        message = "the code is larger than a megabyte"
        raise ProgramError(message)
    if "\0" in job.code:
        message = "the code contains a zero character"
        raise ProgramError(message)
    if len(job.files) > MOST_FILES or sum(map(len, job.files.values())) > LARGEST_FILES:
        message = f"code may get {MOST_FILES} files of {LARGEST_FILES // MEGABYTE} MB together"
        raise ProgramError(message)
    for name in job.files:
        _check_name(name)
    for folder in job.folders:
        if not (folder.startswith("/") and _plain(folder[1:])):
            message = f'"{folder}" cannot be a name of the scratch folder: expected one such as "/data"'
            raise ProgramError(message)


def _check_name(name: str) -> None:
    parts = name.split("/")
    if len(parts) > DEEPEST_PATH or not all(_plain(part) for part in parts):
        message = f'"{name[:80]}" cannot be the name of a file for code: expected a relative path such as "data/a.csv"'
        raise ProgramError(message)


def _plain(part: str) -> bool:
    """Whether it is one step downwards and nothing else."""
    small = 0 < len(part.encode(errors="replace")) <= LONGEST_PART
    return small and part not in {".", ".."} and part.isprintable() and "/" not in part and "\\" not in part

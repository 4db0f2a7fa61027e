"""From what the launcher reports to what a script's author reads."""

import json
import signal
from typing import Any

from services.engine.program.values import ProgramError, Value, owned
from services.engine.sandbox.inside.order import Report
from services.engine.sandbox.port import MEGABYTE, Limits, Outcome

LONGEST_LINE = 400


def outcome_of(report: Report, limits: Limits, *, plain_result: bool) -> Outcome:
    """In plain words. plain_result: the result is text, read as JSON if it is."""
    output = report.output.decode(errors="replace")
    said = {"result": _lenient(report.result)} if plain_result and report.result else _document(report.result)
    result, flaw = _owned(said["result"] if "result" in said else _last_printed(output, report))
    return Outcome(
        output=output,
        truncated=report.truncated,
        result=result,
        status=report.status,
        error=_error(report, said, limits) or flaw,
        seconds=report.seconds,
        files=report.files,
        files_left_out=report.files_left_out,
    )


def _document(text: bytes) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _lenient(text: bytes) -> Value:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text.decode(errors="replace")


def _last_printed(output: str, report: Report) -> Value:
    """The last line as a value, if it is one."""
    lines = output.rstrip().rsplit("\n", 1)
    if report.truncated or not lines[-1]:
        return None
    try:
        return json.loads(lines[-1])
    except (ValueError, RecursionError):
        return None


def _owned(value: Value) -> tuple[Value, str]:
    """The value if a conversation can hold it, else why not."""
    try:
        return owned(value), ""
    except (ProgramError, RecursionError) as error:
        return None, f"the result cannot be kept: {error}"


def _error(report: Report, said: dict[str, Any], limits: Limits) -> str:
    memory = f"the code needed more than {limits.memory_bytes // MEGABYTE} MB of memory"
    stopped = {
        "time": f"the code ran longer than {limits.seconds:g} seconds",
        "cpu": f"the code computed for more than {limits.cpu_seconds:g} seconds",
        "memory": memory,
        "processes": f"the code started more than {limits.processes} processes",
        "output": f"the code wrote far more than {limits.output_bytes // 1024} KB of output",
        "scratch": f"the code wrote more than {limits.scratch_bytes // MEGABYTE} MB of files",
    }
    errors = report.errors.decode(errors="replace")
    own = str(said.get("error") or "")[:LONGEST_LINE]
    if report.stopped:
        return stopped[report.stopped]
    if report.status == 0 and not own:
        return "the result is larger than a megabyte" if report.result_too_large else ""
    if "MemoryError" in own or "MemoryError" in errors or "out of memory" in errors:
        return memory
    return own or _last_words(errors) or _ending(report.status)


def _last_words(errors: str) -> str:
    lines = errors.strip().splitlines()
    return lines[-1][:LONGEST_LINE] if lines else ""


def _ending(status: int) -> str:
    if status >= 0:
        return f"the code ended with status {status}"
    try:
        name = signal.Signals(-status).name
    except ValueError:
        name = str(-status)
    return f"the code crashed ({name})"

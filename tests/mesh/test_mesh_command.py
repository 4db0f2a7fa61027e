"""The command itself, as a newcomer uses it: processes of the system, a real stack, real signals."""

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from cli.stack.layout import ROOT, Layout, unused_port
from cli.stack.servers import Postgres
from tests.waiting import until

pytestmark = [pytest.mark.mesh, pytest.mark.timeout(240)]

Parley = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("command")
    folder.chmod(0o755)
    return folder / "stack"


@pytest.fixture(scope="module")
def port() -> int:
    return unused_port(set())


@pytest.fixture(scope="module")
def parley(data: Path, port: int) -> Iterator[Parley]:
    """Runs the command on the stack's folder, from another folder than the checkout's."""

    def run(*arguments: str, typed: str = "") -> "subprocess.CompletedProcess[str]":
        command = [sys.executable, "-m", "cli", *arguments, "--data", str(data)]
        environment = {**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'build' / 'stubs'}"}
        return subprocess.run(
            command, input=typed, capture_output=True, text=True, timeout=150, check=False, env=environment, cwd="/"
        )

    started = run("up", "--detach", "--port", str(port))
    assert started.returncode == 0, started.stdout + started.stderr
    assert f"http://127.0.0.1:{port}/" in started.stdout
    assert "One-time password" in started.stdout
    yield run
    run("down")
    run("reset", "--yes")


def processes(data: Path) -> dict[str, int]:
    state = Layout(data).read_state()
    assert state is not None
    return {item["name"]: item["pid"] for item in state["components"]}


def status(parley: Parley) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(parley("status", "--json").stdout)
    return found


def test_status_shows_every_process(parley: Parley) -> None:
    found = status(parley)
    assert found["healthy"] is True
    names = {item["name"] for item in found["services"]}
    assert names >= {"session", "engine", "llm", "kb", "channels", "drive", "realtime", "web"}
    assert names >= {"postgres", "nats", "valkey", "s3", "envoy"}
    for item in found["services"]:
        assert set(item) >= {"name", "state", "pid", "port", "rss_mb"}
        assert item["state"] == "ready"
        assert item["rss_mb"] > 0


def test_a_second_stack_in_the_folder_is_refused(parley: Parley) -> None:
    again = parley("up", "--port", str(unused_port(set())))
    assert again.returncode == 1
    assert "already runs" in again.stderr
    assert "./parley down" in again.stderr


def test_a_piped_conversation(parley: Parley) -> None:
    said = parley("chat", typed="Ana\nWhat is Parley?\n")
    assert said.returncode == 0, said.stderr
    assert said.stdout.count("bot> ") >= 3
    assert "Ana" in said.stdout.partition("you> Ana")[2]


def test_a_reply_that_does_not_come_is_an_error(parley: Parley, data: Path) -> None:
    engine = processes(data)["engine"]
    os.kill(engine, signal.SIGSTOP)
    try:
        said = parley("chat", "--timeout", "1.5", typed="hello\n")
    finally:
        os.kill(engine, signal.SIGCONT)
    assert said.returncode == 1
    assert "no reply within 1.5 s" in said.stderr


def test_an_unknown_bot_is_an_error(parley: Parley) -> None:
    said = parley("chat", "--bot", "nobody-here", typed="hello\n")
    assert said.returncode == 1
    assert "bots/nobody-here" in said.stderr


TAMPER = "UPDATE session.audit_log SET actor = 'users/somebody-else' WHERE seq = 1 RETURNING seq"


async def test_the_audit_log_is_checked(parley: Parley, data: Path) -> None:
    said = parley("audit")
    assert said.returncode == 0, said.stderr
    assert "default" in said.stdout
    assert "whole" in said.stdout
    layout = Layout(data)
    state = layout.read_state()
    assert state is not None
    port = next(item["port"] for item in state["components"] if item["name"] == "postgres")
    assert await Postgres(layout, layout.secrets(), port).value(TAMPER) == 1
    broken = parley("audit", "--json")
    assert broken.returncode == 1
    assert [(log["slug"], log["broken"]) for log in json.loads(broken.stdout)] == [("default", 1)]


async def test_what_is_killed_comes_back(parley: Parley, data: Path) -> None:
    before = processes(data)
    for name in ("session", "nats", "envoy"):
        os.kill(before[name], signal.SIGKILL)

    async def back() -> bool:
        found = status(parley)
        return bool(found["healthy"]) and all(processes(data)[name] != before[name] for name in ("session", "nats"))

    await until(back, seconds=60)
    assert parley("chat", typed="Ana\n").returncode == 0


async def test_everything_goes_with_its_supervisor_and_nothing_is_lost(parley: Parley, data: Path, port: int) -> None:
    token = data / "chat-visitor.json"
    opened = parley("chat", typed="Grace\n")
    assert "Grace" in opened.stdout
    assert token.exists()
    state = Layout(data).read_state()
    assert state is not None
    ours = [psutil.Process(pid) for pid in processes(data).values()]
    os.kill(state["pid"], signal.SIGKILL)

    async def gone() -> bool:
        return not any(item.is_running() and item.status() != psutil.STATUS_ZOMBIE for item in ours)

    await until(gone, seconds=30)
    assert status(parley) == {"healthy": False, "services": []}
    started = parley("up", "--detach", "--port", str(port))
    assert started.returncode == 0, started.stdout + started.stderr
    assert "One-time password" not in started.stdout
    session = re.search(r"sessions/[0-9a-f-]{36}", opened.stderr)
    assert session is not None
    again = parley("chat", "--session", session[0])
    assert again.returncode == 0, again.stderr
    assert "Grace" in again.stdout

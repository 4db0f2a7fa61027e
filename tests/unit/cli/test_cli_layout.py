"""The folder of a stack: what it keeps, and what it says when it cannot be used."""

import importlib.util
import os
import shutil
import socket
import stat
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from cli.failure import Failure
from cli.stack import layout as module
from cli.stack import servers
from cli.stack.layout import Layout, free_port, holder_of, unused_port
from cli.stack.services import instances, origins, replica_ports
from cli.stack.stack import Stack

pytestmark = pytest.mark.unit


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    made = Layout(tmp_path / "stack")
    made.prepare()
    return made


@pytest.fixture
def taken() -> Iterator[int]:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        yield holder.getsockname()[1]


def test_a_folder_of_another_version_is_left_alone(layout: Layout) -> None:
    (layout.data / "version").write_text("99\n")
    with pytest.raises(Failure, match=r"data version 99; this is version 1\n.*--data"):
        layout.prepare()
    assert (layout.data / "version").read_text() == "99\n"


def test_a_full_disk_is_said_before_anything_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module.shutil, "disk_usage", lambda _: SimpleNamespace(free=100 * 2**20))
    with pytest.raises(Failure, match="only 100 MiB are free"):
        Layout(tmp_path / "stack").prepare()
    assert not (tmp_path / "stack" / "version").exists()


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(Failure, match=r"file/stack cannot be made: Not a directory"):
        Layout(tmp_path / "file" / "stack").prepare()


def test_secrets_are_made_once_and_for_the_owner_only(layout: Layout) -> None:
    first = layout.secrets()
    assert layout.secrets() == first
    assert stat.S_IMODE((layout.data / "secrets.json").stat().st_mode) == 0o600
    assert len(set(first.values())) == len(first)
    other = Layout(layout.data.parent / "other")
    other.prepare()
    assert not set(other.secrets().values()) & set(first.values())


def test_ports_are_kept_and_a_taken_one_is_replaced(layout: Layout) -> None:
    first = layout.ports()
    assert layout.ports() == first
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", first["nats"]))
        holder.listen()
        second = layout.ports()
    assert second["nats"] != first["nats"]
    assert {name: port for name, port in second.items() if name != "nats"} == {
        name: port for name, port in first.items() if name != "nats"
    }


def test_the_port_of_the_edge_is_nobody_else_s(layout: Layout) -> None:
    first = layout.ports()
    second = layout.ports(edge=first["engine"])
    assert first["engine"] not in second.values()
    assert second["nats"] == first["nats"]


def test_a_taken_port_is_told_with_its_holder(taken: int) -> None:
    assert not free_port(taken)
    assert f"process {os.getpid()}" in holder_of(taken)
    assert unused_port({taken}) != taken


async def test_up_says_who_has_the_port(tmp_path: Path, taken: int) -> None:
    with pytest.raises(Failure, match=rf"port {taken} is taken by .*process {os.getpid()}.*\n.*--port"):
        await Stack(tmp_path / "stack", port=taken).start()


def test_a_missing_server_is_named_with_the_platform(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    with pytest.raises(Failure, match=r"there is no Envoy for \w+ \w+\n.*docs/operations.md"):
        servers.package_folder("envoy", "Envoy")
    monkeypatch.setattr(servers.sys, "executable", "/nowhere/python")
    with pytest.raises(Failure, match="there is no NATS for"):
        servers.script("nats-server", "NATS")


def test_replicas_have_names_and_ports_of_their_own() -> None:
    assert instances("engine", {"engine": 3}) == ["engine", "engine-2", "engine-3"]
    assert instances("session", {"engine": 3}) == ["session"]
    assert replica_ports({"engine": 2}) == ["engine-2", "engine-2_operations"]


@pytest.mark.parametrize("replicas", [{"kb": 2}, {"engine": 0}, {"engine": 17}, {"nats": 2}])
def test_replicas_that_cannot_be_are_refused(tmp_path: Path, replicas: dict[str, int]) -> None:
    with pytest.raises(Failure, match="cannot be done"):
        Stack(tmp_path, replicas=replicas)


def test_a_state_of_a_process_that_is_gone_is_no_state(layout: Layout) -> None:
    layout.state.write_text('{"pid": 1, "started": 5.0, "edge": 8080, "components": []}')
    assert layout.read_state() is None
    layout.state.write_text("{")
    assert layout.read_state() is None


def test_reset_takes_only_folders_of_a_stack(tmp_path: Path) -> None:
    from click.testing import CliRunner

    from cli.commands import main

    (tmp_path / "precious").write_text("x")
    refused = CliRunner().invoke(main, ["reset", "--yes", "--data", str(tmp_path)])
    assert refused.exit_code == 1
    assert "is not the folder of a stack" in refused.output
    assert (tmp_path / "precious").exists()
    (tmp_path / "version").write_text("1")
    assert CliRunner().invoke(main, ["reset", "--data", str(tmp_path)], input="n\n").exit_code == 1
    assert (tmp_path / "precious").exists()
    assert CliRunner().invoke(main, ["reset", "--data", str(tmp_path)], input="y\n").exit_code == 0
    assert not tmp_path.exists()
    shutil.rmtree(tmp_path, ignore_errors=True)


def test_a_cluster_that_was_not_finished_is_made_again(layout: Layout) -> None:
    postgres = servers.Postgres(layout, layout.secrets(), unused_port(set()))
    postgres.folder.mkdir(parents=True)
    (postgres.folder / "PG_VERSION").write_text("18")
    postgres.initialise()
    assert (postgres.folder / "global" / "pg_control").exists()
    made = (postgres.folder / "global" / "pg_control").stat().st_ino
    postgres.initialise()
    assert (postgres.folder / "global" / "pg_control").stat().st_ino == made


def test_origins_of_the_edge_are_its_names_and_those_that_were_added() -> None:
    own = ["http://127.0.0.1:8080", "http://localhost:8080"]
    assert origins(8080, {}) == own
    told = {
        "PARLEY_PUBLIC_URL": "https://chat.example/",
        "PARLEY_ALLOWED_ORIGINS": " https://shop.example/ ,, https://chat.example",
    }
    assert origins(8080, told) == [*own, "https://chat.example", "https://shop.example"]

"""What every command says without a stack."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from bench.speed.figures import Figure, middle, percentile
from cli.commands import MODULES, main

pytestmark = pytest.mark.unit

COMMANDS = sorted(MODULES)


def test_the_commands_are_those_of_the_manual() -> None:
    assert set(COMMANDS) == {
        *{"up", "status", "logs", "down", "reset", "chat", "audit", "test", "bench", "chaos", "lint"},
        *{"check", "docs", "fmt", "run", "lsp", "trace", "deploy"},
    }


@pytest.mark.parametrize("name", COMMANDS)
def test_help_shows_an_example(name: str) -> None:
    shown = CliRunner().invoke(main, [name, "--help"])
    assert shown.exit_code == 0
    assert f"./parley {name}" in shown.output.partition("Example:")[2]


def test_status_of_nothing_is_unhealthy(tmp_path: Path) -> None:
    said = CliRunner().invoke(main, ["status", "--json", "--data", str(tmp_path)])
    assert said.exit_code == 1
    assert json.loads(said.output) == {"healthy": False, "services": []}


@pytest.mark.parametrize("name", ["chat", "audit", "down"])
def test_what_needs_a_stack_says_how_to_start_one(tmp_path: Path, name: str) -> None:
    said = CliRunner().invoke(main, [name, "--data", str(tmp_path)])
    assert said.exit_code == 1
    assert "no stack runs in" in said.output
    assert "./parley up" in said.output


def test_logs_of_an_unknown_service_name_the_known(tmp_path: Path) -> None:
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs" / "engine.log").write_text("one\n")
    said = CliRunner().invoke(main, ["logs", "motor", "--data", str(tmp_path)])
    assert said.exit_code == 1
    assert "there is no log of motor" in said.output
    assert "known: engine" in said.output


@pytest.mark.parametrize("arguments", [["--replicas", "engine"], ["--replicas", "engine=x"], ["--replicas", "kb=2"]])
def test_replicas_are_checked_before_anything_starts(tmp_path: Path, arguments: list[str]) -> None:
    said = CliRunner().invoke(main, ["up", "--data", str(tmp_path / "stack"), *arguments])
    assert said.exit_code != 0
    assert "--replicas" in said.output
    assert not (tmp_path / "stack").exists()


def test_a_figure_is_judged_by_its_ratio_or_its_value() -> None:
    assert Figure("b", "f", 80, "x", ceiling=100, aim=0.8).line() == {
        "bench": "b", "figure": "f", "value": 80, "unit": "x", "ceiling": 100, "ratio": 0.8, "aim": 0.8, "met": True,
    }  # fmt: skip
    assert Figure("b", "f", 79, "x", ceiling=100, aim=0.8).met is False
    assert Figure("b", "f", 9.9, "ms", aim=10, at_most=True).met is True
    assert Figure("b", "f", 10.1, "ms", aim=10, at_most=True).met is False
    assert Figure("b", "f", 1, "ms").met is None


def test_percentiles_of_few_and_none() -> None:
    assert percentile([3, 1, 2], 0.99) == 3
    assert percentile([], 0.5) == 0
    assert middle([1, 9, 2]) == 2
    assert middle([]) == 0

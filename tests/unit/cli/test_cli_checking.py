"""check and docs as they are called."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from cli.commands import main
from cli.stack.layout import ROOT

pytestmark = pytest.mark.unit

WRONG = 'TALK "a"\n  TALKK "b"\n'
HEAVY = ("grpc", "google.protobuf", "pydantic", "sqlalchemy", "aiohttp", "duckdb", "openpyxl", "reportlab", "numpy")


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, list(arguments))


def script(folder: Path, text: str) -> str:
    path = folder / "a.bas"
    path.write_text(text)
    return str(path)


def test_a_mistake_is_shown_with_its_line_and_a_mark(tmp_path: Path) -> None:
    path = script(tmp_path, WRONG)
    said = run("check", path)
    assert said.exit_code == 1
    assert said.stdout.splitlines() == [
        f"{path}:2:3: error BAS125: TALKK is not a keyword; did you mean TALK?",
        '      TALKK "b"',
        "      ^",
    ]
    assert said.stderr == "1 file, 3 lines: 1 error, 0 warnings\n"


def test_a_tab_before_the_place_stays_a_tab(tmp_path: Path) -> None:
    assert run("check", script(tmp_path, "\tTALKK 1 2")).stdout.splitlines()[2] == "    \t^"


def test_a_long_line_is_cut_around_the_place(tmp_path: Path) -> None:
    shown = run("check", script(tmp_path, f'x = "{"a" * 5000}" {"b" * 5000}')).stdout.splitlines()
    assert max(map(len, shown[1:])) <= 204
    assert shown[1][shown[2].index("^")] == "b"


def test_json_is_an_object_a_line(tmp_path: Path) -> None:
    path = script(tmp_path, WRONG)
    said = run("check", "--json", path)
    assert said.exit_code == 1
    assert [json.loads(line) for line in said.stdout.splitlines()] == [
        {
            "file": path,
            "line": 2,
            "column": 3,
            "severity": "error",
            "code": "BAS125",
            "message": "TALKK is not a keyword; did you mean TALK?",
        }
    ]


def test_nodes_are_listed_when_they_are_asked_for(tmp_path: Path) -> None:
    path = script(tmp_path, 'TALK "a"')
    assert '"n1" @1 say text: "a" | next: "n2"' in run("check", "--nodes", path).stdout
    assert run("check", path).stdout == ""


def test_warnings_do_not_fail(tmp_path: Path) -> None:
    said = run("check", script(tmp_path, 'CALL "gone.bas"'))
    assert said.exit_code == 0
    assert "warning BAS171" in said.stdout


def test_a_path_that_is_not_there_is_a_wrong_call(tmp_path: Path) -> None:
    assert run("check", str(tmp_path / "nothing.bas")).exit_code == 2


@pytest.mark.parametrize("arguments", [["check", "bots"], ["docs", "talk"]])
def test_nothing_heavy_is_loaded(arguments: list[str]) -> None:
    code = (
        "import sys\nfrom cli.commands import main\n"
        f"main({arguments!r}, standalone_mode=False)\n"
        f"print([name for name in {HEAVY!r} if name in sys.modules], file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stderr.splitlines()[-1] == "[]"


def test_docs_explain_a_keyword_by_any_of_its_names() -> None:
    said = run("docs", "ask")
    assert said.exit_code == 0
    assert said.output.startswith("LLM\n")
    assert "LLM prompt, context" in said.output


def test_docs_of_an_unknown_word_name_what_was_meant() -> None:
    said = run("docs", "sugestion")
    assert said.exit_code == 1
    assert "there is no keyword SUGESTION; did you mean" in said.stderr


def test_docs_without_a_word_list_all() -> None:
    said = run("docs")
    assert said.exit_code == 0
    assert "ADD SUGGESTION" in said.output

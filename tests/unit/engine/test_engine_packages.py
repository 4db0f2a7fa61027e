"""Whatever lies in a folder is checked: a diagnostic for what is wrong, never a traceback."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.engine.basic.packages import Checked, check_paths
from services.engine.basic.sources import decoded

pytestmark = pytest.mark.unit


def checked(folder: Path, **files: str | bytes) -> dict[str, Checked]:
    """A package `shop.gbai` with these files, the first underscore a point."""
    inner = folder / "shop.gbai" / "shop.gbdialog"
    inner.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        path = inner / name.replace("_", ".", 1)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return {file.path.name: file for file in check_paths([folder])}


def codes(file: Checked) -> list[str]:
    return [item.code for item in file.diagnostics]


def test_scripts_of_all_folders_are_found_once(tmp_path: Path) -> None:
    checked(tmp_path, start_bas='TALK "a"', UPPER_BAS='TALK "b"', notes_txt="prose")
    folder = tmp_path / "shop.gbai"
    names = [file.path.name for file in check_paths([tmp_path, folder, folder / "shop.gbdialog" / "start.bas"])]
    assert sorted(names) == ["UPPER.BAS", "start.bas"]


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"\x00\x01\x02" * 100, "BAS101"),
        (b"TALK 1\n" * 200_000, "BAS100"),
        (b'TALK "caf\xe9"', "BAS108"),
    ],
    ids=["binary", "huge", "latin-1"],
)
def test_what_is_no_text_is_said(tmp_path: Path, content: bytes, code: str) -> None:
    assert codes(checked(tmp_path, a_bas=content)["a.bas"]) == [code]


def test_a_file_that_is_gone_is_said(tmp_path: Path) -> None:
    (tmp_path / "away.bas").symlink_to(tmp_path / "nowhere")
    found = list(check_paths([tmp_path]))
    assert codes(found[0]) == ["BAS101"]
    assert str(tmp_path / "nowhere") not in found[0].diagnostics[0].message


def test_a_warning_names_the_place_that_is_not_utf_8() -> None:
    found = decoded(b'\' one\nTALK "\xe9"', "a.bas")
    assert found.text == '\' one\nTALK "é"'
    assert [(item.line, item.column, item.severity) for item in found.diagnostics] == [(2, 7, "warning")]


@pytest.mark.parametrize(
    "line", ['CALL "order.bas"', 'INCLUDE "lib/order.bas"', "INCLUDE order.bas", 'USE TOOL "order"']
)
def test_a_script_that_is_there_is_found(tmp_path: Path, line: str) -> None:
    assert codes(checked(tmp_path, start_bas=line, order_bas='TALK "x"')["start.bas"]) == []


@pytest.mark.parametrize(
    ("line", "code", "column"), [('x = CALL "ordr.bas"', "BAS171", 11), ('INCLUDE "ordr.bas"', "BAS171", 10)]
)
def test_a_script_that_is_missing_is_a_warning(tmp_path: Path, line: str, code: str, column: int) -> None:
    file = checked(tmp_path, start_bas=f"TALK 1\n{line}", order_bas='TALK "x"')["start.bas"]
    found = file.diagnostics
    assert [(item.code, item.line, item.column, item.severity) for item in found] == [(code, 2, column, "warning")]
    assert found[0].suggestion == "did you mean order?"


def test_a_tool_that_is_missing_is_a_warning(tmp_path: Path) -> None:
    assert codes(checked(tmp_path, start_bas='USE TOOL "nothing"')["start.bas"]) == ["BAS172"]


def test_a_script_of_another_package_is_missing(tmp_path: Path) -> None:
    other = tmp_path / "other.gbai"
    other.mkdir()
    (other / "order.bas").write_text("TALK 1")
    assert codes(checked(tmp_path, start_bas='CALL "order.bas"')["start.bas"]) == ["BAS171"]


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("name,value\nbot-name,Shop\n\n,\nparam-city,Lisbon, PT\n", []),
        ("name,value\nbot-name\n", [2]),
        ("bot-name,a\nbot-name,b\n", [2]),
        ("name,value\nparam-my city,x\n", [2]),
    ],
)
def test_a_configuration_is_checked(tmp_path: Path, text: str, lines: list[int]) -> None:
    file = checked(tmp_path, config_csv=text)["config.csv"]
    assert [(item.line, item.severity, item.code) for item in file.diagnostics] == [
        (line, "warning", "BAS170") for line in lines
    ]


@settings(max_examples=60, deadline=None)
@given(raw=st.binary(max_size=300))
def test_no_bytes_break_the_check(tmp_path_factory: pytest.TempPathFactory, raw: bytes) -> None:
    folder = tmp_path_factory.mktemp("bytes")
    (folder / "a.bas").write_bytes(raw)
    (folder / "config.csv").write_bytes(raw)
    assert len(list(check_paths([folder]))) == 2


def test_what_an_included_script_has_is_known(tmp_path: Path) -> None:
    shared = "SUB greet(who)\n  TALK who\nEND SUB"
    files = checked(tmp_path, start_bas='INCLUDE "shared.bas"\nCALL greet("Ana")', shared_bas=shared)
    assert codes(files["start.bas"]) == []

"""Formatting: the look of a script changes, its meaning, its comments and its lines do not."""

import random
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cli.commands import main
from services.engine.basic import formatting
from services.engine.basic.comparing import parsed, shape
from services.engine.basic.formatting import CannotFormat, format_source
from services.engine.basic.lexer import Lexer
from tests.unit.engine.programs import sources

pytestmark = pytest.mark.unit

SLOW = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much]
CASES = [
    ("talk   'x'", "TALK 'x'\n"),
    ("x=1", "x = 1\n"),
    ("x=-1+2*-3", "x = -1 + 2 * -3\n"),
    ("x = a-1", "x = a - 1\n"),
    ("y=[ 1,2 , 3 ]", "y = [1, 2, 3]\n"),
    ('y={a :1,"b":2}', 'y = {a: 1, "b": 2}\n'),
    ("x=not a and b<>c", "x = NOT a AND b <> c\n"),
    ("x = len( name )", "x = LEN(name)\n"),
    ("Name = true", "Name = TRUE\n"),
    ('if a then talk "x" else end', 'IF a THEN TALK "x" ELSE END\n'),
    ("if a\ntalk 1\nelse if b\ntalk 2\nend if", "IF a\n  TALK 1\nELSE IF b\n  TALK 2\nEND IF\n"),
    ("hear age as integer", "HEAR age AS INTEGER\n"),
    ("Talk Hello   there, don't", "TALK Hello   there, don't\n"),
    ('set_bot_memory "a",1', 'SET_BOT_MEMORY "a", 1\n'),
    ("\n\ntalk 1\n\n\ntalk 2\n\n", "\n\nTALK 1\n\n\nTALK 2\n"),
    ("x = [\n1,\n      2\n  ]", "x = [\n  1,\n      2\n  ]\n"),
    ("talk 1 ' said", "TALK 1  ' said\n"),
    ("x=1      ' one\nyy=22    ' two", "x = 1    ' one\nyy = 22  ' two\n"),
    ("if a then\n' why\ntalk 1\n' last\nend if", "IF a THEN\n  ' why\n  TALK 1\n  ' last\nEND IF\n"),
    ("  begin talk\n      a\n        b\n  end talk", "BEGIN TALK\n  a\n    b\nEND TALK\n"),
    ("select case a\ncase 1\ntalk 1\nend select", "SELECT CASE a\n  CASE 1\n    TALK 1\nEND SELECT\n"),
    ("table t\nid integer key\nend table", "TABLE t\n  id integer KEY\nEND TABLE\n"),
    ("param city as string like New  York optional", "PARAM city AS STRING LIKE New  York OPTIONAL\n"),
    ("place:\ngoto place", "place:\nGOTO place\n"),
    ("try\nx=1\ncatch e\nend try", "TRY\n  x = 1\nCATCH e\nEND TRY\n"),
    ("x = a.b[ 0 ].c( 1 )", "x = a.b[0].c(1)\n"),
    ("", ""),
]


@pytest.mark.parametrize(("before", "after"), CASES)
def test_a_script_is_formatted(before: str, after: str) -> None:
    assert format_source(before) == after
    assert format_source(after) == after


def test_the_shipped_bots_are_formatted() -> None:
    said = CliRunner().invoke(main, ["fmt", "--check", str(Path(__file__).parents[3] / "bots")])
    assert said.exit_code == 0, said.output


def ugly(text: str, seed: int) -> str:
    """The same program without its indentation, with comments, blank lines and spaces where they do not matter."""
    chance = random.Random(seed)
    lexer = Lexer(text)
    lexer.run()
    inside = {line for first, last in lexer.blocks for line in range(first, last + 1)}
    made = []
    for number, line in enumerate(text.rstrip("\n").split("\n"), 1):
        if number in inside:
            made.append(line)
            continue
        loose = " " * chance.choice((0, 0, 3)) + line.strip()
        loose = loose.replace(" = ", chance.choice((" = ", "  =  ", " =")), 1) if '"' not in loose else loose
        made.append(loose + chance.choice(("", "", " ' remark", "   ")))
        made += chance.choice(([], [], [""], ["' alone"]))
    return "\n".join(made)


@settings(max_examples=120, deadline=None, suppress_health_check=SLOW)
@given(source=sources(), seed=st.integers(0, 99))
def test_meaning_lines_and_comments_stay(source: str, seed: int) -> None:
    before = ugly(source, seed)
    made = format_source(before)
    assert shape(parsed(made)[0]) == shape(parsed(before)[0])
    assert format_source(made) == made
    assert made.count("\n") == before.rstrip().count("\n") + 1
    assert made.count("' remark") == before.count("' remark")
    assert made.count("' alone") == before.count("' alone")


def test_a_script_with_errors_stays(tmp_path: Path) -> None:
    path = tmp_path / "a.bas"
    path.write_text("if a then\ntalk 1\n")
    said = run("fmt", str(path))
    assert said.exit_code == 1
    assert f"{path}:1:1: not formatted, it has errors: IF has no END IF" in said.output
    assert path.read_text() == "if a then\ntalk 1\n"


def test_a_change_of_meaning_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(formatting.Formatter, "run", lambda _: "TALK 2\n")
    with pytest.raises(CannotFormat, match="would change what it means"):
        format_source("TALK 1")


# the command


def run(*arguments: str, typed: str = "") -> Result:
    return CliRunner().invoke(main, list(arguments), input=typed)


def test_files_are_written_in_their_place(tmp_path: Path) -> None:
    path = tmp_path / "a.bas"
    path.write_bytes(b"talk 1\r\n")
    said = run("fmt", str(tmp_path))
    assert said.exit_code == 0
    assert said.stderr == f"formatted: {path}\n"
    assert path.read_bytes() == b"TALK 1\n"
    assert run("fmt", str(tmp_path)).stderr == ""


@pytest.mark.parametrize(("option", "code"), [("--check", 1), ("--diff", 0)])
def test_looking_changes_nothing(tmp_path: Path, option: str, code: int) -> None:
    path = tmp_path / "a.bas"
    path.write_text("talk 1\n")
    said = run("fmt", option, str(path))
    assert said.exit_code == code
    assert path.read_text() == "talk 1\n"
    assert ("+TALK 1" in said.output) == (option == "--diff")


def test_standard_input_goes_to_standard_output() -> None:
    said = run("fmt", "-", typed="talk 1")
    assert (said.exit_code, said.stdout) == (0, "TALK 1\n")
    assert run("fmt", "-", typed="if").exit_code == 1


def test_a_path_that_is_not_there_is_a_wrong_call(tmp_path: Path) -> None:
    assert run("fmt", str(tmp_path / "no.bas")).exit_code == 2

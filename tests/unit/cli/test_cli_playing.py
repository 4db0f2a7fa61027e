"""Scripts played on this machine: run --dry, and the golden conversations of bots."""

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from cli.authoring import golden
from cli.authoring.package import load
from cli.authoring.pretending import pretended
from cli.commands import main, rehearsing
from cli.failure import Failure
from cli.stack.layout import ROOT
from services.engine.machine.outcomes import PerformEffect

pytestmark = pytest.mark.unit

CONVERSATIONS = list(golden.found(ROOT / "bots"))
SCRIPT = """TALK "Name?"
HEAR name
found = FIND "people", "name=${name}"
SAVE "visits", #{who: name}
WAIT 100
TALK "Hello, ${name}: ${found.email}"
"""


def run(*arguments: str, typed: str = "") -> Result:
    return CliRunner().invoke(main, list(arguments), input=typed)


def bot(folder: Path, script: str = SCRIPT, **conversations: str) -> Path:
    """A package with one script and these conversations."""
    package = folder / "shop.gbai"
    (package / "shop.gbdialog").mkdir(parents=True)
    (package / "shop.gbtest").mkdir()
    (package / "shop.gbdialog" / "start.bas").write_text(script)
    for name, text in conversations.items():
        (package / "shop.gbtest" / f"{name}.yaml").write_text(text)
    return package


@pytest.mark.parametrize("conversation", CONVERSATIONS, ids=lambda item: f"{item.home.stem}-{item.path.stem}")
def test_shipped_bots_do_what_their_conversations_say(conversation: golden.Golden) -> None:
    assert golden.play(conversation) == []


def test_every_shipped_bot_has_a_conversation() -> None:
    packages = {path.name for path in (ROOT / "bots").rglob("*.gbai")}
    assert len(packages) >= 4
    assert {item.home.name for item in CONVERSATIONS} == packages


# run --dry


def test_a_rehearsal_shows_effects_and_waits_for_nothing(tmp_path: Path) -> None:
    script = bot(tmp_path) / "shop.gbdialog" / "start.bas"
    said = run("run", str(script), "--dry", typed="Ana\n")
    assert said.exit_code == 0
    lines = said.stdout.splitlines()
    assert lines[0] == "bot> Name?"
    assert lines[1] == "you> Ana"
    assert lines[2].startswith('  (FIND {"table": "people"')
    assert lines[3].startswith('  (SAVE {"table": "visits"')
    assert lines[4] == "  (waited 100 s)"
    assert lines[5] == "bot> Hello, Ana: ana@example.com"


def test_made_up_answers_need_not_have_the_fields_of_real_ones(tmp_path: Path) -> None:
    script = tmp_path / "a.bas"
    script.write_text('r = GET "https://example.com"\nTALK "<${r.items[0].name}>"\nTALK "on"\n')
    said = run("run", str(script), "--dry")
    assert said.exit_code == 0, said.output
    assert "<>" in said.output


def test_answers_come_from_a_file_and_steps_are_shown(tmp_path: Path) -> None:
    script = bot(tmp_path) / "shop.gbdialog" / "start.bas"
    answers = tmp_path / "answers.txt"
    answers.write_text("Bo\n")
    said = run("run", str(script), "--dry", "--answers", str(answers), "--trace")
    assert "bot> Hello, Bo" in said.stdout
    assert "start:1 say" in said.stderr


def test_a_script_that_fails_fails_the_command(tmp_path: Path) -> None:
    script = bot(tmp_path, 'THROW "no stock"') / "shop.gbdialog" / "start.bas"
    said = run("run", str(script), "--dry")
    assert said.exit_code == 1
    assert "failed on line 1: no stock" in said.stderr


@pytest.mark.parametrize("arguments", [["--trace"], []])
def test_what_needs_a_stack_says_so(tmp_path: Path, arguments: list[str]) -> None:
    script = bot(tmp_path) / "shop.gbdialog" / "start.bas"
    said = run("run", str(script), "--data", str(tmp_path / "none"), *arguments)
    assert said.exit_code == (2 if arguments else 1)
    assert ("--dry" if arguments else "no stack runs in") in said.output


def test_a_script_with_errors_is_refused_with_its_places(tmp_path: Path) -> None:
    script = bot(tmp_path, "TALKK 1 2") / "shop.gbdialog" / "start.bas"
    said = run("run", str(script), "--dry")
    assert said.exit_code == 1
    assert f"{script}:1:1: " in said.output


def test_made_up_rows_have_the_columns_of_their_table(tmp_path: Path) -> None:
    table = "TABLE people\n  id integer key\n  born date\n  name string(9)\nEND TABLE\n"
    playable = load(bot(tmp_path, table))
    rows = pretended(PerformEffect("FIND", {"table": "people"}, ""), playable.tables)
    assert rows == [{"id": 1, "born": "2026-01-15", "name": "sample name"}]


@pytest.mark.parametrize(
    ("keyword", "value"),
    [("GET", {}), ("LLM", "(LLM: hi)"), ("AGGREGATE", 1), ("SEND MAIL", None), ("SAVE", {"id": 1})],
)
def test_values_are_made_up_by_keyword(keyword: str, value: object) -> None:
    assert pretended(PerformEffect(keyword, {"what": "hi"}, ""), {}) == value


# golden conversations

WELL = """
mocks:
  - {keyword: FIND, when: {filter: {parts: ["name=", Ana, ""]}}, value: [{email: a@b.c}]}
  - {keyword: SAVE}
steps:
  - expect: Name?
  - say: Ana
    expect: "Hello, Ana: a@b.c"
    effects: [{keyword: SAVE, with: {table: visits}}]
"""


def test_a_conversation_that_fits_passes(tmp_path: Path) -> None:
    said = run("test", str(bot(tmp_path, well=WELL)))
    assert said.exit_code == 0, said.output
    assert said.output.splitlines()[-1] == "1 played, 0 differ"


@pytest.mark.parametrize(
    ("before", "after", "shown"),
    [
        ("expect: Name?", "expect: Who?", ["- Who?", "+ Name?"]),
        ('"Hello, Ana: a@b.c"', '["Hello, Ana: a@b.c", Bye]', ["Hello, Ana: a@b.c", "- Bye"]),
        ("{keyword: SAVE, with: {table: visits}}", "SEND MAIL", ["- SEND MAIL", "+ SAVE (table: 'visits'"]),
        ("{table: visits}", "{table: guests}", ["- {'keyword': 'SAVE', 'with': {'table': 'guests'}}", "+ SAVE"]),
        ("Ana, ", "Bo, ", ["FIND (table: 'people'", "no mock gives it a value"]),
        ("expect: Name?", "suggestions: [a]", ["- a"]),
        ("expect: Name?", "waiting: over", ["expected waiting: over, got message"]),
        ("expect: Name?", "variables: {name: x}", ["expected name = 'x', got None"]),
        ("expect: Name?", "memory: {user: {a: 1}}", ["expected user memory a = 1, got None"]),
        ("{keyword: SAVE}", "{keyword: SAVE, error: disk full}", ["the script failed: disk full"]),
    ],
)
def test_a_difference_is_shown(tmp_path: Path, before: str, after: str, shown: list[str]) -> None:
    text = WELL.replace(before, after)
    assert text != WELL
    if "error" in after:
        text = text.replace('    expect: "Hello, Ana: a@b.c"\n', "")
    said = run("test", str(bot(tmp_path, off=text)))
    assert said.exit_code == 1
    assert [part for part in shown if part not in said.output] == []


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("steps: 3", "expected an object with `steps`"),
        ("{", "while parsing"),
        ("steps: [{sya: x}]", "sya means nothing here"),
        ("steps: []\nscript: gone", "no script gone"),
        ("steps: []\nclock: soon", "expected a time such as"),
    ],
)
def test_a_file_that_is_no_conversation_is_refused(tmp_path: Path, text: str, problem: str) -> None:
    said = run("test", str(bot(tmp_path, bad=text)))
    assert said.exit_code == 1
    assert problem in said.output


def test_a_package_without_conversations_is_not_green(tmp_path: Path) -> None:
    assert run("test", str(bot(tmp_path))).exit_code == 1


def test_saying_more_than_the_script_hears_is_a_difference(tmp_path: Path) -> None:
    made = golden.read(bot(tmp_path, "TALK 1", more="steps: [{expect: '1'}, {say: x}]") / "shop.gbtest" / "more.yaml")
    assert golden.play(made) == ["step 2: 'x' is said, but the script is over"]


def test_a_mock_may_be_good_for_some_times_only(tmp_path: Path) -> None:
    text = "mocks: [{keyword: GET, value: 1, times: 1}, {keyword: GET, value: 2}]\nsteps: [{expect: ['1', '2', '2']}]"
    script = 'FOR i = 1 TO 3\n  x = GET "https://example.com/a"\n  TALK x\nNEXT'
    assert golden.play(golden.read(bot(tmp_path, script, a=text) / "shop.gbtest" / "a.yaml")) == []


@pytest.mark.parametrize(
    ("arguments", "bots"),
    [
        (("hello",), 1),
        (("bots",), 1),
        (("bots/hello.gbai", "hello"), 2),
        (("unit",), 0),
        (("tests/unit",), 0),
        (("hello", "-k", "x"), 0),
        ((), 0),
    ],
)
def test_bots_are_told_from_tests_of_the_project(
    monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], bots: int
) -> None:
    monkeypatch.chdir(ROOT)
    assert len(rehearsing.bots_of(arguments)) == bots


def test_a_file_that_cannot_be_read_is_a_failure(tmp_path: Path) -> None:
    with pytest.raises(Failure):
        golden.read(tmp_path / "gone.yaml")

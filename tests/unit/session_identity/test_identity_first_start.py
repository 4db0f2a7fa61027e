"""The administrator's one-time password: from a file, or made up and shown once."""

from pathlib import Path

import pytest

from services.session.identity.bootstrap import first_password, show

pytestmark = pytest.mark.unit


def test_the_file_is_taken_at_its_word(tmp_path: Path) -> None:
    file = tmp_path / "password"
    file.write_text("  correct horse battery\n")
    assert first_password(file) == ("correct horse battery", False)


def test_without_a_file_one_is_made_up() -> None:
    first, second = first_password(None), first_password(None)
    assert first[1]
    assert len(first[0]) == 24
    assert first != second


@pytest.mark.parametrize("content", ["", "short", "aaaaaaaaaaaaaaaa"])
def test_a_poor_file_ends_the_start(tmp_path: Path, content: str) -> None:
    file = tmp_path / "password"
    file.write_text(content)
    with pytest.raises(RuntimeError, match="PARLEY_ADMIN_PASSWORD_FILE"):
        first_password(file)
    with pytest.raises(RuntimeError, match="No such file"):
        first_password(tmp_path / "missing")


def test_it_is_shown_to_the_terminal_only(capsys: pytest.CaptureFixture[str]) -> None:
    show("made-up-password")
    shown = capsys.readouterr()
    assert "made-up-password" in shown.err
    assert shown.out == ""

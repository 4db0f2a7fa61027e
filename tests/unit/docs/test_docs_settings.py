"""The table of settings says what the code says."""

from pathlib import Path

import pytest
from pydantic import Field, SecretStr

from cli.checks import settings_table
from services.common.config import Settings

pytestmark = pytest.mark.unit


class Sample(Settings):
    """Fields of every shape."""

    count: int = Field(default=3, ge=1, le=9, description="how many")
    share: float = Field(gt=0)
    secret: SecretStr = Field(description="32 bytes")
    flag: bool = False
    waits: tuple[float, ...] = Field(default=(1, 2.5), description="seconds")
    nothing: str = ""


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("count", "| `PARLEY_COUNT` | `3` | ≥ 1, ≤ 9 | how many |"),
        ("share", "| `PARLEY_SHARE` | **required** | > 0 |  |"),
        ("secret", "| `PARLEY_SECRET` | **required** |  | 32 bytes Secret. |"),
        ("flag", "| `PARLEY_FLAG` | `false` |  |  |"),
        ("waits", "| `PARLEY_WAITS` | `[1, 2.5]` |  | seconds |"),
        ("nothing", "| `PARLEY_NOTHING` | – |  |  |"),
    ],
)
def test_a_field_becomes_a_line(name: str, line: str) -> None:
    assert settings_table.row(name, Sample.model_fields[name]) == line


def test_a_service_shows_its_own_fields_only() -> None:
    assert [name for name, _ in settings_table.own_fields(Sample)] == list(Sample.__annotations__)


def test_the_tables_stand_between_their_marks(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(f"before {settings_table.BEGIN} OUTDATED {settings_table.END} after", encoding="utf-8")
    settings_table.write(page)
    written = page.read_text(encoding="utf-8")
    assert written.startswith("before ")
    assert written.endswith(" after")
    assert settings_table.tables() in written
    assert "OUTDATED" not in written


def test_a_page_without_marks_is_refused() -> None:
    with pytest.raises(ValueError, match="settings: begin"):
        settings_table.placed("nothing here")


def test_every_setting_has_its_meaning() -> None:
    bare = [line for line in settings_table.tables().splitlines() if line.endswith("|  |")]
    assert not bare, "give these fields a description"


def test_no_words_are_kept_for_fields_that_are_gone() -> None:
    known = {name for kind in settings_table.KINDS.values() for name in kind.model_fields}
    assert set(settings_table.WORDS) <= known


def test_the_page_is_as_the_code_is() -> None:
    page = settings_table.PAGE.read_text(encoding="utf-8")
    assert settings_table.placed(page) == page, "run: python -m cli.checks.settings_table"

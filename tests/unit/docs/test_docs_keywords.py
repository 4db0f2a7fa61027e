"""The manual of keywords says what the registry says."""

from pathlib import Path

import pytest

from cli.checks import keyword_pages
from services.engine.keywords.registry import registry

pytestmark = pytest.mark.unit


def test_the_pages_are_as_the_registry_is() -> None:
    assert keyword_pages.problems() == []


def test_an_edited_a_missing_and_a_stray_page_are_found(tmp_path: Path) -> None:
    keyword_pages.write(tmp_path)
    assert keyword_pages.problems(tmp_path) == []
    folder = tmp_path / keyword_pages.FOLDER
    (folder / "dialog.md").write_text("edited", encoding="utf-8")
    (folder / "memory.md").unlink()
    (folder / "gone.md").write_text("", encoding="utf-8")
    found = [line.partition(" ")[0] for line in keyword_pages.problems(tmp_path)]
    assert found == [f"docs/basic/reference/{name}.md" for name in ("dialog", "gone", "memory")]
    keyword_pages.write(tmp_path)
    assert keyword_pages.problems(tmp_path) == []


def test_what_is_not_available_is_listed() -> None:
    page = keyword_pages.pages()[keyword_pages.AVAILABILITY]
    missing = [item.name for item in registry().by_name.values() if not item.available]
    assert missing
    assert [name for name in missing if name not in page] == []
    assert "[TALK]" not in page

"""The documents name things that are there."""

import re
from pathlib import Path

import pytest
from parley.common.v1 import error_reason_pb2

pytestmark = pytest.mark.unit

ROOT = Path(__file__).resolve().parents[3]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
LINK = re.compile(r"\]\(([^)#\s]*)(#[^)\s]*)?\)")
SHOWN = re.compile(r"`((?:unit|contract|integration|mesh|browser|chaos)/[\w/]+\.py)?::(test_\w+)`")
PREFIX = "ERROR_REASON_"
WRITTEN_LATER = {"performance.md"}


def anchor(heading: str) -> str:
    """As GitHub makes it."""
    return "#" + re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-")


def anchors(page: Path) -> set[str]:
    return {anchor(line.lstrip("#")) for line in page.read_text(encoding="utf-8").splitlines() if line.startswith("#")}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    for target, part in LINK.findall(page.read_text(encoding="utf-8")):
        if "://" in target or Path(target).name in WRITTEN_LATER:
            continue
        found = (page.parent / target).resolve() if target else page
        assert found.exists(), target
        assert not part or part in anchors(found), f"{target}{part}"


def test_every_reason_of_an_error_is_explained() -> None:
    page = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
    reasons = [name.removeprefix(PREFIX) for name in error_reason_pb2.ErrorReason.keys()[1:]]
    assert reasons
    assert [name for name in reasons if f"| `{name}` |" not in page] == []


def test_the_tests_that_show_a_promise_exist() -> None:
    file, missing, seen = "", [], 0
    for path, name in SHOWN.findall((ROOT / "docs" / "guarantees.md").read_text(encoding="utf-8")):
        file = path or file
        seen += 1
        if f"def {name}(" not in (ROOT / "tests" / file).read_text(encoding="utf-8"):
            missing.append(f"{file}::{name}")
    assert seen > 30
    assert missing == []


def test_every_page_of_the_architecture_is_in_its_index() -> None:
    folder = ROOT / "docs" / "architecture"
    index = (folder / "README.md").read_text(encoding="utf-8")
    assert [
        page.name for page in folder.glob("*.md") if page.name != "README.md" and f"({page.name})" not in index
    ] == []

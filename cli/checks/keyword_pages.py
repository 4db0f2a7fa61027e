"""The reference of keywords and what is available, from the registry: python -m cli.checks.keyword_pages."""

import re
from pathlib import Path

from services.engine.basic import manual
from services.engine.keywords.keyword import Keyword

ROOT = Path(__file__).resolve().parents[2]
FOLDER = Path("docs/basic/reference")
WITHOUT_PAGE = "pending"
"""The chapter of names that nobody has described yet."""
AVAILABILITY = Path("docs/basic/availability.md")
MADE = "<!-- made by python -m cli.checks.keyword_pages; do not edit -->"
REPAIR = "run: .venv/bin/python -m cli.checks.keyword_pages"


def anchor(name: str) -> str:
    """The anchor GitHub gives a heading."""
    return re.sub(r"[^\w\- ]", "", name.lower()).replace(" ", "-")


def link(keyword: Keyword, folder: str = "") -> str:
    """A keyword with the way to its description, when it has one."""
    if keyword.group == WITHOUT_PAGE:
        return keyword.name
    return f"[{keyword.name}]({folder}{keyword.group}.md#{anchor(keyword.name)})"


def chapter(group: str, found: list[Keyword]) -> str:
    """A page of a chapter."""
    parts = [MADE, f"# {group.capitalize()}"]
    for item in found:
        parts += [f"## {item.name}", manual.markdown(item)]
    return "\n\n".join(parts) + "\n"


def index(groups: dict[str, list[Keyword]]) -> str:
    """All names, with links."""
    lines = [f"- [{group}]({group}.md): " + " · ".join(map(link, found)) for group, found in groups.items()]
    head = "All keywords by chapter. What cannot be had yet is listed in [availability.md](../availability.md)."
    listed = "\n".join(lines)
    return f"{MADE}\n\n# Reference\n\n{head}\n\n{listed}\n"


def availability(groups: dict[str, list[Keyword]]) -> str:
    """What can be had, and what raises an error that a script can catch."""
    every = [item for found in groups.values() for item in found]
    here = [item for item in every if item.available]
    missing = [item for item in every if not item.available]
    head = (
        f"{len(here)} of {len(every)} keywords can be performed. The others parse, check and compile; reaching"
        " one raises `not available on this installation: ...`, which TRY and ON ERROR catch."
    )
    rows = [f"| {link(item, 'reference/')} | {item.needs} |" for item in missing]
    table = "\n".join(["| keyword | needs |", "|---|---|", *rows]) if rows else "Everything is available."
    return f"{MADE}\n\n# What is available\n\n{head}\n\n{table}\n"


def pages() -> dict[Path, str]:
    """Content by path, from the root of the repository."""
    groups = manual.grouped()
    described = {group: found for group, found in groups.items() if group != WITHOUT_PAGE}
    made = {FOLDER / f"{group}.md": chapter(group, found) for group, found in described.items()}
    return made | {FOLDER / "README.md": index(described), AVAILABILITY: availability(groups)}


def problems(root: Path = ROOT) -> list[str]:
    """Pages that are not as the registry is."""
    made = pages()
    found = [str(path) for path, text in made.items() if not same(root / path, text)]
    found += [str(path.relative_to(root)) for path in strays(root, made)]
    return [f"{path} is not as the registry says; {REPAIR}" for path in sorted(found)]


def same(path: Path, text: str) -> bool:
    """Whether a page has this text."""
    return path.exists() and path.read_text(encoding="utf-8") == text


def strays(root: Path, made: dict[Path, str]) -> list[Path]:
    """Pages of chapters that are gone."""
    return [path for path in (root / FOLDER).glob("*.md") if path.relative_to(root) not in made]


def write(root: Path = ROOT) -> None:
    """Make all pages anew. OSError."""
    made = pages()
    for path in strays(root, made):
        path.unlink()
    for path, text in made.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    write()

"""Services never import each other; the chassis imports no service; nobody reaches into a test."""

import ast
from collections.abc import Iterator
from pathlib import Path


def imported(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Line and name of every import."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            yield node.lineno, node.module
        elif isinstance(node, ast.Import):
            for alias in node.names:
                yield node.lineno, alias.name


def forbidden(house: str, room: str, name: str) -> bool:
    """Whether a module of a room may not import this."""
    parts = name.split(".")
    if parts[0] == "services" and len(parts) > 1 and parts[1] != "common":
        return not (house == "services" and room == parts[1])
    if parts[0] == "gateway" and len(parts) > 1 and house == "gateway":
        return room != parts[1]
    return parts[0] in {"gateway", "cli", "tests", "bench"} and house == "services"


def problems(root: Path) -> list[str]:
    """Every import that goes where it may not."""
    found = []
    for house in ("services", "gateway"):
        for path in sorted((root / house).rglob("*.py")):
            room = path.relative_to(root / house).parts[0]
            for line, name in imported(ast.parse(path.read_text())):
                if forbidden(house, room, name):
                    found.append(f"{path.relative_to(root)}:{line} imports {name}")
    return found

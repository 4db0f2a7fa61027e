"""Functions of at most 80 lines, files of at most 500."""

import ast
from pathlib import Path

LONGEST_FUNCTION, LONGEST_FILE = 80, 500
HOUSES = ("services", "gateway", "cli", "protos", "bench", "tests")


def problems(root: Path) -> list[str]:
    """Everything too long."""
    found = []
    for house in HOUSES:
        for path in sorted((root / house).rglob("*.py")):
            text = path.read_text()
            lines = text.count("\n")
            if lines > LONGEST_FILE:
                found.append(f"{path.relative_to(root)}: {lines} lines; at most {LONGEST_FILE}")
            for node in ast.walk(ast.parse(text)):
                if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                    size = (node.end_lineno or node.lineno) - node.lineno + 1
                    if size > LONGEST_FUNCTION:
                        found.append(f"{path.relative_to(root)}:{node.lineno} {node.name}: {size} lines")
    return found

"""Packages on disk: their scripts, and what only shows when these are looked at together."""

import csv
import io
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from services.engine.basic.compiler import compile_basic
from services.engine.basic.diagnostics import Diagnostic, closest
from services.engine.basic.including import stem
from services.engine.basic.sources import read_source
from services.engine.program.program import Node, Program

PACKAGE, SCRIPT, CONFIG = ".gbai", ".bas", "config.csv"
TOOLS = frozenset({"USE TOOL", "ADD TOOL"})
FOREIGN_TOOLS = "mcp.csv"
Scripts = dict[str, Path | None]


@dataclass(slots=True)
class Checked:
    """One file: its lines, what is said of it, and its program when it has one."""

    path: Path
    shown: str
    lines: list[str] = field(default_factory=list)
    diagnostics: list[Diagnostic] = field(default_factory=list)
    program: Program | None = None


def sources_of(path: Path) -> Iterator[Path]:
    """A file, or all scripts and configurations below a folder, in order of their names."""
    if not path.is_dir():
        yield path
        return
    for folder, inner, names in os.walk(path):
        inner.sort()
        for name in sorted(names):
            if name.lower().endswith(SCRIPT) or name.lower() == CONFIG:
                yield Path(folder, name)


def check_paths(paths: Iterable[Path]) -> Iterator[Checked]:
    """Everything below the paths, each file once. Nothing is raised for what a file holds."""
    seen: set[Path] = set()
    packages: dict[Path, Scripts] = {}
    for path in paths:
        for file in sources_of(path):
            if file not in seen:
                seen.add(file)
                yield check_file(file, packages)


def check_file(path: Path, packages: dict[Path, Scripts]) -> Checked:
    """A script or a configuration. `packages`: the scripts of each package, found once."""
    shown = str(path)
    source = read_source(path, shown)
    checked = Checked(path, shown, diagnostics=list(source.diagnostics))
    if source.text is None:
        return checked
    checked.lines = source.text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    if path.name.lower() == CONFIG:
        checked.diagnostics += check_config(source.text, shown)
        return checked
    home = home_of(path)
    if home not in packages:
        packages[home] = scripts_of(home)
    known = packages[home]
    result = compile_basic(source.text, shown, lambda name: text_of(known.get(name)))
    checked.program = result.program
    checked.diagnostics += result.diagnostics
    if result.program is not None:
        checked.diagnostics += missing_targets(result.program, checked, frozenset(known))
    checked.diagnostics.sort(key=lambda item: (item.line, item.column))
    return checked


def home_of(path: Path) -> Path:
    """The package of a script; the folder it lies in when it has none."""
    for folder in path.absolute().parents:
        if folder.name.lower().endswith(PACKAGE):
            return folder
    return path.absolute().parent


def scripts_of(home: Path) -> Scripts:
    """All scripts of a package by their names, and the names of tools that other servers have."""
    found: Scripts = {}
    for listed in home.glob(f"*/{FOREIGN_TOOLS}"):
        text = read_source(listed, listed.name).text or ""
        found |= {row[0].strip().lower(): None for row in csv.reader(io.StringIO(text)) if row}
    return found | {stem(file.name): file for file in sources_of(home) if file.suffix.lower() == SCRIPT}


def text_of(path: Path | None) -> str | None:
    """A script of the package; None when there is none."""
    return read_source(path, path.name).text if path is not None else None


# what a script names and nobody has


def missing_targets(program: Program, checked: Checked, known: frozenset[str]) -> Iterator[Diagnostic]:
    """Scripts and tools that the package does not have."""
    for line, code, kind, written in targets(program):
        name = stem(written)
        if name and name not in known:
            column = 1 + max(0, checked.lines[line - 1].find(written)) if line <= len(checked.lines) else 1
            message = f"there is no {kind} {written} in this package; reaching this line is an error"
            near = closest(name, [item.upper() for item in known]).lower()
            yield Diagnostic(checked.shown, line, column, "warning", code, message, near)


def targets(program: Program) -> Iterator[tuple[int, str, str, str]]:
    """Line, code, kind and name of all that a program names by a literal."""
    for item in program.declarations:
        if item["kind"] == "include":
            yield item["line"], "BAS171", "script", str(item["path"])
    for node in program.nodes.values():
        if node["op"] == "run":
            yield from literal_of(node, node["value"], "BAS171", "script")
        elif node["op"] in {"effect", "apply"} and node["keyword"] in TOOLS and node["arguments"]:
            yield from literal_of(node, next(iter(node["arguments"].values())), "BAS172", "tool")


def literal_of(node: Node, encoded: list[object], code: str, kind: str) -> Iterator[tuple[int, str, str, str]]:
    """The name when it is written out."""
    if encoded[0] == "lit" and isinstance(encoded[1], str):
        yield node["line"], code, kind, encoded[1].strip().strip('"')


# config.csv


def check_config(text: str, shown: str) -> Iterator[Diagnostic]:
    """Lines that are no name,value; names that stand twice; parameters that no script can read."""
    known: dict[str, int] = {}
    reader = csv.reader(io.StringIO(text))
    while True:
        line = reader.line_num + 1
        try:
            row = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield config_warning(shown, line, f"this line is no CSV: {error}")
            return
        name = row[0].strip() if row else ""
        if name and not (line == 1 and name.lower() == "name"):
            yield from check_entry(shown, line, name, row, known)
            known.setdefault(name.lower(), line)


def check_entry(shown: str, line: int, name: str, row: list[str], known: dict[str, int]) -> Iterator[Diagnostic]:
    """One name with its value."""
    if name.startswith(("#", "//")):
        return
    if len(row) < 2:
        yield config_warning(shown, line, f"{name} has no value", "write name,value")
    if name.lower() in known:
        yield config_warning(shown, line, f"{name} stands on line {known[name.lower()]} already; the later one counts")
    variable = name.lower().removeprefix("param-")
    if name.lower().startswith("param-") and not variable.replace("-", "_").isidentifier():
        yield config_warning(shown, line, f"no script can read {variable!r} as a variable", "use letters, digits and _")


def config_warning(shown: str, line: int, message: str, suggestion: str = "") -> Diagnostic:
    """What is odd about a configuration."""
    return Diagnostic(shown, line, 1, "warning", "BAS170", message, suggestion)

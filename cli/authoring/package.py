"""What a script runs with: the other scripts of its package, its configuration, its tables."""

import csv
import io
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cli.failure import Failure
from services.engine.basic.diagnostics import Diagnostic
from services.engine.basic.including import stem
from services.engine.basic.packages import CONFIG, PACKAGE, SCRIPT, check_file, home_of, scripts_of, sources_of
from services.engine.basic.sources import read_source
from services.engine.program.program import Program


@dataclass(slots=True)
class Playable:
    """Programs by name; tables: the columns of each, by its name in lower case."""

    home: Path
    programs: dict[str, Program]
    config: dict[str, str] = field(default_factory=dict)
    tables: dict[str, list[dict[str, Any]]] = field(default_factory=dict)


def load(path: Path) -> Playable:
    """The package a script or folder belongs to. Failure with the errors of what cannot run."""
    home = path if path.is_dir() else home_of(path)
    made = Playable(home.absolute(), {})
    files = {file: False for file in scripts_of(home).values() if file is not None}
    if path.is_file():
        files = {file: needed for file, needed in files.items() if stem(file.name) != stem(path.name)} | {path: True}
    errors: list[Diagnostic] = []
    for file, needed in files.items():
        checked = check_file(file, {})
        if checked.program is not None:
            made.programs[checked.program.name] = checked.program
        elif needed or path.is_dir():
            errors += [item for item in checked.diagnostics if item.severity == "error"]
    if errors:
        raise Failure("\n".join(f"{item.file}:{item.line}:{item.column}: {item.message}" for item in errors))
    made.config = configuration(home)
    for program in made.programs.values():
        for item in program.declarations:
            if item["kind"] == "table":
                made.tables[str(item["name"]).lower()] = item["fields"]
    return made


def configuration(home: Path) -> dict[str, str]:
    """config.csv of a package."""
    found: dict[str, str] = {}
    for path in sources_of(home):
        if path.name.lower() == CONFIG:
            rows = csv.reader(io.StringIO(read_source(path, path.name).text or ""))
            found |= {
                row[0].strip(): ",".join(row[1:]).strip()
                for row in rows
                if len(row) >= 2 and row[0].strip() and row[0].strip().lower() != "name"
            }
    return found


def is_package(path: Path) -> bool:
    """Whether a folder is a package."""
    return path.is_dir() and path.name.lower().endswith(PACKAGE)


def is_script(path: Path) -> bool:
    """Whether a file is a script."""
    return path.is_file() and path.name.lower().endswith(SCRIPT)

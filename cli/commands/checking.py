"""check: what is wrong with scripts, without a stack."""

import json
import sys
from collections.abc import Iterable
from pathlib import Path

import click

from services.engine.basic.diagnostics import Diagnostic
from services.engine.basic.listing import print_program
from services.engine.basic.packages import Checked, check_paths

COLOURS = {"error": "red", "warning": "yellow"}
LONGEST_SHOWN = 200


def told(item: Diagnostic) -> str:
    """The message, with what was probably meant."""
    return item.message + (f"; {item.suggestion}" if item.suggestion else "")


def as_json(item: Diagnostic) -> str:
    """One diagnostic as one line of JSON."""
    return json.dumps(
        {
            "file": item.file,
            "line": item.line,
            "column": item.column,
            "severity": item.severity,
            "code": item.code,
            "message": told(item),
        },
        ensure_ascii=False,
    )


def show(item: Diagnostic, lines: list[str]) -> None:
    """The place, the words, the line and a mark below the column."""
    severity = click.style(item.severity, fg=COLOURS.get(item.severity), bold=True)
    place = click.style(f"{item.file}:{item.line}:{item.column}", bold=True)
    click.echo(f"{place}: {severity} {item.code}: {told(item)}")
    if 1 <= item.line <= len(lines):
        line = lines[item.line - 1]
        begin = max(0, item.column - LONGEST_SHOWN // 2) if len(line) > LONGEST_SHOWN else 0
        before = line[begin : max(begin, item.column - 1)]
        margin = "".join("\t" if letter == "\t" else " " for letter in before)
        click.echo(f"    {line[begin : begin + LONGEST_SHOWN]}")
        click.echo(f"    {margin}{click.style('^', fg=COLOURS.get(item.severity), bold=True)}")


def counted(count: int, noun: str) -> str:
    """1 error, 2 errors."""
    return f"{count} {noun}" + ("" if count == 1 else "s")


def summary(files: Iterable[Checked]) -> str:
    """What was looked at and what was found."""
    known = list(files)
    found = [item.severity for file in known for item in file.diagnostics]
    looked = f"{counted(len(known), 'file')}, {counted(sum(len(file.lines) for file in known), 'line')}"
    if not found:
        return f"{looked}: nothing to complain about"
    return f"{looked}: {counted(found.count('error'), 'error')}, {counted(found.count('warning'), 'warning')}"


@click.command()
@click.argument("paths", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path), metavar="PATH...")
@click.option("--json", "machine", is_flag=True, help="One JSON object a diagnostic, one a line.")
@click.option("--nodes", is_flag=True, help="Also list the nodes that scripts become, as ./parley trace names them.")
def check(paths: tuple[Path, ...], *, machine: bool, nodes: bool) -> None:
    """Say what is wrong with scripts: files, folders, packages. Exit code 1 when something is an error.

    Example:  ./parley check bots/hello.gbai
    """
    done: list[Checked] = []
    failed = False
    for file in check_paths(paths):
        for item in file.diagnostics:
            failed = failed or item.severity == "error"
            if machine:
                click.echo(as_json(item))
            else:
                show(item, file.lines)
        if nodes and file.program is not None:
            click.echo(print_program(file.program), nl=False)
        file.program = None  # a thousand programs are not needed at once
        done.append(file)
    if not machine:
        click.echo(summary(done), err=True)
    if failed:
        sys.exit(1)


COMMANDS = (check,)

"""fmt: scripts as they are best read."""

import difflib
import sys
from collections.abc import Iterator
from pathlib import Path

import click

from services.engine.basic.formatting import CannotFormat, format_source
from services.engine.basic.packages import SCRIPT, sources_of
from services.engine.basic.sources import decoded, read_source

STANDARD_INPUT = "-"


def scripts(paths: tuple[str, ...]) -> Iterator[Path]:
    """All scripts below the paths. UsageError for a path that does not exist."""
    for path in map(Path, paths):
        if not path.exists():
            raise click.UsageError(f"{path} does not exist")
        yield from (file for file in sources_of(path) if file == path or file.suffix.lower() == SCRIPT)


def refusal(shown: str, problem: CannotFormat) -> str:
    """Why a script stays as it is, with the first of its errors."""
    if not problem.errors:
        return f"{shown}: {problem}"
    first = problem.errors[0]
    return f"{shown}:{first.line}:{first.column}: not formatted, it has errors: {first.message} ({first.code})"


def difference(shown: str, text: str, made: str) -> str:
    """A unified diff."""
    lines = difflib.unified_diff(text.splitlines(), made.splitlines(), shown, f"{shown} formatted", lineterm="")
    return "\n".join(lines)


class Rewriting:
    """What to do with scripts, and how it went."""

    def __init__(self, *, check: bool, diff: bool) -> None:
        self.check = check
        self.diff = diff
        self.changed = 0
        self.refused = 0

    def file(self, path: Path) -> None:
        """Format one file in its place, or only say what would change."""
        source = read_source(path, str(path))
        if source.text is None:
            self.refused += 1
            click.echo(f"{path}: {source.diagnostics[0].message}", err=True)
            return
        made = self.made(str(path), source.text)
        if made is not None and made != source.text and not (self.check or self.diff):
            path.write_text(made, encoding="utf-8", newline="\n")

    def made(self, shown: str, text: str) -> str | None:
        """The formatted text; None when it cannot be."""
        try:
            made = format_source(text)
        except CannotFormat as problem:
            self.refused += 1
            click.echo(refusal(shown, problem), err=True)
            return None
        if made != text:
            self.changed += 1
            if self.diff:
                click.echo(difference(shown, text, made))
            else:
                click.echo(f"{'would be formatted' if self.check else 'formatted'}: {shown}", err=True)
        return made


@click.command()
@click.argument("paths", nargs=-1, required=True, metavar="PATH...|-")
@click.option("--check", is_flag=True, help="Change nothing; exit code 1 when something would change.")
@click.option("--diff", is_flag=True, help="Change nothing; show what would change.")
def fmt(paths: tuple[str, ...], *, check: bool, diff: bool) -> None:
    """Format scripts: blocks indented, keywords in capitals, one space around operators. `-` reads standard input.

    A script with errors stays as it is, and so does one whose meaning would change.

    Example:  ./parley fmt bots/hello.gbai
    """
    work = Rewriting(check=check, diff=diff)
    if paths == (STANDARD_INPUT,):
        source = decoded(sys.stdin.buffer.read(), "standard input")
        made = work.made("standard input", source.text) if source.text is not None else None
        if made is None:
            sys.exit(1)
        if not (check or diff):
            click.echo(made, nl=False)
    else:
        for path in scripts(paths):
            work.file(path)
    if work.refused or (check and work.changed):
        sys.exit(1)


COMMANDS = (fmt,)

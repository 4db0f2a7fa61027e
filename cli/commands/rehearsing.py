"""test BOT: golden conversations, played on this machine."""

import sys
from pathlib import Path

import click

from cli.stack.layout import ROOT

CONVERSATIONS = (".yaml", ".yml")
PACKAGE = ".gbai"


def bots_of(arguments: tuple[str, ...]) -> list[Path]:
    """The bots that are named, when all arguments name bots; else none: the arguments mean the project's own tests."""
    found = [bot_of(item) for item in arguments]
    return [path for path in found if path is not None] if found and all(found) else []


def bot_of(argument: str) -> Path | None:
    """The package, folder or file an argument names; None for anything else."""
    path = Path(argument)
    if path.is_file():
        return path if path.suffix in CONVERSATIONS else None
    if path.is_dir():
        return path if path.name.endswith(PACKAGE) or any(path.rglob(f"*{PACKAGE}")) else None
    named = ROOT / "bots" / f"{argument}{PACKAGE}"
    return named if "/" not in argument and named.is_dir() else None


def rehearse(bots: list[Path]) -> None:
    """Play all conversations; exit code 1 when one differs, or when there is none."""
    from cli.authoring import golden  # noqa: PLC0415 - the project's own tests need none of it

    played = failed = 0
    for bot in bots:
        for conversation in golden.found(bot):
            problems = golden.play(conversation)
            played += 1
            failed += bool(problems)
            mark = click.style("differs", fg="red") if problems else click.style("as it should be", fg="green")
            click.echo(f"{conversation.path}: {conversation.name}: {mark}")
            for line in problems:
                click.echo(click.style(f"    {line}", fg=colour(line)))
    click.echo(f"{played} played, {failed} differ" if played else "there is no conversation: write one in *.gbtest/")
    if failed or not played:
        sys.exit(1)


def colour(line: str) -> str | None:
    """Of a line of a difference."""
    return {"-": "red", "+": "green"}.get(line.strip()[:1])

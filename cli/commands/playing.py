"""run: talk to a script that is being written."""

import dataclasses
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from cli.authoring.package import Playable, is_script, load
from cli.authoring.pretending import lenient, pretended
from cli.authoring.stage import Acted, Circumstances, Happening, Stage, Waited
from cli.commands.options import data_option
from cli.failure import Failure
from services.engine.basic.including import stem
from services.engine.machine import machine as m
from services.engine.machine.outcomes import Say, TraceEvent

LONGEST_SHOWN = 300


def short(value: object) -> str:
    """A value on a line."""
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= LONGEST_SHOWN else text[: LONGEST_SHOWN - 1] + "…"


def show_step(event: TraceEvent) -> None:
    """A step of the script."""
    given = f" {short(event.output)}" if event.output is not None else ""
    wrong = f" ! {event.error}" if event.error else ""
    click.echo(click.style(f"  {event.program}:{event.line} {event.op}{given}{wrong}", dim=True), err=True)


def show(item: Happening) -> None:
    """What happened."""
    if isinstance(item, Say):
        click.echo(f"bot> {item.text}")
        for attached in item.attachments:
            click.echo(f"     [{attached.get('name', '')}] {attached.get('uri', '')}")
        if item.suggestions:
            click.echo("     " + "  ".join(f"[{chip['text']}]" for chip in item.suggestions))
    elif isinstance(item, Acted):
        result = item.result
        given = f"error: {result.message}" if isinstance(result, m.EffectError) else short(result.value)
        click.echo(click.style(f"  ({item.wanted.keyword} {short(item.wanted.arguments)} -> {given})", fg="cyan"))
    elif isinstance(item, Waited):
        click.echo(click.style(f"  (waited {item.seconds:g} s)", fg="cyan"))
    elif isinstance(item, m.Failed):
        click.echo(click.style(f"  (the script failed on line {item.line}: {item.message})", fg="red"), err=True)


def typed_answers() -> Iterator[str]:
    """Lines of the person until the end of input."""
    while True:
        try:
            yield input("you> ") if sys.stdin.isatty() else input()
        except EOFError:
            return


def read_answers(path: Path) -> list[str]:
    """One answer a line. Failure."""
    try:
        return path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise Failure(f"{path} cannot be read: {type(error).__name__}") from None


def rehearse(playable: Playable, script: str, answers: Iterator[str], *, echo: bool, trace: bool) -> bool:
    """Play a script with made-up effects; whether it came to a question or its end without an error."""

    def pretend(wanted: m.PerformEffect) -> m.EffectResult:
        return m.EffectResult(pretended(wanted, playable.tables))

    around = Circumstances(on_trace=show_step if trace else None)
    programs = {name: lenient(program) for name, program in playable.programs.items()}
    stage = Stage(dataclasses.replace(playable, programs=programs), script, pretend, around)
    said: str | None = None
    while True:
        last: Happening | None = None
        for last in stage.go(said):
            show(last)
        if not isinstance(last, m.AskUser):
            return not isinstance(last, m.Failed)
        said = next(answers, None)
        if said is None:
            return True
        if echo:
            click.echo(f"you> {said}")


@click.command()
@click.argument("file", type=click.Path(exists=True, path_type=Path))
@click.option("--dry", is_flag=True, help="Effects are shown and made up, waits pass at once; no stack is needed.")
@click.option("--answers", type=click.Path(path_type=Path), default=None, help="A file with one answer a line.")
@click.option("--trace", is_flag=True, help="Show every step; only with --dry.")
@data_option
def run(file: Path, *, dry: bool, answers: Path | None, trace: bool, data: Path) -> None:
    """Talk to a script. Without --dry it is published as a scratch bot of the running stack, and its effects are real.

    The scratch bot is removed afterwards.

    Example:  ./parley run bots/hello.gbai/hello.gbdialog/start.bas --dry
    """
    if not is_script(file):
        raise click.UsageError(f"{file} is no script; expected a .bas file")
    if trace and not dry:
        raise click.UsageError("--trace goes with --dry; what a running stack did is shown by ./parley trace SESSION")
    lines = read_answers(answers) if answers else None
    playable = load(file)
    if dry:
        given = iter(lines) if lines is not None else typed_answers()
        echo = lines is not None or not sys.stdin.isatty()
        if not rehearse(playable, stem(file.name), given, echo=echo, trace=trace):
            sys.exit(1)
        return
    perform(file, lines, data)


def perform(file: Path, lines: list[str] | None, data: Path) -> None:
    """On the running stack. Failure when none runs."""
    from cli.authoring.scratch import talk_to  # noqa: PLC0415 - the mesh is not needed for a rehearsal

    talk_to(file, lines, data)


COMMANDS: tuple[Any, ...] = (run,)

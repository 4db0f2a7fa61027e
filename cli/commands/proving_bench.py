"""bench."""

import asyncio
import json
from pathlib import Path

import click
import uvloop
from rich.console import Console
from rich.table import Table

from cli.commands.options import own_data_option

COLUMNS = ("bench", "figure", "value", "unit", "ceiling", "ratio", "aim", "met")
NAMES = ("reads", "turns", "frames", "connections", "memory", "language", "answers", "starts")


@click.command()
@click.argument("name", required=False, type=click.Choice(NAMES))
@click.option("--seconds", default=9.0, show_default=True, type=click.FloatRange(1, 600), help="Of each measurement.")
@click.option("--json", "as_json", is_flag=True, help="One object a line.")
@own_data_option
def bench(*, name: str | None, seconds: float, as_json: bool, data: Path | None) -> None:
    """Measure a stack of its own beside its ceilings: docs/performance.md says how to read the figures.

    Example:  ./parley bench turns --json
    """
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(show(name or "", seconds, data, as_json=as_json))


async def show(name: str, seconds: float, data: Path | None, *, as_json: bool) -> None:
    """Figures as they come."""
    from bench.speed.run import run  # noqa: PLC0415 - only this command needs it

    table = Table(*COLUMNS, box=None)
    console = Console(stderr=True, highlight=False)
    async for figure in run(name, seconds, data):
        line = figure.line()
        if as_json:
            click.echo(json.dumps(line))
        else:
            table.add_row(*("" if line[column] is None else str(line[column]) for column in COLUMNS))
            console.print(f"  {figure.bench}: {figure.figure}")
    if not as_json:
        Console(highlight=False).print(table)


COMMANDS = (bench,)

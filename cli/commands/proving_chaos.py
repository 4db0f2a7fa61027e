"""chaos."""

import asyncio
import contextlib
import json
import sys
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from cli.commands.options import own_data_option
from cli.commands.progress import Elapsing, Starting

BROKEN = ("lost", "duplicated", "misordered", "overlapped")


@click.command()
@click.option("--seed", default=1, show_default=True, help="The same seed hits the same things in the same order.")
@click.option("--conversations", default=30, show_default=True, type=click.IntRange(1, 2000))
@click.option("--seconds", default=60.0, show_default=True, type=click.FloatRange(5, 3600))
@click.option("--json", "as_json", is_flag=True, help="One JSON line.")
@own_data_option
def chaos(*, seed: int, conversations: int, seconds: float, as_json: bool, data: Path | None) -> None:
    """Kill and pause every process of a stack of its own while people talk; count what was lost, repeated, reordered.

    Example:  ./parley chaos --seed 7 --conversations 200 --seconds 300
    """
    result = asyncio.run(rage(seed, conversations, seconds, data))
    ambushes = result.pop("ambushes")
    if as_json:
        click.echo(json.dumps(result))
    else:
        for name, value in {**result, "ambushes": ambushes}.items():
            click.echo(f"{name:>16}  {value}")
    sys.exit(1 if any(result[name] for name in BROKEN) else 0)


async def rage(seed: int, conversations: int, seconds: float, data: Path | None) -> dict[str, Any]:
    """One run, with its progress on a terminal."""
    from bench.chaos.run import Ordeal, arena, undergo  # noqa: PLC0415 - only this command needs it

    console = Console(stderr=True, highlight=False)
    view = Starting(console)
    async with contextlib.AsyncExitStack() as held:
        with view:
            stack = await held.enter_async_context(arena(data, view.tell))
        with Elapsing(console, seconds) as bar:
            return await undergo(stack, Ordeal(seed, conversations, seconds), bar.tell)


COMMANDS = (chaos,)

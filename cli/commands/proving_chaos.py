"""chaos."""

import asyncio
import json
import sys

import click


@click.command()
@click.option("--seed", default=1, show_default=True, help="The same seed hits the same things in the same order.")
@click.option("--conversations", default=30, show_default=True, type=click.IntRange(1, 2000))
@click.option("--seconds", default=60.0, show_default=True, type=click.FloatRange(5, 3600))
@click.option("--json", "as_json", is_flag=True, help="One JSON line.")
def chaos(*, seed: int, conversations: int, seconds: float, as_json: bool) -> None:
    """Kill and pause every process of a stack of its own while people talk; count what was lost, repeated, reordered.

    Example:  ./parley chaos --seed 7 --conversations 200 --seconds 300
    """
    from bench.chaos.run import Ordeal, run  # noqa: PLC0415 - only this command needs it

    result = asyncio.run(run(Ordeal(seed, conversations, seconds)))
    if as_json:
        click.echo(json.dumps(result))
    else:
        for name, value in result.items():
            click.echo(f"{name:>16}  {value}")
    broken = result["lost"] + result["duplicated"] + result["misordered"] + result["overlapped"]
    sys.exit(1 if broken else 0)


COMMANDS = (chaos,)

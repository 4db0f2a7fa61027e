"""Options that several commands share."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from cli.failure import Failure
from cli.stack.layout import ROOT, Layout


def data_option(function: Callable[..., Any]) -> Callable[..., Any]:
    """--data: the folder of the stack."""
    return click.option(
        "--data",
        type=click.Path(file_okay=False, path_type=Path),
        default=ROOT / ".parley",
        show_default=".parley",
        help="Folder that holds the stack.",
    )(function)


def running_state(data: Path) -> dict[str, Any]:
    """The state of the stack that runs in a folder. Failure when none does."""
    state = Layout(data.resolve()).read_state()
    if state is None:
        raise Failure(f"no stack runs in {data}", "start one: ./parley up")
    return state


def own_data_option(function: Callable[..., Any]) -> Callable[..., Any]:
    """--data of a command that starts a stack of its own: None means a temporary folder."""
    return click.option(
        "--data",
        type=click.Path(file_okay=False, path_type=Path),
        default=None,
        help="Folder for what this run starts, kept afterwards.  [default: a temporary one]",
    )(function)

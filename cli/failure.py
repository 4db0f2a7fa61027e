"""What the command says when it cannot go on: what is wrong, and what to do next."""

import click


class Failure(click.ClickException):
    """Ends the command with exit code 1."""

    def __init__(self, message: str, advice: str = "") -> None:
        super().__init__(message + (f"\n  {advice}" if advice else ""))

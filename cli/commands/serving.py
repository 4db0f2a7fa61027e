"""lsp: the language server, over standard input and output."""

import click


@click.command()
@click.option("--stdio", is_flag=True, help="What editors add; there is no other way.")
def lsp(*, stdio: bool) -> None:
    """Serve an editor: mistakes, completion, explanations, names, formatting.

    Example:  ./parley lsp
    """
    from cli.language_server.server import server  # noqa: PLC0415 - half a second that no other command needs

    server.start_io()


COMMANDS = (lsp,)

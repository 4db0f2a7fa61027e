"""One module a group of commands."""

import importlib

import click

GROUPS = ("running", "talking", "auditing", "proving", "proving_bench", "proving_chaos")


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option("0.1.0", prog_name="parley")
def main() -> None:
    """Parley: durable bots on a mesh of gRPC services.

    Begin with:  ./parley up
    """


for name in GROUPS:
    module = importlib.import_module(f"cli.commands.{name}")
    for command in module.COMMANDS:
        main.add_command(command)

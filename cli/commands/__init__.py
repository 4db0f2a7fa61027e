"""One module a group of commands; only the module of the command that is called is loaded."""

import importlib

import click

GROUPS = {
    "running": ("up", "status", "logs", "down", "reset"),
    "talking": ("chat",),
    "checking": ("check",),
    "documenting": ("docs",),
    "deploying": ("deploy",),
    "formatting": ("fmt",),
    "playing": ("run",),
    "serving": ("lsp",),
    "tracing": ("trace",),
    "auditing": ("audit",),
    "proving": ("test", "lint"),
    "proving_bench": ("bench",),
    "proving_chaos": ("chaos",),
}
MODULES = {command: module for module, commands in GROUPS.items() for command in commands}


class LazyGroup(click.Group):
    """Commands by name; what they need is imported when they are asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """All names."""
        return list(MODULES)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """A command. Its module has it in COMMANDS."""
        known = super().get_command(ctx, cmd_name)
        if known is None and cmd_name in MODULES:
            module = importlib.import_module(f"cli.commands.{MODULES[cmd_name]}")
            for command in module.COMMANDS:
                self.add_command(command)
            known = super().get_command(ctx, cmd_name)
        return known


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option("0.1.0", prog_name="parley")
def main() -> None:
    """Parley: durable bots on a mesh of gRPC services.

    Begin with:  ./parley up
    """

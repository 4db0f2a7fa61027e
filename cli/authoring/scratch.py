"""A script on the running stack, as a bot that lives as long as one talks to it."""

import asyncio
import secrets
from pathlib import Path

from cli.commands import talking
from cli.commands.deploying import tenant_of
from cli.commands.options import running_state
from cli.deploy import Deployer, Package, text_of
from cli.stack.layout import Layout
from services.engine.basic.including import stem
from services.engine.basic.packages import home_of, scripts_of

SECONDS = 60.0


class ScratchPackage(Package):
    """The package of a script, in which this script is the first one."""

    def __init__(self, script: Path) -> None:
        super().__init__(home_of(script))
        self._script = script
        self.name = f"scratch-{stem(script.name).replace('_', '-')}-{secrets.token_hex(3)}"

    def scripts(self) -> list[dict[str, str]]:
        """All scripts; start.bas is the one that is tried."""
        files = [file for name, file in scripts_of(self.folder).items() if file is not None and name != "start"]
        others = [{"path": file.name, "text": text_of(file)} for file in files]
        return [*others, {"path": "start.bas", "text": text_of(self._script)}]


def talk_to(script: Path, lines: list[str] | None, data: Path) -> None:
    """Publish, talk, remove. Failure."""
    state = running_state(data)
    asyncio.run(talked(ScratchPackage(script.absolute()), lines, data, state))


async def talked(package: ScratchPackage, lines: list[str] | None, data: Path, state: dict[str, object]) -> None:
    """The whole life of a scratch bot."""
    components = state["components"]
    listed = components if isinstance(components, list) else []
    ports = {str(item["name"]): int(str(item["port"])) for item in listed}
    layout = Layout(data.resolve())
    deployer = Deployer(await tenant_of(layout, ports), layout.keys / "deployer.pem", ports)
    try:
        await deployer.deploy(package)
        try:
            await talking.run(f"http://127.0.0.1:{state['edge']}", package.name, "", data, SECONDS, lines)
        finally:
            await deployer.remove(package.name)
    finally:
        await deployer.close()

"""What the tests of the page stand on: the whole stack, its bots, a browser, and people in it."""

import json
import shutil
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import psutil

from bench.speed.workbench import publish
from cli.deploy import deploy_all
from cli.stack.layout import ROOT, unused_port
from cli.stack.stack import Stack
from tests.browser.elsewhere import Elsewhere
from tests.doubles.openai_server import KEY, Behaviour, OpenAIDouble

ECHO = "DO\n  HEAR said\n  TALK said\nLOOP\n"
SLOW = 'TALK "Ask me."\n'


class Stage:
    """A running stack with three bots: `hello` quotes its documents, `echo` says what it hears, `slow` asks `model`.

    Pages of `elsewhere` may embed the chat, those of `stranger` may not.
    """

    def __init__(self, folder: Path) -> None:
        self.model = OpenAIDouble()
        self.elsewhere = Elsewhere()
        self.stranger = Elsewhere()
        self._folder = folder
        self.stack: Stack | None = None

    @property
    def url(self) -> str:
        """The edge."""
        assert self.stack is not None
        return self.stack.public_url

    async def start(self) -> None:
        await self.model.start()
        await self.elsewhere.start()
        await self.stranger.start()
        environment = {
            "PARLEY_ALLOWED_ORIGINS": ", ".join(self.elsewhere.origins),
            "PARLEY_OPENAI_BASE_URL": self.model.base_url,
            "PARLEY_OPENAI_API_KEY": KEY,
            "PARLEY_OPENAI_MODEL": "double",
            "PARLEY_LLM_ALIASES": json.dumps({"": "extractive/quotes"}),
        }
        self.stack = Stack(self._folder / "stack", port=unused_port(set()), environment=environment)
        await self.stack.start()
        await deploy_all(self.stack, ROOT / "bots")
        await deploy_all(self.stack, write_slow(self._folder / "bots"))
        await publish(self.stack, "echo", ECHO)

    async def stop(self) -> None:
        if self.stack is not None:
            await self.stack.stop()
            shutil.rmtree(self.stack.layout.exposed(), ignore_errors=True)
        await self.stranger.stop()
        await self.elsewhere.stop()
        await self.model.stop()

    def answer(self, text: str, *, chunk_latency: float = 0.0) -> None:
        """What the bot `slow` says next, and seconds between two words."""
        self.model.behaviour = Behaviour(text=text, chunk_latency=chunk_latency)

    def process(self, name: str) -> psutil.Process:
        """The process of a component."""
        assert self.stack is not None
        state = self.stack.layout.read_state()
        assert state is not None
        return psutil.Process(next(item["pid"] for item in state["components"] if item["name"] == name))


def write_slow(bots: Path) -> Path:
    """The package of a bot that asks the double of a model for everything."""
    package = bots / "slow.gbai"
    for inner, name, text in (
        ("slow.gbdialog", "start.bas", SLOW),
        ("slow.gbot", "config.csv", "name,value\nllm-model,openai/double\n"),
    ):
        (package / inner).mkdir(parents=True)
        (package / inner / name).write_text(text)
    return bots


def folder_for_all() -> Path:
    """A folder that PostgreSQL's own user may enter."""
    folder = Path(tempfile.mkdtemp(prefix="parley-browser-"))
    folder.chmod(0o755)
    return folder


@asynccontextmanager
async def staged() -> AsyncIterator[Stage]:
    """A stage; whatever happens, nothing is left of it."""
    folder = folder_for_all()
    made = Stage(folder)
    try:
        await made.start()
        yield made
    finally:
        await made.stop()
        shutil.rmtree(folder, ignore_errors=True)

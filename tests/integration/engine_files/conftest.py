"""A bot's drive over the real drive service."""

import uuid
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field, replace

import pytest

from cli.stack.layout import Layout
from services.common import context
from services.common.security.principal import Principal
from services.engine.files.drive import DriveFiles
from services.engine.keywords.world import World
from tests.integration.drive.conftest import DriveWorld, running_drive, running_store
from tests.servers import Postgres


@dataclass
class Bot:
    """A bot, the person it talks to, and the drive beneath."""

    drive: DriveWorld
    files: DriveFiles
    world: World
    effects: list[str] = field(default_factory=list)

    def next(self, **more: str) -> World:
        """The world of the next effect."""
        self.effects.append("")
        return replace(self.world, key=f"effect {len(self.effects)}", **more)


@pytest.fixture(scope="session")
async def bots_drive(postgres: Postgres, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[DriveWorld]:
    """A drive with a store of its own: that of the drive's tests may be running too."""
    layout = Layout(tmp_path_factory.mktemp("files"))
    layout.prepare()
    async with (
        running_store(layout) as store,
        running_drive(postgres, store, layout, tmp_path_factory.mktemp("drive")) as world,
    ):
        yield world


@pytest.fixture
def bot(bots_drive: DriveWorld) -> Iterator[Bot]:
    drive = bots_drive
    drive.tenant = str(uuid.uuid4())
    world = World(tenant=drive.tenant, bot="bots/support", session="sessions/1", user="visitors/ann", key="effect")
    visitor = Principal(drive.tenant, "visitors/ann", frozenset({"visitor"}), service="engine")
    with context.acting_for(visitor, seconds=300):
        yield Bot(drive, DriveFiles(drive.caller.mesh), world)

"""A bot's drive over the real drive service."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import pytest

from services.common import context
from services.common.security.principal import Principal
from services.engine.files.drive import DriveFiles
from services.engine.keywords.world import World
from tests.integration.drive.conftest import DriveWorld, drive, drive_running, store

__all__ = ["Bot", "bot", "drive", "drive_running", "store"]


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


@pytest.fixture
def bot(drive: DriveWorld) -> Iterator[Bot]:
    world = World(tenant=drive.tenant, bot="bots/support", session="sessions/1", user="visitors/ann", key="effect")
    visitor = Principal(drive.tenant, "visitors/ann", frozenset({"visitor"}), service="engine")
    with context.acting_for(visitor, seconds=60):
        yield Bot(drive, DriveFiles(drive.caller.mesh), world)

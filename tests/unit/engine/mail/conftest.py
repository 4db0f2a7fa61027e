"""Mail servers that tests drive, and a drive in memory."""

import fnmatch
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest

from services.engine.files.port import FileEntry
from services.engine.keywords.world import World
from services.engine.program.values import ProgramError
from tests.doubles.mail_server import Certificates, MailServer, certificates

Start = Callable[..., Awaitable[MailServer]]


def world_of(**what: Any) -> World:
    given = {"tenant": "t1", "bot": "bots/shop", "session": "sessions/s", "user": "u", "key": "ab" * 32}
    return World(**(given | what))


class MemoryFiles:
    """Enough of the `Files` port, without a drive."""

    def __init__(self, held: dict[str, bytes] | None = None) -> None:
        self.held = dict(held or {})

    async def read(self, world: Any, path: str) -> bytes:
        if path not in self.held:
            message = f"there is no file {path}"
            raise ProgramError(message)
        return self.held[path]

    async def write(self, world: Any, path: str, content: bytes, **_: Any) -> str:
        self.held[path] = content
        return f"files/{path}"

    async def exists(self, world: Any, path: str) -> bool:
        return path in self.held

    async def find(self, world: Any, path: str) -> FileEntry:
        await self.read(world, path)
        return self.entry(path)

    def entry(self, path: str) -> FileEntry:
        return FileEntry(
            path=path,
            name=path.rpartition("/")[2],
            uri=f"files/{path}",
            size=len(self.held[path]),
            content_type="text/plain",
            changed="2026-03-14T12:00:00Z",
        )

    async def give(self, world: Any, path: str) -> FileEntry:
        await self.read(world, path)
        return self.entry(path)

    async def list(self, world: Any, folder: str, pattern: str = "*", **_: Any) -> list[FileEntry]:
        paths = [path for path in sorted(self.held) if fnmatch.fnmatch(path, f"{folder}/{pattern or '*'}")]
        return [self.entry(path) for path in paths]


@pytest.fixture(scope="session")
def trusted(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return certificates(tmp_path_factory.mktemp("mail"))


@pytest.fixture(scope="session")
def foreign(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    """For another name."""
    return certificates(tmp_path_factory.mktemp("foreign"), "other.test")


@pytest.fixture
async def serve() -> AsyncIterator[Start]:
    """Starts a mail server."""
    started: list[MailServer] = []

    async def start(**what: Any) -> MailServer:
        server = MailServer(**what)
        await server.start()
        started.append(server)
        return server

    yield start
    for server in started:
        await server.stop()

"""Files as keywords see them."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol, TypeVar

R = TypeVar("R")
LARGEST_FILE = 32 * 1024 * 1024


class Place(Protocol):
    """Whose drive it is, for whom, and in which effect; a World is one.

    tenant: UUID; bot: "bots/x"; user: "users/..." or "visitors/..."; key: the same when an effect is tried again.
    """

    @property
    def tenant(self) -> str:
        """UUID."""

    @property
    def bot(self) -> str:
        """ "bots/x"."""

    @property
    def user(self) -> str:
        """The person's subject."""

    @property
    def key(self) -> str:
        """Idempotency key of the effect."""


@dataclass(frozen=True, slots=True)
class FileEntry:
    """What is known of a file. path: as scripts say it; name: as people know it; uri: "files/{uuid}"; size: bytes;
    changed: ISO 8601, UTC."""

    path: str
    name: str
    uri: str
    size: int
    content_type: str
    changed: str


Change = Callable[[bytes | None], Awaitable[bytes]]
"""From what a file has (None: there is none) to what it shall have. It may be called more than once."""


class Files(Protocol):
    """A bot's drive. Paths are relative to it ("reports/july.pdf"), or "files/{uuid}" of a file the person sent.

    Every method raises ProgramError for a path that leads elsewhere, what is not there and what is too large, and
    lets a retryable ParleyError through. What is written with the same world.key is written once.
    """

    async def read(self, world: Place, path: str) -> bytes:
        """All of a file, 32 MiB at most."""

    async def write(
        self, world: Place, path: str, content: bytes, *, append: bool = False, content_type: str = ""
    ) -> str:
        """Put content at the path, or behind what is there. Its uri. An empty content_type: by the path's ending."""

    async def change(self, world: Place, path: str, how: Change, *, content_type: str = "") -> str:
        """Replace what is there by how(what is there), again when another was quicker. Its uri."""

    async def list(self, world: Place, folder: str, pattern: str = "", *, recursive: bool = False) -> list[FileEntry]:
        """Files in a folder ("" is the top) by path; pattern: a glob such as "*.csv" on the name. 10,000 at most."""

    async def delete(self, world: Place, path: str) -> None:
        """Remove a file; nothing when there is none."""

    async def copy(self, world: Place, source: str, target: str) -> str:
        """The same bytes at another path as well; what was there is replaced. The copy's uri."""

    async def move(self, world: Place, source: str, target: str) -> str:
        """At another path instead. Its uri."""

    async def exists(self, world: Place, path: str) -> bool:
        """Whether there is such a file."""

    async def find(self, world: Place, path: str) -> FileEntry:
        """What is known of a file."""

    async def uri(self, world: Place, path: str) -> str:
        """ "files/{uuid}"."""

    async def link(self, world: Place, path: str, seconds: int) -> str:
        """An address that saves the file, for so many seconds, 7 days at most."""

    async def give(self, world: Place, path: str) -> FileEntry:
        """A copy that belongs to the person of the conversation: what an attachment of a reply names."""


class Documents(Protocol):
    """Where documents are read and made: in a process of its own, which ends when it takes too long or too much."""

    async def run(self, work: Callable[..., R], *arguments: object) -> R:
        """What a function of services.engine.files.documents (or web.scraping, web.feeds) gives for JSON and bytes.

        ProgramError for what it raises, after 30 seconds, and when it takes more memory than there is for it.
        """

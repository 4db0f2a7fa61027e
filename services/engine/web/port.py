"""The port: how keywords ask the web, whoever does it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from services.engine.program.values import Value

if TYPE_CHECKING:
    from services.engine.keywords.world import World

ANSWER_BYTES = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What a script asks.

    url: absolute, or `/api/...` on the server that the key `host` of config.csv or the installation names; query: put
    behind it; body: bytes as they are, else a value whose form the Content-Type decides (JSON unless told otherwise),
    None for no body; headers: win over those that SET HEADER left; bare: without those of SET HEADER, for addresses
    that the platform chose; most: bytes of the answer, uncompressed; seconds: less time than the method has, 0 for
    all of it.
    """

    method: str
    url: str
    query: Mapping[str, Value] = field(default_factory=dict)
    body: Value | bytes = None
    headers: Mapping[str, str] = field(default_factory=dict)
    bare: bool = False
    most: int = ANSWER_BYTES
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Page:
    """What came: headers with names in small letters, the body uncompressed, the address after all redirects."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    url: str

    @property
    def good(self) -> bool:
        """Whether the other side did what was asked."""
        return 200 <= self.status < 300

    @property
    def media_type(self) -> str:
        """The type without its parameters, in small letters; empty when none was told."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()


class Web(Protocol):
    """Other people's servers, as far as this installation and this bot may ask them."""

    async def fetch(self, world: World, request: Request) -> Page:
        """The answer as it came, whatever its status. ProgramError when there is none, or it may not be asked for."""
        ...

    async def ask(self, world: World, request: Request) -> Value:
        """A response object `{status, statusText, headers, data}`: data is parsed JSON, else text, NULL for what is
        neither. ProgramError as above.
        """
        ...

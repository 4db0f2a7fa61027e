"""What an index does. It can be thrown away and made again from PostgreSQL."""

import asyncio
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

Vector = NDArray[np.float32]
DENSE, WORDS = "dense", "words"


@dataclass(frozen=True, slots=True)
class Scope:
    """Whose knowledge is searched. Nothing is ever searched or written without one.

    collections: empty means all of the bot's.
    """

    tenant: str
    bot: str
    collections: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not self.tenant or not self.bot:
            message = "a scope needs a tenant and a bot"
            raise ValueError(message)

    @property
    def key(self) -> str:
        """The one value all its points carry."""
        return f"{self.tenant}/{self.bot}"


@dataclass(frozen=True, slots=True)
class Point:
    """A chunk. written: seconds since 1970. Without `dense` it is found by its words alone."""

    id: uuid.UUID
    scope: Scope
    collection: str
    document: uuid.UUID
    revision: int
    dense: Vector | None
    words: dict[int, float]
    written: int

    def payload(self) -> dict[str, str | int | bool]:
        """What filters look at."""
        return {
            "scope": self.scope.key,
            "collection": self.collection,
            "document": str(self.document),
            "revision": self.revision,
            "written": self.written,
            "meant": self.dense is not None,
        }


@dataclass(frozen=True, slots=True)
class Hit:
    """A chunk that was found; the score is a cosine in `dense`, a BM25 weight in `words`."""

    id: uuid.UUID
    score: float


@dataclass(frozen=True, slots=True)
class Found:
    """Both rankings, best first, and the cosine of every chunk in either that has a vector."""

    dense: list[Hit]
    words: list[Hit]
    similarities: dict[uuid.UUID, float]


class Kept(NamedTuple):
    """A point that is there: when it was written, and whether it has a vector to be found by its meaning."""

    written: int
    meant: bool


def kept(payload: Mapping[str, Any]) -> Kept:
    """Of a point's payload."""
    return Kept(int(payload.get("written", 0)), bool(payload.get("meant", False)))


class VectorIndex(Protocol):
    """Every method: Unavailable while the index is away. `broken` is set when it must be opened and filled anew."""

    broken: asyncio.Event

    async def open(self) -> None:
        """Make it ready; FailedPrecondition when another process holds it."""

    async def close(self) -> None:
        """Give it back."""

    async def upsert(self, points: Sequence[Point]) -> None:
        """Write points; one that is there is replaced."""

    async def remove_document(self, scope: Scope, document: uuid.UUID, *, but_revision: int | None = None) -> None:
        """Remove a document's points, except those of one revision."""

    async def remove(self, ids: Sequence[uuid.UUID]) -> None:
        """Remove points."""

    async def search(self, scope: Scope, dense: Vector, words: dict[int, float], limit: int) -> Found:
        """The nearest by meaning and by words, `limit` of each, within the scope."""

    async def everything(self) -> dict[uuid.UUID, Kept]:
        """Every point, for comparing with the truth."""

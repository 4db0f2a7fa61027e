"""What a bot knows, as keywords see it."""

from collections.abc import Sequence
from typing import Protocol

from services.engine.keywords.world import World
from services.engine.program.values import Value


class Knowledge(Protocol):
    """Documents of the bot."""

    async def search(self, world: World, query: str, collections: Sequence[str], limit: int) -> list[dict[str, Value]]:
        """Passages, best first: [{text, title, path, document, collection, start, score, similarity}]. ParleyError."""

    async def documents(self, world: World, collection: str = "") -> list[dict[str, Value]]:
        """Documents of a collection, or of all: [{path, title, collection, state, chunks, content_type, created,
        changed}], times as seconds since the epoch; 10,000 at most. ParleyError."""

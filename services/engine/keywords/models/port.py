"""The models as keywords see them."""

from collections.abc import Mapping
from typing import Protocol

from services.engine.keywords.world import World
from services.engine.program.values import Value


class Models(Protocol):
    """One prompt, one text."""

    async def complete(self, world: World, prompt: str, options: Mapping[str, Value]) -> str:
        """The answer. options: system, optimize, max_cost, max_latency, model. ParleyError."""

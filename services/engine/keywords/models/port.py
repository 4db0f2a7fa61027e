"""The models as keywords see them."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from services.engine.keywords.world import World
from services.engine.program.values import Value


class Models(Protocol):
    """Prompts in, texts out. Which model: `model` of the options, else of the conversation, else of the bot."""

    async def complete(self, world: World, prompt: str, options: Mapping[str, Value]) -> str:
        """The answer. options: system, optimize, max_cost, max_latency (milliseconds), model. ParleyError."""

    async def instruct(self, world: World, task: str, material: str) -> str:
        """What a model makes of a material. ProgramError when only the built-in model is there, which quotes documents
        and cannot follow instructions; ParleyError."""

    async def grounded(self, world: World, question: str, passages: Sequence[Mapping[str, Value]]) -> str:
        """An answer that rests on passages {text, title, document, start, score}. ParleyError."""

    async def models(self, world: World) -> list[dict[str, Value]]:
        """Models of the installation: [{name, provider, default}], those that make texts. ParleyError."""

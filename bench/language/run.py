"""All figures of the language."""

from bench.language import loops, texts, waiting
from bench.speed.figures import Figure
from bench.speed.workbench import Workbench


async def figures(bench: Workbench, seconds: float) -> list[Figure]:
    """Parsing, loops beside Python, a waiting conversation, and a hundred thousand of them."""
    return [*texts.figures(seconds), *loops.figures(), *await waiting.figures(bench, seconds)]

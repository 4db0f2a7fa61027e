"""All benchmarks, or one, over one stack."""

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

from bench.language import run as language
from bench.speed import answers, connections, frames, memory, reads, starts, turns
from bench.speed.ceilings import ceiling_process
from bench.speed.figures import Figure
from bench.speed.workbench import Workbench

Bench = Callable[[Workbench, float], Awaitable[list[Figure]]]
ON_THE_STACK: dict[str, Bench] = {
    "reads": reads.figures,
    "turns": turns.figures,
    "frames": frames.figures,
    "connections": connections.figures,
    "memory": memory.figures,
    "language": language.figures,
}
NAMES = (*ON_THE_STACK, "answers", "starts")


async def run(name: str, seconds: float, data: Path | None = None) -> AsyncIterator[Figure]:
    """Figures as they come; all benchmarks when `name` is empty. `seconds` of each measurement.

    `data`: where the folders of the stacks are made, and stay; temporary ones when None.
    """
    wanted = [name] if name else list(NAMES)
    stacked = [item for item in wanted if item in ON_THE_STACK]
    if stacked:
        async with Workbench(data=within(data, "mesh")) as bench:
            for item in stacked:
                for figure in await ON_THE_STACK[item](bench, seconds):
                    yield figure
    if "answers" in wanted:
        for figure in await with_model(seconds, within(data, "answers")):
            yield figure
    if "starts" in wanted:
        for figure in await starts.figures(within(data, "starts")):
            yield figure


def within(data: Path | None, name: str) -> Path | None:
    """A folder of its own for each stack."""
    return data / name if data else None


async def with_model(seconds: float, data: Path | None) -> list[Figure]:
    """Free text needs a stack that knows the double of a model."""
    async with ceiling_process("tests.doubles.openai_server") as port:
        address = f"http://127.0.0.1:{port}/v1"
        settings = {
            "PARLEY_OPENAI_BASE_URL": address,
            "PARLEY_OPENAI_API_KEY": "sk-double",
            "PARLEY_OPENAI_MODEL": "double",
        }
        async with Workbench(settings, data) as bench:
            return await answers.figures(bench, seconds, address)

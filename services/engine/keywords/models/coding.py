"""Code that a model writes."""

from services.engine.keywords.keyword import Arguments, Effect, Keyword
from services.engine.keywords.models.writing import made
from services.engine.keywords.world import World
from services.engine.program.values import Value, text_of


async def generate(world: World, arguments: Arguments) -> Value:
    """Source code for a task. ProgramError when the installation has no model for it."""
    language = f" in {text_of(arguments['language'])}" if "language" in arguments else ""
    task = f"Write code{language} that does what the text says. Give the code only, without fences or explanations."
    answer = await made(world, task, arguments["task"])
    return unfenced(answer)


def unfenced(text: str) -> str:
    """Without the fences models like to put around code."""
    lines = text.strip().split("\n")
    if len(lines) > 1 and lines[0].startswith("```") and lines[-1].startswith("```"):
        return "\n".join(lines[1:-1])
    return text


GENERATE_CODE = Keyword(
    name="GENERATE CODE",
    group="models",
    summary="Lets a model write code for a task.",
    forms=("GENERATE CODE <task> [, <language>]", "GENERATE CODE <task> IN <language:name>"),
    effect=Effect.READ,
    example='code = GENERATE CODE "sum of the squares of 1 to 10", "python"',
    documentation="It needs a language model; the built-in one, which quotes documents, cannot do it.",
    permission="models.ask",
    slow=True,
    perform=generate,
)

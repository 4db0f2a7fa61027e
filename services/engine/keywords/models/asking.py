"""One prompt, one answer."""

from services.engine.keywords.keyword import Arguments, Effect, Keyword
from services.engine.keywords.models.port import Models
from services.engine.keywords.world import World
from services.engine.program.values import Value, text_of


async def ask(world: World, arguments: Arguments) -> Value:
    """The model's answer as text."""
    options = {name: value for name, value in arguments.items() if name != "prompt"}
    return await world.port(Models).complete(world, text_of(arguments["prompt"]), options)


LLM = Keyword(
    name="LLM",
    group="models",
    summary="Asks the model and gives its answer.",
    forms=(
        "LLM <prompt> [WITH OPTIMIZE FOR <optimize>] [WITH MAX_COST <max_cost>] [WITH MAX_LATENCY <max_latency>]",
        "LLM <prompt>, <context>",
    ),
    aliases=("ASK",),
    effect=Effect.READ,
    example='summary = LLM "Summarise in one sentence: " + text',
    permission="models.ask",
    slow=True,
    perform=ask,
)

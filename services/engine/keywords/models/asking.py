"""One prompt, one answer."""

from services.engine.keywords.keyword import Arguments, Effect, Keyword
from services.engine.keywords.models.port import Models
from services.engine.keywords.world import World
from services.engine.program.values import ProgramError, Value, is_number, number_of, text_of

OPTIMIZED = frozenset({"speed", "cost", "quality", "auto"})


async def ask(world: World, arguments: Arguments) -> Value:
    """The model's answer as text. ProgramError for a clause that is not understood."""
    options = {name: value for name, value in arguments.items() if name not in {"prompt", "context"}}
    optimize = text_of(options.get("optimize", "auto")).lower()
    if optimize not in OPTIMIZED:
        message = f"LLM: OPTIMIZE FOR is speed, cost or quality, not {optimize[:40]!r}"
        raise ProgramError(message)
    for name in ("max_cost", "max_latency"):
        if name in options and not (is_number(options[name]) and number_of(options[name]) > 0):
            message = f"LLM: expected a number above 0 after {name.upper()}"
            raise ProgramError(message)
    prompt = text_of(arguments["prompt"])
    if "context" in arguments:
        prompt = f"{prompt}\n\n{text_of(arguments['context'])}"
    return await world.port(Models).complete(world, prompt, options)


LLM = Keyword(
    name="LLM",
    group="models",
    summary="Asks the model and gives its answer.",
    forms=(
        "LLM <prompt> [WITH OPTIMIZE FOR <optimize:word>] [WITH MAX_COST <max_cost>] [WITH MAX_LATENCY <max_latency>]",
        "LLM <prompt> WITH MAX_LATENCY <max_latency> [WITH MAX_COST <max_cost>] [WITH OPTIMIZE FOR <optimize:word>]",
        "LLM <prompt> WITH MAX_COST <max_cost> [WITH MAX_LATENCY <max_latency>] [WITH OPTIMIZE FOR <optimize:word>]",
        "LLM <prompt> WITH OPTIMIZE FOR <optimize:word> [WITH MAX_LATENCY <max_latency>] [WITH MAX_COST <max_cost>]",
        "LLM <prompt>, <context>",
    ),
    documentation="OPTIMIZE FOR takes the model of the configuration: `model-fast` for speed and cost, `model-quality` "
    "for quality; without one, the usual model. MAX_LATENCY, milliseconds: later it is an error. MAX_COST cannot be "
    "kept, because the installation knows no prices: it is an error that says so.",
    aliases=("ASK",),
    effect=Effect.READ,
    example='summary = LLM "Summarise in one sentence: " + text',
    permission="models.ask",
    slow=True,
    perform=ask,
)

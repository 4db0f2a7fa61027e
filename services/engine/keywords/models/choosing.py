"""Which model answers."""

from collections.abc import Mapping

from services.engine.keywords.keyword import Arguments, Effect, Keyword
from services.engine.keywords.models.port import Models
from services.engine.keywords.world import World
from services.engine.machine.state import MachineState
from services.engine.program.values import ProgramError, Value, text_of

MODEL, ROUTING = "model", "model-routing"
KINDS = {"fast": "model-fast", "quality": "model-quality", "code": "model-code"}
ROUTES = frozenset({"manual", "auto"})
COMING = frozenset({"load-balanced", "fallback"})
BY_OPTIMIZING = {"speed": "model-fast", "cost": "model-fast", "quality": "model-quality"}


def model_of(settings: Mapping[str, Value], config: Mapping[str, str], wanted: str = "", optimize: str = "") -> str:
    """The name of the model to ask; empty for the installation's own.

    First what the call wants, then what USE MODEL said, then the bot's configuration.
    """
    usual = config.get("llm-model") or config.get("model-default", "")
    if not wanted and optimize in BY_OPTIMIZING:
        return config.get(BY_OPTIMIZING[optimize], "") or usual
    chosen = wanted or text_of(settings.get(MODEL))
    if chosen.lower() in KINDS:
        return config.get(KINDS[chosen.lower()], "") or usual
    return usual if chosen.lower() in {"", "auto", "default"} else chosen


def use(state: MachineState, arguments: Arguments) -> None:
    """Kept with the conversation."""
    name = text_of(arguments["model"]).strip()
    if not name or len(name) > 255:
        message = "USE MODEL: expected fast, quality, code, auto or the name of a model"
        raise ProgramError(message)
    state.settings[MODEL] = name


def route(state: MachineState, arguments: Arguments) -> None:
    """manual: what USE MODEL says; auto: what the configuration says."""
    way = text_of(arguments["strategy"]).lower()
    if way in COMING:
        message = f"not available on this installation: SET MODEL ROUTING {way}; manual and auto are"
        raise ProgramError(message)
    if way not in ROUTES:
        message = f"SET MODEL ROUTING: expected manual, auto, load-balanced or fallback, got {way[:40]!r}"
        raise ProgramError(message)
    state.settings[ROUTING] = way
    if way == "auto":
        state.settings.pop(MODEL, None)


async def current(world: World, _: Arguments) -> Value:
    """The name of the model that is asked now."""
    name = model_of(world.settings, world.config)
    if name:
        return name
    found = await world.port(Models).models(world)
    return next((item["name"] for item in found if item["default"]), "")


async def models(world: World, _: Arguments) -> Value:
    """[{name, provider, default}]."""
    return await world.port(Models).models(world)


USE_MODEL = Keyword(
    name="USE MODEL",
    group="models",
    summary="Says which model answers from here on.",
    forms=("USE MODEL <model:name>",),
    effect=Effect.STATE,
    example='USE MODEL "quality"',
    documentation="`fast`, `quality` and `code` take the model that `model-fast`, `model-quality` and `model-code` of "
    "the configuration name, or the usual one where they name none; `auto` goes back to the usual one; anything else "
    "is the name of a model, such as `openai/gpt-4o`.",
    aliases=("SET MODEL",),
    apply=use,
)
SET_MODEL_ROUTING = Keyword(
    name="SET MODEL ROUTING",
    group="models",
    summary="Says how the model is chosen: manual (USE MODEL) or auto (the configuration).",
    forms=("SET MODEL ROUTING <strategy:name>",),
    effect=Effect.STATE,
    example='SET MODEL ROUTING "auto"',
    apply=route,
)
GET_CURRENT_MODEL = Keyword(
    name="GET CURRENT MODEL",
    group="models",
    summary="Gives the name of the model that answers now.",
    forms=("GET CURRENT MODEL",),
    effect=Effect.READ,
    example="TALK GET CURRENT MODEL()",
    perform=current,
)
LIST_MODELS = Keyword(
    name="LIST MODELS",
    group="models",
    summary="Gives the models of this installation.",
    forms=("LIST MODELS",),
    effect=Effect.READ,
    example="FOR EACH model IN LIST MODELS()\n  PRINT model.name\nNEXT",
    perform=models,
)

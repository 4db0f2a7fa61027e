"""Which bots help in a conversation, and which one answers."""

from services.engine.keywords.dialog.printing import MOST_LINES
from services.engine.keywords.keyword import Arguments, Effect, Keyword
from services.engine.machine.state import MachineState
from services.engine.program.values import ProgramError, Value, number_of, text_of, truthy

BOTS, ANSWERING, WORKFLOW = "bots", "answering", "workflow"
MOST_BOTS = 32
MOST_WORDS, LONGEST_WORD = 100, 200


def bot_name(value: Value) -> str:
    """A bot's name as it is kept: without bots/ and the ending of a package, lower case. ProgramError when empty."""
    name = text_of(value).strip().removeprefix("bots/").removesuffix(".gbai").lower().replace(" ", "-")
    if not name or len(name) > LONGEST_WORD:
        message = "expected the name of a bot"
        raise ProgramError(message)
    return name


def listed(value: Value) -> list[str]:
    """Words of a list, or of one text with commas. ProgramError when they are too many or too long."""
    items = value if isinstance(value, list) else [value]
    found = [part.strip() for item in items for part in text_of(item).split(",") if part.strip()]
    if len(found) > MOST_WORDS or any(len(word) > LONGEST_WORD for word in found):
        message = f"ADD BOT: expected at most {MOST_WORDS} words of {LONGEST_WORD} characters"
        raise ProgramError(message)
    return found


def added(settings: dict[str, Value]) -> dict[str, dict[str, Value]]:
    """Bots of the conversation by name: {triggers, tools, priority}."""
    found = settings.setdefault(BOTS, {})
    return found if isinstance(found, dict) else {}


def add(state: MachineState, arguments: Arguments) -> None:
    """A bot joins. ProgramError when there are too many, or for a schedule, which a bot has in its own scripts."""
    if "schedule" in arguments:
        message = "not available on this installation: ADD BOT ... SCHEDULE; write SET SCHEDULE in a script of that bot"
        raise ProgramError(message)
    bots, name = added(state.settings), bot_name(arguments["name"])
    if name not in bots and len(bots) >= MOST_BOTS:
        message = f"a conversation may have {MOST_BOTS} bots"
        raise ProgramError(message)
    triggers = [word.lower() for word in listed(arguments.get("triggers", []))]
    bots[name] = {"triggers": triggers, "tools": listed(arguments.get("tools", [])), "priority": 0}


def remove(state: MachineState, arguments: Arguments) -> bool:
    """A bot leaves; whether it was there."""
    name = bot_name(arguments["name"])
    if state.settings.get(ANSWERING) == name:
        del state.settings[ANSWERING]
    return added(state.settings).pop(name, None) is not None


def names(state: MachineState, _: Arguments) -> list[Value]:
    """All that joined, the most important first: [{name, triggers, tools, priority}]."""
    bots = added(state.settings)
    order = sorted(bots, key=lambda name: -number_of(bots[name].get("priority", 0)))
    return [{"name": name, **bots[name]} for name in order]


def prioritise(state: MachineState, arguments: Arguments) -> None:
    """Who goes first when triggers of several fit. ProgramError when the bot did not join."""
    name = bot_name(arguments["name"])
    known = added(state.settings).get(name)
    if known is None:
        message = f"{name} is not among the bots of this conversation: ADD BOT first"
        raise ProgramError(message)
    known["priority"] = number_of(arguments["priority"])


def transfer(state: MachineState, arguments: Arguments) -> None:
    """From now on another bot answers free questions."""
    state.settings[ANSWERING] = bot_name(arguments["bot"])


def orchestrate(state: MachineState, arguments: Arguments) -> None:
    """The name of what the steps below belong to."""
    name = text_of(arguments["name"])
    state.settings[WORKFLOW] = name
    if len(state.printed) < MOST_LINES:
        state.printed.append(f"WORKFLOW {name}")


def finish(state: MachineState, _: Arguments) -> None:
    """The steps are over."""
    state.settings.pop(WORKFLOW, None)


def helper_for(settings: dict[str, Value], text: str) -> str:
    """Whom a free question goes to: the bot it was handed to, or one that a word of it calls; empty: nobody else."""
    handed = settings.get(ANSWERING)
    if truthy(handed):
        return text_of(handed)
    bots, low = added(settings), text.lower()
    order = sorted(bots, key=lambda name: -number_of(bots[name].get("priority", 0)))
    return next((name for name in order if any(word in low for word in bots[name].get("triggers", []))), "")


ADD_BOT = Keyword(
    name="ADD BOT",
    group="agents",
    summary="Lets another bot of the tenant help in this conversation.",
    forms=(
        "ADD BOT <name:name> WITH TRIGGER <triggers:values> [WITH TOOLS <tools:values>] [TOOLS <tools:values>]",
        "ADD BOT <name:name> [TRIGGER ON <triggers:values>] [TOOLS <tools:values>] [SCHEDULE <schedule>]",
        "ADD BOT <name:name> [TRIGGER <triggers:values>] [WITH TOOLS <tools:values>] [WITH SCHEDULE <schedule>]",
        "ADD BOT <name:name> SCHEDULE <schedule>",
        "ADD BOT <name:name> AS <role> [WITH TRIGGER <triggers:values>]",
    ),
    effect=Effect.STATE,
    example='ADD BOT "billing" WITH TRIGGER "invoice,refund"',
    documentation="A free question that has one of the triggers in it is answered by that bot, from its own prompt, "
    "documents and model. TOOLS: which of this bot's tools it may use then.",
    apply=add,
)
REMOVE_BOT = Keyword(
    name="REMOVE BOT",
    group="agents",
    summary="The bot no longer helps in this conversation; says whether it did.",
    forms=("REMOVE BOT <name:name>",),
    effect=Effect.STATE,
    example='REMOVE BOT "billing"',
    apply=remove,
)
LIST_BOTS = Keyword(
    name="LIST BOTS",
    group="agents",
    summary="Gives the bots that help in this conversation.",
    forms=("LIST BOTS",),
    effect=Effect.STATE,
    example="FOR EACH helper IN LIST BOTS\n  TALK helper.name\nNEXT",
    apply=names,
)
SET_BOT_PRIORITY = Keyword(
    name="SET BOT PRIORITY",
    group="agents",
    summary="Says which bot goes first when the triggers of several fit: the highest number.",
    forms=("SET BOT PRIORITY <name:name>, <priority:number>",),
    effect=Effect.STATE,
    example='ADD BOT "billing" WITH TRIGGER "refund"\nSET BOT PRIORITY "billing", 10',
    apply=prioritise,
)
TRANSFER_CONVERSATION = Keyword(
    name="TRANSFER CONVERSATION",
    group="agents",
    summary="From now on free questions of this conversation are answered by another bot.",
    forms=("TRANSFER CONVERSATION TO BOT <bot:name>", "TRANSFER CONVERSATION TO <bot:name>"),
    effect=Effect.STATE,
    example='TRANSFER CONVERSATION TO "billing"',
    apply=transfer,
)
DELEGATE_TO = Keyword(
    name="DELEGATE TO",
    group="agents",
    summary="From now on free questions of this conversation are answered by another bot.",
    forms=("DELEGATE TO BOT <bot:name>", "DELEGATE TO <bot:name>"),
    effect=Effect.STATE,
    example='DELEGATE TO "billing"',
    apply=transfer,
)
ORCHESTRATE_WORKFLOW = Keyword(
    name="ORCHESTRATE WORKFLOW",
    group="agents",
    summary="Names the workflow that the steps below it belong to.",
    forms=("ORCHESTRATE WORKFLOW <name:name>",),
    effect=Effect.STATE,
    example='ORCHESTRATE WORKFLOW "orders"\nSTEP 1: BOT "stock" "Is tea there?"',
    apply=orchestrate,
)
END_WORKFLOW = Keyword(
    name="END WORKFLOW",
    group="agents",
    summary="Says that the steps of a workflow are over.",
    forms=("END WORKFLOW",),
    effect=Effect.STATE,
    example='ORCHESTRATE WORKFLOW "orders"\nEND WORKFLOW',
    apply=finish,
)

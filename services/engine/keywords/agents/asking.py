"""Other bots are asked, and share what they keep."""

import asyncio

from services.engine.keywords.agents.company import BOTS, bot_name
from services.engine.keywords.agents.port import OtherBots
from services.engine.keywords.keyword import Arguments, Effect, Keyword
from services.engine.keywords.memory.variables import recall
from services.engine.keywords.world import Performed, World
from services.engine.program.values import ProgramError, Value, number_of, text_of, truthy

PATIENCE = 45.0
LONGEST = 300.0


def seconds(arguments: Arguments) -> float:
    """How long to wait for an answer."""
    wanted = float(number_of(arguments.get("timeout", PATIENCE), "a number of seconds after TIMEOUT"))
    return min(max(wanted, 1.0), LONGEST)


async def delegate(world: World, arguments: Arguments) -> Value:
    """What another bot answers."""
    bot, message = bot_name(arguments["bot"]), text_of(arguments["message"])
    return await world.port(OtherBots).ask(world, bot, message, seconds(arguments))


async def task(world: World, arguments: Arguments) -> Value:
    """A step of a workflow; NULL when its condition does not hold."""
    if "when" in arguments and not truthy(arguments["when"]):
        return None
    return await delegate(world, arguments)


async def broadcast(world: World, arguments: Arguments) -> Value:
    """[{bot, answer, error}] of all bots that joined, side by side. ProgramError when there are none."""
    joined = world.setting(BOTS)
    if not isinstance(joined, dict) or not joined:
        message = "no bot helps in this conversation: ADD BOT first"
        raise ProgramError(message)
    port, text, patience = world.port(OtherBots), text_of(arguments["message"]), seconds(arguments)

    async def one(bot: str) -> Value:
        try:
            return {"bot": bot, "answer": await port.ask(world, bot, text, patience), "error": ""}
        except ProgramError as error:
            return {"bot": bot, "answer": "", "error": str(error)}

    return list(await asyncio.gather(*(one(bot) for bot in joined)))


async def share(world: World, arguments: Arguments) -> None:
    """One of our values, also for another bot. ProgramError when there is none."""
    key, bot = text_of(arguments["key"]), bot_name(arguments["bot"])
    value = arguments["value"] if "value" in arguments else await recall(world, "bot", key)
    if value is None:
        message = f'this bot keeps nothing called {key}: SET BOT MEMORY "{key}", ... first'
        raise ProgramError(message)
    await world.port(OtherBots).share(world, bot, key, value)


async def synchronise(world: World, arguments: Arguments) -> Performed:
    """What another bot keeps is kept here too; how many values."""
    found = await world.port(OtherBots).memory(world, bot_name(arguments["bot"]))
    return Performed(len(found), variables=tuple(("bot", key, value) for key, value in found.items()))


DELEGATE = Keyword(
    name="DELEGATE",
    group="agents",
    summary="Asks another bot, which answers from its own prompt, documents and model.",
    forms=(
        "DELEGATE <message> TO BOT <bot:name> [TIMEOUT <timeout:number>]",
        "DELEGATE <message> TO <bot:name> [TIMEOUT <timeout:number>]",
    ),
    effect=Effect.READ,
    example='answer = DELEGATE "What is the refund policy?" TO BOT "billing" TIMEOUT 30',
    permission="agents.ask",
    slow=True,
    perform=delegate,
)
BOT = Keyword(
    name="BOT",
    group="agents",
    summary="Gives another bot a task, as a step of a workflow.",
    forms=("BOT <bot:name> <message:text> [IF <when:condition>] [TIMEOUT <timeout:number>]",),
    effect=Effect.READ,
    example='STEP 1: BOT "classifier" "What is this about?"',
    permission="agents.ask",
    slow=True,
    perform=task,
)
BROADCAST_BOTS = Keyword(
    name="BROADCAST MESSAGE",
    group="agents",
    summary="Asks all bots that help in this conversation and gives their answers.",
    forms=(
        "BROADCAST MESSAGE <message> TO BOTS [TIMEOUT <timeout:number>]",
        "BROADCAST <message> TO BOTS [TIMEOUT <timeout:number>]",
    ),
    effect=Effect.READ,
    example='ADD BOT "billing"\nanswers = BROADCAST "Who can help with this?" TO BOTS',
    permission="agents.ask",
    slow=True,
    perform=broadcast,
)
BOT_SHARE_MEMORY = Keyword(
    name="BOT SHARE MEMORY",
    group="agents",
    summary="Keeps a value of this bot's memory in another bot's memory too.",
    forms=(
        "BOT SHARE MEMORY <key> WITH BOT <bot:name>",
        "BOT SHARE MEMORY <key> WITH <bot:name>",
        "BOT SHARE MEMORY <key>, <value> WITH <bot:name>",
    ),
    effect=Effect.WRITE,
    example='SET BOT MEMORY "price", 20\nBOT SHARE MEMORY "price" WITH "sales"',
    permission="agents.memory",
    perform=share,
)
BOT_SYNC_MEMORY = Keyword(
    name="BOT SYNC MEMORY",
    group="agents",
    summary="Keeps what another bot keeps in this bot's memory too; gives how many values.",
    forms=("BOT SYNC MEMORY FROM BOT <bot:name>", "BOT SYNC MEMORY FROM <bot:name>"),
    effect=Effect.WRITE,
    example='count = BOT SYNC MEMORY FROM "sales"',
    permission="agents.memory",
    perform=synchronise,
)

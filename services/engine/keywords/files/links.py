"""GENERATE SECURE LINK."""

from services.engine.keywords.files.common import GROUP, files, path_of
from services.engine.keywords.keyword import Arguments, Effect, Keyword
from services.engine.keywords.world import World
from services.engine.program.values import ProgramError, Value, number_of, text_of

SECONDS = {"SECOND": 1, "MINUTE": 60, "HOUR": 3600, "DAY": 86_400, "WEEK": 604_800}


async def link(world: World, arguments: Arguments) -> Value:
    """The address."""
    unit = text_of(arguments.get("unit", "DAYS")).upper().removesuffix("S")
    if unit not in SECONDS:
        message = f"GENERATE SECURE LINK: expected SECONDS, MINUTES, HOURS, DAYS or WEEKS, got {unit[:40]}"
        raise ProgramError(message)
    seconds = number_of(arguments.get("amount", 1), "how long the link works") * SECONDS[unit]
    return await files(world).link(world, path_of(arguments["file"]), int(seconds))


LINK = Keyword(
    name="GENERATE SECURE LINK",
    group=GROUP,
    summary="Gives an address that saves a file for whoever has it, for a time.",
    forms=("GENERATE SECURE LINK <file> EXPIRES <amount> [<unit:word>]", "GENERATE SECURE LINK <file> [, <amount>]"),
    effect=Effect.READ,
    example='TALK GENERATE SECURE LINK "contracts/7.pdf" EXPIRES 3 DAYS',
    documentation="""A day unless told, 7 days at most. The address ends sooner when the file is replaced or deleted. A
link that is made again after a crash is another one, and works as well.""",
    aliases=("GENERATE_SECURE_LINK",),
    permission="files.share",
    perform=link,
)

"""SET SCHEDULE and SCHEDULE IN: scripts that start later."""

from services.engine.keywords.keyword import Arguments, Effect, Keyword
from services.engine.keywords.world import World
from services.engine.program.values import ProgramError, number_of, text_of
from services.engine.schedule.port import Schedules

SECONDS = {"second": 1, "minute": 60, "hour": 3600, "day": 86_400}


async def set_schedule(world: World, arguments: Arguments) -> None:
    """By a rule, or once."""
    await world.port(Schedules).at(world, text_of(arguments["when"]), text_of(arguments.get("script")))


async def schedule_in(world: World, arguments: Arguments) -> None:
    """The lines of a block, once."""
    seconds = float(number_of(arguments["amount"])) * SECONDS[text_of(arguments["unit"])]
    if not 0 <= seconds <= 366 * SECONDS["day"]:
        message = f"SCHEDULE IN: expected a time up to a year from now, got {seconds:g} seconds"
        raise ProgramError(message)
    given = arguments.get("variables")
    variables = given if isinstance(given, dict) else {}
    script, entry = text_of(arguments["script"]), text_of(arguments["entry"])
    await world.port(Schedules).after(world, seconds, script, entry, variables)


SET_SCHEDULE = Keyword(
    name="SET SCHEDULE",
    group="schedule",
    summary="Starts a script by a rule of time, or once.",
    forms=("SET SCHEDULE <when> [, <script:name>]",),
    effect=Effect.WRITE,
    example='SET SCHEDULE "every monday at 9am"\nlate = FIND "invoices", "state=late"\nPRINT UBOUND(late)',
    documentation="""A rule that is written as text belongs to the published version: it starts the script, or the
script that is named, as long as the version is live. The line itself does nothing when it is reached. A rule that is
computed is set when the line is reached; `DATEADD(NOW(), 1, "hour")` starts the script once.

Rules: cron with five fields (`0 9 * * 1-5`) or six, seconds first (`0 0 9 * * 1-5`; 0 and 7 are Sunday), and words in
English, Portuguese, Spanish and Russian: `every 15 minutes`, `every day at 9am`, `weekdays at 8:30`,
`every hour from 9 to 17`, `business hours`, `a cada hora`, `cada lunes a las 14:00`, `каждый день в 9:00`. The
configuration key `timezone` names the time zone. What the script says is kept in a session of its own; nobody answers a
HEAR there.""",
    perform=set_schedule,
)
SCHEDULE_IN = Keyword(
    name="SCHEDULE IN",
    group="schedule",
    summary="Runs lines later, once.",
    forms=("SCHEDULE IN <amount:number> SECONDS DO",),
    effect=Effect.WRITE,
    example='SCHEDULE IN 10 MINUTES DO\n  PRINT "ten minutes later"\nEND SCHEDULE',
    documentation="SECONDS, MINUTES, HOURS or DAYS. The lines run with the variables they use as these are now.",
    syntax=True,
    perform=schedule_in,
)

"""Leads: how promising somebody is who may buy."""

from services.engine.keywords.keyword import Arguments, Effect, Keyword, function
from services.engine.keywords.memory.variables import keep, recall
from services.engine.keywords.planned import planned
from services.engine.keywords.world import Performed, World
from services.engine.machine.outcomes import Clock
from services.engine.machine.state import MachineState
from services.engine.program.values import ProgramError, Value, is_number, look_up, number_of, text_of, truthy

QUALIFIED = 70
MOST = 100
FREE_MAIL = frozenset({"gmail.com", "hotmail.com", "outlook.com", "yahoo.com", "icloud.com", "proton.me", "mail.ru"})
DECIDERS = ("ceo", "cto", "cfo", "coo", "chief", "founder", "owner", "director", "head", "president", "vp", "partner")
RULES = """
What is scored, out of 100: an email address 10, and 10 more when it is a company's; a phone number 10; a company 10;
a title that decides (CEO, director, owner ...) 20, any other title 5; a budget 15, of 10,000 and more 25; a source
`referral` 10, any other 5; `interest` or `message` 10; `timeline` or `urgency` 5.

Rules of one's own are an object: a field and the points for it, or a field and an object of its values and their
points, such as `#{company: 20, source: #{referral: 30, web: 5}}`; nothing else counts then.
"""


def scored(_: Clock, lead: Value, rules: Value = None) -> int:
    """0 to 100. ProgramError when the lead is no object."""
    if not isinstance(lead, dict):
        message = 'SCORE LEAD: expected an object such as #{email: "ana@example.com", company: "Example"}'
        raise ProgramError(message)
    points = by_rules(lead, rules) if isinstance(rules, dict) else by_default(lead)
    return max(0, min(MOST, round(points)))


def by_rules(lead: dict[str, Value], rules: dict[str, Value]) -> float:
    """Points of rules: {field: points} or {field: {value: points}}."""
    total = 0.0
    for field, points in rules.items():
        found = look_up(lead, field)
        if isinstance(points, dict):
            total += number_of(look_up(points, text_of(found)) or 0)
        elif truthy(found):
            total += number_of(points)
    return total


def by_default(lead: dict[str, Value]) -> float:
    """Points of the rules in the manual."""
    email = text_of(look_up(lead, "email")).lower()
    title = text_of(look_up(lead, "title") or look_up(lead, "role")).lower()
    budget = look_up(lead, "budget")
    source = text_of(look_up(lead, "source")).lower()
    total = 10 * ("@" in email) + 10 * ("@" in email and email.rpartition("@")[2] not in FREE_MAIL)
    total += 10 * any(truthy(look_up(lead, name)) for name in ("phone", "mobile", "telephone"))
    total += 10 * truthy(look_up(lead, "company"))
    if title:
        total += 20 if any(word in title.replace("/", " ").split() for word in DECIDERS) else 5
    if is_number(budget) and number_of(budget) > 0:
        total += 25 if number_of(budget) >= 10_000 else 15
    total += 10 * (source == "referral") or 5 * bool(source)
    total += 10 * any(truthy(look_up(lead, name)) for name in ("interest", "message"))
    return total + 5 * any(truthy(look_up(lead, name)) for name in ("timeline", "urgency"))


def qualified(clock: Clock, lead: Value, threshold: Value = QUALIFIED) -> bool:
    """Whether a lead, or a score, reaches the threshold."""
    score = number_of(lead) if is_number(lead) else scored(clock, lead)
    return score >= number_of(threshold)


def place(lead: Value) -> str:
    """Where a lead's score is kept. ProgramError when it has no name."""
    name = text_of(look_up(lead, "id") or look_up(lead, "email")) if isinstance(lead, dict) else text_of(lead)
    if not name or len(name) > 200:
        message = "expected what names the lead: an id or an email address"
        raise ProgramError(message)
    return f"lead_score:{name.lower()}"


def set_score(state: MachineState, arguments: Arguments) -> None:
    """Kept for the bot."""
    key = place(arguments["lead"])
    keep(state, "bot", key, bounded(number_of(arguments["score"])))
    if "reason" in arguments:
        keep(state, "bot", because(key), text_of(arguments["reason"]))


async def get_score(world: World, arguments: Arguments) -> Value:
    """0 when there is none."""
    return await recall(world, "bot", place(arguments["lead"])) or 0


async def update_score(world: World, arguments: Arguments) -> Performed:
    """More or less than before."""
    key = place(arguments["lead"])
    known = await recall(world, "bot", key)
    score = bounded(number_of(known or 0) + number_of(arguments["change"]))
    reason = (("bot", because(key), text_of(arguments["reason"])),) if "reason" in arguments else ()
    return Performed(score, variables=(("bot", key, score), *reason))


def because(key: str) -> str:
    """Where the reason of a lead's last score is kept."""
    return key.replace("lead_score:", "lead_reason:", 1)


def bounded(score: float) -> int | float:
    """0 to 100."""
    return max(0, min(MOST, score))


SCORE_LEAD = function(
    "SCORE LEAD",
    "<lead> [, <rules>]",
    "Gives 0 to 100 points to somebody who may buy, by rules.",
    'SCORE LEAD(#{email: "ana@example.com", company: "Example", budget: 12000})  \' 55',
    scored,
    "leads",
    documentation=RULES,
)
QUALIFY_LEAD = function(
    "QUALIFY LEAD",
    "<lead> [, <threshold>]",
    "Says whether a lead, or a score, reaches a threshold, 70 unless said otherwise.",
    "QUALIFY LEAD(65, 60)  ' TRUE",
    qualified,
    "leads",
    documentation=RULES,
)
GET_LEAD_SCORE = Keyword(
    name="GET LEAD SCORE",
    group="leads",
    summary="Gives the score kept for a lead; 0 when there is none.",
    forms=("GET LEAD SCORE <lead>",),
    effect=Effect.READ,
    example='score = GET LEAD SCORE "ana@example.com"',
    perform=get_score,
)
SET_LEAD_SCORE = Keyword(
    name="SET LEAD SCORE",
    group="leads",
    summary="Keeps a score for a lead.",
    forms=("SET LEAD SCORE <lead>, <score:number> [, <reason>]",),
    effect=Effect.STATE,
    example='SET LEAD SCORE "ana@example.com", 80',
    apply=set_score,
)
UPDATE_LEAD_SCORE = Keyword(
    name="UPDATE LEAD SCORE",
    group="leads",
    summary="Adds to the score kept for a lead, or takes from it; gives the new one.",
    forms=("UPDATE LEAD SCORE <lead>, <change:number> [, <reason>]",),
    effect=Effect.WRITE,
    example='UPDATE LEAD SCORE "ana@example.com", 10, "asked for a price"',
    permission="people.write",
    perform=update_score,
)
KEYWORDS = (
    planned(
        "CREATE LEAD",
        "leads",
        (
            "CREATE LEAD <lead> [, <second>] [, <third>] [, <fourth>] [, <fifth>]",
            "CREATE LEAD WITH <fields:fields>",
        ),
        "Writes down somebody who may buy.",
        'CREATE LEAD #{email: "ana@example.com", name: "Ana"}',
        "customer records; SAVE into a table of the bot does it today",
        permission="people.write",
    ),
)

"""Web sites and mail accounts as documents."""

from services.engine.keywords.keyword import Arguments, Effect, Keyword
from services.engine.keywords.planned import planned
from services.engine.machine.state import MachineState
from services.engine.program.values import ProgramError, text_of

WEBSITES = "websites"
MOST_WEBSITES = 20
LONGEST_ADDRESS = 2048


def use(state: MachineState, arguments: Arguments) -> None:
    """The site belongs to the conversation, but nobody has read its pages. ProgramError says so."""
    address = text_of(arguments["address"])
    if not address or len(address) > LONGEST_ADDRESS:
        message = f"USE WEBSITE: expected an address of at most {LONGEST_ADDRESS} characters"
        raise ProgramError(message)
    known = state.settings.setdefault(WEBSITES, {})
    if not isinstance(known, dict) or (address not in known and len(known) >= MOST_WEBSITES):
        message = f"a conversation may use {MOST_WEBSITES} web sites"
        raise ProgramError(message)
    known[address] = {
        name: text_of(arguments[name])[:80] for name in ("interval", "depth", "pages") if name in arguments
    }
    message = "not available on this installation: USE WEBSITE, pages of web sites are not read yet"
    raise ProgramError(message)


def clear(state: MachineState, _: Arguments) -> None:
    """No web site belongs to the conversation."""
    state.settings.pop(WEBSITES, None)


USE_WEBSITE = Keyword(
    name="USE WEBSITE",
    group="knowledge",
    summary="Lets free answers rest on the pages of a web site.",
    forms=("USE WEBSITE <address> [REFRESH <interval>] [DEPTH <depth:number>] [PAGES <pages:number>]",),
    effect=Effect.STATE,
    example='USE WEBSITE "https://example.com/help" REFRESH "1d"',
    documentation="The site is declared with the version and kept with the conversation, for whatever reads it later.",
    aliases=("ADD WEBSITE",),
    needs="a reader of web sites",
    apply=use,
)
CLEAR_WEBSITES = Keyword(
    name="CLEAR WEBSITES",
    group="knowledge",
    summary="Free answers no longer rest on web sites.",
    forms=("CLEAR WEBSITES",),
    effect=Effect.STATE,
    example="CLEAR WEBSITES",
    apply=clear,
)
KEYWORDS = (
    planned(
        "USE ACCOUNT",
        "knowledge",
        ("USE ACCOUNT <account>",),
        "Lets the bot read the mail and files of an account.",
        'USE ACCOUNT "ana@example.com"',
        "accounts of other services",
        permission="knowledge.accounts",
    ),
    planned(
        "KB",
        "knowledge",
        ("KB <collection:name> [, <query>]",),
        "Describes a collection of documents.",
        'KB "handbook"',
        "collections described in scripts",
        effect=Effect.READ,
    ),
)

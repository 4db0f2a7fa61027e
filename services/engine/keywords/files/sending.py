"""SEND FILE and PLAY: a file in the conversation."""

from services.engine.keywords.files.common import GROUP, refuse_others, shown
from services.engine.keywords.keyword import Arguments, Effect, Keyword
from services.engine.keywords.world import Performed, World
from services.engine.program.values import ProgramError, Value, text_of

MOST_FILES = 10


async def send(world: World, arguments: Arguments) -> Value:
    """A message for each file; the first carries the caption."""
    refuse_others(world, arguments.get("who"))
    given, caption = arguments["file"], text_of(arguments.get("caption"))
    chosen = given if isinstance(given, list) else [given]
    if not 1 <= len(chosen) <= MOST_FILES:
        message = f"SEND FILE sends 1 to {MOST_FILES} files, got {len(chosen)}"
        raise ProgramError(message)
    says = [await shown(world, file, caption if place == 0 else "") for place, file in enumerate(chosen)]
    return Performed(says=tuple(says))


async def play(world: World, arguments: Arguments) -> Value:
    """A message with what is to be seen or heard."""
    return Performed(says=(await shown(world, arguments["file"]),))


SEND_FILE = Keyword(
    name="SEND FILE",
    group=GROUP,
    summary="Sends a file of the bot's drive, or one on the web, to the person.",
    forms=("SEND FILE <file> [, <caption>]",),
    effect=Effect.WRITE,
    example='SEND FILE "menu.pdf", "Our menu of this week"',
    documentation="""The person gets a copy that stays as it is now. A list sends up to 10 files. What GENERATE PDF, QR
CODE, CHART and their like gave can be sent as it is.""",
    aliases=("SEND_FILE",),
    permission="files.read",
    perform=send,
)
SEND_FILE_TO = Keyword(
    name="SEND FILE TO",
    group=GROUP,
    summary="Sends a file to the person of the conversation.",
    forms=("SEND FILE TO <who>, <file> [, <caption>]",),
    effect=Effect.WRITE,
    example='SEND FILE TO user_id, "menu.pdf", "Our menu"',
    documentation="To anybody else it is not available on this installation yet, and says so.",
    permission="files.read",
    perform=send,
)
PLAY = Keyword(
    name="PLAY",
    group=GROUP,
    summary="Shows a video, a sound, a picture or a document in the conversation.",
    forms=("PLAY <file> [WITH OPTIONS <options>]",),
    effect=Effect.WRITE,
    example='PLAY "welcome.mp4"',
    documentation="""The file comes as a message with an attachment, which the page plays or shows; players of other
channels decide for themselves what they do with options, which are not passed on.""",
    permission="files.read",
    perform=play,
)

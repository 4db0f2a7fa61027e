"""SEND FILE and PLAY: a file in the conversation."""

from services.engine.keywords.files.common import GROUP, shown
from services.engine.keywords.keyword import Arguments, Effect, Keyword
from services.engine.keywords.world import Performed, World
from services.engine.program.values import ProgramError, Value, text_of

MOST_FILES = 10


async def show(world: World, arguments: Arguments) -> Value:
    """A message for each file; the first carries the caption. The uri of the first."""
    given, caption = arguments["file"], text_of(arguments.get("caption"))
    chosen = given if isinstance(given, list) else [given]
    if not 1 <= len(chosen) <= MOST_FILES:
        message = f"SEND FILE sends 1 to {MOST_FILES} files, got {len(chosen)}"
        raise ProgramError(message)
    says = [await shown(world, file, caption if place == 0 else "") for place, file in enumerate(chosen)]
    return Performed(value=says[0].attachments[0]["uri"], says=tuple(says))


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
    perform=show,
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

"""LIST and DIR: which files there are."""

from services.engine.keywords.files.common import GROUP, described, files
from services.engine.keywords.keyword import Arguments, Effect, Keyword
from services.engine.keywords.world import World
from services.engine.program.values import ProgramError, Value, text_of


async def listed(world: World, arguments: Arguments) -> Value:
    """Files as objects."""
    mode = text_of(arguments.get("mode")).upper()
    if mode not in {"", "RECURSIVE"}:
        message = f"LIST: expected RECURSIVE or nothing, got {mode[:40]}"
        raise ProgramError(message)
    folder, pattern = text_of(arguments.get("folder")), text_of(arguments.get("pattern"))
    if "*" in folder:
        folder, _, pattern = folder.rpartition("/")
    found = await files(world).list(world, folder, pattern, recursive=mode == "RECURSIVE")
    return [described(entry) for entry in found]


LIST = Keyword(
    name="LIST",
    group=GROUP,
    summary="Gives the files in a folder of the bot's drive.",
    forms=(
        "LIST <folder> [FILTER <pattern>] [<mode:word>]",
        "LIST <folder> <mode:word> FILTER <pattern>",
        "LIST",
    ),
    effect=Effect.READ,
    example='FOR EACH file IN LIST "reports" FILTER "*.pdf" RECURSIVE\n  TALK file.path + ", " + file.size\nNEXT',
    documentation="""Each is an object with `name`, `path`, `size` (bytes), `type` (the ending), `content_type`,
`modified` and `uri`; as text it is its path. `RECURSIVE` lists the folders in the folder too. A folder without files
does not exist, and gives an empty list.""",
    aliases=("DIR", "LIST FILES"),
    permission="files.read",
    perform=listed,
)

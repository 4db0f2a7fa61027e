"""LIST and DIR: which files there are."""

from services.engine.keywords.files.common import GROUP, described, files
from services.engine.keywords.keyword import Arguments, Effect, Keyword
from services.engine.keywords.world import World
from services.engine.program.values import Value, text_of


async def listed(world: World, arguments: Arguments) -> Value:
    """Files in a folder as objects."""
    return await found(world, arguments, recursive=False)


async def all_listed(world: World, arguments: Arguments) -> Value:
    """Those in the folders in it too."""
    return await found(world, arguments, recursive=True)


async def found(world: World, arguments: Arguments, *, recursive: bool) -> list[Value]:
    """Files as objects."""
    folder, pattern = text_of(arguments.get("folder")), text_of(arguments.get("pattern"))
    if "*" in folder:
        folder, _, pattern = folder.rpartition("/")
    return [described(entry) for entry in await files(world).list(world, folder, pattern, recursive=recursive)]


LIST = Keyword(
    name="LIST",
    group=GROUP,
    summary="Gives the files in a folder of the bot's drive.",
    forms=("LIST <folder> [FILTER <pattern>]", "LIST"),
    effect=Effect.READ,
    example='FOR EACH file IN LIST "reports" FILTER "*.pdf"\n  TALK file.path + ", " + file.size\nNEXT',
    documentation="""Each is an object with `name`, `path`, `size` (bytes), `type` (the ending), `content_type`,
`modified` and `uri`; as text it is its path. `RECURSIVE` at the end lists the folders in the folder too. A folder
without files does not exist, and gives an empty list.""",
    aliases=("DIR", "LIST FILES"),
    permission="files.read",
    perform=listed,
)
LIST_RECURSIVE = Keyword(
    name="LIST RECURSIVE",
    group=GROUP,
    summary="Gives the files in a folder of the bot's drive and in all folders in it.",
    forms=tuple(
        f"{word} <folder> {rest}"
        for word in ("LIST", "DIR", "LIST FILES")
        for rest in ("RECURSIVE [FILTER <pattern>]", "FILTER <pattern> RECURSIVE")
    ),
    effect=Effect.READ,
    example='FOR EACH file IN LIST "reports" RECURSIVE\n  TALK file.path + ", " + file.size\nNEXT',
    permission="files.read",
    perform=all_listed,
)

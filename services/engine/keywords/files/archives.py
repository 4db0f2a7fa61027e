"""COMPRESS and EXTRACT: ZIP archives."""

from services.engine.files.documents.archives import LARGEST_TOTAL, MOST_ENTRIES, compress, extract
from services.engine.files.paths import clean_folder, name_of
from services.engine.keywords.files.common import GROUP, documents, files, path_of, paths_of, stored
from services.engine.keywords.keyword import Arguments, Effect, Keyword
from services.engine.keywords.world import World
from services.engine.program.values import ProgramError, Value


async def pack(world: World, arguments: Arguments) -> Value:
    """The archive."""
    target = path_of(arguments["archive"])
    paths = [path for path in await chosen(world, arguments["files"]) if path != target]
    if not 1 <= len(paths) <= MOST_ENTRIES:
        message = f"COMPRESS packs 1 to {MOST_ENTRIES:,} files, got {len(paths):,}"
        raise ProgramError(message)
    contents: list[bytes] = []
    for path in paths:
        contents.append(await files(world).read(world, path))
        if sum(map(len, contents)) > LARGEST_TOTAL:
            message = f"COMPRESS packs {LARGEST_TOTAL // 1024**2} MB at most"
            raise ProgramError(message)
    return await stored(world, target, await documents(world).run(compress, names_of(paths), contents))


async def chosen(world: World, value: Value) -> list[str]:
    """Paths of files; one that names a folder stands for all files in it."""
    if not isinstance(value, str):
        return paths_of(value)
    if not value.strip().endswith("/") and await files(world).exists(world, path_of(value)):
        return [path_of(value)]
    return [entry.path for entry in await files(world).list(world, value, recursive=True)]


def names_of(paths: list[str]) -> list[str]:
    """Names in the archive: without the folders that all have in common."""
    folders = [path.split("/")[:-1] for path in paths]
    shared = 0
    while all(len(folder) > shared and folder[shared] == folders[0][shared] for folder in folders):
        shared += 1
    return ["/".join(path.split("/")[shared:]) for path in paths]


async def unpack(world: World, arguments: Arguments) -> Value:
    """Paths of what was in the archive."""
    archive = path_of(arguments["archive"])
    folder = clean_folder(arguments.get("folder", name_of(archive).rpartition(".")[0] or "extracted"))
    found = await documents(world).run(extract, await files(world).read(world, archive))
    targets = [path_of(f"{folder}/{name}" if folder else name) for name, _ in found]
    for target, (_, content) in zip(targets, found, strict=True):
        if isinstance(content, bytes) and content:
            await files(world).write(world, target, content)
    return targets


COMPRESS = Keyword(
    name="COMPRESS",
    group=GROUP,
    summary="Packs files of the bot's drive into a ZIP archive.",
    forms=("COMPRESS <files>, <archive>", "COMPRESS <files> TO <archive>"),
    effect=Effect.WRITE,
    example='COMPRESS LIST "reports" TO "reports.zip"\nCOMPRESS ["a.txt", "b.txt"], "both.zip"',
    documentation="""`files` is a path, a list of paths or what LIST gave; the path of a folder stands for all files in
it. It gives the archive: `path`, `url`, `uri`, `name`. 1,000 files and 100 MB at most.""",
    permission="files.write",
    perform=pack,
)
EXTRACT = Keyword(
    name="EXTRACT",
    group=GROUP,
    summary="Takes the files out of a ZIP archive, into a folder of the bot's drive; gives their paths.",
    forms=("EXTRACT <archive>, <folder>", "EXTRACT <archive> TO <folder>", "EXTRACT <archive>"),
    effect=Effect.WRITE,
    example='paths = EXTRACT "inbox/photos.zip" TO "photos"\nTALK "Photos: " + UBOUND(paths)',
    documentation="""Archives that lead out of the folder, have links, a password or two files of one name, or grow
beyond measure, are refused, and nothing is taken out of them. Archives in an archive stay archives. Empty files are
left out.""",
    permission="files.write",
    perform=unpack,
)

"""COPY, MOVE, DELETE FILE."""

from services.engine.files.paths import clean_folder, name_of
from services.engine.keywords.files.common import GROUP, files, path_of
from services.engine.keywords.keyword import Arguments, Effect, Keyword
from services.engine.keywords.world import World
from services.engine.program.values import Value


def target_of(source: str, target: Value) -> str:
    """Where a file goes: into a folder when the path ends with a slash."""
    if isinstance(target, str) and target.strip().endswith("/"):
        folder = clean_folder(target)
        return path_of(f"{folder}/{name_of(source)}" if folder else name_of(source))
    return path_of(target)


async def copy(world: World, arguments: Arguments) -> Value:
    """The path of the copy."""
    source = path_of(arguments["source"])
    target = target_of(source, arguments["target"])
    await files(world).copy(world, source, target)
    return target


async def move(world: World, arguments: Arguments) -> Value:
    """The new path."""
    source = path_of(arguments["source"])
    target = target_of(source, arguments["target"])
    await files(world).move(world, source, target)
    return target


async def delete(world: World, arguments: Arguments) -> Value:
    """Nothing; a file that is not there is deleted already."""
    await files(world).delete(world, path_of(arguments["file"]))
    return None


COPY = Keyword(
    name="COPY",
    group=GROUP,
    summary="Copies a file within the bot's drive, or one that the person sent into it; gives the new path.",
    forms=("COPY <source>, <target>", "COPY <source> TO <target>"),
    effect=Effect.WRITE,
    example='COPY "templates/offer.docx" TO "offers/2026/"',
    documentation="A target that ends with a slash is a folder. What is at the target is replaced.",
    aliases=("COPY FILE", "COPY_FILE"),
    permission="files.write",
    perform=copy,
)
MOVE = Keyword(
    name="MOVE",
    group=GROUP,
    summary="Gives a file of the bot's drive another path.",
    forms=("MOVE <source>, <target>", "MOVE <source> TO <target>"),
    effect=Effect.WRITE,
    example='MOVE "inbox/order.pdf" TO "archive/2026/order.pdf"',
    documentation="A target that ends with a slash is a folder. What is at the target is replaced.",
    aliases=("MOVE FILE", "MOVE_FILE"),
    permission="files.write",
    perform=move,
)
DELETE_FILE = Keyword(
    name="DELETE FILE",
    group=GROUP,
    summary="Removes a file of the bot's drive; one that is not there is no error.",
    forms=("DELETE FILE <file>",),
    effect=Effect.WRITE,
    example='DELETE FILE "drafts/old.txt"',
    aliases=("DELETE_FILE",),
    permission="files.write",
    perform=delete,
)

"""DOWNLOAD and UPLOAD: files of the web and of the person into the drive, and out of it."""

from urllib.parse import unquote, urlsplit

from services.engine.files.paths import clean_folder, ending_of, is_attachment, name_of
from services.engine.files.port import LARGEST_FILE
from services.engine.keywords.files.common import (
    GROUP,
    LINK_SECONDS,
    files,
    is_web,
    path_of,
    refuse_others,
    shown,
)
from services.engine.keywords.keyword import Arguments, Effect, Keyword
from services.engine.keywords.world import Performed, World
from services.engine.program.values import ProgramError, Value, text_of
from services.engine.web.port import Request, Web


async def download(world: World, arguments: Arguments) -> Value:
    """A file of the web into the drive, or one of the drive to the person."""
    source, names = arguments["source"], [text_of(arguments[key]) for key in ("how", "also") if key in arguments]
    if is_web(source):
        name = next((item for item in names if item.upper() != "LINK"), "")
        return await fetched(world, text_of(source).strip(), arguments.get("target"), name)
    if any(item.upper() == "LINK" for item in names):
        return await files(world).link(world, path_of(source), LINK_SECONDS)
    refuse_others(world, arguments.get("target"))
    name = name_of(path_of(names[0])) if names else ""
    said = await shown(world, source)
    if name:
        said.attachments[0]["name"] = name
    return Performed(value=path_of(source), says=(said,))


async def fetched(world: World, address: str, target: Value, name: str) -> str:
    """The path of what was at an address."""
    page = await world.port(Web).fetch(world, Request(method="GET", url=address, most=LARGEST_FILE))
    if not page.good:
        message = f"DOWNLOAD: the other side answered with status {page.status}"
        raise ProgramError(message)
    wanted = name or name_of(unquote(urlsplit(page.url).path)) or "download"
    path = into(target, path_of(wanted), "downloads")
    await files(world).write(world, path, page.body, content_type=page.media_type)
    return path


def into(target: Value, name: str, folder: str) -> str:
    """The path of a file: the target, a name in it when it is a folder, a name in the usual folder without one."""
    if not target:
        return f"{folder}/{name_of(name)}"
    text = text_of(target).strip()
    if text.endswith("/") or not ending_of(text):
        inside = clean_folder(text)
        return path_of(f"{inside}/{name_of(name)}" if inside else name_of(name))
    return path_of(target)


async def upload(world: World, arguments: Arguments) -> Value:
    """A file of the person, of the drive or of the web to a path."""
    source, target, name = arguments["source"], arguments.get("target"), text_of(arguments.get("name"))
    if isinstance(source, dict):
        source = source.get("uri", source.get("path", source.get("url")))
    if is_web(source):
        return await fetched(world, text_of(source).strip(), target, name)
    path = path_of(source)
    known = (await files(world).find(world, path)).name if is_attachment(path) else path
    chosen = into(target, path_of(name or known), "uploads") if not name else into_named(target, name)
    await files(world).copy(world, path, chosen)
    return chosen


def into_named(target: Value, name: str) -> str:
    """A path with a name that was given: the target is its folder."""
    folder, clean = clean_folder(target) if target else "uploads", path_of(name)
    return path_of(f"{folder}/{clean}" if folder else clean)


DOWNLOAD = Keyword(
    name="DOWNLOAD",
    group=GROUP,
    summary="Fetches a file of the web into the bot's drive, or gives one of the drive to the person.",
    forms=(
        "DOWNLOAD <source>, <target>",
        "DOWNLOAD <source> TO <target> [AS <how:name>] [AS <also:name>]",
        "DOWNLOAD <source> [AS <how:name>] [AS <also:name>]",
    ),
    effect=Effect.WRITE,
    example='path = DOWNLOAD "https://example.com/prices.csv", "inbox/prices.csv"\nDOWNLOAD "menu.pdf" AS LINK',
    documentation="""With an address it gives the path: the one that is named, the name of the file in the folder that
is named, or in `downloads`. With a file of the drive the person gets it; `AS LINK` gives an address that works for a
day instead, `AS "name.pdf"` names it. 32 MB at most.""",
    permission="files.write",
    perform=download,
    slow=True,
)
UPLOAD = Keyword(
    name="UPLOAD",
    group=GROUP,
    summary="Keeps a file that the person sent, or one of the web, in the bot's drive; gives its path.",
    forms=("UPLOAD <source>, <target>", "UPLOAD <source> TO <target> [AS <name>]", "UPLOAD <source> [AS <name>]"),
    effect=Effect.WRITE,
    example='TALK "Send your photo"\nHEAR photo AS IMAGE\npath = UPLOAD photo TO "photos" AS "ann.jpg"',
    documentation="A target without an ending is a folder; without a target it is `uploads`.",
    permission="files.write",
    perform=upload,
)

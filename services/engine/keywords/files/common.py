"""What keywords of files share: paths in arguments, what they give, files given to the person."""

from services.engine.files.paths import clean_path, ending_of, name_of
from services.engine.files.port import Documents, FileEntry, Files
from services.engine.keywords.world import World
from services.engine.machine.outcomes import Say
from services.engine.program.values import ProgramError, Value, text_of

GROUP = "files"
LINK_SECONDS = 86_400
WEB = ("https://", "http://")


def path_of(value: Value) -> str:
    """The path in an argument: text, or an object that LIST, GENERATE PDF and their like gave. ProgramError."""
    if isinstance(value, list) and len(value) == 1:
        value = value[0]
    if isinstance(value, dict):
        value = value.get("path", value.get("uri", value.get("localName")))
    return clean_path(value)


def paths_of(value: Value) -> list[str]:
    """Paths of one or several files. ProgramError."""
    return [path_of(item) for item in value] if isinstance(value, list) else [path_of(value)]


def is_web(value: Value) -> bool:
    """Whether it is an address of the web."""
    return isinstance(value, str) and value.strip().lower().startswith(WEB)


def files(world: World) -> Files:
    """The bot's drive."""
    return world.port(Files)


def documents(world: World) -> Documents:
    """Where documents are worked on."""
    return world.port(Documents)


def described(entry: FileEntry) -> dict[str, Value]:
    """A file as scripts see it; as text it is its path."""
    return {
        "name": entry.name,
        "path": entry.path,
        "uri": entry.uri,
        "size": entry.size,
        "content_type": entry.content_type,
        "modified": entry.changed,
        "type": ending_of(entry.name),
        "formatted": entry.path,
    }


async def stored(world: World, path: str, content: bytes) -> dict[str, Value]:
    """A file that a keyword made: where it is, and an address that works for a day."""
    uri = await files(world).write(world, path, content)
    url = await files(world).link(world, path, LINK_SECONDS)
    return {"path": path, "name": name_of(path), "uri": uri, "url": url, "localName": path, "formatted": path}


async def shown(world: World, file: Value, caption: str = "") -> Say:
    """A message with a file for the person: one of the drive, or one on the web. ProgramError."""
    if is_web(file):
        address = text_of(file).strip()
        name = name_of(address.partition("?")[0].partition("#")[0].rstrip("/")) or "file"
        return Say(caption, attachments=[{"name": name[:255], "uri": address[:2048], "content_type": ""}])
    given = await files(world).give(world, path_of(file))
    attachment = {"name": given.name[:255], "uri": given.uri, "content_type": given.content_type}
    return Say(caption, attachments=[attachment])


def refuse_others(world: World, who: Value) -> None:
    """ProgramError when a file is meant for another than the person of the conversation."""
    meant = text_of(who).strip().lower()
    if meant not in {"", "me", "user", world.user.lower(), world.user.partition("/")[2].lower()}:
        message = "not available on this installation: sending files to somebody outside the conversation"
        raise ProgramError(message)

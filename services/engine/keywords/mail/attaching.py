"""Files that go with what is sent."""

import base64
import binascii

from services.engine.files.port import Files
from services.engine.keywords.world import World
from services.engine.mail.port import Attachment
from services.engine.program.values import ProgramError, Value, text_of
from services.engine.web.addresses import is_address
from services.engine.web.port import Request, Web

MOST = 20
MOST_BYTES = 20 * 1024 * 1024


async def attached(world: World, given: Value) -> list[Attachment]:
    """Files of the drive by their paths, of an address, what the person sent, or `{name, content}`. ProgramError."""
    if given is None or given == "":
        return []
    items = given if isinstance(given, list) else [given]
    if len(items) > MOST:
        message = f"{MOST} attachments at most, there are {len(items)}"
        raise ProgramError(message)
    return [await attachment(world, item) for item in items]


async def attachment(world: World, item: Value) -> Attachment:
    """One file."""
    if not isinstance(item, dict):
        return await from_somewhere(world, text_of(item).strip(), "")
    fields = {name.lower(): value for name, value in item.items()}
    name = text_of(fields.get("name") or fields.get("filename"))
    place = text_of(fields.get("uri") or fields.get("path") or fields.get("url"))
    if place:
        return await from_somewhere(world, place, name)
    kind = text_of(fields.get("content_type") or fields.get("type"))
    if "base64" in fields:
        return Attachment(name, decoded(text_of(fields["base64"])), kind)
    if "content" in fields and name:
        return Attachment(name, text_of(fields["content"]).encode("utf-8", "replace"), kind)
    message = (
        f"an attachment is a file of the drive or an object with name and content, there is {text_of(item)[:60]!r}"
    )
    raise ProgramError(message)


def decoded(text: str) -> bytes:
    """What base64 holds. ProgramError."""
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        message = "the field base64 of an attachment is not base64"
        raise ProgramError(message) from None


async def from_somewhere(world: World, place: str, name: str) -> Attachment:
    """A file by its path, its uri or its address."""
    if is_address(place):
        page = await world.port(Web).fetch(world, Request(method="GET", url=place, most=MOST_BYTES))
        if not page.good:
            message = f"the attachment cannot be had: the other side answered {page.status}"
            raise ProgramError(message)
        return Attachment(name or page.url.partition("?")[0].rpartition("/")[2], page.body, page.media_type)
    files = world.port(Files)
    entry = await files.find(world, place)
    return Attachment(name or entry.name, await files.read(world, place), entry.content_type)

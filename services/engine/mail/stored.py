"""Templates and drafts, kept as files in the bot's drive, where people can see and change them."""

from __future__ import annotations

import hashlib
import json
import re
from typing import TYPE_CHECKING

from services.engine.mail.filling import places
from services.engine.program.values import ProgramError, Value, text_of

if TYPE_CHECKING:
    from services.engine.files.port import Files
    from services.engine.keywords.world import World

TEMPLATES, DRAFTS = "templates", "drafts"
NAME = re.compile(r"[\w][\w .-]{0,63}")
ENDINGS = (".json", ".html", ".md", ".txt")
LONGEST = 500_000
MOST = 200


def named(name: str) -> str:
    """The name of a template. ProgramError for one that would be a path."""
    if not NAME.fullmatch(name) or ".." in name:
        message = f"the name of a template is letters, digits, blanks, - and _, there is {name[:60]!r}"
        raise ProgramError(message)
    return name


async def keep(files: Files, world: World, name: str, fields: dict[str, Value]) -> Value:
    """Write a template down: `{name, channel, subject, content, variables}`. ProgramError."""
    content = text_of(fields.get("content"))
    if not content or len(content) > LONGEST:
        message = f"a template has 1 to {LONGEST} characters"
        raise ProgramError(message)
    template = {"name": named(name), **fields, "variables": places(f"{text_of(fields.get('subject'))}{content}")}
    raw = json.dumps(template, ensure_ascii=False, indent=2).encode()
    await files.write(world, f"{TEMPLATES}/{name}.json", raw, content_type="application/json")
    return template


async def template(files: Files, world: World, name: str) -> dict[str, Value]:
    """A template, made by CREATE TEMPLATE or put into the folder as HTML, Markdown or text. ProgramError for none."""
    stem = named(name)
    candidates = [stem] if stem.endswith(ENDINGS) else [f"{stem}{ending}" for ending in ENDINGS]
    for candidate in candidates:
        path = f"{TEMPLATES}/{candidate}"
        if await files.exists(world, path):
            return read(stem, candidate, await files.read(world, path))
    message = f"there is no template {stem}: CREATE TEMPLATE makes one, or a file templates/{stem}.html in the drive"
    raise ProgramError(message)


def read(name: str, file: str, raw: bytes) -> dict[str, Value]:
    """What a file of a template says."""
    text = raw.decode("utf-8", "replace")
    if file.endswith(".json"):
        try:
            found = json.loads(text)
        except (ValueError, RecursionError):
            found = None
        if isinstance(found, dict):
            return found
        message = f"the template {name[:60]} cannot be read: an object as JSON was expected"
        raise ProgramError(message)
    return {"name": name, "channel": "email", "subject": "", "content": text, "variables": places(text)}


async def templates(files: Files, world: World, channel: str = "") -> list[Value]:
    """Templates, 200 at most, of one channel or of any: `{name, channel, subject, variables}`."""
    found: dict[str, Value] = {}
    for entry in (await files.list(world, TEMPLATES))[:MOST]:
        stem, _, ending = entry.name.rpartition(".")
        if f".{ending}" not in ENDINGS or stem in found or not NAME.fullmatch(stem):
            continue
        made = read(stem, entry.name, await files.read(world, entry.path))
        if not channel or text_of(made.get("channel")).lower() == channel.lower():
            found[stem] = {name: made.get(name) for name in ("name", "channel", "subject", "variables")}
    return list(found.values())


async def keep_draft(files: Files, world: World, raw: bytes) -> str:
    """A mail that is not sent: its path, the same when the effect is repeated."""
    path = f"{DRAFTS}/{hashlib.sha256(world.key.encode()).hexdigest()[:32]}.eml"
    await files.write(world, path, raw, content_type="message/rfc822")
    return path

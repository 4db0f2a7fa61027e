"""CARD and CHART: pictures."""

import hashlib
import json

from services.engine.files.documents.drawing import card, chart
from services.engine.keywords.files.common import GROUP, documents, files, path_of, stored
from services.engine.keywords.keyword import Arguments, Effect, Keyword
from services.engine.keywords.world import World
from services.engine.program.values import ProgramError, Value, number_of, text_of

MOST_CARDS = 10


async def cards(world: World, arguments: Arguments) -> Value:
    """One picture, or a list of several."""
    count = int(number_of(arguments.get("count", 1), "how many cards"))
    if not 1 <= count <= MOST_CARDS:
        message = f"CARD makes 1 to {MOST_CARDS} cards, got {count}"
        raise ProgramError(message)
    image, text, style = arguments.get("image"), text_of(arguments["text"]), text_of(arguments.get("style"))
    picture = await files(world).read(world, path_of(image)) if image else b""
    found: list[Value] = []
    for number in range(count):
        name = named("card", [text, style, number, hashlib.sha256(picture).hexdigest()])
        drawn = await documents(world).run(card, picture, text, style, number)
        found.append(await stored(world, name, drawn))
    return found[0] if count == 1 else found


async def charted(world: World, arguments: Arguments) -> Value:
    """The picture."""
    kind, data, title = text_of(arguments["kind"]), arguments["data"], text_of(arguments.get("title"))
    drawn = await documents(world).run(chart, kind, data, title)
    return await stored(world, named("chart", [kind, data, title]), drawn)


def named(kind: str, what: Value) -> str:
    """A path that is the same for the same picture."""
    digest = hashlib.sha256(json.dumps(what, sort_keys=True).encode()).hexdigest()
    return f"{kind}s/{digest[:16]}.png"


CARD = Keyword(
    name="CARD",
    group=GROUP,
    summary="Draws a square picture with words on it, for a post; gives its path and an address.",
    forms=("CARD <image>, <text> [, <style>] [, <count>] [TO <result:variable>]",),
    effect=Effect.WRITE,
    example='CARD "photos/beach.jpg", "Summer sale: 20 % off", "modern" TO post\nSEND FILE post',
    documentation="""The picture is one of the drive, or empty for a plain ground. Styles: light, dark, warm, cool,
modern, minimal, vibrant, elegant. More than one card gives a list.""",
    permission="files.write",
    perform=cards,
)
CHART = Keyword(
    name="CHART",
    group=GROUP,
    summary="Draws numbers as bars, a line or a pie; gives the path of the picture and an address.",
    forms=("CHART <kind:name>, <data> [, <title>] [TO <result:variable>]",),
    effect=Effect.WRITE,
    example='picture = CHART "bar", [{"month": "Jan", "sales": 5}, {"month": "Feb", "sales": 7}], "Sales"\n'
    "SEND FILE picture",
    documentation="""Data is an object of labels and numbers, a list of numbers, or rows: the first column of words
gives the labels, each column of numbers a series. 200 points and 8 series at most.""",
    permission="files.write",
    perform=charted,
)

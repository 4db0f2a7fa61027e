"""RSS and Atom."""

from __future__ import annotations

import email.utils
from typing import TYPE_CHECKING

from services.engine.program.values import ProgramError, Value, owned
from services.engine.web.markup import children, expect_good, first_text, local, parse
from services.engine.web.port import Request
from services.engine.web.tidying import tidied

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

    from services.engine.files.port import Documents
    from services.engine.keywords.world import World
    from services.engine.web.port import Web

ACCEPT = {"Accept": "application/rss+xml, application/atom+xml, application/xml;q=0.9, */*;q=0.8"}
MOST_ITEMS = 500
LONGEST_TEXT = 20_000


async def feed(web: Web, documents: Documents, world: World, url: str, most: int) -> Value:
    """The newest entries: `{title, link, description, published, pubDate, author, guid, categories}`. ProgramError."""
    if not 1 <= most <= MOST_ITEMS:
        message = f"RSS gives 1 to {MOST_ITEMS} entries, {most} were asked for"
        raise ProgramError(message)
    page = expect_good(await web.fetch(world, Request(method="GET", url=url, headers=ACCEPT)))
    return await documents.run(entries_in, page.body, most)


def entries_in(body: bytes, most: int) -> Value:
    """Entries of a feed. ProgramError."""
    return owned(entries(parse(body), most))


def entries(root: Element, most: int) -> list[Value]:
    """Entries of a feed of any kind. ProgramError when it is none."""
    if local(root).lower() not in {"rss", "rdf", "feed"}:
        message = f"a feed (RSS or Atom) was expected at the address, there is <{local(root)[:40]}>"
        raise ProgramError(message)
    found = (element for element in root.iter() if local(element) in {"item", "entry"})
    return [entry(element) for element, _ in zip(found, range(most), strict=False)]


def entry(element: Element) -> dict[str, Value]:
    """One entry; what it does not say is empty."""
    written = first_text(element, "pubDate", "published", "updated", "date")
    authors = children(element, "author")
    name = first_text(authors[0], "name") if authors else ""
    return {
        "title": plain(first_text(element, "title")),
        "link": link(element),
        "description": plain(first_text(element, "description", "summary", "encoded", "content")),
        "published": moment(written),
        "pubDate": written,
        "author": name or first_text(element, "author", "creator"),
        "guid": first_text(element, "guid", "id"),
        "categories": [child.get("term") or (child.text or "").strip() for child in children(element, "category")],
    }


def link(element: Element) -> str:
    """The address of an entry: text in RSS, an attribute in Atom."""
    links = children(element, "link")
    for child in links:
        if (child.text or "").strip():
            return (child.text or "").strip()
    best = next((child for child in links if child.get("rel", "alternate") == "alternate"), None)
    return best.get("href", "") if best is not None else ""


def plain(text: str) -> str:
    """Text without its tags."""
    cut = text[:LONGEST_TEXT]
    return tidied(cut).get_text(" ", strip=True) if "<" in cut or "&" in cut else cut


def moment(written: str) -> str:
    """A date of mail as ISO 8601; anything else stays what it is."""
    try:
        return email.utils.parsedate_to_datetime(written).isoformat()
    except (ValueError, TypeError, IndexError):
        return written

"""Parts of HTML pages, found by CSS selectors."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urljoin

from bs4 import BeautifulSoup, Tag
from soupsieve.util import SelectorSyntaxError

from services.engine.program.values import ProgramError, Value, owned
from services.engine.web.answers import is_text, text
from services.engine.web.markup import expect_good
from services.engine.web.port import Page, Request
from services.engine.web.tidying import tidied

if TYPE_CHECKING:
    from services.engine.files.port import Documents
    from services.engine.keywords.world import World
    from services.engine.web.port import Web

PAGE_BYTES = 2 * 1024 * 1024
LONGEST_SELECTOR = 256
MOST_FOUND = 1000
Find = Callable[[BeautifulSoup, str], Value]
ACCEPT = {"Accept": "text/html, application/xhtml+xml, */*;q=0.8"}
# A search within the search: each one multiplies the time that a page takes.
COSTLY = ":has("


@dataclass(frozen=True, slots=True)
class Wanted:
    """what: first, every, table, links or images; selector: CSS, may be empty for the last three; attribute: instead
    of the text.
    """

    what: str
    selector: str = ""
    attribute: str = ""


async def scrape(web: Web, documents: Documents, world: World, url: str, wanted: Wanted) -> Value:
    """What is wanted of the page. ProgramError when there is no page.

    Pages are hostile, and selectors may be: both are worked on in a process that is killed when it takes too long.
    """
    page = expect_good(await web.fetch(world, Request(method="GET", url=url, headers=ACCEPT, most=PAGE_BYTES)))
    if not is_text(page):
        message = f"a page was expected at the address, there is {page.media_type[:80]}"
        raise ProgramError(message)
    kind = page.headers.get("content-type", "")
    return await documents.run(found_in, page.body, kind, page.url, wanted.what, wanted.selector, wanted.attribute)


def found_in(body: bytes, content_type: str, url: str, what: str, selector: str, attribute: str) -> Value:
    """What is wanted of a page. ProgramError."""
    page = Page(200, {"content-type": content_type}, body, url)
    return owned(KINDS[what](selector, attribute)(tidied(text(page)), url))


def select(page: BeautifulSoup, selector: str, most: int) -> list[Tag]:
    """Elements that a selector names, in their order. ProgramError for what is no selector."""
    if len(selector) > LONGEST_SELECTOR or selector.count(COSTLY) > 1:
        message = f"a CSS selector of at most {LONGEST_SELECTOR} characters with at most one :has() was expected"
        raise ProgramError(message)
    try:
        return list(page.select(selector, limit=most))
    except (SelectorSyntaxError, NotImplementedError, ValueError, RecursionError):
        message = f"{selector[:60]!r} is no CSS selector: one such as h1, .price or #total a was expected"
        raise ProgramError(message) from None


def words(tag: Tag) -> str:
    """What people read in an element."""
    return tag.get_text(" ", strip=True)


def first(selector: str, attribute: str = "") -> Find:
    """Text (or an attribute) of the first element, NULL when there is none."""

    def find(page: BeautifulSoup, base: str) -> Value:
        found = select(page, selector, 1)
        return part_of(found[0], attribute, base) if found else None

    return find


def every(selector: str, attribute: str = "") -> Find:
    """Text (or an attribute) of every element."""
    return lambda page, base: [part_of(tag, attribute, base) for tag in select(page, selector, MOST_FOUND)]


def part_of(tag: Tag, attribute: str, base: str) -> Value:
    """Text, or an attribute; addresses are made whole."""
    if not attribute:
        return words(tag)
    value = tag.get(attribute.lower())
    if isinstance(value, list):
        return " ".join(value)
    return urljoin(base, value) if value and attribute.lower() in {"href", "src"} else value


def table(selector: str = "table") -> Find:
    """Rows of the first table as objects by the words of its head; columns without one are column1, column2 ..."""

    def find(page: BeautifulSoup, _: str) -> Value:
        found = select(page, selector or "table", 1)
        return rows_of(found[0]) if found else []

    return find


def rows_of(tag: Tag) -> list[Value]:
    """Objects, one a row."""
    rows = [row.find_all(["th", "td"]) for row in tag.find_all("tr", limit=MOST_FOUND)]
    rows = [row for row in rows if row]
    head = rows.pop(0) if rows and all(cell.name == "th" for cell in rows[0]) else []
    names = [words(cell) for cell in head]
    return [
        {(names[at : at + 1] or [""])[0] or f"column{at + 1}": words(cell) for at, cell in enumerate(row)}
        for row in rows
    ]


def links(selector: str = "") -> Find:
    """`{text, url, href}` of every link; url is whole, href as written."""

    def find(page: BeautifulSoup, base: str) -> Value:
        found = select(page, f"{selector} a[href]".strip(), MOST_FOUND)
        return [{"text": words(tag), "url": urljoin(base, str(tag["href"])), "href": str(tag["href"])} for tag in found]

    return find


def images(selector: str = "") -> Find:
    """`{url, src, alt}` of every image."""

    def find(page: BeautifulSoup, base: str) -> Value:
        found = select(page, f"{selector} img[src]".strip(), MOST_FOUND)
        return [
            {"url": urljoin(base, str(tag["src"])), "src": str(tag["src"]), "alt": str(tag.get("alt", ""))}
            for tag in found
        ]

    return find


KINDS: dict[str, Callable[[str, str], Find]] = {
    "first": first,
    "every": every,
    "table": lambda selector, _: table(selector),
    "links": lambda selector, _: links(selector),
    "images": lambda selector, _: images(selector),
}

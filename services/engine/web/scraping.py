"""Parts of HTML pages, found by CSS selectors."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urljoin

from bs4 import BeautifulSoup, Tag
from soupsieve.util import SelectorSyntaxError

from services.engine.program.values import ProgramError, Value, owned
from services.engine.web.answers import is_text, text
from services.engine.web.markup import aside, expect_good
from services.engine.web.port import Request

if TYPE_CHECKING:
    from collections.abc import Callable

    from services.engine.keywords.world import World
    from services.engine.web.port import Page, Web

PAGE_BYTES = 2 * 1024 * 1024
LONGEST_SELECTOR = 256
MOST_FOUND = 1000
ACCEPT = {"Accept": "text/html, application/xhtml+xml, */*;q=0.8"}
# A search within the search: each one multiplies the time that a page takes.
COSTLY = ":has("


async def scrape(web: Web, world: World, url: str, find: Callable[[BeautifulSoup, str], Value]) -> Value:
    """What `find` makes of the page and its address. ProgramError when there is no page."""
    page = expect_good(await web.fetch(world, Request(method="GET", url=url, headers=ACCEPT, most=PAGE_BYTES)))
    if not is_text(page):
        message = f"a page was expected at the address, there is {page.media_type[:80]}"
        raise ProgramError(message)
    return await aside(lambda: owned(find(soup(page), page.url)))


def soup(page: Page) -> BeautifulSoup:
    """The page, parsed, without what nobody reads."""
    made = BeautifulSoup(text(page), "html.parser")
    for tag in made(["script", "style", "template", "noscript"]):
        tag.extract()
    return made


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


def first(selector: str, attribute: str = "") -> Callable[[BeautifulSoup, str], Value]:
    """Text (or an attribute) of the first element, NULL when there is none."""

    def find(page: BeautifulSoup, base: str) -> Value:
        found = select(page, selector, 1)
        return part_of(found[0], attribute, base) if found else None

    return find


def every(selector: str, attribute: str = "") -> Callable[[BeautifulSoup, str], Value]:
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


def table(selector: str = "table") -> Callable[[BeautifulSoup, str], Value]:
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


def links(selector: str = "") -> Callable[[BeautifulSoup, str], Value]:
    """`{text, url, href}` of every link; url is whole, href as written."""

    def find(page: BeautifulSoup, base: str) -> Value:
        found = select(page, f"{selector} a[href]".strip(), MOST_FOUND)
        return [{"text": words(tag), "url": urljoin(base, str(tag["href"])), "href": str(tag["href"])} for tag in found]

    return find


def images(selector: str = "") -> Callable[[BeautifulSoup, str], Value]:
    """`{url, src, alt}` of every image."""

    def find(page: BeautifulSoup, base: str) -> Value:
        found = select(page, f"{selector} img[src]".strip(), MOST_FOUND)
        return [
            {"url": urljoin(base, str(tag["src"])), "src": str(tag["src"]), "alt": str(tag.get("alt", ""))}
            for tag in found
        ]

    return find

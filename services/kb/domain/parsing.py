"""Markdown, plain text and HTML become a title and one text, in which every later offset counts."""

import html
import re
from dataclasses import dataclass
from pathlib import PurePosixPath

from bs4 import BeautifulSoup
from bs4.element import NavigableString, PreformattedString, Tag

from services.common.errors import InvalidArgument

MARKDOWN, PLAIN, HTML = "text/markdown", "text/plain", "text/html"
TYPES = {".md": MARKDOWN, ".markdown": MARKDOWN, ".txt": PLAIN, ".text": PLAIN, ".html": HTML, ".htm": HTML}
ALIASES = {"text/x-markdown": MARKDOWN, "application/xhtml+xml": HTML}
HEADING = re.compile(r"^ {0,3}(#{1,6})[ \t]+(.+?)[ \t]*#*[ \t]*$")
FENCE = re.compile(r"^ {0,3}(```|~~~)")
FRONT_MATTER = re.compile(r"\A---\n(?:.*\n)*?---\n")
FRONT_TITLE = re.compile(r"^title:[ \t]*[\"']?(.+?)[\"']?[ \t]*$", re.MULTILINE)
BLANKS = re.compile(r"[ \t\r\n\f\v]+")
CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")
LONGEST_TITLE = 200
BLOCKS = frozenset(
    """p div section article main table tr ul ol dl dt dd blockquote figure figcaption header footer form fieldset
    details summary address pre br hr""".split()
)
SILENT = ("script", "style", "noscript", "template", "svg", "head", "nav", "iframe", "button", "select")
HEADINGS = {f"h{level}": "#" * level for level in range(1, 7)}


@dataclass(frozen=True, slots=True)
class Parsed:
    """title: found in it, or made of its path. text: what chunks and quotes are cut from."""

    title: str
    text: str


def content_type_of(path: str, given: str) -> str:
    """A MIME type we read. InvalidArgument otherwise."""
    named = given.partition(";")[0].strip().lower()
    found = ALIASES.get(named, named) if named else TYPES.get(PurePosixPath(path).suffix.lower(), "")
    if found not in {MARKDOWN, PLAIN, HTML}:
        raise InvalidArgument.field("content_type", f"{MARKDOWN}, {PLAIN} or {HTML}", given or path)
    return found


def parse(content: bytes, content_type: str, path: str) -> Parsed:
    """InvalidArgument when it is no text in UTF-8 or there is nothing in it."""
    try:
        raw = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InvalidArgument.field("content", f"text in UTF-8 (byte {error.start} is not)") from None
    text = CONTROL.sub(" ", raw.replace("\r\n", "\n").replace("\r", "\n"))
    parsed = parse_html(text) if content_type == HTML else parse_plain(text, markdown=content_type == MARKDOWN)
    if not parsed.text.strip():
        raise InvalidArgument.field("content", "some text; there is none in it")
    title = BLANKS.sub(" ", parsed.title).strip() or PurePosixPath(path).stem.replace("_", " ").replace("-", " ")
    return Parsed(title[:LONGEST_TITLE], parsed.text)


def parse_plain(text: str, *, markdown: bool) -> Parsed:
    """The text as it is; of Markdown, without its front matter."""
    if not markdown:
        first = next((line for line in text.splitlines() if line.strip()), "")
        return Parsed(first if len(first) <= LONGEST_TITLE else "", text)
    front = FRONT_MATTER.match(text)
    named = FRONT_TITLE.search(front.group()) if front else None
    body = text[front.end() :] if front else text
    headings = [title for _, title in headings_of(body).values()]
    return Parsed(named.group(1) if named else next(iter(headings), ""), body)


def headings_of(text: str) -> dict[int, tuple[int, str]]:
    """Offset of each heading's line -> level and words. What looks like one inside a code block is none."""
    found: dict[int, tuple[int, str]] = {}
    offset = 0
    fence = ""
    for line in text.splitlines(keepends=True):
        mark = FENCE.match(line)
        if mark and (not fence or fence == mark.group(1)):
            fence = "" if fence else mark.group(1)
        match = None if fence else HEADING.match(line.rstrip("\n"))
        if match:
            found[offset] = (len(match.group(1)), match.group(2))
        offset += len(line)
    return found


def parse_html(text: str) -> Parsed:
    """What a reader sees: headings as Markdown headings, list items as "- ", a block a line."""
    soup = BeautifulSoup(text, "html.parser")
    title = soup.title.get_text() if soup.title else ""
    for silent in soup(SILENT):
        silent.decompose()
    first = soup.find(["h1", "h2"])
    lines = Lines()
    walk(soup, lines)
    return Parsed(title or (first.get_text() if first else ""), html.unescape(lines.text()))


class Lines:
    """Words gathered into lines."""

    def __init__(self) -> None:
        self._done: list[str] = []
        self._words: list[str] = []

    def say(self, words: str) -> None:
        """Add to the line."""
        self._words.append(words)

    def end(self) -> None:
        """End the line, unless it is empty."""
        line = BLANKS.sub(" ", "".join(self._words)).strip()
        self._words.clear()
        if line.strip("-# "):
            self._done.append(line)

    def text(self) -> str:
        """Lines with an empty one between; items of a list follow each other."""
        self.end()
        made = ""
        for line in self._done:
            both = line.startswith("- ") and made.rpartition("\n")[2].startswith("- ")
            made += ("\n" if both else "\n\n" if made else "") + line
        return made + "\n"


def walk(root: Tag, lines: Lines) -> None:
    """Through the tree without recursion: pages nest deeper than Python does."""
    waiting: list[Tag | NavigableString | None] = [*reversed(parts(root))]
    while waiting:
        node = waiting.pop()
        if node is None:
            lines.end()
        elif isinstance(node, Tag):
            block = node.name in BLOCKS or node.name in HEADINGS or node.name == "li"
            if block:
                lines.end()
                waiting.append(None)
                lines.say({**HEADINGS, "li": "-"}.get(node.name, "") + " ")
            elif node.name in {"td", "th"}:
                lines.say(" ")
            waiting.extend(reversed(parts(node)))
        else:
            lines.say(str(node))


def parts(node: Tag) -> list[Tag | NavigableString]:
    """Tags and words in it; comments and declarations are neither."""
    return [
        child
        for child in node.children
        if isinstance(child, Tag) or (isinstance(child, NavigableString) and not isinstance(child, PreformattedString))
    ]

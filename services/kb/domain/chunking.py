"""Cuts a text where headings, paragraphs and sentences end. Every chunk is a verbatim stretch of the text."""

import re
from dataclasses import dataclass

from services.kb.domain.parsing import headings_of

TARGET = 800
OVERLAP = 120
# After a sentence's mark and its blank (CJK marks need no blank), or after a line.
SENTENCE_END = re.compile(r"[.!?…][\"'»”)\]]*\s+|[。！？]|\n+")
WORD_END = re.compile(r"\s+")


@dataclass(frozen=True, slots=True)
class Chunk:
    """text[start:end] of the document; `heading` is the path of headings above it, "Returns > Shoes"."""

    ordinal: int
    start: int
    end: int
    text: str
    heading: str


@dataclass(frozen=True, slots=True)
class Section:
    """A stretch under one heading, which is its first line."""

    start: int
    end: int
    heading: str


def cut(text: str) -> list[Chunk]:
    """Chunks of about 800 characters in order; together they hold all of the text but blanks."""
    stretches: list[tuple[int, int, str]] = []
    for section in sections(text):
        stretches += [(start, end, section.heading) for start, end in windows(text, section.start, section.end)]
    made: list[Chunk] = []
    for start, end, heading in stretches:
        piece = text[start:end]
        begin = start + len(piece) - len(piece.lstrip())
        stripped = piece.strip()
        if stripped:
            made.append(Chunk(len(made), begin, begin + len(stripped), stripped, heading))
    return made


def sections(text: str) -> list[Section]:
    """The text from heading to heading; a heading with nothing under it goes with the next."""
    headings = headings_of(text)
    path: list[tuple[int, str]] = []
    made: list[Section] = []
    starts = sorted({0, *headings})
    for start, end in zip(starts, [*starts[1:], len(text)], strict=True):
        if start in headings:
            level, words = headings[start]
            path = [item for item in path if item[0] < level] + [(level, words)]
        made.append(Section(start, end, " > ".join(words for _, words in path)))
    return joined(text, made)


def joined(text: str, found: list[Section]) -> list[Section]:
    """Sections that are no more than their heading are put before the next one."""
    made: list[Section] = []
    waiting: int | None = None
    for position, section in enumerate(found):
        start = section.start if waiting is None else waiting
        bare = text[section.start : section.end].strip().count("\n") == 0 and section.heading
        if bare and position + 1 < len(found):
            waiting = start
            continue
        waiting = None
        made.append(Section(start, section.end, section.heading))
    return made


def windows(text: str, start: int, end: int) -> list[tuple[int, int]]:
    """Stretches of at most TARGET characters; each begins with the last sentence or so of the one before."""
    made: list[tuple[int, int]] = []
    position = start
    while end - position > TARGET:
        stop = last_end(text, position + TARGET // 2, position + TARGET)
        made.append((position, stop))
        position = max(first_end(text, stop - OVERLAP, stop), position + 1)
    made.append((position, end))
    return made


def last_end(text: str, low: int, high: int) -> int:
    """Where the last sentence that ends between two places ends; else the last word; else the higher place."""
    for pattern in (SENTENCE_END, WORD_END):
        ends = [match.end() for match in pattern.finditer(text, low, high)]
        if ends:
            return ends[-1]
    return high


def first_end(text: str, low: int, high: int) -> int:
    """Where the first sentence that ends between two places ends, which is where an overlap may begin."""
    match = SENTENCE_END.search(text, low, high)
    return match.end() if match else high

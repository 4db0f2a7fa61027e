"""Two rankings become one answer: fused by rank, what does not fit left out, neighbours joined."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from services.kb.domain.words import content_words, coverage
from services.kb.vectors.port import Found

RANK_CONSTANT = 60
# A passage that holds this share of the question's words may be a little further from it in meaning.
WORDY, LENIENCE = 0.6, 0.03


@dataclass(frozen=True, slots=True)
class Candidate:
    """A live chunk that was found."""

    id: uuid.UUID
    document: uuid.UUID
    title: str
    path: str
    collection: str
    start: int
    end: int
    text: str
    score: float = 0.0
    similarity: float | None = None


def fuse(found: Found) -> list[tuple[uuid.UUID, float]]:
    """Reciprocal rank fusion, best first; 1 is what is first in both rankings."""
    scores: dict[uuid.UUID, float] = {}
    for ranking in (found.dense, found.words):
        for rank, hit in enumerate(ranking, 1):
            scores[hit.id] = scores.get(hit.id, 0.0) + 1.0 / (RANK_CONSTANT + rank)
    most = 2.0 / (RANK_CONSTANT + 1)
    ordered = sorted(scores, key=lambda item: (-scores[item], -found.similarities.get(item, 0.0), item))
    return [(item, scores[item] / most) for item in ordered]


def choose(
    question: str, found: Found, live: Mapping[uuid.UUID, Candidate], floor: float, limit: int
) -> list[Candidate]:
    """The passages of an answer, best first."""
    words = content_words(question)
    kept: list[Candidate] = []
    for identifier, score in fuse(found):
        candidate = live.get(identifier)
        if candidate is None:
            continue
        scored = replace(candidate, score=score, similarity=found.similarities.get(identifier))
        if fits(words, scored, floor):
            add(kept, scored, limit)
    return kept


def fits(words: Sequence[str], candidate: Candidate, floor: float) -> bool:
    """Whether a chunk answers at all: near in meaning, or a little less near and in the question's own words.

    A question without a letter ("2+2", an emoji) has no meaning to be near to: there only the words count. So they do
    for a chunk that has no vector of the present model yet.
    """
    if candidate.similarity is None:
        return coverage(words, candidate.text) >= WORDY
    if candidate.similarity < floor - LENIENCE:
        return False
    meant = any(character.isalpha() for word in words for character in word)
    if meant and candidate.similarity >= floor:
        return True
    return coverage(words, candidate.text) >= WORDY


def add(kept: list[Candidate], found: Candidate, limit: int) -> None:
    """Join it with a neighbour it overlaps, pass it over when it says the same, else keep it while there is room."""
    for position, other in enumerate(kept):
        if other.text == found.text:
            return
        if other.document == found.document and found.start < other.end and other.start < found.end:
            kept[position] = joined(other, found)
            return
    if len(kept) < limit:
        kept.append(found)


def joined(better: Candidate, other: Candidate) -> Candidate:
    """The stretch both cover, verbatim, with the better one's score."""
    first, second = sorted((better, other), key=lambda item: (item.start, item.end))
    text = first.text + second.text[max(0, first.end - second.start) :]
    return replace(better, start=first.start, end=max(first.end, second.end), text=text)

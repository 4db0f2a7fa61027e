"""The built-in provider: quotes the passages it is given, cites them, and says that no model is configured."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

from parley.llm.v1 import llm_service_pb2 as pb

from services.llm.domain.citing import cite
from services.llm.domain.port import Piece
from services.llm.domain.prompt import question_of
from services.llm.domain.sentences import Sentence, language_of, overlaps, split
from services.llm.domain.wording import WORDINGS, Wording

MODEL = "quotes"
CHARACTERS_PER_TOKEN = 4
LEAST_OVERLAP = 0.2
# A passage that fits by meaning may share no word with the question: it may be in another language.
SURE_SCORE = 0.5
MOST_QUOTES = 2
LONGEST_QUOTE = 480


@dataclass(frozen=True, slots=True)
class Quote:
    """A stretch of a passage that answers, and how well."""

    passage: pb.Passage
    stretch: Sentence
    fit: float


class ExtractiveProvider:
    """Needs no key, no network, no model."""

    name = "extractive"

    def models(self) -> Sequence[str]:
        """One."""
        return (MODEL,)

    async def complete(self, model: str, request: pb.CompleteRequest) -> pb.CompleteResponse:
        """Quotes in a frame of words."""
        return answer(request)[1]

    async def stream(self, model: str, request: pb.CompleteRequest) -> AsyncIterator[Piece]:
        """The same, a paragraph at a time."""
        pieces, whole = answer(request)
        for piece in pieces:
            yield piece
        yield whole

    async def close(self) -> None:
        """Nothing to give back."""


def answer(request: pb.CompleteRequest) -> tuple[list[str], pb.CompleteResponse]:
    """The pieces of the answer and the whole."""
    question = question_of(request)
    language = language_of(question, request.locale)
    wording = WORDINGS[language]
    quotes = best_quotes(question, request.passages, language_of(question))
    paragraphs = worded(wording, quotes, has_passages=bool(request.passages))
    pieces = [paragraphs[0], *(f"\n\n{paragraph}" for paragraph in paragraphs[1:])]
    text = "".join(pieces)
    whole = pb.CompleteResponse(
        text=text,
        citations=[cite(quote.passage, quote.stretch) for quote in quotes],
        finish_reason=pb.FINISH_REASON_STOP,
        usage=pb.Usage(
            input_tokens=characters(request) // CHARACTERS_PER_TOKEN,
            output_tokens=len(text) // CHARACTERS_PER_TOKEN,
        ),
        model=f"{ExtractiveProvider.name}/{MODEL}",
    )
    return pieces, whole


def characters(request: pb.CompleteRequest) -> int:
    """Of all that was sent."""
    return sum(len(item.text) for item in request.messages) + sum(len(item.text) for item in request.passages)


def worded(wording: Wording, quotes: Sequence[Quote], *, has_passages: bool) -> list[str]:
    """Paragraphs."""
    if not quotes:
        return [wording.unanswered if has_passages else wording.nothing, wording.notice]
    said = [f"> {' '.join(quote.stretch.text.split())} [{number}]" for number, quote in enumerate(quotes, 1)]
    sources = dict.fromkeys(
        f"[{number}] {quote.passage.title or quote.passage.uri}" for number, quote in enumerate(quotes, 1)
    )
    return [wording.found, *said, "\n".join(sources), wording.notice]


def best_quotes(question: str, passages: Sequence[pb.Passage], language: str) -> list[Quote]:
    """At most two, best first; the second only when it is nearly as good and from another place."""
    found = [quote for passage in passages if (quote := best_of(question, passage, language)) is not None]
    found.sort(key=lambda quote: quote.fit, reverse=True)
    kept: list[Quote] = []
    for quote in found:
        if quote.fit >= 0.8 * found[0].fit and not any(same_place(quote, other) for other in kept):
            kept.append(quote)
    return kept[:MOST_QUOTES]


def same_place(one: Quote, other: Quote) -> bool:
    """Whether two quotes overlap in one document, or say the same."""
    if one.stretch.text == other.stretch.text:
        return True
    if one.passage.uri != other.passage.uri:
        return False
    first, second = cite(one.passage, one.stretch), cite(other.passage, other.stretch)
    return first.start < second.end and second.start < first.end


def best_of(question: str, passage: pb.Passage, language: str) -> Quote | None:
    """The stretch of a passage that answers best, None when none does."""
    sentences = [item for item in split(passage.text) if not item.text.startswith("#")]
    if not sentences:
        return None
    scores = overlaps(question, sentences, language)
    best = scores.index(max(scores))
    if scores[best] < LEAST_OVERLAP and passage.score < SURE_SCORE:
        return None
    return Quote(passage, stretched(passage.text, sentences, best), scores[best] + passage.score)


def stretched(text: str, sentences: Sequence[Sentence], first: int) -> Sentence:
    """A sentence with those after it in its paragraph: answers rarely end with the first."""
    start, end = sentences[first].start, sentences[first].end
    for sentence in sentences[first + 1 :]:
        if "\n" in text[end : sentence.start] or sentence.end - start > LONGEST_QUOTE:
            break
        end = sentence.end
    return Sentence(text[start:end], start, end)

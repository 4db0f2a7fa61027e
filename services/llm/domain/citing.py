"""Citations whose offsets are true: the quote is found where it is said to be."""

import re
from collections.abc import Sequence

from parley.common.v1 import content_pb2
from parley.llm.v1 import llm_service_pb2 as pb

from services.llm.domain.sentences import Sentence, overlaps, split

MARK = re.compile(r"\[(\d{1,3})\]")


def cite(passage: pb.Passage, sentence: Sentence) -> content_pb2.Citation:
    """A citation of a stretch of a passage, in offsets of the document."""
    quote = passage.text[sentence.start : sentence.end]
    start = passage.start + sentence.start
    return content_pb2.Citation(title=passage.title, uri=passage.uri, quote=quote, start=start, end=start + len(quote))


def citations_in(answer: str, passages: Sequence[pb.Passage], language: str) -> list[content_pb2.Citation]:
    """What the marks [1], [2] ... of a model's answer stand for: of each passage, the sentence nearest the answer.

    A mark that no passage has is a thing the model made up: it is passed over.
    """
    numbers = dict.fromkeys(int(match) for match in MARK.findall(answer))
    found = []
    for number in numbers:
        if not 1 <= number <= len(passages):
            continue
        passage = passages[number - 1]
        sentences = split(passage.text)
        if sentences:
            scores = overlaps(answer, sentences, language)
            found.append(cite(passage, sentences[scores.index(max(scores))]))
    return found

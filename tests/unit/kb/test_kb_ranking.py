"""Two rankings become one answer."""

import uuid

import pytest

from services.kb.domain.ranking import Candidate, choose, fuse
from services.kb.vectors.port import Found, Hit, Scope

pytestmark = pytest.mark.unit
A, B, C = (uuid.UUID(int=number) for number in (1, 2, 3))
DOCUMENT, OTHER = uuid.uuid4(), uuid.uuid4()


def candidate(identifier: uuid.UUID, start: int, text: str, document: uuid.UUID = DOCUMENT) -> Candidate:
    return Candidate(identifier, document, "T", "p", "c", start, start + len(text), text)


def found(**similarities: float) -> Found:
    names = {"a": A, "b": B, "c": C}
    ranked = sorted(similarities, key=lambda name: -similarities[name])
    return Found(
        [Hit(names[name], similarities[name]) for name in ranked],
        [],
        {names[name]: value for name, value in similarities.items()},
    )


def test_first_in_both_rankings_is_one() -> None:
    both = Found([Hit(A, 0.9), Hit(B, 0.8)], [Hit(A, 3.0), Hit(C, 1.0)], {A: 0.9, B: 0.8, C: 0.7})
    fused = fuse(both)
    assert [identifier for identifier, _ in fused] == [A, B, C]
    assert fused[0][1] == pytest.approx(1.0)


def test_what_is_far_is_left_out_unless_it_has_the_words() -> None:
    live = {A: candidate(A, 0, "about pears"), B: candidate(B, 100, "about apples and plums")}
    hits = found(a=0.82, b=0.81)
    chosen = choose("apples plums", hits, live, 0.835, 5)
    assert [item.id for item in chosen] == [B]
    assert choose("apples plums", found(b=0.80), live, 0.835, 5) == []


def test_what_is_not_live_is_not_seen() -> None:
    assert choose("x", found(a=0.95), {}, 0.835, 5) == []


def test_neighbours_that_overlap_are_joined_verbatim() -> None:
    text = "One sentence here. Two sentences here. Three sentences here."
    live = {A: candidate(A, 0, text[:38]), B: candidate(B, 19, text[19:])}
    (joined,) = choose("x", found(a=0.9, b=0.88), live, 0.835, 5)
    assert (joined.text, joined.start, joined.end, joined.similarity) == (text, 0, len(text), 0.9)


def test_the_same_words_in_two_documents_are_shown_once() -> None:
    live = {A: candidate(A, 0, "same"), B: candidate(B, 0, "same", OTHER), C: candidate(C, 9, "else", OTHER)}
    assert [item.id for item in choose("x", found(a=0.9, b=0.89, c=0.88), live, 0.835, 5)] == [A, C]
    assert len(choose("x", found(a=0.9, b=0.89, c=0.88), live, 0.835, 1)) == 1


@pytest.mark.parametrize(("tenant", "bot"), [("", "b"), ("t", ""), ("", "")])
def test_there_is_no_scope_without_tenant_and_bot(tenant: str, bot: str) -> None:
    with pytest.raises(ValueError, match="scope"):
        Scope(tenant, bot)


def test_a_chunk_without_a_vector_is_judged_by_its_words() -> None:
    live = {A: candidate(A, 0, "about pears"), B: candidate(B, 100, "about apples and plums")}
    hits = Found([], [Hit(A, 2.0), Hit(B, 1.0)], {})
    chosen = choose("apples plums", hits, live, 0.835, 5)
    assert [(item.id, item.similarity) for item in chosen] == [(B, None)]

"""Parsing, cutting and words: nothing is lost, every offset is true."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.common.errors import InvalidArgument
from services.kb.domain.chunking import OVERLAP, TARGET, cut
from services.kb.domain.parsing import HTML, MARKDOWN, PLAIN, content_type_of, parse
from services.kb.domain.words import content_words, coverage, passage_words, query_words, tokens

pytestmark = pytest.mark.unit

LINES = st.one_of(
    st.text(max_size=80),
    st.sampled_from(
        ["# Title", "## Part", "```", "", "A sentence. Another one! And a third?", "这是一个句子。还有一个。", "- item"]
    ),
    st.integers(1, 40).map(lambda count: "Words go on and on. " * count),
    st.integers(1, 3000).map(lambda count: "x" * count),
)
TEXTS = st.lists(LINES, max_size=30).map("\n".join)


@given(TEXTS)
def test_chunks_are_verbatim_and_cover_the_text(text: str) -> None:
    chunks = cut(text)
    covered = bytearray(len(text))
    for number, chunk in enumerate(chunks):
        assert chunk.ordinal == number
        assert text[chunk.start : chunk.end] == chunk.text
        assert 0 < len(chunk.text) <= TARGET
        covered[chunk.start : chunk.end] = b"\1" * len(chunk.text)
    assert all(covered[index] or character.isspace() for index, character in enumerate(text))


@given(st.integers(1, 200))
def test_neighbours_overlap_by_a_sentence_and_no_more(count: int) -> None:
    chunks = cut("This sentence has a few words in it. " * count)
    for one, other in pairwise(chunks):
        assert one.start < other.start
        assert 0 <= one.end - other.start <= OVERLAP


def test_a_chunk_knows_its_headings_and_a_fence_has_none() -> None:
    text = "# Shop\n\n## Returns\n\nThirty days.\n\n```\n# not a heading\n```\n\n## Hours\n\nFrom nine.\n"
    assert [(chunk.heading, chunk.text.splitlines()[0]) for chunk in cut(text)] == [
        ("Shop > Returns", "# Shop"),
        ("Shop > Hours", "## Hours"),
    ]


def test_markdown_gives_its_title_and_loses_its_front_matter() -> None:
    parsed = parse(b"---\ntitle: 'Shop rules'\n---\n# Rules\r\nNone.\r\n", MARKDOWN, "x.md")
    assert (parsed.title, parsed.text) == ("Shop rules", "# Rules\nNone.\n")
    assert parse(b"text only", MARKDOWN, "opening-hours.md").title == "opening hours"
    assert parse(b"First line\nmore", PLAIN, "x.txt").title == "First line"


def test_html_is_what_a_reader_sees() -> None:
    page = """<html><head><title>Shop &amp; Co</title><style>p{}</style></head><body><nav>Home</nav><script>x()</script>
    <h1>Returns</h1>
    <p>Within <b>30</b>
    days.</p><!-- no -->
    <ul><li>receipt</li><li>box</li></ul><table><tr><td>a</td><td>b</td></tr></table></body></html>"""
    parsed = parse(page.encode(), HTML, "x.html")
    assert parsed.title == "Shop & Co"
    assert parsed.text == "# Returns\n\nWithin 30 days.\n\n- receipt\n- box\n\na b\n"


def test_html_that_nests_deeper_than_python_does() -> None:
    page = "<div>" * 5000 + "deep" + "</div>" * 5000
    assert parse(page.encode(), HTML, "x.html").text == "deep\n"


@pytest.mark.parametrize("content", [b"\xff\xfe\x00", b"", b" \n ", b"\x00\x01"])
def test_what_is_no_text_is_refused(content: bytes) -> None:
    with pytest.raises(InvalidArgument):
        parse(content, PLAIN, "x.txt")


def test_types_come_from_the_path_when_none_is_given() -> None:
    assert [content_type_of(path, "") for path in ("a.md", "b/C.HTML", "d.txt")] == [MARKDOWN, HTML, PLAIN]
    assert content_type_of("noextension", "text/markdown; charset=utf-8") == MARKDOWN
    with pytest.raises(InvalidArgument):
        content_type_of("a.pdf", "")


@pytest.mark.parametrize(
    ("question", "passage"),
    [
        ("returning products", "You may return a product."),
        ("devoluções de produtos", "A devolução do produto"),
        ("los artículos devueltos", "el artículo fue devuelto"),
        ("возвраты товаров", "возврат товара"),
        ("営業時間", "当店の営業時間は九時からです"),
        ("退货", "您可以在三十天内退货。"),
    ],
)
def test_inflected_and_unspaced_words_meet(question: str, passage: str) -> None:
    assert query_words(question).keys() & passage_words(passage).keys()
    assert coverage(content_words(question), passage) == 1.0


def test_words_that_say_nothing_do_not_count() -> None:
    assert content_words("What is the price of it?") == ["price"]
    assert query_words("what is it")
    assert not tokens("!? ...")
    assert not query_words("!?")


@given(st.text())
def test_any_text_has_words_or_none(text: str) -> None:
    for weights in (query_words(text), passage_words(text)):
        assert all(weight > 0 and 0 <= place < 2**32 for place, weight in weights.items())

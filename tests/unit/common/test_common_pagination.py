"""Page tokens: they lead on in the list they were made for, and nowhere else."""

import base64
import time

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from pydantic import SecretStr

from services.common import pagination
from services.common.errors import InvalidArgument
from services.common.pagination import PageTokens, page_size

pytestmark = pytest.mark.unit
TOKENS = PageTokens(SecretStr("a secret"))
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
VALUES = st.lists(TEXT, max_size=4)


@given(VALUES, VALUES)
def test_a_position_comes_back(filters: list[str], position: list[str]) -> None:
    assert TOKENS.read(filters, TOKENS.make(filters, position)) == position


@given(VALUES, VALUES, VALUES)
def test_a_token_of_another_list_is_refused(filters: list[str], others: list[str], position: list[str]) -> None:
    assume(filters != others)
    with pytest.raises(InvalidArgument) as refused:
        TOKENS.read(others, TOKENS.make(filters, position))
    assert refused.value.reason == "PAGE_TOKEN_INVALID"


def test_the_borders_between_filters_count() -> None:
    with pytest.raises(InvalidArgument):
        TOKENS.read(["a", "b"], TOKENS.make(["a\x1fb"], ["1"]))


@given(VALUES, st.data())
def test_a_token_that_was_touched_is_refused(position: list[str], data: st.DataObject) -> None:
    token = TOKENS.make(["x"], position)
    where = data.draw(st.integers(0, len(token) - 1))
    letter = data.draw(st.sampled_from("ABCabc019-_"))
    assume(token[where] != letter)
    with pytest.raises(InvalidArgument):
        TOKENS.read(["x"], token[:where] + letter + token[where + 1 :])


@given(st.text(min_size=1, max_size=80) | st.binary(min_size=1).map(lambda raw: base64.urlsafe_b64encode(raw).decode()))
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(InvalidArgument):
        TOKENS.read(["x"], text)


def test_another_secret_makes_other_tokens() -> None:
    with pytest.raises(InvalidArgument):
        PageTokens(SecretStr("another")).read(["x"], TOKENS.make(["x"], ["1"]))


def test_no_token_is_the_first_page() -> None:
    assert TOKENS.read(["x"], "") is None


def test_an_old_token_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    token = TOKENS.make(["x"], ["1"])
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + pagination.LIFETIME_SECONDS + 2)
    with pytest.raises(InvalidArgument):
        TOKENS.read(["x"], token)


@pytest.mark.parametrize(("asked", "given_size"), [(0, 20), (5, 5), (1000, 100)])
def test_a_page_has_a_size(asked: int, given_size: int) -> None:
    assert page_size(asked, 20, 100) == given_size


def test_a_negative_page_is_refused() -> None:
    with pytest.raises(InvalidArgument, match="page_size"):
        page_size(-1, 20, 100)

"""Identifiers and resource names."""

import time
import uuid

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from services.common.errors import InvalidArgument
from services.common.identifiers import derived_id, parse_name, parse_uuid, uuid7

pytestmark = pytest.mark.unit
SEGMENT = st.text("abcdefghijklmnopqrstuvwxyz0123456789-._~", min_size=1, max_size=20)
ANYTHING = st.text(max_size=60)


@given(SEGMENT, SEGMENT)
def test_parts_of_a_name_come_back(bot: str, version: str) -> None:
    assert parse_name("bots/*/versions/*", f"bots/{bot}/versions/{version}") == (bot, version)


@given(ANYTHING)
def test_what_parses_is_the_pattern_with_its_parts(name: str) -> None:
    try:
        (part,) = parse_name("sessions/*", name)
    except InvalidArgument:
        return
    assert name == f"sessions/{part}"
    assert part
    assert "/" not in part


@given(SEGMENT, st.sampled_from(["", "/", "\n", " ", "\x00", "/more", "\t", "\x7f", "\u2028"]))
def test_a_name_with_something_beside_it_is_refused(part: str, extra: str) -> None:
    assume(extra)
    with pytest.raises(InvalidArgument):
        parse_name("sessions/*", f"sessions/{part}{extra}")
    with pytest.raises(InvalidArgument):
        parse_name("sessions/*", f"{extra}sessions/{part}")


def test_characters_of_a_pattern_mean_themselves() -> None:
    with pytest.raises(InvalidArgument):
        parse_name("a.b/*", "aXb/1", "thing")


@given(st.uuids())
def test_a_uuid_has_one_spelling(value: uuid.UUID) -> None:
    assert parse_uuid(str(value), "id") == value
    for other in (value.hex, f"{{{value}}}", f"urn:uuid:{value}", f"{value}\n", f" {value}"):
        with pytest.raises(InvalidArgument):
            parse_uuid(other, "id")


@given(ANYTHING)
def test_what_is_not_a_uuid_is_named(text: str) -> None:
    with pytest.raises(InvalidArgument, match="tenant"):
        parse_uuid(text, "tenant")


def test_uuid7_is_of_its_version_and_of_its_time() -> None:
    before = time.time_ns() // 1_000_000
    made = [uuid7() for _ in range(500)]
    after = time.time_ns() // 1_000_000
    assert len(set(made)) == 500
    for value in made:
        assert value.version == 7
        assert value.variant == uuid.RFC_4122
        assert before <= value.int >> 80 <= after


@given(st.lists(st.integers(), min_size=1, max_size=4), st.lists(st.integers(), min_size=1, max_size=4))
def test_the_same_parts_give_the_same_identifier(first: list[int], second: list[int]) -> None:
    assert (derived_id(*first) == derived_id(*second)) is (first == second)

"""Compressed bodies: what they become, and that no more of it is made than may be read."""

import gzip
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.common.security.decoding import Gunzip, decoder

pytestmark = pytest.mark.unit


@given(st.lists(st.binary(max_size=200), min_size=1, max_size=4), st.integers(1, 64))
def test_pieces_of_members_become_what_was_packed(members: list[bytes], size: int) -> None:
    packed = b"".join(gzip.compress(member) for member in members)
    stream, out = Gunzip(), b""
    for start in range(0, len(packed), size):
        out += stream.feed(packed[start : start + size], 10_000)
    assert out == b"".join(members)


def test_a_bomb_is_unpacked_only_to_the_bound() -> None:
    packed = gzip.compress(bytes(50_000_000))
    assert len(Gunzip().feed(packed, 1001)) == 1001
    assert Gunzip().feed(packed, 0) == b""


def test_padding_behind_the_end_is_nothing() -> None:
    stream = Gunzip()
    assert stream.feed(gzip.compress(b"a") + bytes(100), 10) == b"a"
    assert stream.feed(gzip.compress(b"b"), 10) == b""


@pytest.mark.parametrize("packed", [b"plain", zlib.compress(b"x"), gzip.compress(b"abc" * 50)[:-20] + b"12345678" * 4])
def test_what_is_not_gzip_is_refused(packed: bytes) -> None:
    with pytest.raises(ValueError, match="not gzip"):
        Gunzip().feed(packed, 10_000)


def test_only_what_was_asked_for_is_taken_apart() -> None:
    assert (decoder(""), decoder("identity")) == (None, None)
    assert isinstance(decoder(" GZIP "), Gunzip)
    for encoding in ("br", "deflate", "gzip, gzip"):
        with pytest.raises(ValueError, match="not asked for"):
            decoder(encoding)

"""Secrets at rest open only with their key, at their place, unchanged."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from services.common.errors import Internal
from services.common.security.sealing import Vault, key_of

pytestmark = pytest.mark.unit
KEY = bytes(range(32))
places = st.lists(st.text(max_size=8), max_size=3).map(tuple)


@given(st.binary(max_size=64), places)
def test_what_was_sealed_opens_at_its_place(plain: bytes, place: tuple[str, ...]) -> None:
    vault = Vault(KEY)
    sealed = vault.seal(plain, *place)
    assert vault.unseal(sealed, *place) == plain
    assert sealed != vault.seal(plain, *place)


@given(places, places)
def test_at_another_place_it_does_not_open(place: tuple[str, ...], other: tuple[str, ...]) -> None:
    vault = Vault(KEY)
    sealed = vault.seal(b"secret", *place)
    if place != other:
        with pytest.raises(Internal):
            vault.unseal(sealed, *other)


@given(st.integers(0, 33), st.integers(1, 255))
def test_changed_bytes_do_not_open(position: int, change: int) -> None:
    sealed = bytearray(Vault(KEY).seal(b"secret", "place"))
    sealed[position % len(sealed)] ^= change
    with pytest.raises(Internal):
        Vault(KEY).unseal(bytes(sealed), "place")


@pytest.mark.parametrize("sealed", [b"", b"short"])
def test_what_was_never_sealed_does_not_open(sealed: bytes) -> None:
    with pytest.raises(Internal):
        Vault(KEY).unseal(sealed, "place")


def test_another_key_does_not_open_it() -> None:
    with pytest.raises(Internal, match="PARLEY_KEY_ENCRYPTION_KEY"):
        Vault(KEY[::-1]).unseal(Vault(KEY).seal(b"secret", "place"), "place")


@pytest.mark.parametrize("text", ["", "nonsense!", base64.b64encode(b"short").decode()])
def test_a_key_is_32_bytes(text: str) -> None:
    assert key_of(SecretStr(base64.b64encode(KEY).decode())) == KEY
    with pytest.raises(ValueError, match="32 random bytes"):
        key_of(SecretStr(text))

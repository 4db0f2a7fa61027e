"""API keys and refresh tokens: what is read back is what was made, and nothing else is accepted."""

import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.session.identity.credentials import (
    new_api_key,
    new_refresh_token,
    parse_api_key,
    parse_refresh_token,
)

pytestmark = pytest.mark.unit
SECRET_LETTERS = st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_", min_size=64, max_size=64)


@given(st.uuids())
def test_api_key_comes_back(tenant: uuid.UUID) -> None:
    text, made = new_api_key(tenant)
    assert parse_api_key(text) == made
    assert made.tenant_id == tenant
    assert text.split("_", 2)[:2] == ["pk", made.key_id]
    assert len(made.digest) == 32


@given(st.uuids())
def test_refresh_token_comes_back(tenant: uuid.UUID) -> None:
    text, made = new_refresh_token(tenant)
    assert parse_refresh_token(text) == made
    assert made.tenant_id == tenant
    assert parse_api_key(text) is None


@given(st.text(max_size=200))
def test_noise_is_refused_quietly(text: str) -> None:
    assert parse_api_key(text) is None
    assert parse_refresh_token(text) is None


@given(st.text("abcdefghijklmnopqrstuvwxyz234567", min_size=13, max_size=13), SECRET_LETTERS)
def test_anything_of_the_form_names_a_tenant(key_id: str, secret: str) -> None:
    found = parse_api_key(f"pk_{key_id}_{secret}")
    assert found is not None
    assert found.key_id == key_id
    refresh = parse_refresh_token(f"rt_{secret}")
    assert refresh is not None
    assert refresh.tenant_id == found.tenant_id
    assert refresh.digest != found.digest


@given(st.uuids(), st.integers(0, 80), st.sampled_from("Aa0-_ \n=é"))
def test_one_letter_off_is_another_key(tenant: uuid.UUID, place: int, letter: str) -> None:
    text, made = new_api_key(tenant)
    changed = text[:place] + letter + text[place + 1 :]
    found = parse_api_key(changed)
    assert changed == text or found is None or found.digest != made.digest


def test_keys_differ() -> None:
    tenant = uuid.uuid4()
    assert len({new_api_key(tenant)[0] for _ in range(200)}) == 200


def test_repr_shows_no_secret() -> None:
    text, made = new_refresh_token(uuid.uuid4())
    assert text[3:] not in repr(made)

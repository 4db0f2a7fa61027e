"""Tokens, keys and seals: what is in them, and what does not open."""

import base64
import datetime
import json
import uuid
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from joserfc import jwt
from joserfc.errors import JoseError, UnsupportedAlgorithmError
from joserfc.jwk import OKPKey
from pydantic import SecretStr

from services.common.errors import Unavailable
from services.common.security.principal import Principal
from services.session.identity.access_tokens import SIGNING, AccessTokens, family_of, token_id
from services.session.identity.keyring import KeyRing, SigningKey, new_private_key, public_jwk
from services.session.identity.sealing import SealBroken, Sealer, key_bytes

pytestmark = pytest.mark.unit
NOW = datetime.datetime(2026, 3, 1, 12, 0, 0, 250_000, tzinfo=datetime.UTC)
HOUR = datetime.timedelta(hours=1)
SOMEBODY = Principal(str(uuid.uuid4()), "users/1", frozenset({"user", "agent"}), frozenset({"b.*", "a.c"}))


def key(name: str, activate: datetime.timedelta, retire: datetime.timedelta | None = None) -> SigningKey:
    private = new_private_key(name)
    return SigningKey(name, public_jwk(private), private, NOW + activate, NOW + retire if retire else None)


def ring_of(*keys: SigningKey) -> KeyRing:
    ring = KeyRing()
    ring.replace(keys)
    return ring


def tokens_of(ring: KeyRing, now: datetime.datetime = NOW) -> AccessTokens:
    lifetime = datetime.timedelta(minutes=15)
    return AccessTokens(ring, issuer="parley", audience="parley-api", lifetime=lifetime, clock=now.timestamp)


def decoded(token: str, ring: KeyRing) -> tuple[dict[str, Any], dict[str, Any]]:
    published = {item["kid"]: item for item in ring.published(NOW)["keys"]}
    head = token.split(".", maxsplit=1)[0]
    kid = json.loads(base64.urlsafe_b64decode(head + "=" * (-len(head) % 4)))["kid"]
    read = jwt.decode(token, OKPKey.import_key(published[kid]), registry=SIGNING)
    return dict(read.header), dict(read.claims)


def test_claims() -> None:
    ring = ring_of(key("k1", -HOUR))
    made = tokens_of(ring).issue(SOMEBODY)
    header, claims = decoded(made.text, ring)
    assert header == {"typ": "at+jwt", "alg": "EdDSA", "kid": "k1"}
    assert set(claims) == {"iss", "aud", "sub", "tid", "roles", "scope", "iat", "exp", "jti"}
    assert claims["tid"] == SOMEBODY.tenant_id
    assert claims["roles"] == ["agent", "user"]
    assert claims["scope"] == "a.c b.*"
    assert claims["exp"] == claims["iat"] + 900 == int(made.expire_at.timestamp())


def test_tokens_differ_and_name_their_family() -> None:
    ring, family = ring_of(key("k1", -HOUR)), uuid.uuid4()
    tokens = tokens_of(ring)
    first, second = (decoded(tokens.issue(SOMEBODY, family=family).text, ring)[1]["jti"] for _ in range(2))
    assert first != second
    assert family_of(first) == family_of(second) == family
    assert family_of(token_id(None)) is None


def test_a_token_ends_with_its_credential() -> None:
    soon = NOW + datetime.timedelta(seconds=10)
    assert tokens_of(ring_of(key("k1", -HOUR))).issue(SOMEBODY, not_after=soon).expire_at == soon


def test_next_key_is_published_before_it_signs() -> None:
    ring = ring_of(key("old", -HOUR, HOUR), key("next", HOUR / 2))
    assert ring.current(NOW)[0] == "old"
    assert [item["kid"] for item in ring.published(NOW)["keys"]] == ["next", "old"]
    assert ring.current(NOW + HOUR / 2)[0] == "next"
    assert [item["kid"] for item in ring.published(NOW + 2 * HOUR)["keys"]] == ["next"]


def test_a_slow_clock_still_signs() -> None:
    assert ring_of(key("only", datetime.timedelta(seconds=1))).current(NOW)[0] == "only"


def test_no_key_no_token() -> None:
    with pytest.raises(Unavailable):
        tokens_of(KeyRing()).issue(SOMEBODY)
    with pytest.raises(Unavailable):
        ring_of(key("gone", -2 * HOUR, -HOUR)).current(NOW)


def test_published_keys_hold_nothing_private() -> None:
    for item in ring_of(key("k1", -HOUR)).published(NOW)["keys"]:
        assert set(item) == {"kty", "crv", "x", "kid", "use", "alg"}


@pytest.mark.parametrize("algorithm", ["HS256", "none", "ES256", "RS256", "Ed25519"])
def test_registry_knows_one_algorithm(algorithm: str) -> None:
    with pytest.raises(UnsupportedAlgorithmError):
        SIGNING.get_alg(algorithm)


@given(st.integers(0, 2000), st.integers(1, 255))
def test_a_changed_token_does_not_verify(place: int, change: int) -> None:
    ring = ring_of(key("k1", -HOUR))
    body = bytearray(tokens_of(ring).issue(SOMEBODY).text.encode())
    position = place % (len(body) - 1)  # the last letter has bits that mean nothing
    body[position] ^= change
    public = OKPKey.import_key(ring.published(NOW)["keys"][0])
    with pytest.raises((JoseError, ValueError)):
        jwt.decode(bytes(body), public, registry=SIGNING)


@given(st.binary(max_size=200), st.text(max_size=40))
def test_seals_open_only_where_they_belong(plain: bytes, place: str) -> None:
    sealer = Sealer(bytes(range(32)))
    sealed = sealer.seal(plain, place)
    assert sealer.open(sealed, place) == plain
    assert plain == b"" or len(plain) < 4 or plain not in sealed
    for broken in (sealed[:-1], sealed[:-1] + bytes([sealed[-1] ^ 1]), b"", sealed[:12]):
        with pytest.raises(SealBroken):
            sealer.open(broken, place)
    with pytest.raises(SealBroken):
        sealer.open(sealed, place + "x")
    with pytest.raises(SealBroken):
        Sealer(bytes(32)).open(sealed, place)


def test_a_key_is_known_by_its_fingerprint() -> None:
    assert Sealer(bytes(range(32))).fingerprint == Sealer(bytes(range(32))).fingerprint
    assert Sealer(bytes(range(32))).fingerprint != Sealer(bytes(32)).fingerprint


@pytest.mark.parametrize("text", ["", "short", base64.b64encode(bytes(31)).decode(), "!" * 44, "ключ"])
def test_key_encryption_key_must_be_32_bytes(text: str) -> None:
    with pytest.raises(ValueError, match="32 random bytes") as caught:
        key_bytes(SecretStr(text))
    assert not text or text not in str(caught.value)

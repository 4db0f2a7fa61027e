"""Outside issuers: which keys are used, which claims are believed, which settings are taken."""

import asyncio
import json
from typing import Any

import pytest
from joserfc.jwk import ECKey, OctKey, OKPKey, RSAKey
from pydantic import ValidationError

from services.common.errors import Unauthenticated, Unavailable
from services.session.identity import issuer_keys
from services.session.identity.issuer_keys import IssuerKeys, usable_keys
from services.session.identity.oidc import addressed, check_claims, peek, person_of
from services.session.identity.settings import IdentitySettings, OidcIssuer

pytestmark = pytest.mark.unit
ISSUER = OidcIssuer(issuer="https://login.example.com", audience="us")
ALL = ("RS256", "ES256", "EdDSA")
CLAIMS: dict[str, Any] = {"iss": ISSUER.issuer, "aud": "us", "sub": "s", "exp": 2000}


def jwk(key: ECKey | OKPKey | RSAKey, **extra: object) -> dict[str, Any]:
    return {**key.as_dict(private=False), **extra}


def test_only_fitting_keys_are_used() -> None:
    good = ECKey.generate_key("P-256", {"kid": "good"}, private=True)
    document = {
        "keys": [
            jwk(good),
            jwk(ECKey.generate_key("P-384", private=True), kid="curve"),
            jwk(OKPKey.generate_key("X25519", private=True), kid="exchange"),
            jwk(good, kid="encryption", use="enc"),
            jwk(good, kid="claims another", alg="RS256"),
            OctKey.generate_key(256, {"kid": "shared"}).as_dict(),
            {"kty": "RSA", "kid": "broken", "n": "AQAB", "e": "AQAB"},
            "not even an object",
        ]
    }
    assert {kid: key.algorithm for kid, key in usable_keys(document, ALL).items()} == {"good": "ES256"}
    assert usable_keys(document, ("RS256",)) == {}
    assert usable_keys({"keys": "none"}, ALL) == {}


@pytest.mark.filterwarnings("ignore:Key size should be")
def test_weak_rsa_keys_are_not_used() -> None:
    weak = RSAKey.generate_key(1024, {"kid": "weak"}, private=True)
    assert usable_keys({"keys": [jwk(weak)]}, ALL) == {}


class Source(IssuerKeys):
    """An issuer whose answers are given by the test."""

    def __init__(self, issuer: OidcIssuer) -> None:
        self.now = 1000.0
        self.asked: list[str] = []
        self.answers: dict[str, Any] = {}
        super().__init__(issuer, lambda: self.now)

    async def _fetch(self, url: str) -> dict[str, Any]:
        self.asked.append(url)
        await asyncio.sleep(0)
        if url not in self.answers:
            raise TimeoutError
        return dict(self.answers[url])


def source(*kids: str) -> Source:
    made = Source(OidcIssuer(issuer=ISSUER.issuer, audience="us", jwks_url="https://login.example.com/keys"))
    made.answers["https://login.example.com/keys"] = document(*kids)
    return made


def document(*kids: str) -> dict[str, Any]:
    return {"keys": [jwk(OKPKey.generate_key("Ed25519", private=True), kid=kid) for kid in kids]}


async def test_unknown_kids_ask_twice_a_minute_at_most() -> None:
    keys = source("a")
    assert await keys.find("a")
    for number in range(50):
        assert await keys.find(f"unknown {number}") is None
    assert len(keys.asked) == 1
    keys.now += issuer_keys.PAUSE_SECONDS
    keys.answers["https://login.example.com/keys"] = document("b")
    assert await keys.find("b")
    assert await keys.find("a") is None
    assert len(keys.asked) == 2


async def test_many_at_once_ask_once() -> None:
    keys = source("a")
    assert all(await asyncio.gather(*(keys.find("a") for _ in range(20))))
    assert len(keys.asked) == 1


async def test_old_keys_serve_for_an_hour_and_no_longer() -> None:
    keys = source("a")
    assert await keys.find("a")
    keys.answers.clear()
    keys.now += issuer_keys.HARD_AGE_SECONDS - 1
    assert await keys.find("a")
    keys.now += issuer_keys.PAUSE_SECONDS
    with pytest.raises(Unavailable):
        await keys.find("a")


async def test_discovery_must_be_the_issuers_own() -> None:
    keys = Source(ISSUER)
    keys.answers["https://login.example.com/keys"] = document("a")
    for found in (
        {"issuer": "https://evil.example.com", "jwks_uri": "https://login.example.com/keys"},
        {"issuer": ISSUER.issuer, "jwks_uri": "http://login.example.com/keys"},
        {"issuer": ISSUER.issuer},
    ):
        keys.answers[ISSUER.discovery_url] = found
        with pytest.raises(Unavailable):
            await keys.find("a")
        keys.now += issuer_keys.PAUSE_SECONDS
    keys.answers[ISSUER.discovery_url] = {"issuer": ISSUER.issuer, "jwks_uri": "https://login.example.com/keys"}
    assert await keys.find("a")


@pytest.mark.parametrize(
    "change",
    [
        {"iss": "https://evil.example.com"}, {"aud": "them"}, {"aud": ["us", "them"], "azp": "them"}, {"aud": None},
        {"exp": 900}, {"exp": "2000"}, {"exp": True}, {"exp": None}, {"nbf": 1100}, {"iat": 1100}, {"iat": "now"},
        {"sub": ""}, {"sub": 7}, {"sub": "x" * 256},
    ],
)  # fmt: skip
def test_claims_that_are_refused(change: dict[str, Any]) -> None:
    with pytest.raises(Unauthenticated):
        check_claims({**CLAIMS, **change}, ISSUER, 1000.0)


@pytest.mark.parametrize("change", [{}, {"exp": 941}, {"nbf": 1060, "iat": 1060}, {"aud": ["us"]}])
def test_claims_that_pass(change: dict[str, Any]) -> None:
    check_claims({**CLAIMS, **change}, ISSUER, 1000.0)
    assert addressed({**CLAIMS, **change}, ISSUER)


@pytest.mark.parametrize("token", ["", "a.b", "a.b.c.d", "!!.!!.!!", "bnVsbA.bnVsbA.x", "W10.W10.x"])
def test_malformed_tokens(token: str) -> None:
    with pytest.raises(Unauthenticated):
        peek(token)


def test_addresses_are_believed_when_verified() -> None:
    claims = {**CLAIMS, "email": "a@b.example"}
    trusting = ISSUER.model_copy(update={"trust_email": True})
    assert person_of({**claims, "email_verified": True}, ISSUER).email == "a@b.example"
    assert person_of(claims, trusting).email == "a@b.example"
    for verified in (False, "true", 1, None):
        assert person_of({**claims, "email_verified": verified}, ISSUER).email == ""
    assert person_of({**CLAIMS, "email": 7, "email_verified": True}, ISSUER).email == ""


def test_roles_are_mapped_and_nothing_else() -> None:
    mapped = ISSUER.model_copy(update={"roles_claim": "realm.roles", "role_map": {"boss": "admin", "dev": "developer"}})
    for found, roles in (
        ({"roles": ["boss", "dev", "owner"]}, ("admin", "developer")),
        ({"roles": "dev"}, ("developer",)),
        ({"roles": [{"boss": 1}, 7, None]}, ("user",)),
        ("text", ("user",)),
    ):
        assert person_of({**CLAIMS, "realm": found}, mapped).roles == roles
    assert person_of({**CLAIMS, "roles": ["owner"]}, ISSUER).roles is None


@pytest.mark.parametrize(
    "change",
    [
        {"issuer": "http://login.example.com"}, {"jwks_url": "http://127.0.0.1.example.com/keys"},
        {"jwks_url": "file:///etc/passwd"}, {"role_map": {"x": "service"}}, {"algorithms": ["HS256"]},
        {"audience": ""}, {"unknown": 1},
    ],
)  # fmt: skip
def test_bad_issuers_end_the_start(change: dict[str, Any]) -> None:
    values = {"issuer": "https://login.example.com", "audience": "us", **change}
    with pytest.raises(ValidationError):
        OidcIssuer.model_validate(values)


def test_issuers_come_from_a_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    values = {
        "PORT": "1", "OPERATIONS_PORT": "2", "MESH_KEY_FILE": "k", "MESH_JWKS_FILE": "j", "PAGE_TOKEN_SECRET": "s",
        "KEY_ENCRYPTION_KEY": "A" * 43 + "=",
        "OIDC_ISSUERS": json.dumps([{"issuer": "https://login.example.com", "audience": "us"}]),
    }  # fmt: skip
    for name, value in values.items():
        monkeypatch.setenv(f"PARLEY_{name}", value)
    settings = IdentitySettings()  # type: ignore[call-arg]
    assert settings.oidc_issuers == (ISSUER,)
    assert "A" * 43 not in repr(settings)
    for name, value in (("OIDC_ISSUERS", "{not json"), ("KEY_ENCRYPTION_KEY", "AAAA")):
        with monkeypatch.context() as patch:
            patch.setenv(f"PARLEY_{name}", value)
            with pytest.raises(ValidationError):
                IdentitySettings()  # type: ignore[call-arg]

"""Tokens: what verifies, what does not, and what is kept."""

import base64
import json
import time
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from joserfc import jwt
from joserfc.jwk import ECKey, OctKey, OKPKey

from cli.stack.layout import unused_port
from services.common.errors import Unauthenticated, Unavailable
from services.common.security import tokens
from services.common.security.principal import Principal
from services.common.security.tokens import MeshSigner, TokenVerifier

pytestmark = pytest.mark.unit
TENANT = "11111111-1111-1111-1111-111111111111"
SOMEBODY = Principal(TENANT, "users/u", frozenset({"user"}), frozenset({"session.*"}))
HEADER = {"alg": "Ed25519", "kid": "people-1", "typ": "at+jwt"}


class Issuer:
    """People's issuer: a key, and its public part over HTTP."""

    def __init__(self) -> None:
        self.key = OKPKey.generate_key("Ed25519", {"kid": "people-1"}, private=True)
        self.keys: list[dict[str, Any]] = [{**self.key.as_dict(private=False), "kid": "people-1"}]
        self.asked = 0
        self.broken = False
        self.url = ""

    def claims(self, **changes: object) -> dict[str, object]:
        now = int(time.time())
        base = {"iss": "parley", "aud": "parley-api", "sub": "users/u", "tid": TENANT, "roles": ["user"]}
        return {**base, "iat": now, "exp": now + 60, "scope": "", **changes}

    def token(self, header: dict[str, str] | None = None, key: Any = None, **changes: object) -> str:
        return jwt.encode(header or HEADER, self.claims(**changes), key or self.key, ["Ed25519", "ES256", "HS256"])

    async def serve(self, _: web.Request) -> web.Response:
        self.asked += 1
        if self.broken:
            raise web.HTTPServiceUnavailable
        return web.json_response({"keys": self.keys})


@pytest.fixture
async def issuer() -> Any:
    made = Issuer()
    application = web.Application()
    application.router.add_get("/jwks", made.serve)
    runner = web.AppRunner(application)
    await runner.setup()
    port = unused_port(set())
    await web.TCPSite(runner, "127.0.0.1", port).start()
    made.url = f"http://127.0.0.1:{port}/jwks"
    yield made
    await runner.cleanup()


@pytest.fixture
def mesh(tmp_path: Path) -> dict[str, MeshSigner]:
    public, signers = [], {}
    for name in ("session", "engine"):
        key = OKPKey.generate_key("Ed25519", private=True)
        (tmp_path / f"{name}.pem").write_bytes(key.as_pem(private=True))
        public.append({**key.as_dict(private=False), "kid": name})
        signers[name] = MeshSigner(name, tmp_path / f"{name}.pem")
    (tmp_path / "mesh.json").write_text(json.dumps({"keys": public}))
    return signers


@pytest.fixture
def verifier(mesh: dict[str, MeshSigner], issuer: Issuer, tmp_path: Path) -> TokenVerifier:
    return TokenVerifier(tmp_path / "mesh.json", "parley", "parley-api", issuer.url)


async def test_a_service_speaks_for_somebody(mesh: dict[str, MeshSigner], verifier: TokenVerifier) -> None:
    found = await verifier.verify(mesh["engine"].token(SOMEBODY))
    assert found == Principal(TENANT, "users/u", SOMEBODY.roles, SOMEBODY.scopes, service="engine")


async def test_a_service_speaks_for_itself(mesh: dict[str, MeshSigner], verifier: TokenVerifier) -> None:
    found = await verifier.verify(mesh["session"].token(None))
    assert found == Principal("", "services/session", frozenset({"service"}), service="session")


def test_one_token_an_originator_until_it_is_about_to_end(
    mesh: dict[str, MeshSigner], monkeypatch: pytest.MonkeyPatch
) -> None:
    signer = mesh["engine"]
    first = signer.token(SOMEBODY)
    assert signer.token(SOMEBODY) is first
    assert signer.token(None) != first
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + tokens.MESH_SECONDS - tokens.MESH_RENEW_SECONDS + 1)
    assert signer.token(SOMEBODY) != first


async def test_a_service_cannot_speak_as_another(
    mesh: dict[str, MeshSigner], verifier: TokenVerifier, monkeypatch: pytest.MonkeyPatch
) -> None:
    liar = mesh["engine"]
    monkeypatch.setattr(liar, "_key", liar._key)
    claims = {"iss": "parley-mesh", "aud": "parley-mesh", "sub": "services/session", "exp": time.time() + 60}
    forged = jwt.encode({"alg": "Ed25519", "kid": "engine", "typ": "JWT"}, claims, liar._key, ["Ed25519"])
    with pytest.raises(Unauthenticated):
        await verifier.verify(forged)
    renamed = jwt.encode({"alg": "Ed25519", "kid": "session", "typ": "JWT"}, claims, liar._key, ["Ed25519"])
    with pytest.raises(Unauthenticated):
        await verifier.verify(renamed)


async def test_a_persons_token(issuer: Issuer, verifier: TokenVerifier) -> None:
    found = await verifier.verify(issuer.token(scope="session.* kb.search"))
    assert found == Principal(TENANT, "users/u", frozenset({"user"}), frozenset({"session.*", "kb.search"}))


async def test_a_person_never_has_the_role_of_services(issuer: Issuer, verifier: TokenVerifier) -> None:
    found = await verifier.verify(issuer.token(roles=["service", "user"]))
    assert found.roles == {"user"}
    assert found.service == ""


@pytest.mark.parametrize(
    "changes",
    [
        {"iss": "other"},
        {"aud": "other"},
        {"iss": "parley-mesh", "aud": "parley-mesh"},
        {"exp": None},
        {"exp": "tomorrow"},
        {"nbf": time.time() + 86_400},
        {"tid": None, "roles": 7},
    ],
)
async def test_a_token_of_the_wrong_kind(issuer: Issuer, verifier: TokenVerifier, changes: dict[str, Any]) -> None:
    with pytest.raises(Unauthenticated):
        await verifier.verify(issuer.token(**changes))


async def test_an_expired_token_says_that_it_expired(issuer: Issuer, verifier: TokenVerifier) -> None:
    with pytest.raises(Unauthenticated) as refused:
        await verifier.verify(issuer.token(exp=time.time() - 60))
    assert refused.value.reason == "TOKEN_EXPIRED"


async def test_the_key_and_not_the_header_fixes_the_algorithm(issuer: Issuer, verifier: TokenVerifier) -> None:
    await verifier.verify(issuer.token())
    public = OctKey.import_key(json.dumps(issuer.keys[0]))
    curve = ECKey.generate_key("P-256", private=True)
    for header, key in (
        ({**HEADER, "alg": "HS256"}, public),
        ({**HEADER, "alg": "ES256"}, curve),
    ):
        with pytest.raises(Unauthenticated):
            await verifier.verify(issuer.token(header, key))


def encode(part: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=")


@pytest.mark.parametrize(
    "token",
    [
        "",
        "x",
        "..",
        "a.b.c",
        "é.é.é",
        f"{encode([])}.e30.",
        f"{encode({'alg': 'none', 'typ': 'at+jwt'})}.{encode({'iss': 'parley'})}.",
        f"{encode({'alg': 'Ed25519', 'typ': 'at+jwt', 'kid': 'people-1'})}.{encode([1])}.AAAA",
        f"{encode({'alg': 'Ed25519', 'kid': {}})}.e30.AAAA",
        base64.urlsafe_b64encode(b"[" * 5000).decode() + ".e30.AAAA",
    ],
)
async def test_rubbish_is_refused_as_rubbish(verifier: TokenVerifier, token: str) -> None:
    with pytest.raises(Unauthenticated):
        await verifier.verify(token)


async def test_a_verified_token_is_kept_until_it_ends(
    issuer: Issuer, verifier: TokenVerifier, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = issuer.token()
    assert verifier.kept(token) is None
    found = await verifier.verify(token)
    assert verifier.kept(token) is found
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + 120)
    assert verifier.kept(token) is None


async def test_what_is_kept_has_a_bound(
    issuer: Issuer, verifier: TokenVerifier, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tokens, "CACHE_ENTRIES", 2)
    first, second, third = (issuer.token(sub=f"users/{number}") for number in range(3))
    await verifier.verify(first)
    await verifier.verify(second)
    assert verifier.kept(first) is not None
    await verifier.verify(third)
    assert verifier.kept(second) is None
    assert verifier.kept(first) is not None


async def test_unknown_keys_do_not_make_the_issuer_work(issuer: Issuer, verifier: TokenVerifier) -> None:
    await verifier.verify(issuer.token())
    for number in range(20):
        with pytest.raises(Unauthenticated):
            await verifier.verify(issuer.token({**HEADER, "kid": f"unknown-{number}"}))
    assert issuer.asked == 1


async def test_without_keys_nobody_is_accepted(issuer: Issuer, verifier: TokenVerifier) -> None:
    issuer.broken = True
    with pytest.raises(Unavailable):
        await verifier.verify(issuer.token())


async def test_keys_are_used_for_an_hour_while_the_issuer_is_away(
    issuer: Issuer, verifier: TokenVerifier, monkeypatch: pytest.MonkeyPatch
) -> None:
    await verifier.verify(issuer.token())
    issuer.broken = True
    monkeypatch.setattr(tokens, "JWKS_FRESH_SECONDS", 0.0)
    assert (await verifier.verify(issuer.token(sub="users/2"))).subject == "users/2"
    monkeypatch.setattr(tokens, "JWKS_MAXIMUM_SECONDS", 0.0)
    with pytest.raises(Unavailable):
        await verifier.verify(issuer.token(sub="users/3"))


async def test_a_new_key_is_found(issuer: Issuer, verifier: TokenVerifier, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tokens, "JWKS_RETRY_SECONDS", 0.0)
    await verifier.verify(issuer.token())
    curve = ECKey.generate_key("P-256", private=True)
    issuer.keys.append({**curve.as_dict(private=False), "kid": "people-2"})
    found = await verifier.verify(issuer.token({"alg": "ES256", "kid": "people-2", "typ": "at+jwt"}, curve))
    assert found.subject == "users/u"
    assert issuer.asked == 2

"""Access tokens on a real server: what verifies, what does not, and keys that change."""

import base64
import datetime
import json
import time
import uuid
from typing import Any

import aiohttp
import pytest
from joserfc import jwt
from joserfc.jwk import OKPKey
from parley.session.v1 import identity_pb2 as pb
from parley.session.v1 import identity_service_pb2 as service_pb

from services.common.errors import PermissionDenied, Unauthenticated
from services.common.security.tokens import TokenVerifier
from services.session.identity.keyring import KeyRing, new_private_key
from services.session.identity.sealing import Sealer
from services.session.identity.wiring import _signing_keys
from tests.integration.session_identity.outside import ANY, hand_signed
from tests.integration.session_identity.people import admin_token, member, request_id
from tests.integration.session_identity.test_identity_sign_in import claims_of
from tests.integration.session_identity.world import World

pytestmark = [
    pytest.mark.integration,
    pytest.mark.filterwarnings("ignore:EdDSA is deprecated", "ignore:This key should not be used"),
]


def verifier(world: World) -> TokenVerifier:
    """Another service, which has seen nothing yet."""
    settings = world.settings
    return TokenVerifier(
        settings.mesh_jwks_file, settings.token_issuer, settings.token_audience, settings.token_jwks_url
    )


async def published(world: World) -> list[dict[str, Any]]:
    async with aiohttp.ClientSession() as client, client.get(world.settings.token_jwks_url) as answer:
        assert answer.headers["Cache-Control"].startswith("public, max-age=")
        return list((await answer.json())["keys"])


async def me(world: World, token: str) -> pb.User:
    return await world.client.call(world.client.users.GetUser, service_pb.GetUserRequest(name="users/me"), token)


def header_of(token: str) -> dict[str, Any]:
    part = token.split(".", maxsplit=1)[0]
    return dict(json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))))


async def test_rotation_keeps_old_tokens(world: World) -> None:
    _, before = await member(world, "user")
    request = service_pb.RotateSigningKeyRequest(request_id=request_id())
    token = await admin_token(world)
    rotated = await world.client.call(world.client.auth.RotateSigningKey, request, token)
    again = await world.client.call(world.client.auth.RotateSigningKey, request, token)
    assert again.key_id == rotated.key_id
    _, after = await member(world, "user")
    assert header_of(before.access_token)["kid"] != rotated.key_id
    assert header_of(after.access_token) == {"alg": "EdDSA", "typ": "at+jwt", "kid": rotated.key_id}
    fresh = verifier(world)
    assert (await fresh.verify(before.access_token)).subject == before.subject
    assert (await fresh.verify(after.access_token)).subject == after.subject
    assert (await me(world, after.access_token)).name == after.subject


async def test_published_keys_are_public(world: World) -> None:
    for key in await published(world):
        assert set(key) == {"kty", "crv", "x", "kid", "use", "alg"}


async def test_another_process_finds_the_same_keys(world: World) -> None:
    ring = KeyRing()
    sealer = Sealer(base64.b64decode(world.settings.key_encryption_key.get_secret_value()))
    keys = _signing_keys(world.chassis.database, sealer, ring, world.settings)
    await keys.ensure()
    assert [key["kid"] for key in ring.published(_now())["keys"]] == [key["kid"] for key in await published(world)]


async def test_another_key_encryption_key_is_refused(world: World) -> None:
    keys = _signing_keys(world.chassis.database, Sealer(bytes(32)), KeyRing(), world.settings)
    with pytest.raises(RuntimeError, match="PARLEY_KEY_ENCRYPTION_KEY"):
        await keys.ensure()


async def test_private_keys_rest_sealed(world: World) -> None:
    async with world.chassis.database.unit_of_work(str(uuid.UUID(int=0))) as connection:
        rows = (await connection.exec_driver_sql("SELECT * FROM session.signing_keys")).mappings().all()
    assert rows
    for row in rows:
        assert b'"d"' not in bytes(row["private_sealed"])
        assert '"d"' not in row["public_jwk"]


async def test_forged_tokens(world: World) -> None:
    user, tokens = await member(world, "user")
    claims, header = claims_of(tokens.access_token), header_of(tokens.access_token)
    public = next(key for key in await published(world) if key["kid"] == header["kid"])
    pem = OKPKey.import_key(public).as_pem(private=False)
    stranger = new_private_key(header["kid"])
    head, body, signature = tokens.access_token.split(".")
    risen = base64.urlsafe_b64encode(json.dumps({**claims, "roles": ["owner"]}).encode()).decode().rstrip("=")
    forged = {
        "another key with that kid": jwt.encode(header, claims, stranger, registry=ANY),
        "the public key as a secret": hand_signed({**header, "alg": "HS256"}, body, pem),
        "none": hand_signed({**header, "alg": "none"}, body, pem),
        "changed claims": f"{head}.{risen}.{signature}",
        "no signature": f"{head}.{body}.",
        "unknown kid": jwt.encode({**header, "kid": "nobody"}, claims, stranger, registry=ANY),
        "mesh": jwt.encode({**header, "typ": "JWT", "kid": "session"}, claims, stranger, registry=ANY),
        "not a token": "a.b.c",
    }
    for name, token in forged.items():
        refused = False
        try:
            await me(world, token)
        except Unauthenticated:
            refused = True
        assert refused, name
    assert (await me(world, tokens.access_token)).name == user.name


async def test_our_signature_is_not_enough(world: World) -> None:
    """Signed with the true key, but expired or meant for somebody else."""
    _, tokens = await member(world, "user")
    claims, header = claims_of(tokens.access_token), header_of(tokens.access_token)
    _, private = world.identity.ring.current(_now())
    for change, reason in (
        ({"exp": int(time.time()) - 60}, "TOKEN_EXPIRED"),
        ({"aud": "somebody-else"}, "TOKEN_INVALID"),
        ({"iss": "somebody-else"}, "TOKEN_INVALID"),
        ({"exp": None}, None),
    ):
        token = jwt.encode(header, {**claims, **change}, private, registry=ANY)
        with pytest.raises(Unauthenticated) as caught:
            await me(world, token)
        assert reason in {None, caught.value.reason}
    untyped = jwt.encode({**header, "typ": "JWT"}, claims, private, registry=ANY)
    with pytest.raises(Unauthenticated):
        await me(world, untyped)


async def test_rotation_needs_the_permission(world: World) -> None:
    _, tokens = await member(world, "developer")
    request = service_pb.RotateSigningKeyRequest()
    with pytest.raises(PermissionDenied):
        await world.client.call(world.client.auth.RotateSigningKey, request, tokens.access_token)


def _now() -> datetime.datetime:
    return datetime.datetime.now(datetime.UTC)

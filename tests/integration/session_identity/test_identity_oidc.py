"""Outside issuers: whose tokens are taken, and what accounts they make."""

import asyncio
import time
import uuid
from typing import Any

import pytest
from parley.session.v1 import identity_pb2 as pb
from parley.session.v1 import identity_service_pb2 as service_pb

from services.common.errors import Unauthenticated
from tests.integration.session_identity.people import admin_token, make_user, member
from tests.integration.session_identity.world import World

pytestmark = [
    pytest.mark.integration,
    pytest.mark.filterwarnings("ignore:EdDSA is deprecated", "ignore:This key should not be used"),
]


async def trade(world: World, token: str, tenant: str = "") -> service_pb.TokenSet:
    request = service_pb.ExchangeTokenRequest(id_token=token, tenant=tenant)
    return await world.client.call(world.client.auth.ExchangeToken, request)


async def user_of(world: World, granted: service_pb.TokenSet) -> pb.User:
    request = service_pb.GetUserRequest(name="users/me")
    found: pb.User = await world.client.call(world.client.users.GetUser, request, granted.access_token)
    return found


def somebody() -> dict[str, Any]:
    who = uuid.uuid4().hex
    return {"sub": who, "email": f"{who}@outside.example.com", "email_verified": True, "name": "Out Sider"}


@pytest.mark.parametrize("kind", ["rsa", "ec", "ed"])
async def test_first_visit_makes_an_account(world: World, kind: str) -> None:
    claims = somebody()
    algorithm = {"rsa": "RS256", "ec": "ES256", "ed": "EdDSA"}[kind]
    token = world.issuer.token(getattr(world.issuer, kind), algorithm=algorithm, locale="pt", **claims)
    first = await trade(world, token, "default")
    assert first.refresh_token == ""
    user = await user_of(world, first)
    assert (user.email, user.display_name, user.locale) == (claims["email"], "Out Sider", "pt")
    assert list(user.roles) == ["user"]
    assert not user.password_expired
    assert (await trade(world, world.issuer.token(**claims))).subject == first.subject


async def test_two_first_visits_at_once_make_one_account(world: World) -> None:
    await asyncio.gather(*(trade(world, world.issuer.token(**somebody())) for _ in range(8)))
    for _ in range(5):
        token = world.issuer.token(**somebody())
        granted = await asyncio.gather(*(trade(world, token) for _ in range(8)))
        assert len({item.subject for item in granted}) == 1


async def test_roles_follow_the_issuer(world: World) -> None:
    claims = somebody()
    for groups, roles in ((["staff", "unknown"], ["agent"]), ("builders", ["developer"]), ([], ["user"])):
        granted = await trade(world, world.issuer.token(**claims, realm={"groups": groups}))
        assert list((await user_of(world, granted)).roles) == roles


async def test_bad_tokens(world: World) -> None:
    issuer, now = world.issuer, int(time.time())
    bad = {
        "expired": issuer.token(exp=now - 120),
        "no expiry": issuer.token(exp=None),
        "not yet": issuer.token(nbf=now + 600),
        "from the future": issuer.token(iat=now + 600),
        "audience": issuer.token(aud="another-client"),
        "audience among many, asked by another": issuer.token(aud=["x", "parley-client"], azp="x"),
        "issuer": issuer.token(iss="https://evil.example.com"),
        "no subject": issuer.token(sub=None),
        "numeric subject": issuer.token(sub=7),
        "stranger with our kid": issuer.token(issuer.stranger),
        "unknown kid": issuer.token(header={"kid": "never"}),
        "HS256 with the public key": issuer.confused(issuer.rsa, "HS256"),
        "key of another kind": issuer.token(issuer.ec, header={"kid": "rsa"}),
        "none": issuer.confused(issuer.ec, "none"),
        "three words": "not.a.token-at-all",
        "one word": "x" * 64,
    }
    for name, token in bad.items():
        reason = ""
        try:
            await trade(world, token)
        except Unauthenticated as error:
            reason = error.reason
        assert reason == ("TOKEN_EXPIRED" if name == "expired" else "TOKEN_INVALID"), name


async def test_tenant_is_fixed_by_the_configuration(world: World) -> None:
    for tenant in ("elsewhere", "another"):
        with pytest.raises(Unauthenticated):
            await trade(world, world.issuer.token(**somebody()), tenant)
    with pytest.raises(Unauthenticated) as caught:
        await trade(world, world.issuer.token(aud="elsewhere", **somebody()))
    assert caught.value.reason == "CREDENTIALS_INVALID"


async def test_access_tokens_of_ours_are_not_outside_tokens(world: World) -> None:
    _, tokens = await member(world, "user")
    with pytest.raises(Unauthenticated):
        await trade(world, tokens.access_token)


async def test_address_alone_takes_over_nothing(world: World) -> None:
    existing = await make_user(world, await admin_token(world), "owner")
    claims = {**somebody(), "email": existing.email}
    with pytest.raises(Unauthenticated) as caught:
        await trade(world, world.issuer.token(**claims))
    assert caught.value.reason == "CREDENTIALS_INVALID"
    unverified = {**somebody(), "email": existing.email, "email_verified": False}
    granted = await trade(world, world.issuer.token(aud="linked", **unverified))
    assert granted.subject != existing.name
    assert (await user_of(world, granted)).email.endswith("@127.0.0.1.invalid")
    linked = {**somebody(), "email": existing.email}
    assert (await trade(world, world.issuer.token(aud="linked", **linked))).subject == existing.name


async def test_disabled_account_stays_out(world: World) -> None:
    claims = somebody()
    granted = await trade(world, world.issuer.token(**claims))
    request = service_pb.UpdateUserRequest(user=pb.User(name=granted.subject, disabled=True))
    await world.client.call(world.client.users.UpdateUser, request, await admin_token(world))
    with pytest.raises(Unauthenticated):
        await trade(world, world.issuer.token(**claims))


async def test_unknown_kids_do_not_flood_the_issuer(world: World) -> None:
    before = world.issuer.asked
    for number in range(20):
        with pytest.raises(Unauthenticated):
            await trade(world, world.issuer.token(header={"kid": f"made up {number}"}))
    assert world.issuer.asked - before <= 1

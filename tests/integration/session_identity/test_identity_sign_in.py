"""Signing in, renewing, signing out."""

import asyncio
import base64
import json
from typing import Any

import pytest
from parley.session.v1 import identity_service_pb2 as service_pb

from services.common.errors import PermissionDenied, ResourceExhausted, Unauthenticated
from tests.integration.session_identity.people import (
    PASSWORD,
    admin_token,
    change_password,
    make_user,
    member,
    renew,
    settled,
    sign_in,
)
from tests.integration.session_identity.world import ADMIN_PASSWORD, World

pytestmark = [
    pytest.mark.integration,
    pytest.mark.filterwarnings("ignore:EdDSA is deprecated"),
]


def claims_of(token: str) -> dict[str, Any]:
    part = token.split(".")[1]
    return dict(json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))))


async def test_first_admin(world: World) -> None:
    assert world.first.password_expired
    assert claims_of(world.first.access_token)["roles"] == ["owner"]
    listed = await world.client.call(
        world.client.users.ListUsers, service_pb.ListUsersRequest(page_size=200), await admin_token(world)
    )
    assert "admin@parley.local" in {user.email for user in listed.users}


async def test_first_password_lets_one_choose_another_and_no_more(world: World) -> None:
    user = await make_user(world, await admin_token(world), "owner")
    signed = await sign_in(world, user.email, PASSWORD)
    renewed = await renew(world, signed.refresh_token)
    for tokens in (signed, renewed):
        assert tokens.password_expired
        assert claims_of(tokens.access_token)["scope"] == "session.own.changePassword session.own.get"
        me = await world.client.call(
            world.client.users.GetUser, service_pb.GetUserRequest(name="users/me"), tokens.access_token
        )
        assert me.password_expired
        with pytest.raises(PermissionDenied):
            await world.client.call(world.client.users.ListUsers, service_pb.ListUsersRequest(), tokens.access_token)
    await change_password(world, renewed.access_token, PASSWORD, PASSWORD + "!")
    free = await renew(world, renewed.refresh_token)
    assert not free.password_expired
    await world.client.call(world.client.users.ListUsers, service_pb.ListUsersRequest(), free.access_token)


async def test_claims(world: World) -> None:
    _, tokens = await member(world, "agent")
    claims = claims_of(tokens.access_token)
    assert claims["iss"] == "parley"
    assert claims["aud"] == "parley-api"
    assert claims["sub"] == tokens.subject
    assert claims["roles"] == ["agent"]
    assert claims["tid"] == str(world.identity.tenants.operator)
    assert claims["exp"] - claims["iat"] == 900
    assert tokens.expire_time.seconds == claims["exp"]


@pytest.mark.parametrize(
    ("email", "password", "tenant"),
    [
        ("admin@parley.local", "wrong password", ""),
        ("nobody@parley.local", ADMIN_PASSWORD, ""),
        ("admin@parley.local", ADMIN_PASSWORD, "no-such-tenant"),
        ("admin@parley.local", ADMIN_PASSWORD, "Not A Slug"),
    ],
)
async def test_all_failures_read_alike(world: World, email: str, password: str, tenant: str) -> None:
    with pytest.raises(Unauthenticated) as caught:
        await sign_in(world, email, password, tenant)
    assert caught.value.reason == "CREDENTIALS_INVALID"
    assert caught.value.message == "the tenant, e-mail address or password is wrong"


async def test_account_waits_after_many_failures_and_parallel_guesses_count(world: World) -> None:
    user = await make_user(world, await admin_token(world), "user")
    outcomes = await asyncio.gather(
        *(sign_in(world, user.email, f"guess number {number}") for number in range(20)), return_exceptions=True
    )
    refused = [outcome for outcome in outcomes if isinstance(outcome, Unauthenticated)]
    waiting = [outcome for outcome in outcomes if isinstance(outcome, ResourceExhausted)]
    assert len(refused) == 6
    assert len(waiting) == 14
    assert all(outcome.reason == "LIMIT_REACHED" and outcome.retry_after for outcome in waiting)
    with pytest.raises(ResourceExhausted):
        await sign_in(world, user.email, PASSWORD)


async def test_unknown_accounts_wait_alike(world: World) -> None:
    for _ in range(6):
        with pytest.raises(Unauthenticated):
            await sign_in(world, "ghost@example.com", "whatever it may be")
    with pytest.raises(ResourceExhausted):
        await sign_in(world, "ghost@example.com", "whatever it may be")


async def test_success_clears_the_count(world: World) -> None:
    user = await make_user(world, await admin_token(world), "user")
    for _ in range(2):
        for _ in range(4):
            with pytest.raises(Unauthenticated):
                await sign_in(world, user.email, "not this one")
        assert (await sign_in(world, user.email, PASSWORD)).subject == user.name


async def test_sign_out(world: World) -> None:
    _, tokens = await member(world, "user")
    request = service_pb.RevokeTokenRequest(refresh_token=tokens.refresh_token)
    await world.client.call(world.client.auth.RevokeToken, request)
    await world.client.call(world.client.auth.RevokeToken, request)
    with pytest.raises(Unauthenticated):
        await renew(world, tokens.refresh_token)


@pytest.mark.parametrize("token", ["rt_" + "A" * 64, "rt_short-but-long-enough", "pk_" + "A" * 64, "x" * 512])
async def test_made_up_refresh_tokens(world: World, token: str) -> None:
    with pytest.raises(Unauthenticated) as caught:
        await renew(world, token)
    assert caught.value.reason == "TOKEN_INVALID"
    await world.client.call(world.client.auth.RevokeToken, service_pb.RevokeTokenRequest(refresh_token=token))


async def test_visitor(world: World) -> None:
    request = service_pb.SignInVisitorRequest(locale="pt-BR", bot="hello")
    visitor = await world.client.call(world.client.auth.SignInVisitor, request)
    claims = claims_of(visitor.access_token)
    assert claims["roles"] == ["visitor"]
    assert claims["sub"].startswith("visitors/")
    renewed = await renew(world, visitor.refresh_token)
    assert renewed.subject == visitor.subject
    with pytest.raises(PermissionDenied):
        await world.client.call(world.client.users.ListUsers, service_pb.ListUsersRequest(), visitor.access_token)


async def test_changing_the_password_ends_other_sign_ins_only(world: World) -> None:
    user, here = await member(world, "user")
    there = await sign_in(world, user.email, PASSWORD + "!")
    await change_password(world, here.access_token, PASSWORD + "!", PASSWORD + "?")
    assert (await renew(world, here.refresh_token)).access_token
    with pytest.raises(Unauthenticated):
        await renew(world, there.refresh_token)
    with pytest.raises(Unauthenticated):
        await sign_in(world, user.email, PASSWORD + "!")


async def test_wrong_current_password_is_counted(world: World) -> None:
    _, tokens = await member(world, "user")
    for _ in range(6):
        with pytest.raises(PermissionDenied) as caught:
            await change_password(world, tokens.access_token, "not the one", PASSWORD + "?")
        assert caught.value.reason == "CREDENTIALS_INVALID"
    with pytest.raises(ResourceExhausted):
        await change_password(world, tokens.access_token, PASSWORD + "!", PASSWORD + "?")


async def test_disabled_user_is_out(world: World) -> None:
    token = await admin_token(world)
    user = await make_user(world, token, "user")
    tokens = await settled(world, user)
    user.disabled = True
    request = service_pb.UpdateUserRequest(user=user)
    request.user.etag = ""
    request.update_mask.paths.append("disabled")
    await world.client.call(world.client.users.UpdateUser, request, token)
    with pytest.raises(Unauthenticated):
        await renew(world, tokens.refresh_token)
    with pytest.raises(Unauthenticated):
        await sign_in(world, user.email, PASSWORD + "!")

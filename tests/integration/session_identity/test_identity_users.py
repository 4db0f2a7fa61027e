"""Accounts: who may see and change whom."""

import asyncio
import uuid
from typing import Any

import pytest
from parley.session.v1 import identity_pb2 as pb
from parley.session.v1 import identity_service_pb2 as service_pb

from services.common.errors import (
    Aborted,
    AlreadyExists,
    FailedPrecondition,
    InvalidArgument,
    NotFound,
    ParleyError,
    PermissionDenied,
    Unauthenticated,
)
from tests.integration.session_identity.people import (
    PASSWORD,
    admin_token,
    change_password,
    make_user,
    member,
    other_tenant,
    request_id,
    settled,
    sign_in,
)
from tests.integration.session_identity.world import World

pytestmark = [
    pytest.mark.integration,
    pytest.mark.filterwarnings("ignore:EdDSA is deprecated"),
]


async def get(world: World, name: str, token: str) -> pb.User:
    found: pb.User = await world.client.call(world.client.users.GetUser, service_pb.GetUserRequest(name=name), token)
    return found


async def update(world: World, token: str, user: pb.User, *paths: str, request: str = "") -> pb.User:
    message = service_pb.UpdateUserRequest(user=user, request_id=request)
    message.update_mask.paths.extend(paths)
    changed: pb.User = await world.client.call(world.client.users.UpdateUser, message, token)
    return changed


async def delete(world: World, token: str, name: str) -> None:
    await world.client.call(world.client.users.DeleteUser, service_pb.DeleteUserRequest(name=name), token)


async def test_created_user_is_shown_and_must_choose_a_password(world: World) -> None:
    token = await admin_token(world)
    made = await make_user(world, token, "developer", "user")
    assert list(made.roles) == ["developer", "user"]
    assert made.password_expired
    assert made.create_time.seconds > 0
    assert (await get(world, made.name, token)) == made
    signed = await sign_in(world, made.email.upper(), PASSWORD)
    assert signed.subject == made.name
    assert signed.password_expired


async def test_address_is_unique_whatever_its_case(world: World) -> None:
    token = await admin_token(world)
    made = await make_user(world, token, "user")
    with pytest.raises(AlreadyExists) as caught:
        await make_user(world, token, "user", email=made.email.upper())
    assert caught.value.reason == "RESOURCE_EXISTS"


@pytest.mark.parametrize("password", ["short", "aaaaaaaaaaaaaaaa", "x" * 1025])
async def test_weak_passwords(world: World, password: str) -> None:
    with pytest.raises(InvalidArgument) as caught:
        await make_user(world, await admin_token(world), "user", password=password)
    assert caught.value.reason == "INVALID_FIELD"


async def test_new_password_is_checked_too(world: World) -> None:
    user, tokens = await member(world, "user")
    for new in (user.email, "bbbbbbbbbbbb", PASSWORD + "!"):
        with pytest.raises(InvalidArgument):
            await change_password(world, tokens.access_token, PASSWORD + "!", new)


async def test_people_see_themselves_only(world: World) -> None:
    me, mine = await member(world, "user")
    other, _ = await member(world, "user")
    assert (await get(world, "users/me", mine.access_token)).name == me.name
    assert (await get(world, me.name, mine.access_token)).name == me.name
    for name in (other.name, f"users/{uuid.uuid4()}"):
        with pytest.raises(PermissionDenied):
            await get(world, name, mine.access_token)
    for method, request in (
        (world.client.users.ListUsers, service_pb.ListUsersRequest()),
        (world.client.users.DeleteUser, service_pb.DeleteUserRequest(name=other.name)),
        (world.client.users.UpdateUser, service_pb.UpdateUserRequest(user=me)),
        (world.client.users.CreateUser, service_pb.CreateUserRequest(user=pb.User(email="a@b.example"))),
    ):
        with pytest.raises(PermissionDenied):
            await world.client.call(method, request, mine.access_token)


async def test_nobody_without_an_account_is_me(world: World) -> None:
    visitor = await world.client.call(world.client.auth.SignInVisitor, service_pb.SignInVisitorRequest())
    with pytest.raises(NotFound):
        await get(world, "users/me", visitor.access_token)


@pytest.mark.parametrize(("maker", "role"), [("admin", "owner"), ("admin", "admin"), ("owner", "owner")])
async def test_granting(world: World, maker: str, role: str) -> None:
    _, tokens = await member(world, maker)
    if (maker, role) == ("admin", "owner"):
        with pytest.raises(PermissionDenied):
            await make_user(world, tokens.access_token, role)
        return
    assert list((await make_user(world, tokens.access_token, role)).roles) == [role]


async def test_admin_does_not_touch_owners(world: World) -> None:
    owner, _ = await member(world, "owner")
    _, tokens = await member(world, "admin")
    for attempt in (
        update(world, tokens.access_token, pb.User(name=owner.name, disabled=True), "disabled"),
        update(world, tokens.access_token, pb.User(name=owner.name, roles=["user"]), "roles"),
        delete(world, tokens.access_token, owner.name),
    ):
        with pytest.raises(PermissionDenied):
            await attempt


async def test_admin_does_not_promote(world: World) -> None:
    me, tokens = await member(world, "admin")
    with pytest.raises(PermissionDenied):
        await update(world, tokens.access_token, pb.User(name=me.name, roles=["owner"]), "roles")
    assert list((await get(world, me.name, tokens.access_token)).roles) == ["admin"]


async def test_update_writes_what_the_mask_names(world: World) -> None:
    token = await admin_token(world)
    made = await make_user(world, token, "agent")
    changed = await update(
        world, token, pb.User(name=made.name, display_name="New", locale="pt", roles=["user"]), "display_name", "locale"
    )
    assert (changed.display_name, changed.locale, list(changed.roles)) == ("New", "pt", ["agent"])
    assert changed.etag != made.etag
    assert await get(world, made.name, token) == changed
    unmasked = await update(world, token, pb.User(name=made.name, roles=["user"]))
    assert (list(unmasked.roles), unmasked.display_name) == (["user"], "New")


async def test_update_refusals(world: World) -> None:
    token = await admin_token(world)
    made = await make_user(world, token, "agent")
    await update(world, token, pb.User(name=made.name, display_name="X"), "display_name")
    with pytest.raises(Aborted):
        await update(world, token, pb.User(name=made.name, display_name="Y", etag=made.etag), "display_name")
    for paths in (["email"], ["roles", "password_expired"]):
        with pytest.raises(InvalidArgument):
            await update(world, token, pb.User(name=made.name), *paths)
    with pytest.raises(InvalidArgument):
        await update(world, token, pb.User(name=made.name))
    with pytest.raises(NotFound):
        await update(world, token, pb.User(name=f"users/{uuid.uuid4()}", locale="de"), "locale")


async def test_cached_account_follows_changes(world: World) -> None:
    token = await admin_token(world)
    made = await make_user(world, token, "user")
    key = f"user:{world.identity.tenants.operator}:{made.name.removeprefix('users/')}"
    await get(world, made.name, token)
    cached = await world.chassis.cache.get(key)
    assert cached is not None
    assert pb.User.FromString(cached) == made
    await update(world, token, pb.User(name=made.name, display_name="Fresh"), "display_name")
    assert (await get(world, made.name, token)).display_name == "Fresh"
    await delete(world, token, made.name)
    with pytest.raises(NotFound):
        await get(world, made.name, token)


async def test_deleted_user_is_out(world: World) -> None:
    token = await admin_token(world)
    user = await make_user(world, token, "user")
    tokens = await settled(world, user)
    await delete(world, token, user.name)
    with pytest.raises(Unauthenticated):
        await sign_in(world, user.email, PASSWORD + "!")
    request = service_pb.RefreshTokenRequest(refresh_token=tokens.refresh_token)
    with pytest.raises(Unauthenticated):
        await world.client.call(world.client.auth.RefreshToken, request)
    with pytest.raises(NotFound):
        await delete(world, token, user.name)


async def test_a_tenant_keeps_an_owner_even_when_two_leave_at_once(world: World) -> None:
    made, token = await other_tenant(world)
    second = await make_user(world, token, "owner")
    outcomes = await asyncio.gather(
        delete(world, token, made.owner.name), delete(world, token, second.name), return_exceptions=True
    )
    assert sorted(type(outcome).__name__ for outcome in outcomes) == ["FailedPrecondition", "NoneType"]
    left = second if outcomes[0] is None else made.owner
    for attempt in (
        update(world, token, pb.User(name=left.name, roles=["user"]), "roles"),
        update(world, token, pb.User(name=left.name, disabled=True), "disabled"),
    ):
        with pytest.raises(FailedPrecondition):
            await attempt


async def test_pages(world: World) -> None:
    _, token = await other_tenant(world)
    for number in range(4):
        await make_user(world, token, "user", email=f"person{number}@pages.example.com")
    seen: list[str] = []
    request = service_pb.ListUsersRequest(page_size=2)
    while True:
        page = await world.client.call(world.client.users.ListUsers, request, token)
        assert len(page.users) <= 2
        seen += [user.email for user in page.users]
        if not page.next_page_token:
            break
        request.page_token = page.next_page_token
    assert len(seen) == 5
    assert seen == sorted(seen)


async def test_page_tokens_are_bound(world: World) -> None:
    _, token = await other_tenant(world)
    _, stranger = await other_tenant(world)
    await make_user(world, token, "user")
    page = await world.client.call(world.client.users.ListUsers, service_pb.ListUsersRequest(page_size=1), token)
    for bearer, text in (
        (stranger, page.next_page_token),
        (token, page.next_page_token[:-4] + "AAAA"),
        (token, "forged"),
    ):
        request = service_pb.ListUsersRequest(page_token=text)
        with pytest.raises(InvalidArgument) as caught:
            await world.client.call(world.client.users.ListUsers, request, bearer)
        assert caught.value.reason == "PAGE_TOKEN_INVALID"
    with pytest.raises(InvalidArgument):
        await world.client.call(world.client.users.ListUsers, service_pb.ListUsersRequest(page_size=-1), token)


async def test_foreign_tenant_is_not_there(world: World) -> None:
    _, token = await other_tenant(world)
    foreign = await make_user(world, await admin_token(world), "user")
    for attempt in (
        get(world, foreign.name, token),
        update(world, token, pb.User(name=foreign.name, locale="de"), "locale"),
        delete(world, token, foreign.name),
    ):
        with pytest.raises(NotFound):
            await attempt
    listed = await world.client.call(world.client.users.ListUsers, service_pb.ListUsersRequest(page_size=200), token)
    assert foreign.email not in {user.email for user in listed.users}


async def test_same_request_happens_once(world: World) -> None:
    token = await admin_token(world)
    user = pb.User(email=f"{uuid.uuid4().hex}@example.com", roles=["user"])
    request = service_pb.CreateUserRequest(user=user, password=PASSWORD, request_id=request_id())
    made = await asyncio.gather(*(world.client.call(world.client.users.CreateUser, request, token) for _ in range(4)))
    assert len({item.name for item in made}) == 1
    other = service_pb.CreateUserRequest()
    other.CopyFrom(request)
    other.password = PASSWORD + "x"
    with pytest.raises(AlreadyExists) as caught:
        await world.client.call(world.client.users.CreateUser, other, token)
    assert caught.value.reason == "REQUEST_ID_REUSED"
    reused = service_pb.DeleteUserRequest(name=made[0].name, request_id=request.request_id)
    with pytest.raises(AlreadyExists) as caught:
        await world.client.call(world.client.users.DeleteUser, reused, token)
    assert caught.value.reason == "REQUEST_ID_REUSED"


async def test_failed_request_may_be_tried_again(world: World) -> None:
    token = await admin_token(world)
    taken = await make_user(world, token, "user")
    request = service_pb.CreateUserRequest(user=pb.User(email=taken.email), password=PASSWORD, request_id=request_id())
    with pytest.raises(AlreadyExists) as caught:
        await world.client.call(world.client.users.CreateUser, request, token)
    assert caught.value.reason == "RESOURCE_EXISTS"
    await delete(world, token, taken.name)
    assert (await world.client.call(world.client.users.CreateUser, request, token)).email == taken.email


async def test_changing_the_password_twice_with_one_request_id(world: World) -> None:
    _, tokens = await member(world, "user")
    same = request_id()
    for _ in range(2):
        await change_password(world, tokens.access_token, PASSWORD + "!", PASSWORD + "?", same)


async def test_others_do_not_get_my_answer(world: World) -> None:
    _, first = await member(world, "owner")
    _, second = await member(world, "owner")
    request = service_pb.CreateUserRequest(user=pb.User(email=f"{uuid.uuid4().hex}@x.example"), request_id=request_id())
    await world.client.call(world.client.users.CreateUser, request, first.access_token)
    with pytest.raises(AlreadyExists) as caught:
        await world.client.call(world.client.users.CreateUser, request, second.access_token)
    assert caught.value.reason == "RESOURCE_EXISTS"


async def test_no_secret_is_kept(world: World) -> None:
    token = await admin_token(world)
    address = f"{uuid.uuid4().hex}@example.com"
    request = service_pb.CreateUserRequest(user=pb.User(email=address), password=PASSWORD, request_id=request_id())
    await world.client.call(world.client.users.CreateUser, request, token)
    tables = ("users", "requests", "audit_log", "refresh_tokens", "token_families", "api_keys")
    async with world.chassis.database.unit_of_work(str(world.identity.tenants.operator)) as connection:
        for table in tables:
            found: Any = await connection.exec_driver_sql(
                f"SELECT count(*) FROM session.{table} t WHERE position('{PASSWORD}' IN t::text) > 0"
                f" OR position(encode(convert_to('{PASSWORD}', 'UTF8'), 'hex') IN t::text) > 0"
            )
            assert found.scalar_one() == 0, table


async def test_bad_names(world: World) -> None:
    token = await admin_token(world)
    for name in ("users/you", "users/../me", f"tenants/{uuid.uuid4()}", "users/" + "-" * 36):
        with pytest.raises(ParleyError) as caught:
            await get(world, name, token)
        assert isinstance(caught.value, InvalidArgument)

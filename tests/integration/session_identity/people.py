"""Steps the tests share."""

import uuid

from parley.session.v1 import identity_pb2 as pb
from parley.session.v1 import identity_service_pb2 as service_pb

from services.common.errors import Unauthenticated
from tests.integration.session_identity.world import ADMIN_PASSWORD, World

NEW_ADMIN_PASSWORD = "another correct horse staple"
PASSWORD = "plenty of characters here"


def request_id() -> str:
    return str(uuid.uuid4())


async def sign_in(world: World, email: str, password: str, tenant: str = "") -> service_pb.TokenSet:
    request = service_pb.SignInRequest(email=email, password=password, tenant=tenant)
    return await world.client.call(world.client.auth.SignIn, request)


async def renew(world: World, token: str) -> service_pb.TokenSet:
    return await world.client.call(world.client.auth.RefreshToken, service_pb.RefreshTokenRequest(refresh_token=token))


async def change_password(world: World, token: str, old: str, new: str, request: str = "") -> None:
    message = service_pb.ChangePasswordRequest(current_password=old, new_password=new, request_id=request)
    await world.client.call(world.client.users.ChangePassword, message, token)


async def admin_token(world: World) -> str:
    """The operator's owner, past the first password."""
    try:
        signed = await sign_in(world, "admin@parley.local", NEW_ADMIN_PASSWORD)
    except Unauthenticated:
        signed = await sign_in(world, "admin@parley.local", ADMIN_PASSWORD)
        await change_password(world, signed.access_token, ADMIN_PASSWORD, NEW_ADMIN_PASSWORD)
        signed = await sign_in(world, "admin@parley.local", NEW_ADMIN_PASSWORD)
    return signed.access_token


async def make_user(world: World, token: str, *roles: str, email: str = "", password: str = PASSWORD) -> pb.User:
    address = email or f"{uuid.uuid4().hex}@example.com"
    user = pb.User(email=address, roles=roles, display_name="Somebody")
    request = service_pb.CreateUserRequest(user=user, password=password)
    return await world.client.call(world.client.users.CreateUser, request, token)


async def settled(world: World, user: pb.User, tenant: str = "") -> service_pb.TokenSet:
    """Tokens of a user who has chosen their own password."""
    first = await sign_in(world, user.email, PASSWORD, tenant)
    await change_password(world, first.access_token, PASSWORD, PASSWORD + "!")
    return await sign_in(world, user.email, PASSWORD + "!", tenant)


async def member(world: World, *roles: str) -> tuple[pb.User, service_pb.TokenSet]:
    """Somebody of the operator's tenant with these roles, and their tokens."""
    user = await make_user(world, await admin_token(world), *roles)
    return user, await settled(world, user)


async def other_tenant(world: World) -> tuple[service_pb.CreateTenantResponse, str]:
    """A fresh tenant and its owner's token."""
    slug = f"t{uuid.uuid4().hex[:12]}"
    request = service_pb.CreateTenantRequest(
        tenant=pb.Tenant(slug=slug, display_name="Other"), owner_email=f"owner@{slug}.example.com"
    )
    made = await world.client.call(world.client.tenants.CreateTenant, request, await admin_token(world))
    first = await sign_in(world, made.owner.email, made.one_time_password, slug)
    await change_password(world, first.access_token, made.one_time_password, PASSWORD)
    return made, (await sign_in(world, made.owner.email, PASSWORD, slug)).access_token

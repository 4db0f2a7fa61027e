"""Tenants: each is alone; the operator's makes and lists the others."""

import uuid

import pytest
from parley.session.v1 import identity_pb2 as pb
from parley.session.v1 import identity_service_pb2 as service_pb

from services.common.errors import AlreadyExists, InvalidArgument, NotFound, PermissionDenied, Unauthenticated
from tests.integration.session_identity.people import (
    PASSWORD,
    admin_token,
    make_user,
    member,
    other_tenant,
    request_id,
    settled,
    sign_in,
)
from tests.integration.session_identity.world import World

pytestmark = [pytest.mark.integration, pytest.mark.filterwarnings("ignore:EdDSA is deprecated")]


async def get(world: World, name: str, token: str) -> pb.Tenant:
    request = service_pb.GetTenantRequest(name=name)
    found: pb.Tenant = await world.client.call(world.client.tenants.GetTenant, request, token)
    return found


async def test_own_tenant(world: World) -> None:
    made, token = await other_tenant(world)
    assert await get(world, "tenants/mine", token) == made.tenant
    assert await get(world, made.tenant.name, token) == made.tenant
    visitor = await world.client.call(
        world.client.auth.SignInVisitor, service_pb.SignInVisitorRequest(tenant=made.tenant.slug)
    )
    assert await get(world, "tenants/mine", visitor.access_token) == made.tenant


async def test_other_tenants_are_not_there(world: World) -> None:
    first, _ = await other_tenant(world)
    _, token = await other_tenant(world)
    for name in (first.tenant.name, f"tenants/{world.identity.tenants.operator}", f"tenants/{uuid.uuid4()}"):
        with pytest.raises(NotFound):
            await get(world, name, token)


async def test_operator_sees_all(world: World) -> None:
    made, _ = await other_tenant(world)
    token = await admin_token(world)
    assert await get(world, made.tenant.name, token) == made.tenant
    slugs: list[str] = []
    request = service_pb.ListTenantsRequest(page_size=2)
    while True:
        page = await world.client.call(world.client.tenants.ListTenants, request, token)
        slugs += [tenant.slug for tenant in page.tenants]
        if not page.next_page_token:
            break
        request.page_token = page.next_page_token
    assert made.tenant.slug in slugs
    assert "default" in slugs
    assert slugs == sorted(set(slugs))


async def test_owner_of_another_tenant_is_no_operator(world: World) -> None:
    _, token = await other_tenant(world)
    create = service_pb.CreateTenantRequest(tenant=pb.Tenant(slug="stolen"), owner_email="a@b.example")
    for method, request in (
        (world.client.tenants.ListTenants, service_pb.ListTenantsRequest()),
        (world.client.tenants.CreateTenant, create),
        (world.client.auth.RotateSigningKey, service_pb.RotateSigningKeyRequest()),
    ):
        with pytest.raises(PermissionDenied):
            await world.client.call(method, request, token)


async def test_admin_of_the_operator_makes_no_tenants(world: World) -> None:
    _, tokens = await member(world, "admin")
    create = service_pb.CreateTenantRequest(tenant=pb.Tenant(slug="nope"), owner_email="a@b.example")
    with pytest.raises(PermissionDenied):
        await world.client.call(world.client.tenants.CreateTenant, create, tokens.access_token)


async def test_database_itself_refuses_to_list_for_others(world: World) -> None:
    made, _ = await other_tenant(world)
    tenant = made.tenant.name.removeprefix("tenants/")
    async with world.chassis.database.unit_of_work(tenant) as connection:
        listed = await connection.exec_driver_sql("SELECT count(*) FROM session.tenants_after('', 100)")
        assert listed.scalar_one() == 0
        own = await connection.exec_driver_sql("SELECT count(*) FROM session.tenants")
        assert own.scalar_one() == 1


async def test_slug_is_taken(world: World) -> None:
    made, _ = await other_tenant(world)
    request = service_pb.CreateTenantRequest(tenant=pb.Tenant(slug=made.tenant.slug), owner_email="a@b.example")
    with pytest.raises(AlreadyExists):
        await world.client.call(world.client.tenants.CreateTenant, request, await admin_token(world))


@pytest.mark.parametrize("slug", ["", "Upper", "-dash", "a" * 40, "dots.here", "ünï"])
async def test_bad_slugs(world: World, slug: str) -> None:
    request = service_pb.CreateTenantRequest(tenant=pb.Tenant(slug=slug), owner_email="a@b.example")
    with pytest.raises(InvalidArgument):
        await world.client.call(world.client.tenants.CreateTenant, request, await admin_token(world))


async def test_repeated_request_shows_no_password(world: World) -> None:
    request = service_pb.CreateTenantRequest(
        tenant=pb.Tenant(slug=f"r{uuid.uuid4().hex[:10]}"), owner_email="owner@r.example.com", request_id=request_id()
    )
    token = await admin_token(world)
    first = await world.client.call(world.client.tenants.CreateTenant, request, token)
    second = await world.client.call(world.client.tenants.CreateTenant, request, token)
    assert first.one_time_password
    assert second.one_time_password == ""
    assert second.tenant == first.tenant


async def test_same_address_in_two_tenants_is_two_people(world: World) -> None:
    first, first_token = await other_tenant(world)
    second, second_token = await other_tenant(world)
    here = await make_user(world, first_token, "user", email="same@example.com")
    there = await make_user(world, second_token, "user", email="same@example.com")
    assert here.name != there.name
    tokens = await settled(world, here, first.tenant.slug)
    assert tokens.subject == here.name
    with pytest.raises(Unauthenticated):
        await sign_in(world, "same@example.com", PASSWORD + "!", second.tenant.slug)

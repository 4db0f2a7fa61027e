"""TenantService."""

import uuid

from parley.session.v1 import identity_pb2 as pb
from parley.session.v1 import identity_service_pb2 as service_pb
from parley.session.v1 import identity_service_pb2_grpc as service_grpc
from sqlalchemy.ext.asyncio import AsyncConnection

from services.common.db.engine import Database
from services.common.errors import AlreadyExists, NotFound
from services.common.identifiers import parse_name, parse_uuid, uuid7
from services.common.pagination import PageTokens, page_size
from services.common.security.principal import Principal
from services.session import audit
from services.session import identity_store as store
from services.session.api import users
from services.session.api.mutations import Mutations, caller
from services.session.identity.passwords import one_time_password
from services.session.identity.people import People
from services.session.identity.tenancy import TenantDirectory, working_for

DEFAULT_PAGE = 50
LARGEST_PAGE = 200
FIRST_ROLES = ("owner",)


def to_proto(tenant: store.TenantRow) -> pb.Tenant:
    """A tenant as callers see it."""
    message = pb.Tenant(name=f"tenants/{tenant.id}", slug=tenant.slug, display_name=tenant.display_name)
    message.create_time.FromDatetime(tenant.created_at)
    return message


class TenantService(service_grpc.TenantServiceServicer):
    """Everybody sees their own; the operator's tenant makes and lists the others."""

    def __init__(
        self,
        database: Database,
        directory: TenantDirectory,
        people: People,
        mutations: Mutations,
        tokens: PageTokens,
    ) -> None:
        self._database = database
        self._directory = directory
        self._people = people
        self._mutations = mutations
        self._tokens = tokens

    async def CreateTenant(  # noqa: N802
        self, request: service_pb.CreateTenantRequest, context: object
    ) -> service_pb.CreateTenantResponse:
        """The answer shows the owner's one-time password, once."""

        async def work(connection: AsyncConnection, maker: Principal) -> service_pb.CreateTenantResponse:
            self._directory.ensure_operator(maker)
            caller_tenant, tenant = uuid.UUID(maker.tenant_id), uuid7()
            async with working_for(connection, tenant, caller_tenant):
                made = await self._insert(connection, tenant, request)
            entry = audit.Entry(maker.subject, "tenants.create", made.tenant.name)
            await audit.append(connection, caller_tenant, entry)
            return made

        secrets = ("one_time_password",)
        answer = service_pb.CreateTenantResponse
        return await self._mutations.run(request, answer, work, action="tenants.create", secrets=secrets)

    async def GetTenant(self, request: service_pb.GetTenantRequest, context: object) -> pb.Tenant:  # noqa: N802
        """One's own, or any for the operator's. NotFound in the same words for all others."""
        reader = caller()
        own = uuid.UUID(reader.tenant_id)
        wanted = own
        if request.name != "tenants/mine":
            wanted = parse_uuid(parse_name("tenants/*", request.name)[0], "name")
        found = None
        if wanted == own or reader.may("tenants.get"):
            async with self._database.unit_of_work(reader.tenant_id) as connection:
                found = await store.read_tenant(connection, wanted, own)
        if found is None:
            raise NotFound(f"tenants/{wanted} does not exist", metadata={"name": request.name})
        return to_proto(found)

    async def ListTenants(  # noqa: N802
        self, request: service_pb.ListTenantsRequest, context: object
    ) -> service_pb.ListTenantsResponse:
        """By short name."""
        reader = caller()
        size = page_size(request.page_size, DEFAULT_PAGE, LARGEST_PAGE)
        filters = ("tenants", reader.tenant_id)
        after = (self._tokens.read(filters, request.page_token) or [""])[0]
        async with self._mutations.denials(reader, "tenants.list"):
            self._directory.ensure_operator(reader)
        async with self._database.unit_of_work(reader.tenant_id) as connection:
            rows = await store.list_tenants(connection, after, size + 1)
        token = self._tokens.make(filters, [rows[size - 1].slug]) if len(rows) > size else ""
        return service_pb.ListTenantsResponse(tenants=[to_proto(row) for row in rows[:size]], next_page_token=token)

    async def _insert(
        self, connection: AsyncConnection, tenant: uuid.UUID, request: service_pb.CreateTenantRequest
    ) -> service_pb.CreateTenantResponse:
        slug, password = request.tenant.slug, one_time_password()
        made = await store.insert_tenant(connection, tenant, slug, request.tenant.display_name)
        if made is None:
            raise AlreadyExists(f"the short name {slug} is taken", metadata={"slug": slug})
        new = store.NewUser(tenant, request.owner_email, roles=FIRST_ROLES)
        owner = await self._people.insert(connection, tenant, new, password)
        await audit.append(connection, tenant, audit.Entry("services/session", "users.create", owner.subject))
        return service_pb.CreateTenantResponse(
            tenant=to_proto(made), owner=users.to_proto(owner), one_time_password=password
        )

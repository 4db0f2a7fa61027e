"""ApiKeyService."""

import datetime
import re
import uuid

from google.protobuf import empty_pb2
from parley.session.v1 import identity_pb2 as pb
from parley.session.v1 import identity_service_pb2 as service_pb
from parley.session.v1 import identity_service_pb2_grpc as service_grpc
from sqlalchemy.ext.asyncio import AsyncConnection

from services.common.db.engine import Database
from services.common.errors import InvalidArgument, NotFound
from services.common.identifiers import parse_name
from services.common.pagination import PageTokens, page_size
from services.common.security.principal import Principal
from services.session import audit
from services.session import identity_store as store
from services.session.api.mutations import Mutations, caller
from services.session.identity.credentials import new_api_key
from services.session.identity.roles import DEFAULT_ROLES, ensure_not_above, ensure_roles, ensure_scopes

DEFAULT_PAGE = 50
LARGEST_PAGE = 200
SCOPE = re.compile(r"\*|[A-Za-z]+(\.[A-Za-z]+)*(\.\*)?")
LONGEST_SCOPE = 128
FIRST_POSITION = ("9999-01-01T00:00:00+00:00", "")


def to_proto(key: store.ApiKeyRow) -> pb.ApiKey:
    """A key as callers see it: without its secret."""
    message = pb.ApiKey(name=f"apiKeys/{key.id}", display_name=key.display_name, roles=key.roles, scopes=key.scopes)
    message.create_time.FromDatetime(key.created_at)
    if key.expires_at:
        message.expire_time.FromDatetime(key.expires_at)
    if key.last_use_at:
        message.last_use_time.FromDatetime(key.last_use_at)
    return message


def expiry_of(key: pb.ApiKey) -> datetime.datetime | None:
    """When it ends, if ever. InvalidArgument for a time that has passed."""
    if not key.HasField("expire_time"):
        return None
    expires = key.expire_time.ToDatetime(datetime.UTC)
    if expires <= datetime.datetime.now(datetime.UTC):
        raise InvalidArgument.field("api_key.expire_time", "a time to come", expires.isoformat())
    return expires


def scopes_of(key: pb.ApiKey) -> list[str]:
    """Its scopes, sorted and once each. InvalidArgument for what is no permission."""
    for scope in key.scopes:
        if len(scope) > LONGEST_SCOPE or not SCOPE.fullmatch(scope):
            raise InvalidArgument.field(
                "api_key.scopes", 'permissions such as "session.messages.post" or "kb.*"', scope
            )
    return sorted(set(key.scopes))


class ApiKeyService(service_grpc.ApiKeyServiceServicer):
    """Keys of the caller's tenant."""

    def __init__(self, database: Database, mutations: Mutations, tokens: PageTokens) -> None:
        self._database = database
        self._mutations = mutations
        self._tokens = tokens

    async def CreateApiKey(self, request: service_pb.CreateApiKeyRequest, context: object) -> pb.ApiKey:  # noqa: N802
        """The one answer with the secret; repeated by request_id it comes without."""
        wanted = request.api_key
        roles = sorted(set(wanted.roles)) or list(DEFAULT_ROLES)
        scopes, expires_at = scopes_of(wanted), expiry_of(wanted)

        async def work(connection: AsyncConnection, maker: Principal) -> pb.ApiKey:
            ensure_roles(maker, roles, scoped=True)
            ensure_scopes(maker, scopes)
            text, key = new_api_key(uuid.UUID(maker.tenant_id))
            values = {
                "id": key.key_id,
                "digest": key.digest,
                "display_name": wanted.display_name,
                "roles": roles,
                "scopes": scopes,
                "created_by": maker.subject,
                "expires_at": expires_at,
            }
            message = to_proto(await store.insert_key(connection, key.tenant_id, values))
            entry = audit.Entry(
                maker.subject, "apiKeys.create", message.name, detail={"roles": roles, "scopes": scopes}
            )
            await audit.append(connection, key.tenant_id, entry)
            message.secret = text
            return message

        return await self._mutations.run(request, pb.ApiKey, work, action="apiKeys.create", secrets=("secret",))

    async def ListApiKeys(  # noqa: N802
        self, request: service_pb.ListApiKeysRequest, context: object
    ) -> service_pb.ListApiKeysResponse:
        """Newest first."""
        reader = caller()
        size = page_size(request.page_size, DEFAULT_PAGE, LARGEST_PAGE)
        filters = ("apiKeys", reader.tenant_id)
        created, key = self._tokens.read(filters, request.page_token) or FIRST_POSITION
        before = (datetime.datetime.fromisoformat(created), key)
        async with self._database.unit_of_work(reader.tenant_id) as connection:
            rows = await store.list_keys(connection, uuid.UUID(reader.tenant_id), before, size + 1)
        shown = rows[:size]
        token = ""
        if len(rows) > size:
            token = self._tokens.make(filters, [shown[-1].created_at.isoformat(), shown[-1].id])
        return service_pb.ListApiKeysResponse(api_keys=[to_proto(row) for row in shown], next_page_token=token)

    async def DeleteApiKey(  # noqa: N802
        self, request: service_pb.DeleteApiKeyRequest, context: object
    ) -> empty_pb2.Empty:
        """It stops working within ten seconds everywhere; tokens made from it end within minutes."""
        (key_id,) = parse_name("apiKeys/*", request.name)

        async def work(connection: AsyncConnection, maker: Principal) -> empty_pb2.Empty:
            tenant = uuid.UUID(maker.tenant_id)
            key = await store.lock_key(connection, tenant, key_id)
            if key is None:
                raise NotFound(f"{request.name} does not exist", metadata={"name": request.name})
            ensure_not_above(maker, key.roles)
            await store.delete_key(connection, tenant, key_id)
            await audit.append(connection, tenant, audit.Entry(maker.subject, "apiKeys.delete", request.name))
            return empty_pb2.Empty()

        return await self._mutations.run(request, empty_pb2.Empty, work, action="apiKeys.delete")

"""VariableService: variables of bots, people, sessions and channels."""

from parley.session.v1 import variable_service_pb2 as pb
from parley.session.v1 import variable_service_pb2_grpc as variable_grpc
from pydantic import SecretStr

from services.common import context
from services.common.pagination import PageTokens, page_size
from services.common.rpc.handlers import Context
from services.session.api.access import access_session
from services.session.store.sessions import Sessions
from services.session.store.variables import Variables

SCOPES = {"bots": "bot", "users": "user", "visitors": "user", "sessions": "session", "channels": "channel"}


class VariableApi(variable_grpc.VariableServiceServicer):
    """Translates a parent to a scope and an owner."""

    def __init__(self, variables: Variables, sessions: Sessions, secret: SecretStr) -> None:
        self._variables = variables
        self._sessions = sessions
        self._tokens = PageTokens(secret)

    async def ListVariables(  # noqa: N802
        self, request: pb.ListVariablesRequest, context_: Context
    ) -> pb.ListVariablesResponse:
        """List variables by key."""
        tenant = context.principal().tenant_id
        scope, owner = await self._owner(request.parent)
        filters = (tenant, request.parent, *request.keys)
        limit = page_size(request.page_size, 100, 500)
        position = self._tokens.read(filters, request.page_token)
        after = position[0] if position else ""
        found = await self._variables.list(tenant, scope, owner, request.keys, after, limit + 1)
        response = pb.ListVariablesResponse(variables=found[:limit])
        if len(found) > limit:
            response.next_page_token = self._tokens.make(filters, (found[limit - 1].key,))
        return response

    async def MergeVariables(  # noqa: N802
        self, request: pb.MergeVariablesRequest, context_: Context
    ) -> pb.MergeVariablesResponse:
        """Set and remove keys. Doing it again gives the same values, so request_id needs no record."""
        scope, owner = await self._owner(request.parent)
        tenant = context.principal().tenant_id
        made = await self._variables.merge(tenant, scope, owner, request.variables)
        return pb.MergeVariablesResponse(variables=made)

    async def _owner(self, parent: str) -> tuple[str, str]:
        kind, _, identifier = parent.partition("/")
        if kind == "sessions" and not context.principal().service:
            await access_session(self._sessions, parent)
        owner = parent if kind in {"users", "visitors"} else identifier
        return SCOPES[kind], owner

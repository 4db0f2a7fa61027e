"""TraceService."""

from parley.engine.v1 import trace_service_pb2 as pb
from parley.engine.v1 import trace_service_pb2_grpc as trace_grpc
from pydantic import SecretStr

from services.common import context
from services.common.identifiers import parse_name, parse_uuid
from services.common.pagination import PageTokens, page_size
from services.common.rpc.handlers import Context
from services.engine.tracing.rows import Traces

DEFAULT_PAGE, LARGEST_PAGE = 20, 50


class TraceApi(trace_grpc.TraceServiceServicer):
    """What scripts of the caller's tenant did."""

    def __init__(self, traces: Traces, secret: SecretStr) -> None:
        self._traces = traces
        self._tokens = PageTokens(secret)

    async def ListTraces(self, request: pb.ListTracesRequest, context_: Context) -> pb.ListTracesResponse:  # noqa: N802
        """By turn."""
        tenant = context.principal().tenant_id
        session = parse_uuid(parse_name("sessions/*", request.parent, "parent")[0], "parent")
        position = self._tokens.read((tenant, request.parent, "traces"), request.page_token)
        limit = page_size(request.page_size, DEFAULT_PAGE, LARGEST_PAGE)
        after = int(position[0]) if position else -1
        found = list(await self._traces.list(tenant, session, after, limit + 1))
        response = pb.ListTracesResponse(traces=found[:limit])
        if len(found) > limit:
            last = str(found[limit - 1].turn)
            response.next_page_token = self._tokens.make((tenant, request.parent, "traces"), (last,))
        return response

"""One helper for the four RPC kinds: what goes round a handler is written once."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import grpc
import grpc.aio
from google.protobuf.descriptor import MethodDescriptor
from parley.common.v1 import access_pb2

Context = grpc.ServicerContext
Around = Callable[["Method", Any, Any], Any]


@dataclass(frozen=True, slots=True)
class Method:
    """A method as its handler needs it."""

    path: str
    permission: str
    public: bool
    internal: bool
    request_streaming: bool
    response_streaming: bool


def describe(descriptor: MethodDescriptor) -> Method:
    """Read the access option. RuntimeError for a method without one: such a server does not start."""
    access = descriptor.GetOptions().Extensions[access_pb2.access]
    if not (access.permission or access.public):
        message = f"{descriptor.full_name} declares no access: set option (parley.common.v1.access)"
        raise RuntimeError(message)
    return Method(
        path=f"/{descriptor.containing_service.full_name}/{descriptor.name}",
        permission=access.permission,
        public=access.public,
        internal=access.internal,
        request_streaming=descriptor.client_streaming,
        response_streaming=descriptor.server_streaming,
    )


def wrap(handler: Any, method: Method, around: Around) -> Any:  # noqa: ANN401 - grpc's handler is an untyped tuple
    """The same handler with `around(method, request, context)` (an async context manager) round its behaviour."""
    if method.response_streaming:
        inner = handler.stream_stream if method.request_streaming else handler.unary_stream
        make = (
            grpc.stream_stream_rpc_method_handler if method.request_streaming else grpc.unary_stream_rpc_method_handler
        )
        wrapped: Any = streaming(inner, method, around)
    else:
        inner = handler.stream_unary if method.request_streaming else handler.unary_unary
        make = grpc.stream_unary_rpc_method_handler if method.request_streaming else grpc.unary_unary_rpc_method_handler
        wrapped = single(inner, method, around)
    return make(wrapped, handler.request_deserializer, handler.response_serializer)


def single(
    inner: Callable[[Any, Any], Awaitable[Any]], method: Method, around: Around
) -> Callable[[Any, Any], Awaitable[Any]]:
    """One answer."""

    async def call(request: Any, context: Any) -> Any:  # noqa: ANN401
        async with around(method, request, context):
            return await inner(request, context)

    return call


def streaming(
    inner: Callable[[Any, Any], AsyncIterator[Any]], method: Method, around: Around
) -> Callable[[Any, Any], AsyncIterator[Any]]:
    """Many answers."""

    async def call(request: Any, context: Any) -> AsyncIterator[Any]:  # noqa: ANN401
        async with around(method, request, context):
            async for response in inner(request, context):
                yield response

    return call


class Handlers(grpc.GenericRpcHandler):
    """All methods of a server by path; wrapped once, found by one look-up a call."""

    def __init__(self) -> None:
        self.methods: dict[str, Any] = {}

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> Any:  # noqa: ANN401
        """grpc asks this for every call."""
        return self.methods.get(handler_call_details.method)

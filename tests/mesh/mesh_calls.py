"""Any RPC through the edge, by gRPC."""

from typing import Any, NamedTuple

import grpc.aio
from google.protobuf.message import Message
from google.rpc import error_details_pb2
from grpc_status import rpc_status

from gateway.envoy.contract import Method
from tests.mesh.mesh_contract import message_class
from tests.mesh.mesh_world import Mesh

CALL_SECONDS = 20.0


class Outcome(NamedTuple):
    """What came of a call. `answer`: serialized, of a stream its first event; `info`: the ErrorInfo of a refusal."""

    code: grpc.StatusCode
    answer: bytes
    info: error_details_pb2.ErrorInfo

    @property
    def reason(self) -> str:
        """Empty when the edge refused, which tells gRPC callers no more than a code."""
        return str(self.info.reason)

    def lacks(self, permission: str) -> bool:
        """Refused because the caller's roles do not give that permission."""
        if self.code is not grpc.StatusCode.PERMISSION_DENIED or self.reason != "PERMISSION_MISSING":
            return False
        return bool(self.info.metadata["permission"] == permission)


async def grpc_call(mesh: Mesh, method: Method, request: Message, token: str = "") -> Outcome:
    """One call; a stream is left after its first event."""
    kind = mesh.channel.unary_stream if method.streams else mesh.channel.unary_unary
    stub: Any = kind(
        method.path,
        request_serializer=type(request).SerializeToString,
        response_deserializer=message_class(method.response).FromString,
    )
    metadata = (("authorization", f"Bearer {token}"),) if token else ()
    call = stub(request, metadata=metadata, timeout=CALL_SECONDS)
    try:
        answer = await anext(aiter(call)) if method.streams else await call
    except grpc.aio.AioRpcError as error:
        return Outcome(error.code(), b"", info_of(error))
    finally:
        call.cancel()
    return Outcome(grpc.StatusCode.OK, answer.SerializeToString(), error_details_pb2.ErrorInfo())


def info_of(error: grpc.aio.AioRpcError) -> error_details_pb2.ErrorInfo:
    """Its ErrorInfo; an empty one when it has none."""
    status = rpc_status.from_call(error)
    info = error_details_pb2.ErrorInfo()
    for detail in status.details if status else ():
        if detail.Unpack(info):
            break
    return info

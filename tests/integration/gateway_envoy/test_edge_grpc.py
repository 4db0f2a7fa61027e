"""gRPC as it is, and gRPC-Web, through the same listener."""

import asyncio
import base64
import struct
from collections.abc import Iterator

import grpc
import pytest
from grpc_status import rpc_status
from parley.session.v1 import session_pb2, session_service_pb2, session_service_pb2_grpc

from tests.integration.gateway_envoy.conftest import Edge, World
from tests.integration.gateway_envoy.edge_doubles import BROKEN_AFTER_ONE, MISSING, SESSION

pytestmark = pytest.mark.integration
GET_SESSION = "/parley.session.v1.SessionService/GetSession"


def stub(edge: Edge) -> "session_service_pb2_grpc.SessionServiceAsyncStub":
    return session_service_pb2_grpc.SessionServiceStub(edge.channel)


def metadata(world: World) -> tuple[tuple[str, str], ...]:
    return (("authorization", world.bearer()["authorization"]),)


async def test_a_unary_call(edge: Edge, world: World) -> None:
    call = stub(edge).GetSession(
        session_service_pb2.GetSessionRequest(name=SESSION), metadata=metadata(world), timeout=3
    )
    assert (await call).name == SESSION
    assert await call.code() is grpc.StatusCode.OK
    assert world.seen.last.remaining is not None
    assert world.seen.last.remaining < 4, "the caller's deadline is what the service sees"


async def test_a_call_without_a_deadline_gets_one(edge: Edge, world: World) -> None:
    await stub(edge).GetSession(session_service_pb2.GetSessionRequest(name=SESSION), metadata=metadata(world))
    assert world.seen.last.remaining is not None
    assert world.seen.last.remaining <= 15


async def test_error_details_survive(edge: Edge, world: World) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await stub(edge).GetSession(
            session_service_pb2.GetSessionRequest(name=MISSING), metadata=metadata(world), timeout=5
        )
    assert caught.value.code() is grpc.StatusCode.NOT_FOUND
    status = rpc_status.from_call(caught.value)
    assert status is not None
    assert len(status.details) == 1


async def test_a_stream_and_its_error(edge: Edge, world: World) -> None:
    call = stub(edge).StreamEvents(
        session_service_pb2.StreamEventsRequest(session=SESSION, after_seq=BROKEN_AFTER_ONE), metadata=metadata(world)
    )
    events = aiter(call)
    assert (await anext(events)).message.text == "first"
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await anext(events)
    assert caught.value.code() is grpc.StatusCode.INTERNAL, "gRPC callers do see what REST callers cannot"


def framed(message: bytes) -> bytes:
    return struct.pack(">BI", 0, len(message)) + message


def frames(body: bytes) -> Iterator[tuple[int, bytes]]:
    """(flags, payload) of each frame."""
    at = 0
    while at < len(body):
        flags, length = struct.unpack_from(">BI", body, at)
        yield flags, body[at + 5 : at + 5 + length]
        at += 5 + length


@pytest.mark.parametrize("kind", ["application/grpc-web+proto", "application/grpc-web-text+proto"])
async def test_grpc_web(edge: Edge, world: World, kind: str) -> None:
    message = framed(session_service_pb2.GetSessionRequest(name=SESSION).SerializeToString())
    text = "text" in kind
    headers = {**world.bearer(), "content-type": kind, "accept": kind, "x-grpc-web": "1"}
    body = base64.b64encode(message) if text else message
    async with edge.http.post(GET_SESSION, data=body, headers=headers) as answer:
        assert answer.status == 200
        assert answer.content_type == kind
        raw = await answer.read()
    (flags, payload), (end, trailers) = frames(base64.b64decode(raw) if text else raw)
    assert (flags, end) == (0, 0x80)
    assert session_pb2.Session.FromString(payload).name == SESSION
    assert b"grpc-status:0" in trailers.replace(b" ", b"")


async def test_grpc_web_streams(edge: Edge, world: World) -> None:
    message = framed(session_service_pb2.StreamEventsRequest(session=SESSION).SerializeToString())
    headers = {**world.bearer(), "content-type": "application/grpc-web+proto", "x-grpc-web": "1"}
    path = "/parley.session.v1.SessionService/StreamEvents"
    async with edge.http.post(path, data=message, headers=headers) as answer:
        async with asyncio.timeout(5):
            head = await answer.content.readexactly(5)
            first = await answer.content.readexactly(struct.unpack(">BI", head)[1])
        assert session_pb2.SessionEvent.FromString(first).message.text == "first"
        world.seen.release.set()
        rest = list(frames(await answer.content.read()))
    assert session_pb2.SessionEvent.FromString(rest[0][1]).completed.turn == 1
    assert rest[-1][0] == 0x80


async def test_grpc_web_is_refused_as_grpc(edge: Edge, world: World) -> None:
    headers = {"content-type": "application/grpc-web+proto", "x-grpc-web": "1", "origin": "https://app.example"}
    async with edge.http.post(GET_SESSION, data=framed(b""), headers=headers) as answer:
        assert answer.headers["grpc-status"] == "16"
        assert answer.headers["access-control-allow-origin"] == "https://app.example"
        assert "grpc-status" in answer.headers["access-control-expose-headers"]
    assert not world.seen.calls

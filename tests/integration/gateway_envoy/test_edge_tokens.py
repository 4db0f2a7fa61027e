"""Who gets in: tokens and keys, by REST, gRPC and gRPC-Web; and what nobody gets to."""

import time

import grpc
import pytest
from google.protobuf import empty_pb2
from parley.session.v1 import (
    identity_service_pb2,
    identity_service_pb2_grpc,
    ledger_service_pb2,
    ledger_service_pb2_grpc,
    session_service_pb2,
    session_service_pb2_grpc,
)
from yarl import URL

from tests.integration.gateway_envoy.conftest import Edge, EdgeMaker, World
from tests.integration.gateway_envoy.edge_doubles import SESSION, Signer
from tests.integration.gateway_envoy.test_edge_rest import assert_status

pytestmark = pytest.mark.integration
REFUSED = ["missing", "garbage", "expired", "audience", "issuer", "none", "confused", "foreign", "altered", "doubled"]


def bad_token(world: World, kind: str) -> str | None:
    """A token that must not open anything; None for no header at all."""
    now, signer = int(time.time()), world.signer
    good = signer.token()
    made = {
        "missing": None,
        "garbage": "Bearer abc",
        "expired": f"Bearer {signer.token(exp=now - 10)}",
        "audience": f"Bearer {signer.token(aud='somebody-else')}",
        "issuer": f"Bearer {signer.token(iss='somebody-else')}",
        "none": f"Bearer {signer.token({'alg': 'none'})}",
        "confused": f"Bearer {signer.token({'alg': 'HS256'})}",
        "foreign": f"Bearer {Signer(signer.key_id).token()}",
        "altered": f"Bearer {good[:-6]}AAAAAA",
        "doubled": f"Bearer {good},Bearer {good}",
    }
    return made[kind]


@pytest.mark.parametrize("kind", REFUSED)
async def test_rest_refuses(edge: Edge, world: World, kind: str) -> None:
    token = bad_token(world, kind)
    headers = {"authorization": token} if token else {}
    async with edge.http.get(f"/v1/{SESSION}", headers=headers) as answer:
        assert answer.status == 401
        assert answer.content_type == "application/json"
        assert_status(await answer.json(), 16, "TOKEN_INVALID")
    assert not world.seen.calls


@pytest.mark.parametrize("kind", REFUSED)
async def test_grpc_refuses(edge: Edge, world: World, kind: str) -> None:
    token = bad_token(world, kind)
    stub = session_service_pb2_grpc.SessionServiceStub(edge.channel)
    metadata = (("authorization", token),) if token else ()
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await stub.GetSession(session_service_pb2.GetSessionRequest(name=SESSION), metadata=metadata, timeout=5)
    assert caught.value.code() is grpc.StatusCode.UNAUTHENTICATED
    assert "{" not in (caught.value.details() or ""), "no JSON inside a gRPC message"
    assert not world.seen.calls


async def test_a_token_in_the_query_is_no_token(edge: Edge, world: World) -> None:
    async with edge.http.get(f"/v1/{SESSION}?access_token={world.signer.token()}") as answer:
        assert answer.status == 401


async def test_a_skew_of_seconds_is_forgiven(edge: Edge, world: World) -> None:
    async with edge.http.get(f"/v1/{SESSION}", headers=world.bearer(exp=int(time.time()) - 2)) as answer:
        assert answer.status == 200


async def test_public_methods_need_no_token(edge: Edge, world: World) -> None:
    async with edge.http.post("/v1/visitors:signIn", json={"bot": "hello"}) as answer:
        assert answer.status == 200
        assert (await answer.json())["subject"] == "visitors/1"
    stub = identity_service_pb2_grpc.AuthServiceStub(edge.channel)
    made = await stub.SignInVisitor(identity_service_pb2.SignInVisitorRequest(), timeout=5)
    assert made.access_token == "a"
    assert [call.method for call in world.seen.calls] == ["SignInVisitor", "SignInVisitor"]


@pytest.mark.parametrize("path", ["/v1/signingKeys:rotate", "/v1/visitors%3AsignIn", "/v1/visitors:signIn/"])
async def test_the_neighbours_of_public_methods_are_not_public(edge: Edge, world: World, path: str) -> None:
    async with edge.http.post(URL(edge.base + path, encoded=True), json={}) as answer:
        assert answer.status in {401, 404}
    assert not world.seen.calls


async def test_a_public_method_does_not_open_its_service(edge: Edge, world: World) -> None:
    stub = identity_service_pb2_grpc.AuthServiceStub(edge.channel)
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await stub.RotateSigningKey(identity_service_pb2.RotateSigningKeyRequest(), timeout=5)
    assert caught.value.code() is grpc.StatusCode.UNAUTHENTICATED
    assert not world.seen.calls


async def test_internal_services_are_not_there(edge: Edge, world: World) -> None:
    metadata = (("authorization", world.bearer()["authorization"]),)
    stub = ledger_service_pb2_grpc.LedgerServiceStub(edge.channel)
    for given in (metadata, ()):
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await stub.ClaimTurns(ledger_service_pb2.ClaimTurnsRequest(), metadata=given, timeout=5)
        assert caught.value.code() is grpc.StatusCode.UNIMPLEMENTED
    path = "/parley.session.v1.LedgerService/ClaimTurns"
    async with edge.http.post(path, json={}, headers=world.bearer()) as answer:
        assert answer.status == 404
    headers = {**world.bearer(), "content-type": "application/grpc"}
    async with edge.http.post(path, data=b"\0\0\0\0\0", headers=headers) as answer:
        assert answer.headers["grpc-status"] == "12"
    assert not world.seen.calls


@pytest.mark.parametrize(
    "method", ["/grpc.health.v1.Health/Check", "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo", "/a.B/C"]
)
async def test_other_services_are_not_there(edge: Edge, world: World, method: str) -> None:
    call = edge.channel.unary_unary(
        method, request_serializer=empty_pb2.Empty.SerializeToString, response_deserializer=bytes
    )
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call(empty_pb2.Empty(), timeout=5)
    assert caught.value.code() is grpc.StatusCode.UNIMPLEMENTED
    assert not world.seen.requests


async def test_an_api_key_is_exchanged_for_a_token(edge: Edge, world: World) -> None:
    async with edge.http.get(f"/v1/{SESSION}", headers={"x-api-key": "pk_good"}) as answer:
        assert answer.status == 200
    metadata = world.seen.last.metadata
    assert metadata["authorization"].startswith("Bearer ")
    assert "x-api-key" not in metadata, "the key itself goes no further"
    asked = world.seen.requests[0]
    assert (asked.path, asked.query_string) == ("/authorize", "")
    stub = session_service_pb2_grpc.SessionServiceStub(edge.channel)
    request = session_service_pb2.GetSessionRequest(name=SESSION)
    assert (await stub.GetSession(request, metadata=(("x-api-key", "pk_good"),), timeout=5)).name == SESSION


async def test_an_unknown_api_key(edge: Edge, world: World) -> None:
    async with edge.http.get(f"/v1/{SESSION}", headers={"x-api-key": "pk_bad", **world.bearer()}) as answer:
        assert answer.status == 401, "the key is what counts, even beside a good token"
        assert_status(await answer.json(), 16, "TOKEN_INVALID")
    stub = session_service_pb2_grpc.SessionServiceStub(edge.channel)
    request = session_service_pb2.GetSessionRequest(name=SESSION)
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await stub.GetSession(request, metadata=(("x-api-key", "pk_bad"),), timeout=5)
    assert caught.value.code() is grpc.StatusCode.UNAUTHENTICATED
    assert not world.seen.calls


async def test_without_a_key_nobody_is_asked(edge: Edge, world: World) -> None:
    async with edge.http.get(f"/v1/{SESSION}", headers=world.bearer()) as answer:
        assert answer.status == 200
    assert not world.seen.requests


async def test_what_only_the_mesh_may_say_is_taken_off(edge: Edge, world: World) -> None:
    foreign = {
        "x-parley-tenant": "other",
        "X-Parley-Subject": "users/0",
        "x-user": "root",
        "x-user-id": "0",
        "x-tenant": "other",
        "x-tenant-id": "other",
        "x-envoy-original-path": "/parley.session.v1.LedgerService/ClaimTurns",
        "x-envoy-retry-on": "5xx",
        "x-envoy-upstream-rq-timeout-ms": "1",
        "x-forwarded-host": "evil.example",
        "traceparent": "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        "baggage": "tenant=other",
    }
    async with edge.http.get(f"/v1/{SESSION}", headers={**world.bearer(), **foreign}) as answer:
        assert answer.status == 200
    passed = world.seen.last.metadata
    gone = {name.lower() for name in foreign} - {"x-envoy-original-path"}
    assert not gone & set(passed)
    assert "LedgerService" not in passed.get("x-envoy-original-path", "")
    async with edge.http.get("/page", headers=foreign) as answer:
        assert answer.status == 200
    assert not {name.lower() for name in foreign} & {name.lower() for name in world.seen.requests[-1].headers}


async def test_only_a_trusted_proxy_names_the_client(edges: EdgeMaker, edge: Edge, world: World) -> None:
    said = {"x-forwarded-for": "203.0.113.5", "x-forwarded-proto": "https"}
    async with edge.http.get("/page", headers=said):
        seen = world.seen.requests[-1].headers
    assert (seen["x-envoy-external-address"], seen["x-forwarded-proto"]) == ("127.0.0.1", "http")
    async with edges(trusted_hops=1, known=False) as behind, behind.http.get("/page", headers=said):
        seen = world.seen.requests[-1].headers
    assert (seen["x-envoy-external-address"], seen["x-forwarded-proto"]) == ("203.0.113.5", "https")


async def test_the_request_id_is_the_edge_s_own(edge: Edge, world: World) -> None:
    async with edge.http.get(f"/v1/{SESSION}", headers={**world.bearer(), "x-request-id": "mine"}) as answer:
        given = answer.headers["x-request-id"]
    assert given != "mine"
    assert world.seen.last.metadata["x-request-id"] == given


async def test_a_header_with_an_underscore(edge: Edge, world: World) -> None:
    async with edge.http.get(f"/v1/{SESSION}", headers={**world.bearer(), "x_tenant": "other"}) as answer:
        assert answer.status == 400
    assert not world.seen.calls

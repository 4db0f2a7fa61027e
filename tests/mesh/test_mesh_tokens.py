"""Tokens that must not open anything, at the edge and at the services behind it."""

import base64
import json
import time
from collections.abc import Callable

import grpc
import pytest
from parley.session.v1 import session_service_pb2 as service_pb

from tests.mesh.mesh_calls import grpc_call
from tests.mesh.mesh_contract import OPEN
from tests.mesh.mesh_talk import Talk, subject_of
from tests.mesh.mesh_tokens import Forge, encoded
from tests.mesh.mesh_world import Mesh

pytestmark = pytest.mark.mesh
LIST = next(method for method in OPEN if method.name == "ListSessions")
Maker = Callable[[Forge], str]


def altered(forge: Forge) -> str:
    """Good, but for its roles."""
    head, body, signature = forge.token().split(".")
    claims = json.loads(base64.urlsafe_b64decode(body + "=="))
    return f"{head}.{encoded(json.dumps(claims | {'roles': ['owner']}).encode())}.{signature}"


BAD: dict[str, Maker] = {
    "expired": lambda forge: forge.token(exp=int(time.time()) - 60),
    "not valid yet": lambda forge: forge.token(nbf=int(time.time()) + 600),
    "without an end": lambda forge: forge.token(exp=None),
    "wrong audience": lambda forge: forge.token(aud="another-api"),
    "no audience": lambda forge: forge.token(aud=None),
    "wrong issuer": lambda forge: forge.token(iss="https://accounts.example.com"),
    "no issuer": lambda forge: forge.token(iss=None),
    "alg none": lambda forge: forge.token({"alg": "none"}),
    "alg nOnE": lambda forge: forge.token({"alg": "nOnE"}),
    "HS256 with the public key": lambda forge: forge.token({"alg": "HS256"}, forge.public),
    "HS256 with the public key's file": lambda forge: forge.token({"alg": "HS256"}, forge.public_pem),
    "foreign kid": lambda forge: forge.token({"kid": "0123456789abcdef"}),
    "no kid, foreign key": lambda forge: forge.foreign().token({"kid": ""}),
    "another installation's": lambda forge: forge.foreign().token(),
    "a key of its own in the header": lambda forge: forge.foreign().token({"jwk": {"kty": "OKP", "crv": "Ed25519"}}),
    "altered": altered,
    "cut off": lambda forge: forge.token()[:-10],
    "without a signature": lambda forge: forge.token().rpartition(".")[0] + ".",
    "no token": lambda forge: "nonsense",
}


@pytest.fixture(scope="session")
async def forge(mesh: Mesh) -> Forge:
    return await Forge.stolen(mesh)


async def test_the_forge_makes_good_tokens(mesh: Mesh, forge: Forge) -> None:
    """Else nothing here would mean anything: what is bad below is bad for the one thing it says."""
    token = forge.token()
    assert (await mesh.call("GET", "/v1/sessions", token=token)).status == 200
    assert (await grpc_call(mesh, LIST, service_pb.ListSessionsRequest(), token)).code is grpc.StatusCode.OK


@pytest.mark.parametrize("kind", BAD)
async def test_a_bad_token_opens_nothing(mesh: Mesh, forge: Forge, kind: str) -> None:
    before = await mesh.count("session.user_sessions")
    token = BAD[kind](forge)
    answer = await mesh.call("POST", "/v1/sessions", {"bot": "bots/hello"}, token)
    answer.refused(401, grpc.StatusCode.UNAUTHENTICATED, "TOKEN_INVALID")
    outcome = await grpc_call(mesh, LIST, service_pb.ListSessionsRequest(), token)
    assert outcome.code is grpc.StatusCode.UNAUTHENTICATED
    assert await mesh.count("session.user_sessions") == before


@pytest.mark.parametrize("kind", BAD)
async def test_a_bad_token_opens_nothing_behind_the_edge_either(mesh: Mesh, forge: Forge, kind: str) -> None:
    """Whoever is inside the network already."""
    async with grpc.aio.insecure_channel(f"127.0.0.1:{mesh.stack.ports['session']}") as channel:
        call = channel.unary_unary(LIST.path, service_pb.ListSessionsRequest.SerializeToString)
        metadata = (("authorization", f"Bearer {BAD[kind](forge)}"),)
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await call(service_pb.ListSessionsRequest(), metadata=metadata, timeout=10)
    assert caught.value.code() is grpc.StatusCode.UNAUTHENTICATED


async def test_a_token_of_the_mesh_is_none_outside(mesh: Mesh) -> None:
    """Taken from a service, it acts for the owner of a tenant: inside only."""
    answer = await mesh.call("GET", "/v1/users", token=mesh.mesh_token())
    answer.refused(401, grpc.StatusCode.UNAUTHENTICATED, "TOKEN_INVALID")
    outcome = await grpc_call(mesh, LIST, service_pb.ListSessionsRequest(), mesh.mesh_token())
    assert outcome.code is grpc.StatusCode.UNAUTHENTICATED


async def test_roles_that_nobody_has_are_none(mesh: Mesh, forge: Forge) -> None:
    """Even well signed: no person is a service."""
    token = forge.token(roles=["service", "root"], sub="services/session")
    answer = await mesh.call("GET", "/v1/users", token=token)
    answer.refused(403, grpc.StatusCode.PERMISSION_DENIED, "PERMISSION_MISSING")


async def test_two_credentials_are_none(mesh: Mesh, forge: Forge) -> None:
    headers = {"authorization": f"Bearer {forge.token()},Bearer {mesh.owner}"}
    answer = await mesh.call("GET", "/v1/sessions", headers=headers)
    answer.refused(401, grpc.StatusCode.UNAUTHENTICATED, "TOKEN_INVALID")


@pytest.mark.parametrize("name", ["access_token", "token", "authorization"])
async def test_a_token_in_the_address_is_none(mesh: Mesh, forge: Forge, name: str) -> None:
    answer = await mesh.call("GET", f"/v1/sessions?{name}={forge.token()}")
    answer.refused(401, grpc.StatusCode.UNAUTHENTICATED, "TOKEN_INVALID")


IDENTITY = {
    "x-parley-tenant": "00000000-0000-0000-0000-000000000000",
    "x-parley-subject": "users/00000000-0000-0000-0000-000000000000",
    "x-parley-roles": "owner",
    "x-user": "root",
    "x-user-id": "00000000-0000-0000-0000-000000000000",
    "x-tenant": "other",
    "x-tenant-id": "00000000-0000-0000-0000-000000000000",
    "x-envoy-original-path": "/parley.session.v1.LedgerService/ClaimTurns",
    "x-envoy-retry-on": "5xx",
    "x-forwarded-host": "evil.example",
    "traceparent": "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
    "baggage": "tenant=other",
    "x-request-id": "chosen-by-a-client",
}


async def test_what_a_client_says_of_itself_is_not_believed(mesh: Mesh, talk: Talk) -> None:
    mine = await mesh.call("GET", "/v1/tenants/mine", token=talk.token, headers=IDENTITY)
    assert mine.body["name"] == f"tenants/{mesh.tenant}"
    made = await mesh.call("POST", "/v1/sessions", {"bot": "bots/hello"}, talk.token, headers=IDENTITY)
    assert made.body["user"] == subject_of(talk.token)
    assert made.headers["x-request-id"] != IDENTITY["x-request-id"]
    refused = await mesh.call("GET", "/v1/users", token=talk.token, headers=IDENTITY)
    refused.refused(403, grpc.StatusCode.PERMISSION_DENIED, "PERMISSION_MISSING")
    nobody = await mesh.call("GET", "/v1/sessions", headers=IDENTITY)
    nobody.refused(401, grpc.StatusCode.UNAUTHENTICATED, "TOKEN_INVALID")


async def test_headers_with_underscores_are_refused(mesh: Mesh, talk: Talk) -> None:
    """Some servers take x_user_id for x-user-id."""
    answer = await mesh.call("GET", "/v1/sessions", token=talk.token, headers={"x_user_id": "root"})
    assert answer.status == 400


async def test_a_limited_key_stays_limited(mesh: Mesh) -> None:
    wanted = {"display_name": "reader", "roles": ["admin"], "scopes": ["session.sessions.list"]}
    key = (await mesh.ok("POST", "/v1/apiKeys", wanted, mesh.owner))["secret"]
    headers = {"x-api-key": key}
    assert (await mesh.call("GET", "/v1/sessions", headers=headers)).status == 200
    refused = await mesh.call("GET", "/v1/users", headers=headers)
    refused.refused(403, grpc.StatusCode.PERMISSION_DENIED, "PERMISSION_MISSING")
    wrong = await mesh.call("GET", "/v1/sessions", headers={"x-api-key": key[:-1] + ("y" if key[-1] == "x" else "x")})
    wrong.refused(401, grpc.StatusCode.UNAUTHENTICATED, "TOKEN_INVALID")

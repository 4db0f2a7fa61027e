"""Every RPC asks for exactly what its access option says, by gRPC and by REST."""

import re
import uuid

import grpc
import pytest
from google.protobuf.message import Message

from gateway.envoy.contract import Method
from services.common.security.policy import allows
from tests.mesh.mesh_calls import grpc_call
from tests.mesh.mesh_contract import INTERNAL, METHODS, OPEN, message_class, places, request_of, rest_calls
from tests.mesh.mesh_world import Mesh

pytestmark = pytest.mark.mesh
NOBODY = str(uuid.uuid4())
# Names that fit every pattern of the API and belong to nothing.
NOTHING = tuple(
    pattern.format(NOBODY)
    for pattern in (
        "sessions/{}", "bots/b{}", "bots/b{}/versions/1", "bots/b{}/collections/c", "channels/c{}", "files/{}",
        "bots/b/collections/c/documents/{}", "users/{}", "tenants/{}", "apiKeys/{}", "channels/web",
        "bots/b/schedules/{}", "bots/b/webhooks/w{}", "bots/b/eventRules/{}",
    )
)  # fmt: skip
ROLES = ("visitor", "user", "agent", "developer")


def harmless(method: Method) -> Message:
    """A request that passes validation and names nothing that there is."""
    names = {
        place.path: next(name for name in NOTHING if re.search(place.pattern, name))
        for place in places(method)
        if place.needed
    }
    return request_of(method, names)


@pytest.fixture(scope="session")
async def tokens(mesh: Mesh) -> dict[str, str]:
    """Of one person a role, all of a tenant where nothing is."""
    slug, owner = await mesh.make_tenant()
    made = {role: await mesh.member(owner, slug, role) for role in ROLES if role != "visitor"}
    return made | {"visitor": await mesh.visitor(slug)}


def test_every_method_says_who_may_call_it() -> None:
    assert len(METHODS) > 60
    for method in METHODS:
        assert method.public != bool(method.permission), method.path
        assert not (method.internal and (method.public or method.bindings)), method.path


@pytest.mark.parametrize("method", [m for m in OPEN if not m.public], ids=lambda method: method.path)
async def test_without_a_token_nothing_is_done(mesh: Mesh, method: Method) -> None:
    assert (await grpc_call(mesh, method, harmless(method))).code is grpc.StatusCode.UNAUTHENTICATED
    calls = list(rest_calls(method, harmless(method)))
    assert bool(calls) == bool(method.bindings)
    for call in calls:
        answer = await mesh.call(*call)
        answer.refused(401, grpc.StatusCode.UNAUTHENTICATED, "TOKEN_INVALID")


@pytest.mark.parametrize("method", [m for m in OPEN if m.public], ids=lambda method: method.path)
async def test_what_is_public_needs_no_token(mesh: Mesh, method: Method) -> None:
    """An empty request is looked at: it is refused for what it lacks, not for who sends it."""
    empty = message_class(method.request)()
    outcome = await grpc_call(mesh, method, empty)
    rest = await mesh.call("POST", method.bindings[0].template, {})
    if outcome.code is grpc.StatusCode.OK:
        assert rest.status == 200
        assert outcome.answer
    else:
        assert outcome.code is grpc.StatusCode.INVALID_ARGUMENT
        rest.refused(400, grpc.StatusCode.INVALID_ARGUMENT, "INVALID_FIELD")


@pytest.mark.parametrize("role", ROLES)
async def test_a_role_may_what_the_policy_says(mesh: Mesh, tokens: dict[str, str], role: str) -> None:
    wrong = []
    for method in OPEN:
        allowed = method.public or allows(frozenset({role}), frozenset(), method.permission)
        for how, denied in await denials(mesh, method, tokens[role]):
            if denied == allowed:
                wrong.append((method.path, how, "refused" if denied else "let in"))
    assert not wrong


async def denials(mesh: Mesh, method: Method, token: str) -> list[tuple[str, bool]]:
    """(way, whether the permission was said to be missing) of a call by gRPC and each by REST."""
    outcome = await grpc_call(mesh, method, harmless(method), token)
    assert outcome.code is not grpc.StatusCode.UNAUTHENTICATED or method.public, method.path
    found = [("gRPC", outcome.lacks(method.permission))]
    for call in rest_calls(method, harmless(method)):
        answer = await mesh.call(*call, token)
        lacking = answer.status == 403 and answer.info["metadata"].get("permission") == method.permission
        found.append(("REST", lacking))
    return found


@pytest.mark.parametrize("method", INTERNAL, ids=lambda method: method.path)
async def test_what_is_internal_is_not_there_from_outside(mesh: Mesh, method: Method) -> None:
    request = message_class(method.request)()
    for token in ("", mesh.owner, mesh.mesh_token()):
        outcome = await grpc_call(mesh, method, request, token)
        assert outcome.code is grpc.StatusCode.UNIMPLEMENTED, "as if there were no such method"
        for path in (method.path, f"/v1{method.path}"):
            answer = await mesh.call("POST", path, {}, token)
            assert answer.status in {401, 404}, answer.raw
            assert answer.info["reason"] in {"TOKEN_INVALID", "RESOURCE_NOT_FOUND"}

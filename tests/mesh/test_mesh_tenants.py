"""Nothing of one tenant is reached from another, by any RPC there is."""

import asyncio
import re
import uuid
from collections.abc import AsyncIterator, Iterator

import grpc
import pytest

from gateway.envoy.contract import Method
from tests.doubles.webhook_receiver import WebhookReceiver
from tests.mesh.mesh_calls import grpc_call
from tests.mesh.mesh_contract import OPEN, Place, places, request_of, rest_calls
from tests.mesh.mesh_tenants import Estate, furnish
from tests.mesh.mesh_world import Mesh

pytestmark = pytest.mark.mesh
NAMING = tuple(method for method in OPEN if places(method))
LISTING = tuple(method for method in OPEN if method.safe and not places(method))
REFUSALS = {grpc.StatusCode.NOT_FOUND: 404, grpc.StatusCode.PERMISSION_DENIED: 403}
UUID = re.compile("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
# Fields whose names need not exist: they are looked up, or kept, among the caller's own. They must be answered exactly
# as a name that nobody ever had.
OWN_NAMES = {
    "/parley.channels.v1.ChannelService/CreateChannel": {"channel.bot"},
    "/parley.channels.v1.ChannelService/UpdateChannel": {"channel.bot"},
    "/parley.drive.v1.FileService/CopyFile": {"owner"},
    "/parley.drive.v1.FileService/MoveFile": {"owner"},
    "/parley.drive.v1.FileService/PutFile": {"owner"},
    "/parley.engine.v1.TraceService/ListTraces": {"parent"},
    "/parley.kb.v1.KbService/ImportDocument": {"parent"},
    "/parley.kb.v1.KbService/ListDocuments": {"parent"},
    "/parley.kb.v1.KbService/Search": {"bot"},
    "/parley.session.v1.SessionService/CreateSession": {"session.channel"},
    "/parley.session.v1.VariableService/ListVariables": {"parent"},
    "/parley.session.v1.VariableService/MergeVariables": {"parent"},
}


# What these find under such a name is the caller's own: another case put it there.
FINDS_OWN = {"/parley.drive.v1.FileService/MoveFile"}


@pytest.fixture(scope="session")
async def receiver() -> AsyncIterator[WebhookReceiver]:
    made = WebhookReceiver()
    await made.start()
    yield made
    await made.stop()


@pytest.fixture(scope="session")
async def estates(mesh: Mesh, receiver: WebhookReceiver) -> tuple[Estate, Estate]:
    """The first tenant, and the one whose people try."""
    return await asyncio.gather(furnish(mesh, receiver), furnish(mesh, receiver))


def cases(method: Method, victim: Estate, stranger: Estate) -> Iterator[tuple[Place, dict[str, str]]]:
    """Each field that names a resource, with each name of the first tenant that fits; other fields name one's own."""
    where = places(method)
    for place in where:
        for name in filter(re.compile(place.pattern).search, victim.names):
            own = {
                other.path: next(filter(re.compile(other.pattern).search, stranger.names))
                for other in where
                if other is not place and other.needed
            }
            yield place, own | {place.path: name}


def phantom(name: str, secret: str) -> str:
    """A name of the same form that nobody ever had."""
    return UUID.sub(lambda _: str(uuid.uuid4()), name.replace(secret, f"secret{uuid.uuid4().hex[:10]}"))


@pytest.mark.parametrize("method", NAMING, ids=[method.path for method in NAMING])
async def test_what_is_another_s_is_not_there(mesh: Mesh, estates: tuple[Estate, Estate], method: Method) -> None:
    victim, stranger = estates
    tried = 0
    for place, names in cases(method, victim, stranger):
        for token in (stranger.owner, stranger.admin):
            await refused(mesh, method, place, names, token, victim.secret)
            tried += 1
    assert tried, f"{method.path} is not covered: nothing of the first tenant fits {places(method)}"
    assert await mesh.rows(victim.tenant) == victim.rows


async def refused(mesh: Mesh, method: Method, place: Place, names: dict[str, str], token: str, secret: str) -> None:
    """Refused by gRPC and by each of its paths of REST; or nothing of it is known."""
    name = names[place.path]
    outcome = await grpc_call(mesh, method, request_of(method, names), token)
    rest = [await mesh.call(*call, token) for call in rest_calls(method, request_of(method, names))]
    assert len(rest) == bool(method.bindings)
    if place.path not in OWN_NAMES.get(method.path, ()) or outcome.code in REFUSALS:
        assert outcome.code in REFUSALS, (method.path, names, outcome)
        assert [item.status for item in rest] == [REFUSALS[outcome.code]] * len(rest)
        assert [item.info["reason"] for item in rest] == [outcome.reason] * len(rest)
        return
    nobody_s = request_of(method, names | {place.path: phantom(name, secret)})
    unknown = await grpc_call(mesh, method, nobody_s, token)
    if method.path not in FINDS_OWN:
        assert (outcome.code, outcome.reason) == (unknown.code, unknown.reason), (method.path, names)
    for raw in (outcome.answer, *(item.raw for item in rest)):
        assert secret.encode() not in raw.replace(name.encode(), b""), (method.path, names, raw)


@pytest.mark.parametrize("method", LISTING, ids=[method.path for method in LISTING])
async def test_lists_hold_nothing_of_another(mesh: Mesh, estates: tuple[Estate, Estate], method: Method) -> None:
    victim, stranger = estates
    outcome = await grpc_call(mesh, method, request_of(method, {}), stranger.owner)
    if outcome.code is grpc.StatusCode.PERMISSION_DENIED:
        assert method.permission == "tenants.list"
        return
    assert outcome.code is grpc.StatusCode.OK
    own = outcome.answer
    assert victim.secret.encode() not in own.replace(f"bots/{victim.secret}".encode(), b""), "a name given is kept"
    assert stranger.secret.encode() in own or method.permission == "llm.use", "it does show what is one's own"


@pytest.mark.parametrize("filter_", ["user", "bot"])
async def test_a_filter_opens_no_door(mesh: Mesh, estates: tuple[Estate, Estate], filter_: str) -> None:
    victim, stranger = estates
    prefix = {"user": "visitors/", "bot": "bots/"}[filter_]
    name = next(name for name in victim.names if name.startswith(prefix))
    assert (await mesh.ok("GET", f"/v1/sessions?{filter_}={name}", token=victim.owner))["sessions"]
    assert not (await mesh.ok("GET", f"/v1/sessions?{filter_}={name}", token=stranger.owner))["sessions"]


@pytest.mark.parametrize("whose", ["another tenant's", "the same tenant's"])
async def test_a_visitor_sees_no_other_s_session(mesh: Mesh, estates: tuple[Estate, Estate], whose: str) -> None:
    victim, stranger = estates
    session = next(name for name in victim.names if name.startswith("sessions/"))
    token = await mesh.visitor(stranger.slug if whose == "another tenant's" else victim.slug)
    before = await mesh.rows(victim.tenant)
    answer = await mesh.call("GET", f"/v1/{session}", token=token)
    answer.refused(404, grpc.StatusCode.NOT_FOUND, "RESOURCE_NOT_FOUND")
    posted = await mesh.call("POST", f"/v1/{session}/messages", {"text": "hello"}, token)
    posted.refused(404, grpc.StatusCode.NOT_FOUND, "RESOURCE_NOT_FOUND")
    assert await mesh.rows(victim.tenant) == before


async def test_only_the_operator_makes_tenants(mesh: Mesh, estates: tuple[Estate, Estate]) -> None:
    before = await mesh.count("session.tenants")
    body = {"tenant": {"slug": "mine"}, "owner_email": "me@example.com"}
    answer = await mesh.call("POST", "/v1/tenants", body, estates[1].owner)
    answer.refused(403, grpc.StatusCode.PERMISSION_DENIED, "PERMISSION_MISSING")
    assert await mesh.count("session.tenants") == before

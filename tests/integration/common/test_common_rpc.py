"""Server and client over a real socket: what happens round a call."""

import asyncio
import json
import time
import uuid
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import grpc
import grpc.aio
import pytest
from google.protobuf import duration_pb2, empty_pb2
from google.rpc import error_details_pb2, status_pb2
from grpc_health.v1 import health_pb2, health_pb2_grpc
from joserfc.jwk import OKPKey
from parley.session.v1 import (
    identity_service_pb2,
    identity_service_pb2_grpc,
    ledger_service_pb2,
    ledger_service_pb2_grpc,
    session_pb2,
    session_service_pb2,
    session_service_pb2_grpc,
)

from cli.stack.layout import unused_port
from services.common import context
from services.common.config import Settings
from services.common.errors import (
    Aborted,
    DeadlineExceeded,
    Internal,
    InvalidArgument,
    NotFound,
    ParleyError,
    PermissionDenied,
    ResourceExhausted,
    Unavailable,
    Unimplemented,
)
from services.common.rpc.client import Mesh
from services.common.rpc.server import RpcServer
from services.common.security.principal import Principal
from services.common.security.tokens import MeshSigner, TokenVerifier
from services.common.telemetry.metrics import Metrics
from services.common.telemetry.tracing import Tracing
from tests.waiting import until

pytestmark = pytest.mark.integration
TENANT = "11111111-1111-1111-1111-111111111111"
NAME = f"sessions/{uuid.UUID(int=7)}"
USER = Principal(TENANT, "users/u", frozenset({"user"}))
GET = session_service_pb2.GetSessionRequest(name=NAME)


class Sessions(session_service_pb2_grpc.SessionServiceServicer):
    """Does what the test says."""

    def __init__(self) -> None:
        self.seen: list[context.CallContext] = []
        self.act: Callable[[], Any] = lambda: None
        self.cancelled = asyncio.Event()
        self.calls = 0

    async def GetSession(self, request: Any, context_: Any) -> session_pb2.Session:
        self.calls += 1
        self.seen.append(context.current())
        made = self.act()
        if asyncio.iscoroutine(made):
            await made
        return session_pb2.Session(name=request.name)

    async def StreamEvents(self, request: Any, context_: Any) -> AsyncIterator[Any]:
        self.seen.append(context.current())
        try:
            for _ in range(3):
                yield session_pb2.SessionEvent()
            made = self.act()
            if asyncio.iscoroutine(made):
                await made
        finally:
            self.cancelled.set()


class Ledger(ledger_service_pb2_grpc.LedgerServiceServicer):
    async def ClaimTurns(self, request: Any, context_: Any) -> Any:
        return ledger_service_pb2.ClaimTurnsResponse()


class Auth(identity_service_pb2_grpc.AuthServiceServicer):
    async def RevokeToken(self, request: Any, context_: Any) -> Any:
        assert context.current().principal is None
        return empty_pb2.Empty()


class World:
    """A server, and callers of three kinds."""

    def __init__(self, folder: Path, **changes: object) -> None:
        public = []
        for name in ("session", "engine"):
            key = OKPKey.generate_key("Ed25519", private=True)
            (folder / f"{name}.pem").write_bytes(key.as_pem(private=True))
            public.append({**key.as_dict(private=False), "kid": name})
        (folder / "mesh.json").write_text(json.dumps({"keys": public}))
        port = unused_port(set())
        values = {
            "port": port,
            "operations_port": unused_port({port}),
            "mesh_key_file": folder / "engine.pem",
            "mesh_jwks_file": folder / "mesh.json",
            "page_token_secret": "x",
            "session_address": f"dns:///127.0.0.1:{port}",
            **changes,
        }
        self.settings = Settings(**values)  # type: ignore[arg-type]
        verifier = TokenVerifier(folder / "mesh.json", "parley", "parley-api", "http://127.0.0.1:1/jwks")
        self.metrics = Metrics("session")
        self.server = RpcServer(self.settings, verifier, self.metrics, Tracing("session", ""))
        self.sessions = Sessions()  # type: ignore[abstract]
        services = session_service_pb2.DESCRIPTOR.services_by_name
        self.server.add(
            session_service_pb2_grpc.add_SessionServiceServicer_to_server,
            self.sessions,
            services["SessionService"],
        )
        self.server.add(
            ledger_service_pb2_grpc.add_LedgerServiceServicer_to_server,
            Ledger(),  # type: ignore[abstract]
            ledger_service_pb2.DESCRIPTOR.services_by_name["LedgerService"],
        )
        self.server.add(
            identity_service_pb2_grpc.add_AuthServiceServicer_to_server,
            Auth(),  # type: ignore[abstract]
            identity_service_pb2.DESCRIPTOR.services_by_name["AuthService"],
        )
        self.signer = MeshSigner("engine", folder / "engine.pem")
        self.mesh = Mesh(self.settings, self.signer)
        self.stub: Any = session_service_pb2_grpc.SessionServiceStub(self.mesh.channel("session"))
        self.plain = grpc.aio.insecure_channel(f"127.0.0.1:{port}")
        self.raw: Any = session_service_pb2_grpc.SessionServiceStub(self.plain)

    async def get(self, **options: Any) -> Any:
        with context.acting_for(USER):
            return await self.stub.GetSession(GET, **options)

    async def refusal(self, call: Any) -> tuple[grpc.aio.AioRpcError, status_pb2.Status]:
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await call
        details = dict(refused.value.trailing_metadata() or ())["grpc-status-details-bin"]
        assert isinstance(details, bytes)
        return refused.value, status_pb2.Status.FromString(details)

    async def close(self) -> None:
        await self.mesh.close()
        await self.plain.close()
        await self.server.stop(0.1)


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    made = World(tmp_path)
    await made.server.start()
    yield made
    await made.close()


async def test_the_callee_knows_who_for_whom_and_how_long(world: World) -> None:
    with context.acting_for(USER, seconds=3) as call:
        answer = await world.stub.GetSession(GET)
    assert answer.name == NAME
    seen = world.sessions.seen[0]
    assert seen.principal == Principal(TENANT, "users/u", USER.roles, service="engine")
    assert seen.request_id == call.request_id
    remaining = seen.remaining()
    assert remaining is not None
    assert 2 < remaining < 3


async def test_nothing_is_called_when_no_time_is_left(world: World) -> None:
    with context.acting_for(USER, seconds=0.04), pytest.raises(DeadlineExceeded):
        await world.stub.GetSession(GET)
    assert world.sessions.calls == 0


async def test_a_slow_callee_is_a_passed_deadline(world: World) -> None:
    world.sessions.act = lambda: asyncio.Event().wait()
    begun = time.monotonic()
    with pytest.raises(DeadlineExceeded):
        await world.get(timeout=0.2)
    assert time.monotonic() - begun < 1


async def test_the_tree_crosses_the_wire(world: World) -> None:
    def refuse() -> None:
        raise ResourceExhausted("slow down", reason="LIMIT_REACHED", metadata={"limit": "5"}, retry_after=2.0)

    world.sessions.act = refuse
    with pytest.raises(ResourceExhausted) as refused:
        await world.get()
    assert (refused.value.reason, refused.value.metadata, refused.value.retry_after) == (
        "LIMIT_REACHED",
        {"limit": "5"},
        2.0,
    )


async def test_a_fault_tells_its_request_and_nothing_else(world: World) -> None:
    def fail() -> None:
        raise RuntimeError("the password is hunter2")

    world.sessions.act = fail
    with pytest.raises(Internal) as refused:
        await world.get()
    assert "hunter2" not in refused.value.message
    assert refused.value.metadata["request_id"] == world.sessions.seen[0].request_id


async def test_a_call_needs_a_deadline(world: World) -> None:
    token = world.signer.token(USER)
    error, status = await world.refusal(world.raw.GetSession(GET, metadata=[("authorization", f"Bearer {token}")]))
    assert error.code() is grpc.StatusCode.INVALID_ARGUMENT
    info = error_details_pb2.ErrorInfo()
    status.details[0].Unpack(info)
    assert info.reason == "DEADLINE_REQUIRED"


@pytest.mark.parametrize("metadata", [[], [("authorization", "Bearer x")], [("authorization", "Basic x")]])
async def test_without_a_good_token_nobody_comes_in(world: World, metadata: list[tuple[str, str]]) -> None:
    error, status = await world.refusal(world.raw.GetSession(GET, timeout=5, metadata=metadata))
    assert error.code() is grpc.StatusCode.UNAUTHENTICATED
    assert status.details
    assert world.sessions.calls == 0


async def test_a_public_method_needs_no_token_and_minds_no_bad_one(world: World) -> None:
    stub: Any = identity_service_pb2_grpc.AuthServiceStub(world.plain)
    request = identity_service_pb2.RevokeTokenRequest(refresh_token="x" * 40)
    await stub.RevokeToken(request, timeout=5)
    await stub.RevokeToken(request, timeout=5, metadata=[("authorization", "Bearer rubbish")])


async def test_the_originators_rights_count_and_not_the_services(world: World) -> None:
    nobody = Principal(TENANT, "users/n", frozenset())
    with context.acting_for(nobody), pytest.raises(PermissionDenied) as refused:
        await world.stub.GetSession(GET)
    assert refused.value.metadata == {"permission": "session.sessions.get"}
    limited = Principal(TENANT, "apiKeys/k", frozenset({"owner"}), frozenset({"kb.*"}))
    with context.acting_for(limited), pytest.raises(PermissionDenied):
        await world.stub.GetSession(GET)


async def test_an_internal_method_is_for_services(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    stub: Any = ledger_service_pb2_grpc.LedgerServiceStub(world.mesh.channel("session"))
    request = ledger_service_pb2.ClaimTurnsRequest(worker="w", limit=1, lease=duration_pb2.Duration(seconds=5))
    with context.acting_for(USER):
        await stub.ClaimTurns(request)
    person = Principal(TENANT, "users/o", frozenset({"owner"}))
    monkeypatch.setattr(world.server._concerns.verifier, "kept", lambda _: person)
    with pytest.raises(PermissionDenied) as refused:
        await stub.ClaimTurns(request)
    assert refused.value.reason == "INTERNAL_ONLY"


async def test_each_wrong_field_is_named(world: World) -> None:
    request = session_service_pb2.PostMessageRequest(session=NAME)
    request.attachments.add()
    with context.acting_for(USER), pytest.raises(InvalidArgument) as refused:
        await world.stub.PostMessage(request)
    assert {item.field for item in refused.value.violations} >= {"attachments[0].name", "attachments[0].uri"}


async def test_a_method_that_is_not_written_is_unimplemented(world: World) -> None:
    with context.acting_for(USER), pytest.raises(Unimplemented):
        await world.stub.EndSession(session_service_pb2.EndSessionRequest(name=NAME))


async def test_a_stream_ends_with_its_reader(world: World) -> None:
    world.sessions.act = lambda: asyncio.Event().wait()
    with context.acting_for(USER):
        stream = world.stub.StreamEvents(session_service_pb2.StreamEventsRequest(session=NAME))
        for _ in range(3):
            await anext(stream)
        await stream.aclose()
    async with asyncio.timeout(5):
        await world.sessions.cancelled.wait()


async def test_an_error_in_a_stream_comes_after_what_was_said(world: World) -> None:
    def refuse() -> None:
        raise NotFound("it is gone")

    world.sessions.act = refuse
    said = 0
    with context.acting_for(USER), pytest.raises(NotFound):  # noqa: PT012 - what was said before counts
        async for _ in world.stub.StreamEvents(session_service_pb2.StreamEventsRequest(session=NAME)):
            said += 1
    assert said == 3


async def test_unavailable_is_tried_again_and_nothing_else(world: World) -> None:
    def refuse(error: ParleyError) -> Callable[[], None]:
        def act() -> None:
            if world.sessions.calls < 3:
                raise error

        return act

    world.sessions.act = refuse(Unavailable("away"))
    await world.get()
    assert world.sessions.calls == 3
    world.sessions.calls = 0
    world.sessions.act = refuse(Aborted("met"))
    with pytest.raises(Aborted):
        await world.get()
    assert world.sessions.calls == 1


async def test_calls_beyond_the_bound_are_refused_at_once(tmp_path: Path) -> None:
    world = World(tmp_path, maximum_concurrent_calls=2)
    await world.server.start()
    gate = asyncio.Event()
    world.sessions.act = gate.wait
    waiting = [asyncio.create_task(world.get()) for _ in range(2)]
    await until(lambda: world.sessions.calls == 2)
    with pytest.raises(ResourceExhausted):
        await world.get()
    gate.set()
    await asyncio.gather(*waiting)
    await world.close()


async def test_a_taken_port_is_said(world: World, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    other = World(tmp_path / "other", port=world.settings.port)
    with pytest.raises(OSError, match=str(world.settings.port)):
        await other.server.start()
    await other.mesh.close()
    await other.plain.close()


async def test_health_follows_readiness_and_ends_with_the_drain(world: World) -> None:
    stub: Any = health_pb2_grpc.HealthStub(world.plain)
    watched: list[int] = []

    async def watch() -> None:
        request = health_pb2.HealthCheckRequest(service="parley.session.v1.SessionService")
        async for answer in stub.Watch(request):
            watched.append(answer.status)  # noqa: PERF401 - each is looked at when it comes

    watching = asyncio.create_task(watch())
    for ready, status in ((True, health_pb2.HealthCheckResponse.SERVING), (False, 2)):
        await world.server.set_ready(ready)
        answer = await stub.Check(health_pb2.HealthCheckRequest(service="readiness"), timeout=5)
        assert answer.status == status
        await until(lambda status=status: bool(watched) and watched[-1] == status)  # type: ignore[misc]
        live = await stub.Check(health_pb2.HealthCheckRequest(service="liveness"), timeout=5)
        assert live.status == health_pb2.HealthCheckResponse.SERVING
    await world.server.set_ready(True)
    await until(lambda: watched[-1] == 1)
    await world.server.stop(0.2)
    await asyncio.gather(watching, return_exceptions=True)
    assert watched[-1] == health_pb2.HealthCheckResponse.NOT_SERVING


async def test_a_call_under_way_ends_well_while_the_server_drains(world: World) -> None:
    gate = asyncio.Event()
    world.sessions.act = gate.wait
    under_way = asyncio.create_task(world.get())
    await until(lambda: world.sessions.calls == 1)
    stopping = asyncio.create_task(world.server.stop(5))
    await asyncio.sleep(0)
    gate.set()
    assert (await under_way).name == NAME
    await stopping


async def test_a_peer_that_comes_back_is_found_again(world: World, tmp_path: Path) -> None:
    await world.get()
    await world.server.stop(0)
    with pytest.raises(Unavailable):
        await world.get(timeout=2)
    (tmp_path / "again").mkdir()
    again = World(tmp_path / "again", port=world.settings.port, mesh_jwks_file=tmp_path / "mesh.json")
    again.server._concerns.verifier = world.server._concerns.verifier
    await again.server.start()

    async def answered() -> bool:
        try:
            await world.get(timeout=1)
        except Unavailable:
            return False
        return True

    await until(answered, 5)
    await again.close()


async def test_calls_are_counted_by_method_and_code(world: World) -> None:
    await world.get()
    nobody = Principal(TENANT, "users/n", frozenset())
    with context.acting_for(nobody), pytest.raises(PermissionDenied):
        await world.stub.GetSession(GET)
    text = world.metrics.exposition().decode()
    path = "/parley.session.v1.SessionService/GetSession"
    assert f'rpc_handled_total{{code="OK",method="{path}"}} 1.0' in text
    assert f'rpc_handled_total{{code="PERMISSION_DENIED",method="{path}"}} 1.0' in text
    assert f'rpc_duration_seconds_count{{method="{path}"}} 2.0' in text


async def test_a_service_without_an_address_is_a_fault_of_the_installation(world: World) -> None:
    with pytest.raises(RuntimeError, match="PARLEY_KB_ADDRESS"):
        world.mesh.channel("kb")

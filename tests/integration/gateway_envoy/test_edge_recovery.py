"""The edge while what is behind it dies, is slow, or comes back."""

import asyncio
import time

import aiohttp
import grpc
import pytest
from parley.session.v1 import session_service_pb2, session_service_pb2_grpc

from tests.integration.gateway_envoy.conftest import Edge, EdgeMaker, World, until
from tests.integration.gateway_envoy.edge_doubles import SESSION, Plain, Seen, free_port, grpc_server
from tests.integration.gateway_envoy.test_edge_rest import assert_status

pytestmark = pytest.mark.integration


async def status(edge: Edge, world: World) -> int:
    async with edge.http.get(f"/v1/{SESSION}", headers=world.bearer()) as answer:
        return answer.status


async def test_the_log_has_no_complaint(edge: Edge) -> None:
    assert "eprecated" not in edge.log
    assert "[error]" not in edge.log


async def test_a_read_is_repeated_and_a_write_is_not(edge: Edge, world: World) -> None:
    world.seen.unavailable = 1
    assert await status(edge, world) == 200
    assert len(world.seen.calls) == 2
    world.seen.calls.clear()
    world.seen.unavailable = 1
    async with edge.http.post(f"/v1/{SESSION}/messages", json={"text": "hi"}, headers=world.bearer()) as answer:
        assert answer.status == 503
        assert_status(await answer.json(), 14)
    assert len(world.seen.calls) == 1


async def test_a_slow_call_is_cut(edges: EdgeMaker, world: World) -> None:
    async with edges(limits={"unary_seconds": 0.5}) as edge:
        async with edge.http.post(f"/v1/{SESSION}/messages", json={"text": "slow"}, headers=world.bearer()) as answer:
            assert answer.status == 504
            assert_status(await answer.json(), 4)
        stub = session_service_pb2_grpc.SessionServiceStub(edge.channel)
        request = session_service_pb2.PostMessageRequest(session=SESSION, text="slow")
        metadata = (("authorization", world.bearer()["authorization"]),)
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await stub.PostMessage(request, metadata=metadata, timeout=30)
        assert caught.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED


async def test_a_slow_loris_is_cut(edges: EdgeMaker, world: World) -> None:
    async with edges(limits={"headers_seconds": 0.3}) as edge:
        reader, writer = await asyncio.open_connection("127.0.0.1", edge.settings.port)
        writer.write(b"GET /healthz HTTP/1.1\r\nhost: a\r\nx-slow: ")
        async with asyncio.timeout(5):
            assert b"408" in await reader.readline()
            await reader.read()
        writer.close()


async def test_a_service_comes_back(edges: EdgeMaker, world: World) -> None:
    port = free_port()
    services = dict.fromkeys(("session", "engine", "llm", "kb", "channels", "drive"), f"127.0.0.1:{port}")
    async with edges(known=False, services=services) as edge:
        await until(lambda: _is(edge, world, 503))
        async with edge.http.get(f"/v1/{SESSION}", headers=world.bearer()) as answer:
            assert_status(await answer.json(), 14)
        for _ in range(2):
            server = await grpc_server(Seen(), port)
            began = time.monotonic()
            await until(lambda: _is(edge, world, 200))
            assert time.monotonic() - began < 1
            await server.stop(0)
            await until(lambda: _is(edge, world, 503))
        stub = session_service_pb2_grpc.SessionServiceStub(edge.channel)
        metadata = (("authorization", world.bearer()["authorization"]),)
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await stub.GetSession(session_service_pb2.GetSessionRequest(name=SESSION), metadata=metadata, timeout=9)
        assert caught.value.code() is grpc.StatusCode.UNAVAILABLE
        assert caught.value.details() == "the service cannot be reached at the moment"


async def test_keys_come_late_and_outlive_their_server(edges: EdgeMaker, world: World) -> None:
    port = free_port()
    operations = {"session": f"127.0.0.1:{port}", "channels": f"127.0.0.1:{port}"}
    async with edges(known=False, operations=operations, limits={"keys_seconds": 0.5}) as edge:
        async with edge.http.get(f"/v1/{SESSION}", headers=world.bearer()) as answer:
            assert answer.status == 503, "a client must not throw its token away because keys are late"
            assert_status(await answer.json(), 14)
        async with edge.http.post("/v1/visitors:signIn", json={}) as answer:
            assert answer.status == 200
        operator = Plain(Seen(), world.signer)
        await operator.start(port)
        await until(lambda: _is(edge, world, 200))
        await operator.stop()

        async def tried_again() -> bool:
            return "Jwks async fetching url" in edge.log.rpartition("failed")[0]

        await until(tried_again)
        assert await status(edge, world) == 200
        async with edge.http.get(f"/v1/{SESSION}", headers={"x-api-key": "pk_good"}) as answer:
            assert answer.status == 503, "without the session service no key opens anything"
            assert_status(await answer.json(), 14)


async def test_a_new_key_is_learnt(edges: EdgeMaker, world: World) -> None:
    operator, port = Plain(Seen(), world.signer), free_port()
    await operator.start(port)
    operations = {"session": f"127.0.0.1:{port}", "channels": f"127.0.0.1:{port}"}
    async with edges(operations=operations, limits={"keys_seconds": 0.2}) as edge:
        operator.signer = type(world.signer)("two")
        await edge.keys_known(operator.signer.token())
        # Envoy remembers tokens it has verified; the services have the last word about those.
        async with edge.http.get(f"/v1/{SESSION}", headers=world.bearer(jti="fresh")) as answer:
            assert answer.status == 401, "the old key is gone"
    await operator.stop()


async def test_the_edge_itself_is_killed_and_starts_again(edges: EdgeMaker, world: World) -> None:
    async with edges(access_log="/dev/stdout") as edge:
        assert edge.process is not None
        assert await status(edge, world) == 200
        edge.process.kill()
        await asyncio.to_thread(edge.process.wait, 10)
        await edge.start()
        await edge.keys_known(world.signer.token())

        async def logged() -> bool:
            return '"logger":"edge.access"' in edge.log

        await until(logged)


async def test_draining_says_so(edges: EdgeMaker, world: World) -> None:
    async with edges() as edge:
        connector = aiohttp.UnixConnector(str(edge.settings.admin_socket))
        async with (
            aiohttp.ClientSession(connector=connector) as client,
            client.post("http://admin/healthcheck/fail") as answer,
        ):
            assert answer.status == 200
        async with edge.http.get("/healthz") as answer:
            assert answer.status == 503
        assert await status(edge, world) == 200, "calls are still served while it drains"


async def _is(edge: Edge, world: World, expected: int) -> bool:
    return await status(edge, world) == expected

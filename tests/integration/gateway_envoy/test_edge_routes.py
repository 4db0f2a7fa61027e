"""Everything that is not the API: sockets, webhooks, objects, pages, health; and other origins."""

import io

import aiohttp
import pytest

from tests.integration.gateway_envoy.conftest import Edge, EdgeMaker, World, until
from tests.integration.gateway_envoy.edge_doubles import SESSION
from tests.integration.gateway_envoy.test_edge_rest import assert_status

pytestmark = pytest.mark.integration
SIGNED = "X-Amz-Signature=abc&X-Amz-Expires=900"


@pytest.mark.parametrize("path", ["/v1/ws?ticket=secret-ticket", "/ws/hello?session_id=1"])
async def test_web_sockets_reach_the_bridge(edge: Edge, world: World, path: str) -> None:
    async with edge.http.ws_connect(path) as socket:
        await socket.send_str("hi")
        assert (await socket.receive(timeout=5)).data == "echo hi"
    assert world.seen.requests[0].query_string == path.split("?")[1]

    async def logged() -> bool:
        return path.split("?", maxsplit=1)[0] in (edge.folder / "access.log").read_text()

    await until(logged)
    assert "secret-ticket" not in (edge.folder / "access.log").read_text()


async def test_only_bridge_paths_upgrade(edge: Edge, world: World) -> None:
    with pytest.raises(aiohttp.WSServerHandshakeError):
        await edge.http.ws_connect("/page")


async def test_sockets_and_streams_outlive_the_timeouts_of_requests(edges: EdgeMaker, world: World) -> None:
    limits = {"idle_seconds": 0.3, "unary_seconds": 0.3, "request_seconds": 0.3, "headers_seconds": 0.3}
    async with edges(limits=limits) as edge, edge.http.ws_connect("/v1/ws?ticket=a") as socket:
        async with edge.http.get(f"/v1/{SESSION}/events:stream", headers=world.bearer()) as answer:
            assert b"first" in await answer.content.readuntil(b"\n\n")
            with pytest.raises(TimeoutError):
                await socket.receive(timeout=1.5)
            world.seen.release.set()
            assert b"completed" in await answer.content.read()
        await socket.send_str("still there")
        assert (await socket.receive(timeout=5)).data == "echo still there"


async def test_webhooks_arrive_byte_for_byte(edge: Edge, world: World) -> None:
    body = b'{ "b":1,\r\n"a" : "\xff" }'
    headers = {"content-type": "application/json", "webhook-signature": "v1,abc", "x-api-key": "vendor's own"}
    async with edge.http.post("/webhooks/default/hook?x=1", data=body, headers=headers) as answer:
        assert answer.status == 200
    assert world.seen.bodies == [body]
    assert world.seen.requests[0].headers["webhook-signature"] == "v1,abc"
    assert len(world.seen.requests) == 1, "no key was exchanged"


async def test_a_webhook_that_is_too_large(edge: Edge, world: World) -> None:
    body = io.BytesIO(b"x" * (1 << 20) + b"x")
    async with edge.http.post("/webhooks/default/hook", data=body, headers={"connection": "close"}) as answer:
        assert answer.status == 413
        assert_status(await answer.json(), 3, "TOO_LARGE")
    assert not world.seen.requests


async def test_objects_are_streamed_and_keep_their_host(edge: Edge, world: World) -> None:
    data = b"0123456789abcdef" * (1 << 19)
    path = f"/parley-files/tenant/file?{SIGNED}"
    async with edge.http.put(path, data=io.BytesIO(data), headers={"x-amz-meta-a": "b"}) as answer:
        assert answer.status == 200
    assert world.seen.bodies == [data]
    request = world.seen.requests[0]
    assert request.headers["host"] == f"127.0.0.1:{edge.settings.port}", "the signature covers the host"
    assert request.query_string == SIGNED
    async with edge.http.get(path) as answer:
        assert answer.status == 200


async def test_objects_need_a_signature_and_have_a_size(edge: Edge, world: World) -> None:
    async with edge.http.get("/parley-files/tenant/file") as answer:
        assert answer.status == 403
        assert_status(await answer.json(), 7)
    async with edge.http.delete(f"/parley-files/tenant/file?{SIGNED}") as answer:
        assert answer.status == 403
    headers = {"content-length": str((100 << 20) + 1), "connection": "close"}
    async with edge.http.put(f"/parley-files/a?{SIGNED}", data=io.BytesIO(b"x" * 10), headers=headers) as answer:
        assert answer.status == 413
        assert_status(await answer.json(), 3, "TOO_LARGE")
    assert not world.seen.requests


@pytest.mark.parametrize(
    ("path", "text"), [("/", "GET /"), ("/openapi.json", "GET /openapi.json"), ("/api/auth", "GET /api/auth")]
)
async def test_everything_else_is_a_page(edge: Edge, path: str, text: str) -> None:
    async with edge.http.get(path) as answer:
        assert answer.status == 200
        assert await answer.text() == text
        assert answer.headers["x-content-type-options"] == "nosniff"


async def test_the_keys_are_public(edge: Edge, world: World) -> None:
    async with edge.http.get("/.well-known/jwks.json") as answer:
        assert (await answer.json())["keys"] == [world.signer.jwk]


async def test_health_is_answered_by_the_edge_itself(edge: Edge, world: World) -> None:
    async with edge.http.get("/healthz") as answer:
        assert answer.status == 200
        assert await answer.read() == b""
    assert not world.seen.requests


async def test_other_origins(edge: Edge, world: World) -> None:
    asking = {
        "origin": "https://app.example",
        "access-control-request-method": "POST",
        "access-control-request-headers": "authorization,content-type",
    }
    async with edge.http.options(f"/v1/{SESSION}/messages", headers=asking) as answer:
        assert answer.status == 200
        assert answer.headers["access-control-allow-origin"] == "https://app.example"
        assert "authorization" in answer.headers["access-control-allow-headers"]
        assert "access-control-allow-credentials" not in answer.headers
    async with edge.http.options(
        f"/v1/{SESSION}/messages", headers={**asking, "origin": "https://evil.example"}
    ) as answer:
        assert "access-control-allow-origin" not in answer.headers
    async with edge.http.get(f"/v1/{SESSION}", headers={"origin": "https://app.example"}) as answer:
        assert answer.status == 401
        assert answer.headers["access-control-allow-origin"] == "https://app.example", "errors can be read too"


async def test_files_are_sent_from_allowed_origins(edge: Edge, world: World) -> None:
    """The browser asks before it sends; the store is not asked, whoever asks."""
    path = f"/parley-files/tenant/file?{SIGNED}"
    asking = {"access-control-request-method": "PUT", "access-control-request-headers": "content-type"}
    async with edge.http.options(path, headers={**asking, "origin": "https://app.example"}) as answer:
        assert answer.status == 200
        assert answer.headers["access-control-allow-origin"] == "https://app.example"
        assert "PUT" in answer.headers["access-control-allow-methods"]
    async with edge.http.options(path, headers={**asking, "origin": "https://evil.example"}) as answer:
        assert "access-control-allow-origin" not in answer.headers
    async with edge.http.put(path, data=b"x", headers={"origin": "https://app.example"}) as answer:
        assert answer.headers["access-control-allow-origin"] == "https://app.example"


async def test_pages_say_themselves_who_may_load_them(edge: Edge) -> None:
    """Named by the edge, one origin would stand in the browser's cache for the others."""
    async with edge.http.get("/embed.js", headers={"origin": "https://app.example"}) as answer:
        assert answer.status == 200
        assert "access-control-allow-origin" not in answer.headers


async def test_too_many_requests(edges: EdgeMaker, world: World) -> None:
    async with edges(limits={"requests_per_second": 1, "burst": 20}) as edge:
        answers = []
        for _ in range(30):
            async with edge.http.get(f"/v1/{SESSION}", headers=world.bearer()) as answer:
                answers.append((answer.status, answer.headers.get("retry-after"), await answer.json()))
        refused = [answer for answer in answers if answer[0] == 429]
        assert refused
        assert refused[0][1] == "1"
        assert_status(refused[0][2], 8, "LIMIT_REACHED")


async def test_guessing_is_slowed_by_address(edges: EdgeMaker, world: World) -> None:
    limits = {"guarded_methods": ["/parley.session.v1.AuthService/SignInVisitor"], "guarded_burst": 3}
    async with edges(limits={**limits, "guarded_per_second": 1}, trusted_hops=1) as edge:

        async def sign_in(address: str) -> int:
            headers = {"x-forwarded-for": address}
            async with edge.http.post("/v1/visitors:signIn", json={}, headers=headers) as answer:
                return answer.status

        statuses = [await sign_in("203.0.113.7") for _ in range(6)]
        assert statuses[:3] == [200, 200, 200]
        assert 429 in statuses
        assert await sign_in("203.0.113.8") == 200, "others are not slowed"
        async with edge.http.get(f"/v1/{SESSION}", headers=world.bearer()) as answer:
            assert answer.status == 200, "nor are other methods"


async def test_the_admin_interface_is_not_on_the_network(edge: Edge) -> None:
    for path in ("/stats", "/config_dump", "/quitquitquit"):
        async with edge.http.post(path) as answer:
            assert await answer.text() == f"POST {path}", "the pages' server got it"
    assert edge.settings.admin_socket.stat().st_mode & 0o777 == 0o600
    listeners = await edge.admin("/listeners")
    assert listeners == f"edge::127.0.0.1:{edge.settings.port}"

"""REST through the transcoder: what is accepted, what is refused, and in which shape."""

import asyncio
import gzip
import io
import json

import aiohttp
import pytest
from yarl import URL

from tests.integration.gateway_envoy.conftest import Edge, World
from tests.integration.gateway_envoy.edge_doubles import (
    BROKEN_AFTER_ONE,
    BROKEN_AT_ONCE,
    MISSING,
    SESSION,
)

pytestmark = pytest.mark.integration
LEAKS = {"grpc-status", "grpc-message", "grpc-encoding", "grpc-accept-encoding", "x-envoy-upstream-service-time"}


def assert_status(body: object, code: int, reason: str = "") -> None:
    """A google.rpc.Status as JSON."""
    assert isinstance(body, dict)
    assert body["code"] == code
    assert isinstance(body["message"], str)
    assert body["message"]
    assert isinstance(body["details"], list)
    if reason:
        assert reason in [detail.get("reason") for detail in body["details"]]


async def test_reading_and_writing(edge: Edge, world: World) -> None:
    async with edge.http.get(f"/v1/{SESSION}", headers=world.bearer()) as answer:
        assert answer.status == 200
        assert answer.content_type == "application/json"
        body = await answer.json()
        assert body["name"] == SESSION
        assert body["state"] == "STATE_ACTIVE"
        assert body["last_seq"] == 0, "primitive fields are always there, by their proto names"
        assert not LEAKS & {name.lower() for name in answer.headers}
        assert answer.headers["x-request-id"]
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["cache-control"] == "no-store"
    made = {"bot": "bots/hello", "metadata": {"from": "test"}}
    async with edge.http.post("/v1/sessions?request_id=abc", json=made, headers=world.bearer()) as answer:
        assert answer.status == 200
    call = world.seen.last
    assert call.request.session.bot == "bots/hello"
    assert call.request.request_id == "abc"


async def test_a_unary_call_has_a_deadline_upstream(edge: Edge, world: World) -> None:
    async with edge.http.get(f"/v1/{SESSION}", headers=world.bearer()) as answer:
        assert answer.status == 200
    assert world.seen.last.remaining is not None
    assert 10 < world.seen.last.remaining <= 15


async def test_errors_of_services_keep_their_details(edge: Edge, world: World) -> None:
    async with edge.http.get(f"/v1/{MISSING}", headers=world.bearer()) as answer:
        assert answer.status == 404
        assert answer.content_type == "application/json"
        assert_status(await answer.json(), 5, "RESOURCE_NOT_FOUND")
        assert not LEAKS & {name.lower() for name in answer.headers}


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("/v1/nothing", 404, 5),
        (f"/v1/{SESSION}?bogus=1", 400, 3),
        ("/v1/sessions?page_size=many", 400, 3),
        ("/v1/sessions%2Fx", 400, 3),
        ("/v1/sessions%5Cx", 400, 3),
    ],
)
async def test_refusals_of_the_edge_are_statuses(edge: Edge, world: World, path: str, status: int, code: int) -> None:
    url = URL(edge.base + path, encoded=True)
    async with edge.http.get(url, headers=world.bearer()) as answer:
        assert answer.status == status, await answer.text()
        assert answer.content_type == "application/json"
        assert_status(await answer.json(), code)
    assert not world.seen.calls


async def test_an_unknown_verb(edge: Edge, world: World) -> None:
    """A POST is refused; a GET becomes part of the name, which the service's pattern refuses."""
    async with edge.http.post(f"/v1/{SESSION}:unknownVerb", json={}, headers=world.bearer()) as answer:
        assert answer.status == 404
        assert_status(await answer.json(), 5)
    async with edge.http.get(f"/v1/{SESSION}:unknownVerb", headers=world.bearer()) as answer:
        assert answer.status == 200
    assert world.seen.last.request.name.endswith(":unknownVerb")


async def test_paths_are_normalised(edge: Edge, world: World) -> None:
    url = URL(f"{edge.base}/v1//x/../{SESSION}", encoded=True)
    async with edge.http.get(url, headers=world.bearer()) as answer:
        assert answer.status == 200
    url = URL(f"{edge.base}/healthz/../v1/{SESSION}", encoded=True)
    async with edge.http.get(url) as answer:
        assert answer.status == 401, "a detour does not avoid the token"


async def test_unknown_json_fields_are_dropped_silently(edge: Edge, world: World) -> None:
    """Envoy's transcoder does this (envoy#46623): documented in docs/api.md; required fields catch misspelling."""
    body = {"text": "hi", "nope": 1}
    async with edge.http.post(f"/v1/{SESSION}/messages", json=body, headers=world.bearer()) as answer:
        assert answer.status == 200
    assert world.seen.last.request.text == "hi"


@pytest.mark.parametrize(
    "body", [b'{"text": 12}', b'{"text": ', b"[]", b'{"attachments": "x"}', b'{"text":"\xff\xfe"}', b"\xff"]
)
async def test_malformed_bodies(edge: Edge, world: World, body: bytes) -> None:
    headers = {**world.bearer(), "content-type": "application/json"}
    async with edge.http.post(f"/v1/{SESSION}/messages", data=body, headers=headers) as answer:
        assert answer.status == 400, await answer.text()
        assert_status(await answer.json(), 3)
    assert not world.seen.calls


async def test_a_path_and_a_body_that_disagree(edge: Edge, world: World) -> None:
    body = {"text": "hi", "session": MISSING}
    async with edge.http.post(f"/v1/{SESSION}/messages", json=body, headers=world.bearer()) as answer:
        assert answer.status == 400
        assert_status(await answer.json(), 3)
    async with edge.http.post(
        f"/v1/{SESSION}/messages", json={**body, "session": SESSION}, headers=world.bearer()
    ) as answer:
        assert answer.status == 200


async def test_bodies_within_and_over_the_limit(edge: Edge, world: World) -> None:
    headers = {**world.bearer(), "content-type": "application/json", "connection": "close"}
    body = io.BytesIO(json.dumps({"text": "x" * (3 << 20)}).encode())
    async with edge.http.post(f"/v1/{SESSION}/messages", data=body, headers=headers) as answer:
        assert answer.status == 200
    assert len(world.seen.last.request.text) == 3 << 20
    world.seen.calls.clear()
    body = io.BytesIO(json.dumps({"text": "x" * (10 << 20)}).encode())
    async with edge.http.post(f"/v1/{SESSION}/messages", data=body, headers=headers) as answer:
        assert answer.status == 413
        assert_status(await answer.json(), 3, "TOO_LARGE")
    assert not world.seen.calls


async def test_answers_are_compressed_when_asked(edge: Edge, world: World) -> None:
    headers = {**world.bearer(), "accept-encoding": "gzip"}
    async with aiohttp.ClientSession(auto_decompress=False) as client:
        async with client.get(f"{edge.base}/v1/sessions?page_size=50", headers=headers) as answer:
            assert answer.headers["content-encoding"] == "gzip"
            assert len(json.loads(gzip.decompress(await answer.read()))["sessions"]) == 50
        async with client.get(f"{edge.base}/large.html", headers={"accept-encoding": "gzip"}) as answer:
            assert answer.headers["content-encoding"] == "gzip"


async def test_events_arrive_when_they_are_made(edge: Edge, world: World) -> None:
    headers = {**world.bearer(), "accept-encoding": "gzip"}
    async with edge.http.get(f"/v1/{SESSION}/events:stream", headers=headers) as answer:
        assert answer.status == 200
        assert answer.content_type == "text/event-stream"
        assert "content-encoding" not in answer.headers
        async with asyncio.timeout(5):
            first = await answer.content.readuntil(b"\n\n")
        assert json.loads(first.removeprefix(b"data: "))["message"]["text"] == "first"
        assert not world.seen.release.is_set(), "the second event is not made yet"
        world.seen.release.set()
        rest = await answer.content.read()
    assert json.loads(rest.removeprefix(b"data: "))["completed"]["turn"] == 1
    assert world.seen.last.remaining is None, "a stream has no deadline unless its caller gives one"


async def test_a_listener_that_leaves_ends_the_stream_behind(edge: Edge, world: World) -> None:
    answer = await edge.http.get(f"/v1/{SESSION}/events:stream", headers=world.bearer())
    assert b"first" in await answer.content.readuntil(b"\n\n")
    answer.close()
    async with asyncio.timeout(5):
        await world.seen.ended.wait()


async def test_a_stream_that_breaks_before_its_first_event_is_an_error(edge: Edge, world: World) -> None:
    path = f"/v1/{SESSION}/events:stream?after_seq={BROKEN_AT_ONCE}"
    async with edge.http.get(path, headers=world.bearer()) as answer:
        assert answer.status == 429
        assert_status(await answer.json(content_type=None), 8)


async def test_a_stream_that_breaks_later_just_ends(edge: Edge, world: World) -> None:
    """Why every stream of ours ends with completed or failed: the transport cannot say it."""
    path = f"/v1/{SESSION}/events:stream?after_seq={BROKEN_AFTER_ONE}"
    async with edge.http.get(path, headers=world.bearer()) as answer:
        assert answer.status == 200
        events = [line for line in (await answer.read()).split(b"\n\n") if line]
    assert len(events) == 1
    assert b"completed" not in events[0]

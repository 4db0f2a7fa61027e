"""Bad input through the edge: what is answered, in which shape, and that nothing was written or lost."""

import asyncio
import json
import uuid
from collections.abc import AsyncIterator
from typing import Any

import grpc
import pytest
from parley.session.v1 import session_service_pb2 as service_pb

from cli.stack.layout import ROOT
from tests.mesh.mesh_calls import grpc_call
from tests.mesh.mesh_contract import OPEN
from tests.mesh.mesh_talk import Talk
from tests.mesh.mesh_world import Answer, Mesh

pytestmark = pytest.mark.mesh
INVALID = grpc.StatusCode.INVALID_ARGUMENT


@pytest.fixture
async def quiet(talk: Talk) -> AsyncIterator[Talk]:
    """A talk to which nothing is added; and it goes on as if nothing had been."""
    before = await talk.ledger()
    yield talk
    assert await talk.ledger() == before, "nothing was written"
    (reply,) = await talk.say("Ada")
    assert "Nice to meet you, Ada." in reply["text"], "nothing was lost"


async def test_an_unknown_field_is_dropped(talk: Talk) -> None:
    """What Envoy's transcoder does (envoy#46623). It is written where callers read."""
    answer = await talk.post({"text": "Ada", "colour": "red", "Text": "Eve"})
    assert answer.status == 200
    assert answer.body["text"] == "Ada"
    assert "colour" not in answer.body
    described = (await talk.mesh.ok("GET", "/openapi.json"))["info"]["description"]
    assert "Fields that the API does not know are dropped without a word" in described
    page = ROOT / "docs" / "api.md"
    written = (page if page.exists() else ROOT / "docs" / "architecture" / "edge.md").read_text().lower()
    assert "unknown" in written
    assert "dropped" in written


async def test_a_misspelt_required_field_is_noticed(quiet: Talk) -> None:
    """The text is not there, whatever else is."""
    answer = await quiet.post({"txet": "Ada"})
    answer.refused(400, INVALID, "INVALID_FIELD")
    assert "text" in answer.body["message"]


async def test_an_unknown_field_in_the_address_is_refused(quiet: Talk) -> None:
    answer = await quiet.mesh.call("GET", f"/v1/{quiet.name}/messages?colour=red", token=quiet.token)
    answer.refused(400, INVALID, "INVALID_FIELD")
    assert "colour" in answer.body["message"]


@pytest.mark.parametrize(
    "body",
    [
        {"text": 12},
        {"text": ["Ada"]},
        {"text": {"a": 1}},
        {"text": "Ada", "attachments": "x"},
        {"text": "Ada", "attachments": [1]},
        [],
        "Ada",
        12,
    ],
)
async def test_a_wrong_type(quiet: Talk, body: Any) -> None:
    (await quiet.post(body)).refused(400, INVALID, "INVALID_FIELD")


@pytest.mark.parametrize(
    "raw",
    [
        b'{"text": ',
        b'{"text": "Ada"',
        b'{"text" "Ada"}',
        b"text=Ada",
        b"{",
        b"\x00",
        b'{"text":"a"}}',
    ],
)
async def test_malformed_json(quiet: Talk, raw: bytes) -> None:
    (await quiet.post(None, data=raw)).refused(400, INVALID, "INVALID_FIELD")


@pytest.mark.parametrize("raw", [b'{"text":"\xff\xfe"}', b"\xff", b'{"text":"\xc3\x28"}', b'{"text":"\xed\xa0\x80"}'])
async def test_a_body_that_is_no_utf_8(quiet: Talk, raw: bytes) -> None:
    (await quiet.post(None, data=raw)).refused(400, INVALID, "INVALID_FIELD")


@pytest.mark.parametrize("depth", [200, 100_000])
async def test_a_body_of_brackets(quiet: Talk, depth: int) -> None:
    raw = b'{"text":' + b"[" * depth + b"]" * depth + b"}"
    (await quiet.post(None, data=raw)).refused(400, INVALID, "INVALID_FIELD")


async def test_metadata_as_deep_as_json_goes(mesh: Mesh) -> None:
    """A Struct takes any JSON: depth is bounded all the same."""
    nested = b'{"bot":"bots/hello","metadata":' + b'{"a":' * 5000 + b"1" + b"}" * 5000 + b"}"
    answer = await mesh.call("POST", "/v1/sessions", token=await mesh.visitor(), data=nested)
    answer.refused(400, INVALID, "INVALID_FIELD")


async def test_ten_megabytes(quiet: Talk) -> None:
    raw = json.dumps({"text": "x" * (10 << 20)}).encode()
    answer = await quiet.post(None, data=raw, headers={"connection": "close"})
    answer.refused(413, INVALID, "TOO_LARGE")


async def test_ten_megabytes_over_grpc(quiet: Talk) -> None:
    method = next(item for item in OPEN if item.name == "PostMessage")
    request = service_pb.PostMessageRequest(session=quiet.name, text="x" * (10 << 20))
    outcome = await grpc_call(quiet.mesh, method, request, quiet.token)
    assert outcome.code in {grpc.StatusCode.RESOURCE_EXHAUSTED, INVALID}


async def test_a_text_longer_than_a_message(quiet: Talk) -> None:
    answer = await quiet.post({"text": "x" * 32_769})
    answer.refused(400, INVALID, "INVALID_FIELD")
    assert answer.fields() == {"text"}


@pytest.mark.parametrize(
    ("method", "path", "body", "field"),
    [
        ("POST", "/v1/sessions", {}, "session.bot"),
        ("POST", "/v1/bots/hello/knowledge:search", {}, "query"),
        ("POST", "/v1/files:createUpload", {"size": 3}, "file_name"),
        ("POST", "/v1/files", {"path": "a.txt"}, "content"),
        ("POST", "/v1/channels", {"kind": "KIND_WEB"}, "channel_id"),
        ("POST", "/v1/completions:complete", {}, "messages"),
        ("POST", "/v1/users", {"user": {"display_name": "A"}}, "user.email"),
        ("POST", "/v1/tenants", {"tenant": {"slug": "abc"}}, "owner_email"),
        ("POST", "/v1/bots/hello/variables:merge", {}, "variables"),
    ],
)
async def test_a_missing_field_is_named(mesh: Mesh, method: str, path: str, body: Any, field: str) -> None:
    answer = await mesh.call(method, path, body, mesh.owner)
    info = answer.refused(400, INVALID, "INVALID_FIELD")
    assert answer.fields() == {field}
    assert info["metadata"]["field"] == field
    assert field in answer.body["message"]


@pytest.mark.parametrize("body", [{"user": "ada", "pass": "x"}, {"email": "a@example.com"}])
async def test_signing_in_without_a_password(mesh: Mesh, body: Any) -> None:
    answer = await mesh.call("POST", "/v1/users:signIn", body)
    answer.refused(400, INVALID, "INVALID_FIELD")
    assert "password" in answer.fields()


@pytest.mark.parametrize("identifier", ["not-a-uuid", "0", "{01a1fd37-3a9f-795a-a767-38abbdf1d40a}"])
async def test_a_request_id_that_is_no_uuid(quiet: Talk, identifier: str) -> None:
    answer = await quiet.post({"text": "Ada", "request_id": identifier})
    answer.refused(400, INVALID, "INVALID_FIELD")
    assert answer.fields() == {"request_id"}


async def test_a_request_id_with_another_body(talk: Talk) -> None:
    identifier = str(uuid.uuid4())
    first = await talk.post({"text": "Ada", "request_id": identifier})
    await talk.consumed(first.body["seq"])
    other = await talk.post({"text": "Eve", "request_id": identifier})
    other.refused(409, grpc.StatusCode.ALREADY_EXISTS, "REQUEST_ID_REUSED")
    assert (await talk.post({"text": "Ada", "request_id": identifier})).body == first.body
    people = [message["text"] for message in await talk.ledger() if message["role"] == "ROLE_USER"]
    assert people == ["Ada"]


async def test_request_ids_that_make_things(mesh: Mesh) -> None:
    """Once each for every kind of thing, also when both requests come at once."""
    identifier = uuid.uuid4()
    path = f"/v1/apiKeys?request_id={identifier}"
    before = await mesh.count("session.api_keys")
    made = await asyncio.gather(
        *(mesh.call("POST", path, {"display_name": name}, mesh.owner) for name in ("one", "one", "two"))
    )
    statuses = sorted(answer.status for answer in made)
    assert statuses in ([200, 200, 409], [200, 409, 409]), statuses
    assert await mesh.count("session.api_keys") == before + 1
    for answer in made:
        if answer.status == 409:
            answer.refused(409, grpc.StatusCode.ALREADY_EXISTS, "REQUEST_ID_REUSED")
    assert sum(bool(answer.body.get("secret")) for answer in made if answer.status == 200) == 1, "shown once"


# Pages


@pytest.fixture(scope="session")
async def reader(mesh: Mesh) -> str:
    """A visitor with three sessions."""
    token = await mesh.visitor()
    for _ in range(3):
        await mesh.ok("POST", "/v1/sessions", {"bot": "bots/hello"}, token)
    return token


async def page(mesh: Mesh, reader: str, query: str) -> Answer:
    return await mesh.call("GET", f"/v1/sessions?{query}", token=reader)


async def test_a_huge_page_is_capped(talk: Talk) -> None:
    await talk.say("Ada")
    path = f"/v1/{talk.name}/messages"
    whole = (await talk.mesh.ok("GET", f"{path}?page_size=2147483647", token=talk.token))["messages"]
    assert whole == await talk.ledger()
    models = await talk.mesh.ok("GET", "/v1/users?page_size=2147483647", token=talk.mesh.owner)
    assert len(models["users"]) <= 200


async def test_a_page_beyond_the_cap_ends_at_the_cap(mesh: Mesh) -> None:
    """201 variables, of which a page of 500 shows all, and 501 asked for shows 500 at most."""
    parent = f"bots/n{uuid.uuid4().hex[:12]}"
    for begin in range(0, 600, 100):
        variables = [{"key": f"k{number:04}", "value": number} for number in range(begin, begin + 100)]
        await mesh.ok("POST", f"/v1/{parent}/variables:merge", {"variables": variables}, mesh.owner)
    first = await mesh.ok("GET", f"/v1/{parent}/variables?page_size=1000000", token=mesh.owner)
    assert len(first["variables"]) == 500
    query = f"page_size=1000000&page_token={first['next_page_token']}"
    rest = await mesh.ok("GET", f"/v1/{parent}/variables?{query}", token=mesh.owner)
    assert (len(rest["variables"]), rest["next_page_token"]) == (100, "")
    keys = [item["key"] for item in first["variables"] + rest["variables"]]
    assert keys == [f"k{number:04}" for number in range(600)]


@pytest.mark.parametrize("size", ["-1", "-2147483648"])
async def test_a_negative_page(mesh: Mesh, reader: str, size: str) -> None:
    answer = await page(mesh, reader, f"page_size={size}")
    answer.refused(400, INVALID, "INVALID_FIELD")
    assert answer.fields() == {"page_size"}


@pytest.mark.parametrize("size", ["many", "1e99", "2147483648", ""])
async def test_a_page_size_that_is_no_number(mesh: Mesh, reader: str, size: str) -> None:
    (await page(mesh, reader, f"page_size={size}")).refused(400, INVALID, "INVALID_FIELD")


@pytest.mark.parametrize("forgery", ["nonsense", "AAAA", "%00", "truncated", "longer", "altered", "other filter"])
async def test_a_page_token_that_was_not_given(mesh: Mesh, reader: str, forgery: str) -> None:
    token = (await page(mesh, reader, "page_size=1")).body["next_page_token"]
    assert len((await page(mesh, reader, f"page_size=1&page_token={token}")).body["sessions"]) == 1
    made = {
        "truncated": token[:-4],
        "longer": token + "AAAA",
        "altered": token[:30] + ("A" if token[30] != "A" else "B") + token[31:],
        "other filter": f"{token}&bot=bots/hello",
    }
    answer = await page(mesh, reader, f"page_size=1&page_token={made.get(forgery, forgery)}")
    answer.refused(400, INVALID, "PAGE_TOKEN_INVALID")


async def test_a_page_token_of_somebody_else(mesh: Mesh, reader: str) -> None:
    token = (await page(mesh, reader, "page_size=1")).body["next_page_token"]
    for other in (await mesh.visitor(), mesh.owner):
        answer = await page(mesh, other, f"page_size=1&page_token={token}")
        answer.refused(400, INVALID, "PAGE_TOKEN_INVALID")
    path = f"/v1/users?page_token={token}"
    (await mesh.call("GET", path, token=mesh.owner)).refused(400, INVALID, "PAGE_TOKEN_INVALID")

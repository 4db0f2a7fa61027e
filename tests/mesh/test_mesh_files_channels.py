"""Bytes and webhooks through the edge: the object store and other people's systems beside the API."""

import hashlib
import os
import uuid
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

import aiohttp
import grpc
import pytest

from tests.doubles.webhook_receiver import WebhookReceiver
from tests.mesh.mesh_talk import Talk, subject_of
from tests.mesh.mesh_webhooks import Sender, channel_of
from tests.mesh.mesh_world import Answer, Mesh
from tests.waiting import until

pytestmark = pytest.mark.mesh
CONTENT = os.urandom(300_000)
TYPE = {"content-type": "application/octet-stream"}


async def begin(mesh: Mesh, token: str, size: int = len(CONTENT)) -> Any:
    body = {"file_name": "photo.jpg", "content_type": "image/jpeg", "size": str(size), "request_id": str(uuid.uuid4())}
    return await mesh.ok("POST", "/v1/files:createUpload", body, token)


async def put(mesh: Mesh, url: str, content: bytes = CONTENT) -> Answer:
    return await mesh.call("PUT", url, data=content, headers=TYPE)


@pytest.fixture(scope="session")
async def stored(mesh: Mesh) -> tuple[str, str]:
    """(name of a file, token of the visitor who uploaded it)."""
    token = await mesh.visitor()
    begun = await begin(mesh, token)
    assert begun["upload_url"].startswith(f"{mesh.url}/"), "by the public address, not the store's own"
    assert (await put(mesh, begun["upload_url"])).status == 200
    done = await mesh.ok("POST", f"/v1/{begun['file']['name']}:completeUpload", {}, token)
    assert (done["state"], done["size"]) == ("STATE_LIVE", str(len(CONTENT)))
    assert done["digest"] == hashlib.sha256(CONTENT).hexdigest()
    assert done["owner"] == subject_of(token)
    return done["name"], token


@pytest.fixture
async def address(mesh: Mesh, stored: tuple[str, str]) -> str:
    """From which its bytes can be read."""
    name, token = stored
    return str((await mesh.ok("POST", f"/v1/{name}:createDownload", {}, token))["download_url"])


async def test_a_download(mesh: Mesh, address: str) -> None:
    answer = await mesh.call("GET", address)
    assert answer.status == 200
    assert answer.raw == CONTENT
    assert answer.headers["content-disposition"].startswith("attachment")
    assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize(
    ("asked", "first", "last"),
    [("bytes=0-99", 0, 99), ("bytes=100-", 100, len(CONTENT) - 1), ("bytes=-50", len(CONTENT) - 50, len(CONTENT) - 1)],
)
async def test_a_range(mesh: Mesh, address: str, asked: str, first: int, last: int) -> None:
    answer = await mesh.call("GET", address, headers={"range": asked})
    assert answer.status == 206
    assert answer.headers["content-range"] == f"bytes {first}-{last}/{len(CONTENT)}"
    assert answer.raw == CONTENT[first : last + 1]


async def test_a_range_that_is_not_there(mesh: Mesh, address: str) -> None:
    assert (await mesh.call("GET", address, headers={"range": f"bytes={len(CONTENT) + 1}-"})).status == 416


def tampered(url: str, how: str) -> str:
    """The address with one thing changed."""
    parts = urlsplit(url)
    query = dict(parse_qsl(parts.query, keep_blank_values=True))
    path = parts.path
    if how == "signature":
        last = query["X-Amz-Signature"][-1]
        query["X-Amz-Signature"] = query["X-Amz-Signature"][:-1] + ("0" if last != "0" else "1")
    elif how == "no signature":
        del query["X-Amz-Signature"]
    elif how == "longer life":
        query["X-Amz-Expires"] = "604800"
    elif how == "shown as a page":
        query["response-content-type"] = "text/html"
    elif how == "inline":
        query["response-content-disposition"] = "inline"
    elif how == "another key":
        path = path[:-1] + ("0" if path[-1] != "0" else "1")
    elif how == "the whole bucket":
        path = "/" + path.split("/")[1] + "/"
    return urlunsplit((parts.scheme, parts.netloc, path, urlencode(query), ""))


TAMPERED = ["signature", "no signature", "longer life", "shown as a page", "inline", "another key", "the whole bucket"]


@pytest.mark.parametrize("how", TAMPERED)
async def test_a_tampered_address(mesh: Mesh, address: str, how: str) -> None:
    answer = await mesh.call("GET", tampered(address, how))
    assert answer.status == 403, answer.raw
    assert CONTENT[:100] not in answer.raw


@pytest.mark.parametrize("verb", ["PUT", "DELETE", "POST"])
async def test_a_download_address_only_reads(mesh: Mesh, address: str, verb: str) -> None:
    refused = await mesh.call(verb, address, data=b"other", headers=TYPE)
    assert refused.status in {403, 405}, refused.raw
    assert (await mesh.call("GET", address)).raw == CONTENT


async def test_an_upload_address_opens_nothing_else(mesh: Mesh) -> None:
    token = await mesh.visitor()
    begun = await begin(mesh, token, 5)
    url = begun["upload_url"]
    assert (await mesh.call("GET", url)).status == 403
    assert (await mesh.call("DELETE", url)).status == 403
    other = await begin(mesh, token, 5)
    moved = urlunsplit((*urlsplit(url)[:2], urlsplit(other["upload_url"]).path, urlsplit(url).query, ""))
    assert (await put(mesh, moved, b"12345")).status == 403
    unfinished = await mesh.call("POST", f"/v1/{other['file']['name']}:completeUpload", {}, token)
    unfinished.refused(400, grpc.StatusCode.FAILED_PRECONDITION, "STATE_INVALID")


async def test_other_bytes_than_declared(mesh: Mesh) -> None:
    token = await mesh.visitor()
    begun = await begin(mesh, token, 5)
    assert (await put(mesh, begun["upload_url"], b"123456")).status == 200
    answer = await mesh.call("POST", f"/v1/{begun['file']['name']}:completeUpload", {}, token)
    answer.refused(400, grpc.StatusCode.FAILED_PRECONDITION, "STATE_INVALID")


async def test_a_file_of_somebody_else(mesh: Mesh, stored: tuple[str, str]) -> None:
    name, _ = stored
    other = await mesh.visitor()
    for verb, path in (("GET", f"/v1/{name}"), ("POST", f"/v1/{name}:createDownload")):
        answer = await mesh.call(verb, path, {} if verb == "POST" else None, other)
        answer.refused(404, grpc.StatusCode.NOT_FOUND, "RESOURCE_NOT_FOUND")


async def test_an_upload_as_an_attachment(mesh: Mesh, stored: tuple[str, str]) -> None:
    """What was uploaded goes with a message, and is listed with it."""
    name, token = stored
    talk = await Talk.begin(mesh, token=token)
    attached = {"name": "photo.jpg", "uri": name, "content_type": "image/jpeg", "size": str(len(CONTENT))}
    answer = await talk.post({"text": "Ada", "attachments": [attached]})
    assert answer.status == 200, answer.raw
    (message,) = [message for message in await talk.ledger() if message["role"] == "ROLE_USER"]
    assert message["attachments"] == [attached]


# Channels


@pytest.fixture
async def shop(mesh: Mesh) -> AsyncIterator[tuple[Sender, WebhookReceiver]]:
    """Somebody's system: it sends to a channel of `hello`, and takes its replies."""
    async with channel_of(mesh) as made:
        yield made


async def test_a_conversation_over_a_webhook(mesh: Mesh, shop: tuple[Sender, WebhookReceiver]) -> None:
    sender, receiver = shop
    sessions = set()
    for text in ("Hello", "Ada", "A small order", "Tea", "3", "ada@example.com"):
        settled = len(receiver.received)
        answer = await sender.post(text)
        assert answer.status == 202, answer.raw
        sessions.add(answer.body["session"])
        await until(lambda settled=settled: len(receiver.accepted) > settled)
    await until(lambda: any("3 x Tea" in text for item in receiver.accepted for text in item.texts))
    assert len(sessions) == 1, "one person, one session"
    assert all(item.verified for item in receiver.received), "every reply is signed"
    heard = [message for item in receiver.accepted for message in item.json["data"]["messages"]]
    assert {item.json["data"]["user"]["id"] for item in receiver.accepted} == {"ada"}
    places = [(message["turn"], message["ordinal"]) for message in heard]
    assert places == sorted(set(places)), "in order, none twice"
    path = f"/v1/{sessions.pop()}/messages?page_size=500"
    ledger = (await mesh.ok("GET", path, token=mesh.owner))["messages"]
    assert [message["text"] for message in heard] == [
        message["text"] for message in ledger if message["role"] == "ROLE_BOT"
    ]


async def test_a_receiver_that_is_away_misses_nothing(mesh: Mesh, shop: tuple[Sender, WebhookReceiver]) -> None:
    sender, receiver = shop
    receiver.behaviour.fault, receiver.behaviour.times = "unavailable", 2
    assert (await sender.post("Hello")).status == 202
    await until(lambda: bool(receiver.accepted))
    assert [item.status for item in receiver.received][:2] == [503, 503]
    assert len({item.id for item in receiver.received[:3]}) == 1, "one reply keeps its id"
    channel = sender.name

    async def delivered() -> bool:
        found = (await mesh.ok("GET", f"/v1/{channel}/deliveries", token=mesh.owner))["deliveries"]
        return bool(found) and all(item["state"] == "STATE_DELIVERED" for item in found)

    await until(delivered)


async def test_a_new_secret_signs_and_the_old_one_still_verifies(
    mesh: Mesh, shop: tuple[Sender, WebhookReceiver]
) -> None:
    sender, receiver = shop
    fresh = await mesh.ok("POST", f"/v1/{sender.name}:rotateSecret", {}, mesh.owner)
    receiver.secrets = [fresh["webhook"]["secret"]]
    assert (await sender.post("Hello")).status == 202, "signed with the old one"
    await until(lambda: bool(receiver.received))
    assert receiver.received[0].verified, "signed with the new one"
    sender.secret = fresh["webhook"]["secret"]
    assert (await sender.post("Ada")).status == 202
    shown = await mesh.ok("GET", f"/v1/{sender.name}", token=mesh.owner)
    assert shown["webhook"]["secret"] == "", "never shown again"


async def test_a_channel_that_is_gone(mesh: Mesh) -> None:
    async with channel_of(mesh) as (sender, _):
        pass
    assert (await sender.post("Hello")).status == 404


async def test_no_webhook_leads_inside(mesh: Mesh) -> None:
    """Addresses inside the network are no place for replies, except this machine itself in a local stack."""
    for uri in ("http://169.254.169.254/latest", "http://10.0.0.1/hook", "https://user@example.com/", "ftp://a/b"):
        body = {"kind": "KIND_WEBHOOK", "bot": "bots/hello", "webhook": {"uri": uri}}
        answer = await mesh.call("POST", f"/v1/channels?channel_id=c{uuid.uuid4().hex[:10]}", body, mesh.owner)
        answer.refused(400, grpc.StatusCode.INVALID_ARGUMENT, "INVALID_FIELD")
        assert answer.fields() == {"channel.webhook.uri"}


async def test_the_bucket_itself_is_closed(mesh: Mesh) -> None:
    async with aiohttp.ClientSession() as client:
        for path in ("/parley-files/", "/parley-files/?list-type=2", "/parley-files/x"):
            async with client.get(mesh.url + path) as answer:
                assert answer.status == 403

"""The door for messages: what is taken, what is refused, and that nothing is taken twice."""

import asyncio
import json
import time
import uuid
from typing import Any

import pytest
from parley.channels.v1 import channel_service_pb2 as pb

from services.common.security import webhook_signatures as signatures
from tests.integration.channels.world import ChannelsWorld, message, opened

pytestmark = pytest.mark.integration


async def test_a_signed_message_is_in_the_ledger(world: ChannelsWorld) -> None:
    channel = await world.create()
    body = message("hello", attachments=[{"name": "a.pdf", "uri": "https://example.com/a.pdf", "size": 3}])
    answered = await world.post(channel, body)
    assert answered.status == 202
    assert answered.body == {"session": answered.body["session"], "seq": 1, "duplicate": False}
    assert await world.said(answered.body["session"]) == ["hello"]
    again = await world.post(channel, message("and then?"))
    assert (again.body["session"], again.body["seq"]) == (answered.body["session"], 2)
    other = await world.post(channel, message("me too", user="grace"))
    assert other.body["session"] != answered.body["session"]


async def test_a_replay_posts_nothing(world: ChannelsWorld) -> None:
    channel = await world.create()
    first = await world.post(channel, message("once"), id="msg_1")
    for _ in range(3):
        replay = await world.post(channel, message("once"), id="msg_1")
        assert replay.status == 200
        assert replay.body == {**first.body, "duplicate": True}
    assert await world.said(first.body["session"]) == ["once"]


async def test_replays_at_the_same_moment_post_one_message(world: ChannelsWorld) -> None:
    channel = await world.create()
    posts = [world.post(channel, message("once"), id="msg_1") for _ in range(12)]
    answers = await asyncio.gather(*posts)
    assert sorted(item.status for item in answers) == [200] * 11 + [202]
    assert await world.said(answers[0].body["session"]) == ["once"]


async def test_the_same_message_in_another_envelope_posts_nothing(world: ChannelsWorld) -> None:
    channel = await world.create()
    first = await world.post(channel, message("once", id="m-7"))
    reordered = {"message": {"id": "m-7", "text": "once"}, "user": {"id": "ada"}, "type": "message"}
    again = await world.post(channel, reordered)
    assert (again.status, again.body["duplicate"]) == (200, True)
    assert await world.said(first.body["session"]) == ["once"]


@pytest.mark.parametrize(
    ("first", "second", "field"),
    [
        (message("one"), message("two"), "webhook-id"),
        (message("one"), message("one", user="grace"), "webhook-id"),
        (message("one"), json.dumps(message("one"), indent=1).encode(), "webhook-id"),
        (message("one", id="m-7"), message("two", id="m-7"), "message.id"),
        (message("one", id="m-7"), message("one", user="grace", id="m-7"), "message.id"),
    ],
)
async def test_a_name_stands_for_one_message(world: ChannelsWorld, first: Any, second: Any, field: str) -> None:
    channel = await world.create()
    more = {"id": "msg_1"} if field == "webhook-id" else {}
    taken = await world.post(channel, first, **more)
    refused = await world.post(channel, second, **more)
    assert refused.status == 409
    assert (refused.body["code"], refused.body["reason"]) == ("ALREADY_EXISTS", "REQUEST_ID_REUSED")
    assert refused.body["field"] == field
    assert await world.said(taken.body["session"]) == ["one"]


@pytest.mark.parametrize(
    "headers",
    [
        {"webhook-signature": None},
        {"webhook-id": None},
        {"webhook-timestamp": None},
        {"webhook-signature": ""},
        {"webhook-signature": "v1,AAAA"},
        {"webhook-signature": "v1a,AAAA"},
        {"webhook-signature": "nonsense"},
        {"webhook-id": "msg_other"},
        {"webhook-timestamp": "1700000000"},
    ],
)
async def test_what_is_not_signed_is_refused(world: ChannelsWorld, headers: dict[str, str | None]) -> None:
    channel = await world.create()
    refused = await world.post(channel, message("hello"), headers=headers)
    assert refused.status == 401
    assert (refused.body["code"], refused.body["reason"]) == ("UNAUTHENTICATED", "SIGNATURE_INVALID")


async def test_a_signature_is_of_the_very_bytes(world: ChannelsWorld) -> None:
    channel = await world.create()
    raw = json.dumps(message("hello")).encode()
    signed = await world.post(channel, raw, id="msg_1", headers={})
    assert signed.status == 202
    other = await world.create("other")
    assert (await world.post(channel, raw, secret=other.webhook.secret)).status == 401
    assert (await world.post(channel, raw, path=other.inbound_path)).status == 401


async def test_one_good_signature_among_others_will_do(world: ChannelsWorld) -> None:
    channel = await world.create()
    raw, now = json.dumps(message("hello")).encode(), int(time.time())
    good = signatures.sign(opened(channel.webhook.secret), "msg_1", str(now), raw)
    headers = {"webhook-signature": f"v2,xyz v1,AAAA {good}"}
    assert (await world.post(channel, raw, id="msg_1", timestamp=now, headers=headers)).status == 202


@pytest.mark.parametrize("seconds", [-301, -86_400, 301, 10**9])
async def test_an_old_or_early_signature_is_refused(world: ChannelsWorld, seconds: int) -> None:
    channel = await world.create()
    refused = await world.post(channel, message("hello"), timestamp=int(time.time()) + seconds)
    assert refused.status == 400
    assert (refused.body["reason"], refused.body["field"]) == ("SIGNATURE_INVALID", "webhook-timestamp")


@pytest.mark.parametrize("seconds", [-290, 290])
async def test_clocks_may_differ_by_minutes(world: ChannelsWorld, seconds: int) -> None:
    channel = await world.create()
    assert (await world.post(channel, message("hello"), timestamp=int(time.time()) + seconds)).status == 202


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (b"", "body"),
        (b"{", "body"),
        (b'"text"', "body"),
        (b'{"type":"message","user":{"id":"a"},"message":{"text":"\xff"}}', "body"),
        (b'{"type":"message","user":{"id":"a"},"message":{"text":NaN}}', "body"),
        (b"[" * 100_000, "body"),
        (b'{"type":"message","type":"message"}', "type"),
        ({"type": "event"}, "type"),
        ({"type": "message", "message": {"text": "x"}}, "user"),
        ({"type": "message", "user": {}, "message": {"text": "x"}}, "user.id"),
        ({"type": "message", "user": {"id": 7}, "message": {"text": "x"}}, "user.id"),
        ({"type": "message", "user": {"id": "a"}}, "message"),
        (message("x", user="a" * 256), "user.id"),
        (message("x") | {"more": 1}, "more"),
        (message("x", colour="red"), "message.colour"),
        (message(""), "message.text"),
        (message("x" * 32_769), "message.text"),
        (message("a\x00b"), "message.text"),
        (b'{"type":"message","user":{"id":"a"},"message":{"text":"\\ud800"}}', "message.text"),
        (message("x", attachments=[{"name": "a", "uri": "file:///etc/passwd"}]), "message.attachments[0].uri"),
        (message("x", attachments=[{"name": "a", "uri": "https://b", "size": True}]), "message.attachments[0].size"),
        (message("x", attachments=[{"name": "a", "uri": "https://b", "x": 1}]), "message.attachments[0].x"),
    ],
)
async def test_a_body_that_is_wrong_is_told_where(world: ChannelsWorld, body: Any, field: str) -> None:
    channel = await world.create()
    refused = await world.post(channel, body)
    assert refused.status == 400
    assert (refused.body["code"], refused.body["field"]) == ("INVALID_ARGUMENT", field)


async def test_an_id_with_a_dot_is_refused(world: ChannelsWorld) -> None:
    channel = await world.create()
    refused = await world.post(channel, message("hello"), id="msg.1")
    assert (refused.status, refused.body["field"]) == (400, "webhook-id")


async def test_encoded_bytes_are_refused(world: ChannelsWorld) -> None:
    channel = await world.create()
    refused = await world.post(channel, message("hello"), headers={"Content-Encoding": "deflate"})
    assert refused.status == 400


async def test_unknown_and_disabled_channels_look_alike(world: ChannelsWorld) -> None:
    disabled = await world.create()
    off = pb.UpdateChannelRequest(channel=pb.Channel(name=disabled.name))
    off.update_mask.paths.append("enabled")
    await world.call("UpdateChannel", off)
    web = await world.create("chat", kind=pb.Channel.KIND_WEB, uri="")
    assert web.inbound_path == ""
    paths = [disabled.inbound_path, f"/webhooks/{'A' * 43}", "/webhooks/short", "/webhooks/%00", "/webhooks/%F0%9F"]
    answers = [await world.post(disabled, message("hello"), path=path) for path in paths]
    assert {item.status for item in answers} == {404}
    assert len({item.raw for item in answers}) == 1
    alike = [{name for name in item.headers if name != "Date"} for item in answers]
    assert all(names == alike[0] for names in alike)


async def test_a_body_that_is_too_large_is_refused(world: ChannelsWorld) -> None:
    channel = await world.create()
    most = world.settings.webhook_body_bytes
    assert (await world.post(channel, b"x" * most)).body["field"] == "body"
    refused = await world.post(channel, b"x" * (most + 1))
    assert (refused.status, refused.body["reason"]) == (413, "TOO_LARGE")


async def test_a_body_of_unknown_length_is_counted(world: ChannelsWorld) -> None:
    channel = await world.create()

    async def pieces() -> Any:
        for _ in range(20):
            yield b"x" * 65_536

    address = f"http://127.0.0.1:{world.settings.operations_port}{channel.inbound_path}"
    async with world.http.post(address, data=pieces()) as response:
        assert response.status == 413


async def test_a_channel_that_is_flooded_says_when_to_come_again(
    world: ChannelsWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    channel, other = await world.create(), await world.create("other")
    routes = next(
        route.handler.__self__  # type: ignore[attr-defined]
        for route in world.running.chassis.operations.application.router.routes()
        if route.resource is not None and route.resource.canonical == "/webhooks/{token}"
    )
    monkeypatch.setattr(routes._buckets, "_burst", 2.0)
    monkeypatch.setattr(routes._buckets, "_rate", 0.001)
    for _ in range(5):
        assert (await world.post(channel, message("hello"), secret=other.webhook.secret)).status == 401
    statuses = [(await world.post(channel, message("hello"))).status for _ in range(3)]
    assert statuses == [202, 202, 429]
    limited = await world.post(channel, message("hello"))
    assert (limited.body["reason"], int(limited.headers["Retry-After"]) > 1) == ("LIMIT_REACHED", True)
    assert (await world.post(other, message("hello"))).status == 202


async def test_while_the_session_service_is_away_nothing_is_taken(world: ChannelsWorld) -> None:
    channel = await world.create()
    await world.session.server.stop(0)
    try:
        refused = await world.post(channel, message("hello"), id="msg_1")
        assert (refused.status, refused.body["code"]) == (503, "UNAVAILABLE")
        assert "Retry-After" in refused.headers
    finally:
        await world.session.server.start()
    taken = await world.post(channel, message("hello"), id="msg_1")
    assert taken.status == 202
    assert await world.said(taken.body["session"]) == ["hello"]


async def test_after_a_rotation_both_secrets_verify_for_a_while(world: ChannelsWorld) -> None:
    channel = await world.create()
    request = pb.RotateSecretRequest(name=channel.name, request_id=str(uuid.uuid4()))
    rotated = await world.call("RotateSecret", request)
    assert rotated.webhook.secret.startswith("whsec_")
    assert rotated.webhook.secret != channel.webhook.secret
    assert (await world.call("RotateSecret", request)).webhook.secret == ""
    twice = await world.call("RotateSecret", pb.RotateSecretRequest(name=channel.name))
    for secret in (channel.webhook.secret, rotated.webhook.secret, twice.webhook.secret):
        assert (await world.post(channel, message("hello"), secret=secret)).status == 202
    await world.running.chassis.relay_database.call(
        "UPDATE channels.secrets SET expires_at = expires_at - interval '24 hours' WHERE tenant_id = $1",
        uuid.UUID(world.tenant),
    )
    for secret in (channel.webhook.secret, rotated.webhook.secret):
        assert (await world.post(channel, message("hello"), secret=secret)).status == 401
    assert (await world.post(channel, message("hello"), secret=twice.webhook.secret)).status == 202

"""Peers that dawdle, repeat and pretend: sockets by hand, through the edge."""

import asyncio
import base64
import contextlib
import json
import os
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import aiohttp
import grpc
import pytest

from tests.mesh.mesh_talk import Talk
from tests.mesh.mesh_webhooks import Sender, channel_of
from tests.mesh.mesh_world import HEADERS_SECONDS, REQUEST_SECONDS, Answer, Mesh

pytestmark = pytest.mark.mesh
DRIP_SECONDS = 0.1
# Beyond the limit itself: the edge looks about once a second, and this machine may have other things to do.
GRACE_SECONDS = 10.0


@dataclass
class Peer:
    """A TCP connection to the edge."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def drip(self, seconds: float, piece: bytes = b"a") -> float:
        """Send a piece ten times a second until the edge has had enough; after how long that was."""
        began = time.monotonic()
        answer = asyncio.create_task(self.reader.read(65_536))
        while not answer.done() and time.monotonic() - began < seconds:
            with contextlib.suppress(ConnectionError):
                self.writer.write(piece)
                await self.writer.drain()
            await asyncio.wait([answer], timeout=DRIP_SECONDS)
        answer.cancel()
        with contextlib.suppress(asyncio.CancelledError, ConnectionError):
            self.said = await answer
        return time.monotonic() - began

    said: bytes = b""


@asynccontextmanager
async def connected(mesh: Mesh) -> AsyncIterator[Peer]:
    reader, writer = await asyncio.open_connection("127.0.0.1", mesh.stack.edge)
    try:
        yield Peer(reader, writer)
    finally:
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()


async def cut(mesh: Mesh, head: bytes, limit: float, piece: bytes = b"a") -> bytes:
    """What a peer that drips is told when it is cut, which is not long after the limit; others are served meanwhile."""
    async with connected(mesh) as peer:
        peer.writer.write(head)
        dripping = asyncio.create_task(peer.drip(limit + GRACE_SECONDS, piece))
        assert (await mesh.call("GET", "/healthz")).status == 200
        assert limit - 0.5 < await dripping < limit + GRACE_SECONDS
        return peer.said


async def test_slow_headers(mesh: Mesh) -> None:
    assert b" 408 " in await cut(mesh, b"GET /v1/sessions HTTP/1.1\r\nhost: a\r\nx-slow: ", HEADERS_SECONDS)


async def test_slow_headers_of_a_webhook(mesh: Mesh) -> None:
    head = b"POST /webhooks/" + b"A" * 43 + b" HTTP/1.1\r\nhost: a\r\nx-slow: "
    assert b" 408 " in await cut(mesh, head, HEADERS_SECONDS)


async def test_a_slow_websocket_upgrade(mesh: Mesh, talk: Talk) -> None:
    """The ticket is not used up by it."""
    ticket = await talk.ticket()
    head = f"GET /v1/ws?ticket={ticket} HTTP/1.1\r\nhost: a\r\nupgrade: websocket\r\nconnection: upgrade\r\nx-slow: "
    assert b" 408 " in await cut(mesh, head.encode(), HEADERS_SECONDS)
    async with mesh.http.ws_connect(f"{mesh.url}/v1/ws?ticket={ticket}") as socket:
        await socket.send_json({"type": "resume", "after": 0})
        assert (await socket.receive_json(timeout=10))["type"] == "ready"


async def test_a_slow_body(mesh: Mesh, talk: Talk) -> None:
    """A body that never ends is never a message."""
    before = await talk.ledger()
    head = (
        f"POST /v1/{talk.name}/messages HTTP/1.1\r\nhost: a\r\nauthorization: Bearer {talk.token}\r\n"
        'content-type: application/json\r\ncontent-length: 4000000\r\n\r\n{"text":"'
    )
    assert b" 408 " in await cut(mesh, head.encode(), REQUEST_SECONDS)
    assert await talk.ledger() == before


async def test_a_slow_body_in_chunks(mesh: Mesh, talk: Talk) -> None:
    before = await talk.ledger()
    head = (
        f"POST /v1/{talk.name}/messages HTTP/1.1\r\nhost: a\r\nauthorization: Bearer {talk.token}\r\n"
        "content-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n"
    )
    assert b" 408 " in await cut(mesh, head.encode(), REQUEST_SECONDS, b"1\r\n \r\n")
    assert await talk.ledger() == before


async def test_a_socket_that_says_nothing_is_let_go(mesh: Mesh, talk: Talk) -> None:
    """Upgraded, and then nothing: not even the first frame."""
    url = f"{mesh.url}/v1/ws?ticket={await talk.ticket()}"
    async with mesh.http.ws_connect(url) as socket:
        closed = await socket.receive(timeout=30)
    assert closed.type is aiohttp.WSMsgType.CLOSE
    assert closed.data == 4010


async def test_a_socket_outlives_the_time_of_a_request(mesh: Mesh, talk: Talk) -> None:
    """What cuts a slow request does not cut a conversation."""
    async with talk.socket() as socket:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(REQUEST_SECONDS + 2):
                await socket.frame("never")
        assert "Nice to meet you" in (await socket.say("Ada"))[0]["text"]


@pytest.mark.parametrize("ticket", ["used", "cut", "none", "made up"])
async def test_a_ticket_opens_once(mesh: Mesh, talk: Talk, ticket: str) -> None:
    good = await talk.ticket()
    made = {"cut": good[:-1], "none": "", "made up": base64.urlsafe_b64encode(os.urandom(32)).decode().rstrip("=")}
    if ticket == "used":
        async with mesh.http.ws_connect(f"{mesh.url}/v1/ws?ticket={good}") as first:
            await first.send_json({"type": "resume", "after": 0})
            assert (await first.receive_json(timeout=10))["session"] == talk.name
    url = f"{mesh.url}/v1/ws?ticket={made.get(ticket, good)}"
    async with mesh.http.ws_connect(url) as again:
        await again.send_json({"type": "resume", "after": 0})
        closed = await again.receive(timeout=10)
    assert (closed.type, closed.data) == (aiohttp.WSMsgType.CLOSE, 4001)


async def test_a_ticket_used_twice_at_once(mesh: Mesh, talk: Talk) -> None:
    url = f"{mesh.url}/v1/ws?ticket={await talk.ticket()}"

    async def enter() -> bool:
        async with mesh.http.ws_connect(url) as socket:
            await socket.send_json({"type": "resume", "after": 0})
            frame = await socket.receive(timeout=10)
            return frame.type is aiohttp.WSMsgType.TEXT and json.loads(frame.data)["type"] == "ready"

    assert sorted(await asyncio.gather(*(enter() for _ in range(8)))) == [False] * 7 + [True]


async def test_a_foreign_page_opens_no_socket(mesh: Mesh, talk: Talk) -> None:
    url = f"{mesh.url}/v1/ws?ticket={await talk.ticket()}"
    with pytest.raises(aiohttp.WSServerHandshakeError) as caught:
        await mesh.http.ws_connect(url, headers={"origin": "https://evil.example"})
    assert caught.value.status == 403


# Webhooks


@pytest.fixture
async def sender(mesh: Mesh) -> AsyncIterator[Sender]:
    async with channel_of(mesh) as (made, _):
        yield made


def refused(answer: Answer, status: int, code: str, reason: str) -> None:
    """In the shape of the webhook door, which docs/architecture/channels.md says."""
    assert answer.status == status, answer.raw
    assert (answer.body["code"], answer.body["reason"]) == (code, reason)
    assert answer.body["message"]


async def lines(mesh: Mesh) -> int:
    return await mesh.count("session.message_history WHERE role = 'user'")


async def test_a_replayed_webhook_is_one_message(mesh: Mesh, sender: Sender) -> None:
    first = await sender.post("Ada", identifier="one")
    assert first.status == 202
    before = await lines(mesh)
    copies = await asyncio.gather(*(sender.post("Ada", identifier="one") for _ in range(5)))
    assert [copy.status for copy in copies] == [200] * 5
    assert [copy.body for copy in copies] == [first.body | {"duplicate": True}] * 5
    assert await lines(mesh) == before


@pytest.mark.parametrize("offset", [-301.0 - 10, 301.0 + 10])
async def test_a_stale_webhook(mesh: Mesh, sender: Sender, offset: float) -> None:
    before = await lines(mesh)
    refused(await sender.post("Ada", at=time.time() + offset), 400, "INVALID_ARGUMENT", "SIGNATURE_INVALID")
    assert await lines(mesh) == before


async def test_a_webhook_with_another_body_under_the_same_id(mesh: Mesh, sender: Sender) -> None:
    assert (await sender.post("Ada", identifier="one")).status == 202
    before = await lines(mesh)
    refused(await sender.post("Eve", identifier="one"), 409, "ALREADY_EXISTS", "REQUEST_ID_REUSED")
    assert await lines(mesh) == before


async def test_a_webhook_whose_body_was_changed(mesh: Mesh, sender: Sender) -> None:
    before = await lines(mesh)
    body = json.dumps({"type": "message", "user": {"id": "ada"}, "message": {"text": "Ada"}})
    answer = await sender.send("one", time.time(), body.replace("Ada", "Eve"), signed=body)
    refused(answer, 401, "UNAUTHENTICATED", "SIGNATURE_INVALID")
    assert await lines(mesh) == before


async def test_a_webhook_of_another_channel_s_secret(mesh: Mesh, sender: Sender) -> None:
    other = Sender(mesh, sender.path, "whsec_" + base64.b64encode(os.urandom(32)).decode())
    refused(await other.post("Ada"), 401, "UNAUTHENTICATED", "SIGNATURE_INVALID")
    nowhere = Sender(mesh, "/webhooks/" + "A" * 43, sender.secret)
    refused(await nowhere.post("Ada"), 404, "NOT_FOUND", "RESOURCE_NOT_FOUND")


async def test_a_webhook_that_is_too_large(mesh: Mesh, sender: Sender) -> None:
    answer = await sender.post("x" * (1 << 20))
    answer.refused(413, grpc.StatusCode.INVALID_ARGUMENT, "TOO_LARGE")


@pytest.mark.parametrize("text", [None, 12, "", "\x00"])
async def test_a_signed_webhook_that_says_nothing(mesh: Mesh, sender: Sender, text: Any) -> None:
    before = await lines(mesh)
    refused(await sender.post("", message={"text": text}), 400, "INVALID_ARGUMENT", "INVALID_FIELD")
    assert await lines(mesh) == before

"""A client that keeps to no protocol: floods that carry nothing, parts without a beginning, resumes that never end."""

import asyncio
import json
import struct

import pytest

from tests.integration.realtime.bridge import Bridge, Bytes, bridge_running
from tests.integration.session_ledger.world import LedgerWorld, Person

pytestmark = pytest.mark.integration
CONTINUATION, TEXT, CLOSE, PING, PONG = 0, 1, 8, 9, 10
NESTED = "[" * 1000 + "]" * 1000


async def entered(bridge: Bridge, person: Person) -> Bytes:
    """A peer with bytes of its own that has resumed."""
    peer = await bridge.raw(f"/v1/ws?ticket={await bridge.ticket(person)}")
    peer.frame(TEXT, b'{"type":"resume"}')
    assert b'"ready"' in (await peer.receive())[1]
    return peer


@pytest.mark.parametrize("kind", [PING, PONG])
async def test_a_flood_of_control_frames_closes(world: LedgerWorld, person: Person, kind: int) -> None:
    async with bridge_running(world, frames_per_minute=60) as bridge:
        peer = await entered(bridge, person)
        for _ in range(18):
            peer.frame(kind, b"?")
        assert await peer.close_code() == 4029


async def test_pings_whose_answers_nobody_reads_close(world: LedgerWorld, person: Person) -> None:
    async with bridge_running(world, frames_per_minute=100_000_000, buffer_bytes=65_536) as bridge:
        peer = await entered(bridge, person)

        async def flood() -> None:
            while True:
                for _ in range(200):
                    peer.frame(PING, b"?" * 125)
                await peer.writer.drain()

        peer.writer.transport.set_write_buffer_limits(65_536)  # type: ignore[attr-defined]  # it is a socket's
        peer.reader._transport.pause_reading()  # type: ignore[attr-defined]
        with pytest.raises((ConnectionError, TimeoutError)) as ending:
            await asyncio.wait_for(flood(), 20)
        assert not isinstance(ending.value, TimeoutError)


async def test_a_flood_of_empty_parts_closes(world: LedgerWorld, person: Person) -> None:
    async with bridge_running(world, frames_per_minute=60) as bridge:
        peer = await entered(bridge, person)
        peer.frame(TEXT, b"", fin=False)
        for _ in range(18):
            peer.frame(CONTINUATION, b"", fin=False)
        assert await peer.close_code() == 4029


@pytest.mark.parametrize(
    "frames",
    [[(CONTINUATION, True)], [(CONTINUATION, False)], [(TEXT, False), (TEXT, True)], [(TEXT, False), (2, False)]],
    ids=["end alone", "part alone", "text among parts", "binary among parts"],
)
async def test_parts_in_a_wrong_order_close(bridge: Bridge, person: Person, frames: list[tuple[int, bool]]) -> None:
    peer = await entered(bridge, person)
    for opcode, fin in frames:
        peer.frame(opcode, b'{"type":"typing"}', fin=fin)
    assert await peer.close_code() == 1002


@pytest.mark.parametrize(("payload", "code"), [(b"", 1000), (b"\x03", 1002), (struct.pack("!H", 1000) + b"bye", 1000)])
async def test_a_closing_frame_is_answered_with_a_code_that_may_be_sent(
    bridge: Bridge, person: Person, payload: bytes, code: int
) -> None:
    peer = await entered(bridge, person)
    peer.frame(CLOSE, payload)
    assert await peer.close_code() == code


@pytest.mark.parametrize(
    "frame",
    [
        f'{{"type":"message","id":{NESTED},"text":"x"}}',
        f'{{"type":{NESTED}}}',
        f'{{"type":"message","id":"00000000-0000-4000-8000-000000000009","text":"x","attachments":[{NESTED}]}}',
        f'{{"type":"ping","t":{NESTED}}}',
    ],
    ids=["id", "type", "attachments", "ping"],
)
async def test_deep_frames_are_refused_and_the_socket_lives(bridge: Bridge, person: Person, frame: str) -> None:
    async with await bridge.enter(person) as client:
        await client.resume()
        await client.send_text(frame)
        refused = await client.next("error")
        assert refused["error"]["code"] == "INVALID_ARGUMENT"
        await client.say("still here")
        await client.next("accepted")


@pytest.mark.parametrize("identifier", ["id", "message_id"])
async def test_deep_frames_of_the_other_protocol_are_refused_too(bridge: Bridge, identifier: str) -> None:
    async with bridge.socket("/ws/hello") as client:
        await client.next("connected")
        await client.send_text(f'{{"content":"x","message_type":1,"{identifier}":{NESTED}}}')
        await client.send_text('{"content":"still here","message_type":1}')
        await client.send_text('{"message_type":true}')
        async with asyncio.timeout(20):
            while not any("error" in frame and "message_type" in json.dumps(frame["error"]) for frame in client.frames):
                assert client.code is None, client.reason
                await asyncio.sleep(0)


async def test_a_resume_from_the_future_is_refused_and_a_good_one_follows(bridge: Bridge, person: Person) -> None:
    async with await bridge.enter(person) as client:
        ready = await client.resume(after=2**31 - 1)
        refused = await client.next("error")
        assert refused["error"]["code"] == "OUT_OF_RANGE"
        assert "id" not in refused
        await client.send({"type": "resume", "after": 0})
        await client.next("ready", 2)
        await client.say("heard")
        await client.next("message", ready["seq"] + 1)
        assert client.numbers == list(range(1, ready["seq"] + 2))


async def test_resumes_are_counted_like_messages(world: LedgerWorld, person: Person) -> None:
    """Each reads the ledger again."""
    async with bridge_running(world, messages_per_minute=4) as bridge, await bridge.enter(person) as client:
        for _ in range(11):
            await client.send({"type": "resume", "after": 0})
        assert (await client.next("error"))["error"]["reason"] == "LIMIT_REACHED"
        assert len(client.of("ready")) == 10

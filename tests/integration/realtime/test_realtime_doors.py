"""Who gets in, and how those are let go who misuse a connection: the others notice nothing."""

import asyncio
import contextlib
import json
import time
import uuid
from collections.abc import AsyncIterator

import aiohttp
import pytest

from gateway.realtime.connection import Connection
from services.common import errors
from tests.integration.realtime.bridge import Bridge, Client, answering, bridge_running
from tests.integration.session_ledger.world import LedgerWorld, Person, Worker
from tests.waiting import until

pytestmark = pytest.mark.integration
TEXT, BINARY, CONTINUATION, CLOSE = 1, 2, 0, 8


@contextlib.asynccontextmanager
async def bystander(bridge: Bridge) -> AsyncIterator[Client]:
    """Somebody else, whose conversation must go on undisturbed."""
    someone = bridge.world.person()
    await someone.open()
    async with answering(someone), await bridge.enter(someone) as client:
        await client.resume()
        yield client
        started = time.monotonic()
        count = len(client.of("message"))
        await client.say("still here")
        await client.next("message", count + 2)
        assert time.monotonic() - started < 5
        assert client.code is None


async def test_a_ticket_opens_one_socket(bridge: Bridge, person: Person) -> None:
    ticket = await bridge.ticket(person)
    async with bridge.socket(f"/v1/ws?ticket={ticket}") as first:
        await first.resume()
        async with bridge.socket(f"/v1/ws?ticket={ticket}") as second:
            assert await second.closed() == 4001
            assert second.frames == []
        await first.say("still mine")
        await first.next("accepted")


async def test_a_ticket_used_many_times_at_once_opens_one_socket(bridge: Bridge, person: Person) -> None:
    ticket = await bridge.ticket(person)
    clients = [await bridge.socket(f"/v1/ws?ticket={ticket}").__aenter__() for _ in range(8)]
    for client in clients:
        with contextlib.suppress(ConnectionError, aiohttp.ClientError):
            await client.send({"type": "resume", "after": 0})
    try:
        await until(lambda: sum(client.code == 4001 for client in clients) == 7)
        await until(lambda: sum(bool(client.of("ready")) for client in clients) == 1)
    finally:
        for client in clients:
            await client.__aexit__()


async def test_a_ticket_that_expired_opens_nothing(bridge: Bridge, person: Person) -> None:
    ticket = await bridge.ticket(person)
    await bridge.world.sql(
        "UPDATE session.tickets SET expires_at = clock_timestamp() - interval '1 second' WHERE session_id = $1",
        uuid.UUID(person.session.removeprefix("sessions/")),
    )
    async with bridge.socket(f"/v1/ws?ticket={ticket}") as client:
        assert await client.closed() == 4001


@pytest.mark.parametrize(
    "query",
    ["", "?ticket=", "?ticket=short", "?ticket=" + "x" * 64, f"?ticket={'0' * 32}.{'x' * 43}", "?ticket=%00%ff" * 9],
)
async def test_what_is_no_ticket_opens_nothing(bridge: Bridge, query: str) -> None:
    async with bridge.socket(f"/v1/ws{query}") as client:
        assert await client.closed() == 4001
    assert client.frames == []


async def test_a_ticket_of_another_session_shows_that_session_only(
    bridge: Bridge, person: Person, world: LedgerWorld
) -> None:
    other = world.person(person.tenant)
    await other.open()
    await other.say("secret")
    async with await bridge.enter(person) as client:
        assert (await client.resume())["session"] == person.session
        await client.say("mine")
        await client.next("message")
        assert [frame["text"] for frame in client.of("message")] == ["mine"]


@pytest.mark.parametrize(
    ("origin", "allowed"),
    [
        ("https://chat.example.com", True),
        ("HOST", True),
        ("https://evil.example.com", False),
        ("https://chat.example.com.evil.example", False),
        ("http://chat.example.com", False),
        ("null", False),
    ],
)
async def test_only_our_own_pages_may_connect(bridge: Bridge, person: Person, origin: str, allowed: bool) -> None:
    shown = f"http://127.0.0.1:{bridge.settings.port}" if origin == "HOST" else origin
    client = await bridge.enter(person, origin=shown)
    if allowed:
        async with client:
            await client.resume()
        return
    with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
        await client.__aenter__()
    assert refused.value.status == 403


async def test_every_page_may_connect_where_all_are_allowed(world: LedgerWorld, person: Person) -> None:
    async with (
        bridge_running(world, allowed_origins="*") as open_to_all,
        await open_to_all.enter(person, origin="https://shop.example") as client,
    ):
        await client.resume()


async def test_an_origin_that_is_no_address_is_refused(bridge: Bridge, person: Person) -> None:
    with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
        await (await bridge.enter(person, origin="http://[")).__aenter__()
    assert refused.value.status == 400


async def test_a_path_that_leads_nowhere_is_closed(bridge: Bridge) -> None:
    async with bridge.socket("/v1/elsewhere") as client:
        assert await client.closed() == 1008


async def test_who_says_nothing_after_the_handshake_is_let_go(world: LedgerWorld, person: Person) -> None:
    async with (
        bridge_running(world, first_frame_seconds=0.2) as short,
        await short.enter(person) as client,
    ):
        assert await client.closed() == 4010


async def test_a_first_frame_that_is_no_json_closes(bridge: Bridge, person: Person) -> None:
    async with await bridge.enter(person) as client:
        await client.send_text("nonsense")
        assert await client.closed() == 4001


async def test_a_frame_that_is_too_large_closes_with_its_code(bridge: Bridge, person: Person) -> None:
    async with bystander(bridge), await bridge.enter(person) as client:
        await client.resume()
        await client.send_text("x" * (bridge.settings.frame_bytes + 1))
        assert await client.closed() == 4009


async def test_a_frame_at_the_limit_is_read(bridge: Bridge, person: Person) -> None:
    frame = '{"type":"ping","t":1,"filler":"' + "x" * (bridge.settings.frame_bytes - 33) + '"}'
    assert len(frame) == bridge.settings.frame_bytes
    async with await bridge.enter(person) as client:
        await client.resume()
        await client.send_text(frame)
        await client.next("pong")


async def test_parts_of_a_frame_are_put_together_and_counted_together(bridge: Bridge, person: Person) -> None:
    peer = await bridge.raw(f"/v1/ws?ticket={await bridge.ticket(person)}")
    peer.frame(TEXT, b'{"type":', fin=False)
    peer.frame(9, b"between")
    peer.frame(CONTINUATION, b'"resume"}')
    assert await peer.receive() == (10, b"between")
    assert b'"ready"' in (await peer.receive())[1]
    half = b"x" * (bridge.settings.frame_bytes // 2 + 1)
    peer.frame(TEXT, half, fin=False)
    peer.frame(CONTINUATION, half, fin=False)
    assert await peer.close_code() == 4009
    await peer.close()


async def test_a_frame_that_claims_to_be_huge_is_refused_by_its_head(bridge: Bridge, person: Person) -> None:
    async with bystander(bridge):
        peer = await bridge.raw(f"/v1/ws?ticket={await bridge.ticket(person)}")
        peer.frame(TEXT, b"", claimed=2**40)
        assert await peer.close_code() == 1009
        await peer.close()


@pytest.mark.parametrize("payload", [b"\xff\xfe", b'{"type":"ping","t":"\xc3"}', b"\xed\xa0\x80"])
async def test_text_that_is_not_utf8_closes_with_its_code(bridge: Bridge, person: Person, payload: bytes) -> None:
    async with bystander(bridge):
        peer = await bridge.raw(f"/v1/ws?ticket={await bridge.ticket(person)}")
        peer.frame(TEXT, b'{"type":"resume"}')
        peer.frame(TEXT, payload)
        assert await peer.close_code() == 1007
        await peer.close()


async def test_garbage_instead_of_frames_closes(bridge: Bridge, person: Person) -> None:
    async with bystander(bridge):
        peer = await bridge.raw(f"/v1/ws?ticket={await bridge.ticket(person)}")
        peer.writer.write(b"\xff" * 400)
        assert await peer.close_code() == 1002
        await peer.close()


@pytest.mark.parametrize(
    "query", ["//[", "/v1/ws?ticket=%", "/ws/%ff%fe", "/" + "x" * 4000, "/ws?user_id=%C3%A9&session_id=x"]
)
async def test_a_strange_request_line_harms_nobody(bridge: Bridge, query: str) -> None:
    async with bystander(bridge):
        peer = await bridge.half_open()
        with contextlib.suppress(AssertionError, asyncio.IncompleteReadError, ConnectionError):
            await peer.upgrade(query)
            assert await peer.close_code() in {1008, 4001}
        await peer.close()


async def test_half_a_handshake_is_not_waited_for(bridge: Bridge) -> None:
    async with bystander(bridge):
        peers = [await bridge.half_open() for _ in range(20)]
        for peer in peers[:10]:
            peer.writer.write(b"GET /v1/ws HTTP/1.1\r\nHost: x\r\nUpgrade: webso")
        started = time.monotonic()
        await asyncio.gather(*(peer.gone() for peer in peers))
        assert 2 < time.monotonic() - started < 12
        for peer in peers:
            await peer.close()


async def test_many_frames_at_once_close_with_their_code(world: LedgerWorld, person: Person) -> None:
    async with (
        bridge_running(world, frames_per_minute=60) as strict,
        bystander(strict),
        await strict.enter(person) as client,
    ):
        await client.resume()
        with contextlib.suppress(ConnectionError, aiohttp.ClientError):
            for _ in range(40):
                await client.send({"type": "ping"})
        assert await client.closed() == 4029


async def test_more_messages_than_allowed_are_refused_and_may_be_sent_again(world: LedgerWorld, person: Person) -> None:
    async with bridge_running(world, messages_per_minute=40) as strict, await strict.enter(person) as client:
        assert (await client.resume())["limits"]["messages_per_minute"] == 40
        identifiers = [await client.say(f"m{number}") for number in range(12)]
        refused = await client.next("error")
        assert (refused["error"]["code"], refused["id"]) == ("RESOURCE_EXHAUSTED", identifiers[10])
        accepted = client.of("accepted")
        assert [frame["id"] for frame in accepted] == identifiers[:10]

        async def taken() -> bool:
            await client.say("m10", identifiers[10])
            await asyncio.sleep(0.5)
            return identifiers[10] in {frame["id"] for frame in client.of("accepted")}

        await until(taken)
    assert client.code is None


async def test_a_peer_that_never_reads_is_let_go_and_resumes(
    world: LedgerWorld, person: Person, worker: Worker
) -> None:
    async with bridge_running(world, buffer_bytes=65_536) as tight, bystander(tight):
        peer = await tight.raw(f"/v1/ws?ticket={await tight.ticket(person)}")
        peer.frame(TEXT, b'{"type":"resume"}')
        peer.writer.transport.pause_reading()  # type: ignore[attr-defined]  # asyncio's own type for a stream lacks it
        metrics = tight.chassis.metrics if tight.chassis else None
        assert metrics is not None

        def sockets() -> float:
            return float(metrics.ws_connections._value.get())

        await until(lambda: sockets() >= 2)
        for number in range(40):
            await person.say(f"m{number}")
            turn = await worker.claim_one(person)
            await worker.commit(turn, "x" * 250_000)
            if sockets() < 2:
                break
        await until(lambda: sockets() == 1)  # the bystander's
        peer.writer.transport.resume_reading()  # type: ignore[attr-defined]  # as above
        await peer.close()
        async with await tight.enter(person) as again:
            await again.resume()
            last = (await person.stands()).last_seq
            await until(lambda: again.numbers[-1:] == [last])
        assert again.numbers == list(range(1, last + 1))


async def test_a_slow_peer_is_told_why_when_it_reads_at_last(
    world: LedgerWorld, person: Person, worker: Worker
) -> None:
    async with bridge_running(world, buffer_bytes=65_536) as tight:
        peer = await tight.raw(f"/v1/ws?ticket={await tight.ticket(person)}")
        peer.frame(TEXT, b'{"type":"resume"}')
        assert b'"ready"' in (await peer.receive())[1]
        peer.writer.transport.pause_reading()  # type: ignore[attr-defined]  # asyncio's own type for a stream lacks it
        for number in range(3):
            await person.say(f"talk {number}")
            turn = await worker.claim_one(person)
            await worker.commit(turn, *["x" * 250_000] * 14)
        peer.writer.transport.resume_reading()  # type: ignore[attr-defined]  # as above
        assert await peer.close_code() == 4008
        await peer.close()


async def test_a_peer_that_reads_slowly_gets_a_long_ledger_without_a_break(
    bridge: Bridge, person: Person, worker: Worker
) -> None:
    for number in range(3):
        await person.say(f"talk {number}")
        turn = await worker.claim_one(person)
        await worker.commit(turn, *["x" * 250_000] * 14)
    peer = await bridge.raw(f"/v1/ws?ticket={await bridge.ticket(person)}")
    peer.frame(TEXT, b'{"type":"resume"}')
    seen: list[int] = []
    async with asyncio.timeout(60):
        while seen[-1:] != [45]:
            opcode, payload = await peer.receive()
            assert opcode == TEXT, f"closed after {seen}: {payload!r}"
            frame = json.loads(payload)
            seen += [frame["seq"]] if frame["type"] == "message" else []
            await asyncio.sleep(0.02)  # 12 MB a second at most, less than the bridge can read
    assert seen == list(range(1, 46))
    await peer.close()


async def test_sockets_that_go_while_they_are_let_in_leave_nothing_behind(bridge: Bridge, person: Person) -> None:
    assert bridge.chassis is not None
    bus = bridge.chassis.bus
    async with bystander(bridge):
        before = (len(bus._client._subs), len(bus._reconnected))
        for hundredth in range(60):
            peer = await bridge.raw(f"/v1/ws?ticket={await bridge.ticket(person)}")
            peer.frame(TEXT, b'{"type":"resume"}')
            await asyncio.sleep(hundredth / 6000)  # somewhere between asking and being let in
            await peer.close()
        await until(lambda: (len(bus._client._subs), len(bus._reconnected)) == before)


async def test_a_silent_peer_is_dropped_after_its_pings(world: LedgerWorld, person: Person) -> None:
    async with bridge_running(world, ping_seconds=0.3, pong_seconds=0.2) as quick, bystander(quick):
        peer = await quick.raw(f"/v1/ws?ticket={await quick.ticket(person)}")  # the bystander answers pings and stays
        peer.frame(TEXT, b'{"type":"resume"}')
        assert b"\x89" in await peer.gone(10)
        await peer.close()


async def test_more_connections_than_allowed_are_refused(world: LedgerWorld, person: Person) -> None:
    async with bridge_running(world, maximum_connections=1) as small:
        async with await small.enter(person) as only:
            await only.resume()
            with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
                await (await small.enter(person)).__aenter__()
            assert refused.value.status == 503
        await until(lambda: small.chassis is not None and small.chassis.metrics.ws_connections._value.get() == 0)
        async with await small.enter(person) as next_one:
            await next_one.resume()


async def test_a_closed_session_service_lets_sockets_come_back(world: LedgerWorld, person: Person) -> None:
    """The ticket cannot be looked at: that is no reason to say that it is bad."""
    async with (
        bridge_running(world, session_address="127.0.0.1:9", rpc_timeout=1.0) as cut_off,
        cut_off.socket(f"/v1/ws?ticket={await cut_off.ticket(person)}") as client,
    ):
        assert await client.closed() == 4000


@pytest.mark.parametrize("kind", [errors.Unavailable, errors.DeadlineExceeded, errors.Aborted])
async def test_a_resume_that_cannot_be_done_now_lets_the_socket_come_back(
    bridge: Bridge, person: Person, monkeypatch: pytest.MonkeyPatch, kind: type[errors.ParleyError]
) -> None:
    """The session service died after it had looked at the ticket: who waited for "ready" waited for ever."""

    async def away(*_: object) -> None:
        raise kind("away")

    with monkeypatch.context() as patched:
        patched.setattr(Connection, "_session", away)
        async with await bridge.enter(person) as client:
            await client.send({"type": "resume", "after": 0})
            assert await client.closed() == 4000
    async with await bridge.enter(person) as client:
        await client.resume()


async def test_sockets_are_counted(bridge: Bridge, person: Person) -> None:
    async def counted(expected: float) -> bool:
        async with bridge.http.get(f"{bridge.operations}/metrics") as answer:
            text = await answer.text()
        (line,) = (line for line in text.splitlines() if line.startswith("ws_connections"))
        return float(line.split()[-1]) == expected

    await until(lambda: counted(0))
    async with await bridge.enter(person) as client:
        await client.resume()
        await until(lambda: counted(1))
    await until(lambda: counted(0))

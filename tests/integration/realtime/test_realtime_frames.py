"""Our own frames over a real WebSocket: posting, resuming, previews, refusals."""

import asyncio
import json
import uuid

import pytest
from parley.session.v1 import session_pb2 as pb

from services.common.bus import subjects
from tests.integration.realtime.bridge import Bridge, Process, answering, bridge_settings
from tests.integration.session_ledger.world import LedgerWorld, Person, Worker
from tests.waiting import until

pytestmark = pytest.mark.integration


async def test_a_conversation(bridge: Bridge, person: Person) -> None:
    async with answering(person), await bridge.enter(person) as client:
        ready = await client.resume()
        assert (ready["session"], ready["bot"], ready["seq"]) == (person.session, "bots/hello", 0)
        assert ready["limits"] == {"frame_bytes": 131_072, "messages_per_minute": 240}
        identifier = await client.say("hi 🙂")
        accepted = await client.next("accepted")
        assert (accepted["id"], accepted["seq"]) == (identifier, 1)
        await client.next("message", 2)
        mine, answer = client.of("message")
        assert (mine["seq"], mine["id"], mine["role"], mine["text"]) == (1, identifier, "user", "hi 🙂")
        assert (answer["seq"], answer["role"], answer["text"]) == (2, "bot", "echo hi 🙂")
        await until(lambda: any(frame["turn"] == 2 for frame in client.of("completed")))
        done = client.of("completed")[-1]
        assert (done["seq"], done["waiting"]) == (1, "message")


async def test_ready_says_what_the_bot_is_called(bridge: Bridge, person: Person) -> None:
    async with await bridge.enter(person) as client:
        assert (await client.resume())["display_name"] == "Front desk"


async def test_a_message_sent_again_is_one_message(bridge: Bridge, person: Person) -> None:
    async with await bridge.enter(person) as client:
        await client.resume()
        identifier = str(uuid.uuid4())
        for _ in range(5):
            await client.say("once", identifier)
        await client.next("accepted", 5)
        assert {(frame["id"], frame["seq"]) for frame in client.of("accepted")} == {(identifier, 1)}
        await client.say("another", identifier)
        refused = await client.next("error")
        assert (refused["id"], refused["error"]["reason"]) == (identifier, "REQUEST_ID_REUSED")
    assert [line.text for line in await person.ledger()] == ["once"]


@pytest.mark.parametrize("after", [0, 1, 7, 12])
async def test_resuming_brings_exactly_what_is_missing(
    bridge: Bridge, person: Person, worker: Worker, after: int
) -> None:
    for number in range(6):
        await person.say(f"m{number}")
        await worker.serve(person)
    async with await bridge.enter(person) as client:
        assert (await client.resume(after))["seq"] == 12
        await person.say("live")
        await until(lambda: client.numbers[-1:] == [13])
    assert client.numbers == list(range(after + 1, 14))


async def test_resuming_again_on_the_same_socket_begins_anew(bridge: Bridge, person: Person, worker: Worker) -> None:
    await person.say("hi")
    await worker.serve(person)
    async with await bridge.enter(person) as client:
        await client.resume(2)
        await client.resume(0)
        await until(lambda: client.numbers == [1, 2])
        await person.say("live")
        await until(lambda: client.numbers == [1, 2, 3])


async def test_a_long_ledger_of_long_messages_is_resumed_without_a_break(
    bridge: Bridge, person: Person, worker: Worker
) -> None:
    for number in range(5):
        await person.say(f"m{number}")
        turn = await worker.claim_one(person)
        await worker.commit(turn, *["x" * 250_000] * 8)
    async with await bridge.enter(person) as client:
        await client.resume()
        await until(lambda: len(client.numbers) >= 45 or client.code is not None)
        assert client.code is None
    assert client.numbers == list(range(1, 46))


async def test_sockets_that_come_while_people_write_miss_and_repeat_nothing(bridge: Bridge, person: Person) -> None:
    async def write() -> None:
        for number in range(30):
            await person.say(f"m{number}")

    async with answering(person):
        writing = asyncio.create_task(write())
        clients = []
        for after in (0, 0, 5, 9):
            await until(lambda after=after: person_has(person, after))  # type: ignore[misc]  # bound by its default
            clients.append(await (await bridge.enter(person)).__aenter__())
            await clients[-1].resume(after)
        await writing
        for client, after in zip(clients, (0, 0, 5, 9), strict=True):
            await until(lambda client=client: client.numbers[-1:] == [60])  # type: ignore[misc]  # as above
            assert client.numbers == list(range(after + 1, 61))
            await client.__aexit__()


async def person_has(person: Person, count: int) -> bool:
    return (await person.stands()).last_seq >= count


async def test_nats_killed_under_a_socket_loses_nothing(world: LedgerWorld, bridge: Bridge, person: Person) -> None:
    assert bridge.chassis is not None
    bus = bridge.chassis.bus
    async with answering(person), await bridge.enter(person) as client:
        await client.resume()
        for number in range(3):
            await client.say(f"a{number}")
        world.nats.kill()
        for number in range(3):
            await client.say(f"b{number}")
        await client.next("accepted", 6)
        await world.nats_is_back()
        await until(lambda: bus.connected)
        await client.say("c")
        await until(lambda: len(client.numbers) == 14)
    assert client.numbers == list(range(1, 15))


async def test_a_bridge_that_is_killed_and_comes_back_loses_and_repeats_nothing(
    world: LedgerWorld, bridge: Bridge, person: Person
) -> None:
    settings = bridge_settings(world)
    process = Process(settings)
    other = Bridge(world, settings, bridge.http)
    await process.start()
    seen: list[int] = []
    try:
        async with answering(person):
            for life in range(3):
                async with await other.enter(person) as client:
                    await client.resume(max(seen, default=0))
                    identifiers = [await client.say(f"{life}.{number}") for number in range(3)]
                    if life < 2:
                        await client.next("accepted")
                        await process.kill()
                        assert await client.closed() == 1006
                        await process.start()
                    else:
                        await client.next("accepted", 3)
                        last = (await person.stands()).last_seq
                        await until(lambda client=client, last=last: client.numbers[-1:] >= [last])  # type: ignore[misc]
                seen += client.numbers
                async with await other.enter(person) as again:  # what was not acknowledged is sent again
                    await again.resume(max(seen, default=0))
                    for number, identifier in enumerate(identifiers):
                        await again.say(f"{life}.{number}", identifier)
                    await again.next("accepted", 3)
                    await until(lambda again=again: settled(again))  # type: ignore[misc]  # as above
                seen += again.numbers
    finally:
        await process.close()
    lines = await person.ledger()
    assert [line.text for line in lines if line.role == pb.Message.ROLE_USER] == [
        f"{life}.{number}" for life in range(3) for number in range(3)
    ]
    assert seen == list(range(1, len(lines) + 1))


async def settled(client: object) -> bool:
    """Everything said so far is answered and shown."""
    frames = client.of("completed")  # type: ignore[attr-defined]
    numbers = client.numbers  # type: ignore[attr-defined]
    person_lines = [frame["seq"] for frame in client.of("message") if frame["role"] == "user"]  # type: ignore[attr-defined]
    accepted = [frame["seq"] for frame in client.of("accepted")]  # type: ignore[attr-defined]
    last = max([*person_lines, *accepted])
    return bool(frames) and frames[-1]["seq"] >= last and (not numbers or numbers[-1] > last or not person_lines)


async def test_a_bridge_that_goes_away_asks_to_reconnect(world: LedgerWorld, bridge: Bridge, person: Person) -> None:
    settings = bridge_settings(world)
    process = Process(settings)
    await process.start()
    try:
        async with await Bridge(world, settings, bridge.http).enter(person) as client:
            await client.resume()
            await process.terminate()
            assert await client.closed() == 4000
    finally:
        await process.close()


async def test_a_ping_is_answered_and_a_protocol_ping_too(bridge: Bridge, person: Person) -> None:
    async with await bridge.enter(person) as client:
        await client.resume()
        await client.send({"type": "ping", "t": 17})
        assert await client.next("pong") == {"type": "pong", "t": 17}
    peer = await bridge.raw(f"/v1/ws?ticket={await bridge.ticket(person)}")
    peer.frame(9, b"abc")
    assert await peer.receive() == (10, b"abc")
    await peer.close()


async def test_typing_is_shown_to_who_listens_and_not_to_oneself(bridge: Bridge, person: Person) -> None:
    async with person.listen() as heard, await bridge.enter(person) as client:
        await until(lambda: len(heard.events) > 0)
        await client.resume()
        await client.send({"type": "typing"})
        await until(lambda: any(event.HasField("typing") for event in heard.events))
        assert client.of("typing") == []
        typing = pb.LiveEvents(
            session=person.session, events=[pb.SessionEvent(typing=pb.Typing(role=pb.Message.ROLE_BOT))]
        )
        session = person.session.removeprefix("sessions/")
        person.world.chassis.bus.publish(subjects.message_delta(person.tenant, session), typing.SerializeToString())
        await client.next("typing")


async def test_pieces_of_a_reply_are_passed_on_before_it(bridge: Bridge, person: Person, worker: Worker) -> None:
    session = person.session.removeprefix("sessions/")
    async with await bridge.enter(person) as client:
        await client.resume()
        await client.say("hi")
        await client.next("message")
        turn = await worker.claim_one(person)
        for offset, piece in ((0, "echo "), (5, "hi")):
            delta = pb.Delta(turn=turn.turn, ordinal=0, offset=offset, text=piece)
            live = pb.LiveEvents(session=person.session, events=[pb.SessionEvent(delta=delta)])
            person.world.chassis.bus.publish(subjects.message_delta(person.tenant, session), live.SerializeToString())
        await client.next("delta", 2)
        await worker.commit(turn, "echo hi")
        await client.next("message", 2)
    assert "".join(frame["text"] for frame in client.of("delta")) == client.of("message")[1]["text"]


async def test_cancelling_reaches_whoever_makes_the_reply(bridge: Bridge, person: Person) -> None:
    cancelled: list[bytes] = []

    async def note(message: object) -> None:
        cancelled.append(message.data)  # type: ignore[attr-defined]  # nats has no stubs

    session = uuid.UUID(person.session.removeprefix("sessions/"))
    bus = person.world.chassis.bus
    subscription = await bus.subscribe(subjects.turn_cancelled(person.tenant, str(session)), note)
    await bus.flush()
    async with await bridge.enter(person) as client:
        await client.resume()
        await client.send({"type": "cancel"})
        await until(lambda: cancelled == [session.bytes])
    await subscription.unsubscribe()


@pytest.mark.parametrize(
    ("payload", "field"),
    [
        ("nonsense", "frame"),
        ("[1]", "frame"),
        ('{"type":"unheard of"}', "type"),
        ('{"type":["x"]}', "type"),
        ('{"type":"message","id":"x","text":"y"}', "id"),
        ('{"type":"message","id":"00000000-0000-4000-8000-000000000001","text":"\\ud800"}', "frame"),
        ('{"type":"message","id":"00000000-0000-4000-8000-000000000001","text":7}', "text"),
        ('{"type":"message","id":"00000000-0000-4000-8000-000000000001"}', "text"),
        ('{"type":"resume","after":-1}', "after"),
        ('{"type":"resume","after":99999999999}', "after"),
        ('{"type":"ping","t":[1]}', "t"),
        ("[" * 100_000, "frame"),
    ],
)
async def test_a_wrong_frame_is_refused_and_the_socket_lives(
    bridge: Bridge, person: Person, payload: str, field: str
) -> None:
    async with await bridge.enter(person) as client:
        await client.resume()
        await client.send_text(payload)
        refused = await client.next("error")
        assert refused["error"]["code"] == "INVALID_ARGUMENT"
        assert refused["error"]["message"].startswith(field)
        await client.say("still here")
        await client.next("accepted")


async def test_a_session_that_ended_says_so_and_takes_no_more(bridge: Bridge, person: Person, worker: Worker) -> None:
    async with await bridge.enter(person) as client:
        await client.resume()
        await client.say("bye")
        await client.next("message")
        await worker.commit(await worker.claim_one(person), "bye", end_session=True)
        await client.next("ended")
        await client.say("hello?")
        assert (await client.next("error"))["error"]["reason"] == "SESSION_CLOSED"
    assert client.numbers == [1, 2]


async def test_a_binary_frame_is_read_like_a_text_frame(bridge: Bridge, person: Person) -> None:
    async with await bridge.enter(person) as client:
        await client.resume()
        await client.send_bytes(json.dumps({"type": "ping", "t": 1}).encode())
        await client.next("pong")


async def test_an_attachment_and_an_action_are_kept(bridge: Bridge, person: Person) -> None:
    async with await bridge.enter(person) as client:
        await client.resume()
        files = [{"name": "a.pdf", "uri": "files/1", "content_type": "application/pdf", "size": 7}]
        frame = {"type": "message", "id": str(uuid.uuid4()), "text": "", "action": "yes", "attachments": files}
        await client.send(frame)
        shown = await client.next("message")
        assert shown["attachments"] == files
    (line,) = await person.ledger()
    assert (line.action, line.attachments[0].size) == ("yes", 7)

"""The protocol of General Bots, as its clients speak it and as its book describes it."""

import json
import uuid
from typing import Any

import pytest
from parley.session.v1 import session_pb2 as pb

from services.common.bus import subjects
from services.common.security.principal import Principal
from tests.integration.realtime.bridge import Bridge, Client, answering
from tests.integration.session_ledger.world import LedgerWorld, Person, Worker
from tests.waiting import until

pytestmark = [pytest.mark.integration, pytest.mark.filterwarnings("ignore:EdDSA is deprecated")]


async def visitor(bridge: Bridge) -> dict[str, str]:
    async with bridge.http.get(f"{bridge.operations}/api/auth?bot_name=hello") as answer:
        assert answer.status == 200
        assert answer.headers["cache-control"] == "no-store"
        found: dict[str, str] = await answer.json()
    return found


def person_of(world: LedgerWorld, ids: dict[str, str]) -> Person:
    """The visitor as the session service knows them."""
    visitor_id, tenant, _ = ids["user_id"].split("~")
    who = Principal(tenant, f"visitors/{visitor_id}", frozenset({"visitor"}))
    return Person(world, who, f"sessions/{ids['session_id']}")


def address(ids: dict[str, str]) -> str:
    return f"/ws?session_id={ids['session_id']}&user_id={ids['user_id']}&bot_name=hello"


def contents(client: Client, *, complete: bool = True) -> list[str]:
    return [
        frame["content"]
        for frame in client.frames
        if frame.get("is_complete") is complete and frame["content"] and "thinking" not in frame
    ]


async def test_a_visitor_gets_ids_of_ours(bridge: Bridge) -> None:
    first, second = await visitor(bridge), await visitor(bridge)
    assert set(first) == {"user_id", "session_id", "bot_id", "bot_name", "status"}
    assert (first["status"], first["bot_name"]) == ("anonymous", "hello")
    assert first["session_id"] != second["session_id"]
    async with bridge.http.get(
        f"{bridge.operations}/api/auth?bot_name=hello&session_id={first['session_id']}&user_id={first['user_id']}"
    ) as answer:
        assert (await answer.json())["session_id"] not in {first["session_id"], second["session_id"]}


async def test_a_bot_that_does_not_exist_has_no_visitors(bridge: Bridge) -> None:
    for bot in ("nobody", "no/body", "%C3%A9" * 30, ""):
        async with bridge.http.get(f"{bridge.operations}/api/auth?bot_name={bot}") as answer:
            assert answer.status == 404 if bot else answer.status in {200, 404}


async def test_the_numeric_form(bridge: Bridge, world: LedgerWorld) -> None:
    ids = await visitor(bridge)
    person = person_of(world, ids)
    async with answering(person), bridge.socket(address(ids)) as client:
        hello = await client.next("connected")
        assert {key: hello[key] for key in ("session_id", "user_id", "bot_id", "tools")} == {
            "session_id": ids["session_id"], "user_id": ids["user_id"], "bot_id": "hello", "tools": [],
        }  # fmt: skip
        frame = {**ids, "channel": "web", "content": "hi", "message_type": 1, "timestamp": "2026-01-01T00:00:00Z"}
        await client.send(frame)
        await until(lambda: "echo hi" in contents(client))
        (answer,) = (frame for frame in client.frames if frame.get("content") == "echo hi")
        assert (answer["message_type"], answer["is_complete"], answer["session_id"]) == (2, True, ids["session_id"])
        await client.send({"content": "__TOOL__:weather", "message_type": 1})
        await until(lambda: "echo weather" in contents(client))
        await client.send({"content": "picked", "message_type": 4})
        await until(lambda: "echo picked" in contents(client))
    assert [line.text for line in await person.ledger() if line.role == pb.Message.ROLE_USER] == [
        "hi",
        "weather",
        "picked",
    ]


async def test_the_documented_form(bridge: Bridge, world: LedgerWorld) -> None:
    ids = await visitor(bridge)
    async with answering(person_of(world, ids)), bridge.socket(address(ids)) as client:
        await client.next("connected")
        await client.send({"type": "message", "content": "hi"})
        assert (await client.next("message"))["content"] == "echo hi"
        await until(lambda: any(frame.get("status") == "idle" for frame in client.of("status")))
        await client.send({"type": "status", "timestamp": 7})
        await until(lambda: any(frame.get("timestamp") == 7 for frame in client.of("status")))
        await client.send({"type": "suggestion", "text": "picked"})
        assert (await client.next("message", 2))["content"] == "echo picked"
        await client.send({"type": "nonsense"})
        assert "type" in (await client.next("error"))["message"]


async def test_a_ping_as_the_first_frame_decides_the_form_too(bridge: Bridge) -> None:
    async with bridge.socket("/ws/hello") as client:
        await client.next("connected")
        await client.send({"type": "ping", "timestamp": 3})
        assert (await client.next("status"))["timestamp"] == 3


async def test_what_the_bot_says_first_is_shown_before_the_client_says_anything(
    bridge: Bridge, world: LedgerWorld
) -> None:
    ids = await visitor(bridge)
    worker, person = Worker(world), person_of(world, ids)
    await worker.commit(await worker.claim_one(person), "welcome")
    async with bridge.socket(address(ids)) as client:
        await until(lambda: contents(client) == ["welcome"])
        await person.say("from elsewhere")
        await worker.commit(await worker.claim_one(person), "live")
        await until(lambda: contents(client) == ["welcome", "live"])


async def test_who_comes_back_does_not_hear_everything_again(bridge: Bridge, world: LedgerWorld) -> None:
    ids = await visitor(bridge)
    async with answering(person_of(world, ids)):
        for text in ("one", "two"):
            async with bridge.socket(address(ids)) as client:
                await client.send({"content": text, "message_type": 1})
                await until(lambda client=client, text=text: f"echo {text}" in contents(client))  # type: ignore[misc]
                assert contents(client) == [f"echo {text}"]


async def test_a_streamed_reply_comes_in_pieces_and_an_empty_end(bridge: Bridge, world: LedgerWorld) -> None:
    ids = await visitor(bridge)
    worker, person = Worker(world), person_of(world, ids)
    await worker.serve(person)
    async with bridge.socket(address(ids)) as client:
        await client.next("connected")
        await client.send({"content": "hi", "message_type": 1})
        await until(lambda: has_input(person))
        turn = await worker.claim_one(person)
        for offset, piece in ((0, "Hel"), (3, "lo")):
            delta = pb.Delta(turn=turn.turn, ordinal=0, offset=offset, text=piece)
            live = pb.LiveEvents(session=person.session, events=[pb.SessionEvent(delta=delta)])
            subject = subjects.message_delta(person.tenant, ids["session_id"])
            world.chassis.bus.publish(subject, live.SerializeToString())
        await until(lambda: "".join(contents(client, complete=False)) == "Hello")
        await worker.commit(turn, "Hello there")
        await until(lambda: any(frame.get("is_complete") for frame in client.frames))
    assert "".join(contents(client, complete=False)) == "Hello there"
    assert contents(client) == []


async def has_input(person: Person) -> bool:
    return (await person.stands()).last_seq > 0


async def test_a_path_with_a_bot_opens_a_session_at_once(bridge: Bridge) -> None:
    async with bridge.socket("/ws/hello") as client:
        hello = await client.next("connected")
        assert (hello["bot_id"], bool(hello["user_id"]), bool(uuid.UUID(hello["session_id"]))) == ("hello", True, True)


@pytest.mark.parametrize("bot", ["nobody", "no%20body", "é" * 60, "x" * 200])
async def test_a_path_with_no_bot_is_closed(bridge: Bridge, bot: str) -> None:
    async with bridge.socket(f"/ws/{bot}") as client:
        assert await client.closed() == 4001


async def test_ids_that_a_client_makes_up_open_nothing(bridge: Bridge, world: LedgerWorld) -> None:
    mine, theirs = await visitor(bridge), await visitor(bridge)
    forged = mine["user_id"][:-1] + ("0" if mine["user_id"][-1] != "0" else "1")
    attempts: list[dict[str, Any]] = [
        {**mine, "session_id": theirs["session_id"]},
        {**mine, "user_id": forged},
        {**mine, "user_id": "é"},
        {**mine, "user_id": str(uuid.uuid4())},
        {**mine, "session_id": "nonsense"},
        {**mine, "session_id": str(uuid.uuid4())},
    ]
    for ids in attempts:
        async with bridge.socket(address(ids)) as client:
            assert await client.closed() == 4001, ids
        assert client.frames == []


async def test_a_frame_without_words_is_refused_in_the_clients_own_form(bridge: Bridge) -> None:
    async with bridge.socket("/ws/hello") as client:
        await client.next("connected")
        await client.send_text(json.dumps({"content": "", "message_type": 1}))
        await until(lambda: any("error" in frame for frame in client.frames))
        (refused,) = (frame for frame in client.frames if "error" in frame)
        assert (refused["message_type"], refused["error"]["code"]) == (2, "INVALID_ARGUMENT")

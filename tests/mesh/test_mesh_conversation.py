"""One conversation over every way in, and what it looks like from each."""

import asyncio
import json
import uuid

import pytest
from google.protobuf import json_format
from parley.session.v1 import session_pb2, session_service_pb2

from tests.mesh.mesh_talk import Talk, texts
from tests.mesh.mesh_world import Mesh
from tests.waiting import until

pytestmark = pytest.mark.mesh
MENU = ["Tea", "Coffee", "Cake"]


async def by_grpc(talk: Talk) -> list[str]:
    request = session_service_pb2.ListMessagesRequest(parent=talk.name, page_size=500)
    found = await talk.stub.ListMessages(request, metadata=talk.metadata, timeout=10)
    return [message.text for message in found.messages]


async def by_grpc_web(talk: Talk) -> list[str]:
    request = session_service_pb2.ListMessagesRequest(parent=talk.name, page_size=500)
    (raw,), _ = await talk.grpc_web("ListMessages", request, as_text=True)
    return [message.text for message in session_service_pb2.ListMessagesResponse.FromString(raw).messages]


async def by_events(talk: Talk, count: int) -> list[str]:
    """GET events:stream, from the beginning to the message of that number."""
    said: list[str] = []
    headers = {"authorization": f"Bearer {talk.token}"}
    async with talk.mesh.http.get(f"{talk.mesh.url}/v1/{talk.name}/events:stream", headers=headers) as answer:
        async with asyncio.timeout(10):
            while len(said) < count:
                event = json.loads((await answer.content.readuntil(b"\n\n")).removeprefix(b"data: "))
                if "message" in event:
                    assert event["message"]["seq"] == len(said) + 1
                    said.append(event["message"]["text"])
    return said


async def by_socket(talk: Talk, count: int) -> list[str]:
    async with talk.socket() as socket:
        while len(socket.messages) < count:
            await socket.frame("message")
        assert [message["seq"] for message in socket.messages] == list(range(1, count + 1))
        return [message["text"] for message in socket.messages]


async def test_one_session_over_every_way_in(talk: Talk) -> None:
    """The dialogue of `hello`, each line said another way; then the ledger is the same whoever reads it."""
    greeting = [message["text"] for message in await talk.ledger()]
    assert greeting[0].startswith("Hello! I am **Parley**.")
    assert greeting[1] == "What is your name?"
    assert "Nice to meet you, Ada." in (await talk.say("Ada"))[0]["text"]
    async with talk.socket() as listener:
        ordering = texts(await talk.say_sse("A small order"))
        assert "On the menu today:" in ordering
        assert ordering[-1] == "What would you like?"
        (count,) = await listener.say("Tea")
        assert count["text"] == "How many?"
        assert texts(await talk.say_grpc("2")) == ["And an e-mail address for the receipt?"]
        total, end = texts(await talk.say_grpc_web("ada@example.com", as_text=False))
        assert total == "2 x Tea comes to **$5.00**. The receipt would go to ada@example.com."
        last = (await talk.session())["last_seq"]
        while listener.messages[-1]["seq"] < last:
            await listener.frame("message")
    ledger = await talk.ledger()
    assert [message["seq"] for message in ledger] == list(range(1, last + 1))
    said = [message["text"] for message in ledger]
    people = [message["text"] for message in ledger if message["role"] == "ROLE_USER"]
    assert people == ["Ada", "A small order", "Tea", "2", "ada@example.com"]
    assert said[-1] == end
    assert [message["text"] for message in listener.messages] == said
    seen = await asyncio.gather(by_grpc(talk), by_grpc_web(talk), by_events(talk, last), by_socket(talk, last))
    assert seen == [said] * 4


async def test_suggestions_and_validation(talk: Talk) -> None:
    (asked,) = await talk.say("Ada")
    assert [item["text"] for item in asked["suggestions"]] == ["A small order", "Guess a number", "Just questions"]
    (again,) = await talk.say("none of these")
    assert again["text"].startswith("Sorry"), "what was not offered is asked for again"
    offered = (await talk.say("A small order"))[-1]
    assert [item["text"] for item in offered["suggestions"]] == MENU
    await talk.say("Cake")
    (refused,) = await talk.say("some")
    assert "number" in refused["text"]
    one, _ = await talk.say("99")
    assert one["text"] == "I will make it one."
    (refused,) = await talk.say("not an address")
    assert "e-mail address" in refused["text"]
    total, end = await talk.say("ada@example.com")
    assert "1 x Cake comes to **$4.25**" in total["text"]
    assert "How do I return something?" in [item["text"] for item in end["suggestions"]]


async def test_a_free_question_is_answered_from_the_documents(talk: Talk) -> None:
    for text in ("Ada", "Just questions"):
        await talk.say(text)
    (answer,) = await talk.say("How long may I return an article?")
    assert "within 30 days of delivery" in answer["text"]
    (citation,) = answer["citations"]
    assert citation["title"] == "The Corner Shop"
    assert "within 30 days" in citation["quote"]
    assert citation["uri"].startswith("bots/hello/collections/default/documents/")
    events = await talk.say_grpc("When is the shop open on Saturday?")
    (streamed,) = [event.message for event in events if event.message.role == session_pb2.Message.ROLE_BOT]
    assert "10:00 to 14:00" in streamed.text
    assert streamed.citations[0].title == "The Corner Shop"
    said = "".join(event.delta.text for event in events if event.HasField("delta"))
    assert streamed.text.startswith(said), "the preview is the beginning of what became of it"


async def test_events_count_themselves_and_end(talk: Talk) -> None:
    events = await talk.say_grpc("Ada")
    assert [event.seq for event in events] == list(range(1, len(events) + 1))
    assert events[-1].WhichOneof("event") == "completed"
    rest = await talk.say_sse("Just questions")
    assert "completed" in rest[-1]
    assert rest[-1]["completed"]["waiting"]["kind"] == "KIND_NONE"
    parsed = [json_format.ParseDict(event, session_pb2.SessionEvent()) for event in rest]
    assert [event.ledger_seq for event in parsed] == sorted(event.ledger_seq for event in parsed)


async def test_the_same_id_over_all_ways_is_one_message(talk: Talk) -> None:
    identifier = str(uuid.uuid4())
    body = {"text": "Ada", "request_id": identifier}
    first = (await talk.post(body)).body
    assert (await talk.post(body)).body == first
    request = session_service_pb2.PostMessageRequest(session=talk.name, text="Ada", request_id=identifier)
    assert (await talk.stub.PostMessage(request, metadata=talk.metadata, timeout=10)).name == first["name"]
    async with talk.socket() as socket:
        await socket.raw.send_json({"type": "message", "id": identifier, "text": "Ada"})
        assert (await socket.frame("accepted", id=identifier))["seq"] == first["seq"]
    await talk.consumed(first["seq"])
    assert [message["text"] for message in await talk.ledger()].count("Ada") == 1


async def test_a_socket_resumes_where_it_broke(talk: Talk) -> None:
    async with talk.socket() as socket:
        await socket.say("Ada")
        seen = socket.messages[-1]["seq"]
    await talk.say("Just questions")
    last = (await talk.session())["last_seq"]
    async with talk.socket(after=seen) as again:
        while not again.messages or again.messages[-1]["seq"] < last:
            await again.frame("message")
    assert [message["seq"] for message in again.messages] == list(range(seen + 1, last + 1))


async def test_ending_it_is_told_to_who_listens(mesh: Mesh, talk: Talk) -> None:
    async with talk.socket() as socket:
        await mesh.ok("POST", f"/v1/{talk.name}:end", {}, talk.token)
        await socket.frame("ended")
    refused = await talk.post({"text": "too late"})
    assert refused.info["reason"] == "SESSION_CLOSED"
    assert (await talk.session())["state"] == "STATE_ENDED"


async def test_the_visitor_s_page_speaks_with_hello(mesh: Mesh) -> None:
    """The General Bots protocol, through the edge."""
    who = await mesh.ok("GET", "/api/auth?bot_name=hello")
    assert who["status"] == "anonymous"
    query = f"session_id={who['session_id']}&user_id={who['user_id']}"
    async with mesh.http.ws_connect(f"{mesh.url}/ws/hello?{query}") as socket:
        heard: list[str] = []

        async def greeted() -> bool:
            heard.append((await socket.receive(timeout=10)).data)
            return any("What is your name?" in frame for frame in heard)

        await until(greeted)

"""kill -9 of one component at a time in the middle of a conversation: the next message is answered, all of it once."""

import asyncio
import json
import uuid
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import pytest

from tests.doubles.webhook_receiver import WebhookReceiver
from tests.mesh.mesh_talk import Talk
from tests.mesh.mesh_webhooks import channel_of
from tests.mesh.mesh_world import Answer, Mesh
from tests.waiting import until

pytestmark = pytest.mark.mesh
RECOVERY_SECONDS = 40.0
PREY = ["session", "engine", "realtime", "envoy", "postgres", "nats", "valkey", "s3"]
TRANSIENT = (aiohttp.ClientError, OSError, TimeoutError, json.JSONDecodeError)
AGAIN = {429, 503, 504}


async def insist(talk: Talk, text: str, identifier: str) -> Answer:
    """Post, again and again under the same id, as a client does, until it is acknowledged."""
    async with asyncio.timeout(RECOVERY_SECONDS):
        while True:
            try:
                answer = await talk.post({"text": text, "request_id": identifier})
            except TRANSIENT:
                await asyncio.sleep(0.05)
                continue
            assert answer.status == 200 or answer.status in AGAIN, answer.raw
            if answer.status == 200:
                return answer
            await asyncio.sleep(0.05)


async def answered(talk: Talk, seq: int) -> None:
    """The bot has dealt with that message."""

    async def done() -> bool:
        try:
            answer = await talk.mesh.call("GET", f"/v1/{talk.name}", token=talk.token)
        except TRANSIENT:
            return False
        return answer.status == 200 and bool(answer.body["consumed_seq"] >= seq)

    await until(done, RECOVERY_SECONDS)


@dataclass
class Listener:
    """A page that is connected all the time: it comes back with the last number it saw."""

    talk: Talk
    seen: list[Any] = field(default_factory=list)

    async def listen(self) -> None:
        """Until cancelled."""
        while True:
            try:
                async with self.talk.socket(after=self.seen[-1]["seq"] if self.seen else 0) as socket:
                    socket.messages = self.seen
                    await socket.frame("never")
            except (*TRANSIENT, TypeError, AssertionError):
                await asyncio.sleep(0.05)


async def order(talk: Talk, text: str) -> int:
    """Say something; its number once it is acknowledged, and the same again under the same id."""
    identifier = str(uuid.uuid4())
    first = await insist(talk, text, identifier)
    again = await insist(talk, text, identifier)
    assert again.body["seq"] == first.body["seq"], "twice is once"
    return int(first.body["seq"])


@pytest.mark.parametrize("prey", PREY)
async def test_a_conversation_goes_on(mesh: Mesh, prey: str) -> None:
    """Killed while a message is on its way: all said is answered once, and who listens misses nothing."""
    talk = await Talk.begin(mesh)
    listener = Listener(talk)
    listening = asyncio.create_task(listener.listen())
    try:
        await talk.say("Ada")
        on_its_way = asyncio.create_task(order(talk, "A small order"))
        restarts = mesh.kill(prey)
        await answered(talk, await on_its_way)
        for text in ("Cake", "2", "ada@example.com"):
            await answered(talk, await order(talk, text))
        await mesh.back(prey, restarts)
        await answered(talk, await order(talk, "How long may I return an article?"))
        ledger = await settled(talk)
        await until(lambda: len(listener.seen) >= len(ledger), RECOVERY_SECONDS)
    finally:
        listening.cancel()
    judge(ledger, listener.seen)


async def settled(talk: Talk) -> list[Any]:
    """The ledger, read when everything is up again."""
    found: list[list[Any]] = []

    async def read() -> bool:
        try:
            found.append(await talk.ledger())
        except (AssertionError, *TRANSIENT):
            return False
        return True

    await until(read, RECOVERY_SECONDS)
    return found[-1]


def judge(ledger: list[Any], seen: list[Any]) -> None:
    """All said once, in order, all answered; and the listener saw exactly that."""
    assert [message["seq"] for message in ledger] == list(range(1, len(ledger) + 1))
    people = [message["text"] for message in ledger if message["role"] == "ROLE_USER"]
    question = "How long may I return an article?"
    assert people == ["Ada", "A small order", "Cake", "2", "ada@example.com", question]
    bot = [message["text"] for message in ledger if message["role"] == "ROLE_BOT"]
    once = ["Nice to meet you, Ada. What shall I show you?", "How many?", "And an e-mail address for the receipt?"]
    once.append("2 x Cake comes to **$8.50**. The receipt would go to ada@example.com.")
    assert [bot.count(text) for text in once] == [1] * len(once)
    assert "within 30 days of delivery" in bot[-1]
    turns = [(message["turn"], message["ordinal"]) for message in ledger if message["role"] == "ROLE_BOT"]
    assert turns == sorted(set(turns)), "no turn was said twice"
    assert [(item["seq"], item["text"]) for item in seen] == [(item["seq"], item["text"]) for item in ledger]


async def test_replies_of_a_channel_survive_channels_and_nats(mesh: Mesh) -> None:
    """Both are killed under a message: it is taken when they are back, and all replies come, each once, in order."""
    async with channel_of(mesh) as (sender, receiver):
        assert (await sender.post("Ada")).status == 202
        await until(lambda: len(heard(receiver)) == 3)
        await until(lambda: nothing_leased(mesh))
        killed = [(prey, mesh.kill(prey)) for prey in ("channels", "nats")]

        async def taken() -> bool:
            answer = await sender.post("Just questions", identifier="second")
            assert answer.status in {200, 202, 503}, answer.raw
            return answer.status != 503

        await until(taken, RECOVERY_SECONDS)
        for prey, restarts in killed:
            await mesh.back(prey, restarts)
        await until(lambda: len(heard(receiver)) == 5, RECOVERY_SECONDS)
    said = heard(receiver)
    assert said[1:4] == ["What is your name?", "Nice to meet you, Ada. What shall I show you?", "Very well."]


async def nothing_leased(mesh: Mesh) -> bool:
    """Nobody sends: a sender that dies keeps its lease for longer than a test may take."""
    return await mesh.count("channels.queues WHERE lease IS NOT NULL") == 0


def heard(receiver: WebhookReceiver) -> list[str]:
    """What came, each reply once: a repetition has the id of the first."""
    replies = {item.id: item.texts for item in receiver.accepted}
    return [text for texts in replies.values() for text in texts]


async def test_an_upload_survives_the_store(mesh: Mesh) -> None:
    """s3 is killed between the bytes and their declaration."""
    token = await mesh.visitor()
    begun = await mesh.ok("POST", "/v1/files:createUpload", {"file_name": "a.txt", "size": "5"}, token)
    assert (await mesh.call("PUT", begun["upload_url"], data=b"12345")).status == 200
    restarts = mesh.kill("s3")

    async def completed() -> bool:
        answer = await mesh.call("POST", f"/v1/{begun['file']['name']}:completeUpload", {}, token)
        assert answer.status == 200 or answer.status in AGAIN, answer.raw
        return answer.status == 200

    await until(completed, RECOVERY_SECONDS)
    await mesh.back("s3", restarts)
    made = await mesh.ok("POST", f"/v1/{begun['file']['name']}:createDownload", {}, token)
    assert (await mesh.call("GET", made["download_url"])).raw == b"12345"

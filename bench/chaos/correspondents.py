"""People behind a signed webhook: they post to the edge and are posted to; a receiver tells them what comes."""

import asyncio
import datetime
import json
import random
import time
import uuid
from typing import Any

import aiohttp
import grpc.aio
from aiohttp import web
from parley.channels.v1 import channel_service_pb2 as pb
from parley.channels.v1 import channel_service_pb2_grpc as channel_grpc
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from bench.chaos.bot import NAME
from bench.chaos.users import CALL_SECONDS, REPEATED, RETRY_SECONDS, TRANSIENT, Person
from bench.speed.workbench import owner_metadata
from cli.stack.stack import Stack

REFUSED = frozenset({400, 401, 404, 409, 413})


class Post:
    """The channel, and the server that its replies are posted to."""

    def __init__(self) -> None:
        self.people: dict[str, Correspondent] = {}
        self.inbound_path = ""
        self._webhook: Webhook | None = None
        self._runner: web.AppRunner | None = None

    async def open(self, stack: Stack) -> None:
        """Listen, and make the channel."""
        application = web.Application()
        application.router.add_post("/hook", self._receive)
        self._runner = web.AppRunner(application, access_log=None)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        uri = f"http://127.0.0.1:{self._runner.addresses[0][1]}/hook"
        channel = pb.Channel(kind=pb.Channel.KIND_WEBHOOK, bot=f"bots/{NAME}", webhook=pb.Webhook(uri=uri))
        async with grpc.aio.insecure_channel(f"127.0.0.1:{stack.ports['channels']}") as wire:
            made = await channel_grpc.ChannelServiceStub(wire).CreateChannel(
                pb.CreateChannelRequest(channel=channel, channel_id=f"chaos-{uuid.uuid4().hex[:12]}"),
                timeout=20,
                metadata=await owner_metadata(stack),
                wait_for_ready=True,
            )
        self.inbound_path, self._webhook = made.inbound_path, Webhook(made.webhook.secret)

    async def close(self) -> None:
        """Stop listening."""
        if self._runner is not None:
            await self._runner.cleanup()

    def signed(self, identifier: str, body: str) -> dict[str, str]:
        """Headers of a message of ours."""
        if self._webhook is None:
            message = "the channel is not open"
            raise RuntimeError(message)
        now = datetime.datetime.now(datetime.UTC)
        return {
            "content-type": "application/json",
            "webhook-id": identifier,
            "webhook-timestamp": str(int(now.timestamp())),
            "webhook-signature": self._webhook.sign(identifier, now, body),
        }

    async def _receive(self, request: web.Request) -> web.Response:
        body = await request.text()
        try:
            if self._webhook is not None:
                self._webhook.verify(body, dict(request.headers))
        except WebhookVerificationError:
            return web.Response(status=401)
        data = json.loads(body)["data"]
        person = self.people.get(data["user"]["id"])
        if person is not None:
            person.receive(request.headers["webhook-id"], data["messages"])
        return web.Response(status=204)


class Correspondent(Person):
    """Somebody whose messages come and go by webhook."""

    def __init__(self, client: aiohttp.ClientSession, url: str, post: Post, seed: int) -> None:
        super().__init__(client, url, "webhook", seed)
        self._post = post
        self._received: set[str] = set()
        self._user = f"person-{seed}"
        post.people[self._user] = self

    async def open(self) -> None:
        """The first message opens the session."""
        await self._say("m0")

    def receive(self, identifier: str, messages: list[dict[str, Any]]) -> None:
        """A delivery. The same one again is recognised by its id, as receivers must."""
        if identifier in self._received:
            return
        self._received.add(identifier)
        for message in messages:
            if message["role"] == "bot":
                self.seen.replies.append((len(self.seen.replies) + 1, message["text"]))
                self.seen.answered_at.append(time.monotonic())

    async def _say(self, text: str) -> None:
        self.seen.say(text)
        identifier = f"msg_{uuid.UUID(int=self._random.getrandbits(128), version=4).hex}"
        answer = await self._send(identifier, text)
        if self._random.random() < REPEATED:
            await self._send(identifier, text)
        self.seen.session = answer["session"]
        self.seen.acknowledged[answer["seq"]] = text

    async def _send(self, identifier: str, text: str) -> dict[str, Any]:
        """Until it is taken."""
        body = json.dumps({"type": "message", "user": {"id": self._user}, "message": {"text": text}})
        timeout = aiohttp.ClientTimeout(total=CALL_SECONDS)
        while True:
            headers = self._post.signed(identifier, body)
            try:
                address = self._url + self._post.inbound_path
                async with self._client.post(address, data=body, headers=headers, timeout=timeout) as answer:
                    if answer.status in REFUSED:
                        message = f"webhook: {answer.status} {(await answer.text())[:200]}"
                        raise AssertionError(message)
                    if answer.status < 300:
                        content: dict[str, Any] = await answer.json()
                        return content
            except TRANSIENT:
                pass
            await asyncio.sleep(RETRY_SECONDS * random.uniform(0.5, 1.5))

    async def _listen(self) -> None:
        """The receiver does."""

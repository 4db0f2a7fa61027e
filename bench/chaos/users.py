"""Virtual people on REST, SSE and WebSocket. They repeat what was not
acknowledged, and now and then what was, with the same id, as networks and proxies do."""

import asyncio
import json
import random
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import aiohttp

from bench.chaos.bot import NAME, expected

TRANSIENT = (aiohttp.ClientError, OSError, TimeoutError, asyncio.TimeoutError, json.JSONDecodeError, KeyError)
RETRY_SECONDS = 0.25
CALL_SECONDS = 10.0
REPEATED = 0.05


@dataclass
class Seen:
    """What one person did and saw. acknowledged: texts in order of their numbers; replies: (seq, text) as they came.

    sent_at, answered_at: when, time.monotonic(); the nth answer is that to the nth message.
    """

    kind: str
    session: str = ""
    sent: list[str] = field(default_factory=list)
    acknowledged: dict[int, str] = field(default_factory=dict)
    replies: list[tuple[int, str]] = field(default_factory=list)
    repeats: int = 0
    disorders: int = 0
    sent_at: list[float] = field(default_factory=list)
    answered_at: list[float] = field(default_factory=list)

    def say(self, text: str) -> None:
        """A message is on its way."""
        self.sent.append(text)
        self.sent_at.append(time.monotonic())

    def notice(self, seq: int, role: str, text: str, position: int) -> int:
        """A message on a connection that stands at `position`; the new position."""
        if seq <= position:
            self.repeats += 1
            return position
        if seq != position + 1:
            self.disorders += 1
        if role == "bot":
            self.replies.append((seq, text))
            self.answered_at.append(time.monotonic())
        return seq


class Person:
    """Talks until told to stop, then waits for the last answer."""

    def __init__(self, client: aiohttp.ClientSession, url: str, kind: str, seed: int) -> None:
        self._client = client
        self._url = url
        self._random = random.Random(seed)
        self._token = ""
        self._renew_at = 0.0
        self._refresh = ""
        self.seen = Seen(kind)

    async def _call(
        self, method: str, path: str, body: dict[str, Any] | None = None, *, auth: bool = True
    ) -> dict[str, Any]:
        """One REST call, repeated until it succeeds: every one of them can be repeated."""
        while True:
            try:
                headers = {"authorization": f"Bearer {await self._bearer()}"} if auth else {}
                timeout = aiohttp.ClientTimeout(total=CALL_SECONDS)
                async with self._client.request(
                    method, self._url + path, json=body, headers=headers, timeout=timeout
                ) as answer:
                    content: dict[str, Any] = await answer.json(content_type=None)
                    if answer.status < 400:
                        return content
                    if answer.status not in {401, 408, 429, 500, 502, 503, 504}:
                        message = f"{method} {path}: {answer.status} {content.get('message')}"
                        raise AssertionError(message)
                    if answer.status == 401:
                        self._renew_at = 0.0
            except TRANSIENT:
                pass
            await asyncio.sleep(RETRY_SECONDS * self._random.uniform(0.5, 1.5))

    async def _bearer(self) -> str:
        if time.monotonic() > self._renew_at:
            path, body = "/v1/visitors:signIn", {"bot": NAME}
            if self._refresh:
                path, body = "/v1/tokens:refresh", {"refresh_token": self._refresh}
            tokens = await self._call("POST", path, body, auth=False)
            self._token, self._refresh = tokens["access_token"], tokens["refresh_token"]
            self._renew_at = time.monotonic() + 600
        return self._token

    async def open(self) -> None:
        """Open a session."""
        path = f"/v1/sessions?request_id={uuid.UUID(int=self._random.getrandbits(128), version=4)}"
        session = await self._call("POST", path, {"bot": f"bots/{NAME}"})
        self.seen.session = session["name"]

    async def talk(self, until: Callable[[], bool], finish: float) -> None:
        """Messages with pauses, some in bursts, until told to stop; then `finish` seconds for the last answers."""
        listening = asyncio.create_task(self._listen())
        number = 0
        while not until():
            burst = self._random.choice((1, 1, 1, 2, 3))
            for _ in range(burst):
                number += 1
                await self._say(f"m{number}")
            await asyncio.sleep(self._random.uniform(0.3, 1.5))
        deadline = time.monotonic() + finish
        while len(self.seen.replies) < len(self.seen.sent) and time.monotonic() < deadline:
            await asyncio.sleep(0.05)
        listening.cancel()
        await asyncio.gather(listening, return_exceptions=True)

    async def _say(self, text: str) -> None:
        self.seen.say(text)
        body = {"text": text, "request_id": str(uuid.UUID(int=self._random.getrandbits(128), version=4))}
        path = f"/v1/{self.seen.session}/messages"
        answer = await self._call("POST", path, body)
        if self._random.random() < REPEATED:
            await self._call("POST", path, body)
        self.seen.acknowledged[answer["seq"]] = text

    async def _listen(self) -> None:
        listeners: dict[str, Callable[[int], Awaitable[int]]] = {
            "rest": self._poll,
            "sse": self._stream,
            "websocket": self._socket,
        }
        position = 0
        while True:
            try:
                position = await listeners[self.seen.kind](position)
            except TRANSIENT:
                await asyncio.sleep(RETRY_SECONDS)
            position = max([position, *(seq for seq, _ in self.seen.replies[-1:])])

    async def _poll(self, position: int) -> int:
        found = await self._call("GET", f"/v1/{self.seen.session}/messages?after_seq={position}")
        for message in found.get("messages", ()):
            role = "bot" if message["role"] == "ROLE_BOT" else "user"
            position = self.seen.notice(message["seq"], role, message.get("text", ""), position)
        await asyncio.sleep(0.2)
        return position

    async def _stream(self, position: int) -> int:
        path = f"{self._url}/v1/{self.seen.session}/events:stream?after_seq={position}"
        headers = {"authorization": f"Bearer {await self._bearer()}"}
        timeout = aiohttp.ClientTimeout(total=None, sock_read=12)
        async with self._client.get(path, headers=headers, timeout=timeout) as answer:
            if answer.status != 200:
                raise OSError
            async for event in events(answer):
                message = event.get("message")
                if message:
                    role = "bot" if message["role"] == "ROLE_BOT" else "user"
                    position = self.seen.notice(message["seq"], role, message.get("text", ""), position)
        return position

    async def _socket(self, position: int) -> int:
        ticket = (await self._call("POST", f"/v1/{self.seen.session}:createTicket", {}))["ticket"]
        timeout = aiohttp.ClientWSTimeout(ws_receive=12, ws_close=2)
        async with self._client.ws_connect(f"{self._url}/v1/ws?ticket={ticket}", timeout=timeout) as socket:
            await socket.send_json({"type": "resume", "after": position})
            async for item in socket:
                frame = json.loads(item.data) if item.type is aiohttp.WSMsgType.TEXT else {}
                if frame.get("type") == "message":
                    position = self.seen.notice(frame["seq"], frame["role"], frame["text"], position)
        return position


async def events(answer: aiohttp.ClientResponse) -> AsyncIterator[dict[str, Any]]:
    """Server-sent events as objects."""
    async for line in answer.content:
        if line.startswith(b"data:"):
            yield json.loads(line[5:])


def right_replies(seen: Seen) -> list[str]:
    """What the bot must have said, in order."""
    inputs = [text for _, text in sorted(seen.acknowledged.items())]
    return [expected(index, text) for index, text in enumerate(inputs, start=1)]

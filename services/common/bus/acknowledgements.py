"""Acknowledgements of a stream, pipelined: one shared inbox, any number of publications under way.

nats-py has its own, but its first two concurrent calls each make an inbox, and the acknowledgements that come to one
of them are lost.
"""

import asyncio
import json

from nats.aio.client import Client
from nats.aio.msg import Msg

from services.common.errors import ResourceExhausted, Unavailable

OUTSTANDING = 8192
STATUS = "Status"
NO_RESPONDERS = "503"


class StreamMissing(Unavailable):
    """No stream takes the subject, or the stream refused the message."""


class Acknowledgements:
    """expect() before publishing with the reply subject it gives; the future ends with the stream's word."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._waiting: dict[str, asyncio.Future[None]] = {}
        self._inbox = client.new_inbox()
        self._count = 0

    async def open(self) -> None:
        """Listen for acknowledgements."""
        await self._client.subscribe(f"{self._inbox}.*", cb=self._on_answer)

    def expect(self) -> tuple[str, asyncio.Future[None]]:
        """A reply subject and the future of its answer. ResourceExhausted when too many are under way."""
        if len(self._waiting) >= OUTSTANDING:
            raise ResourceExhausted("too many publications are under way; try again", retry_after=0.1)
        self._count += 1
        subject = f"{self._inbox}.{self._count}"
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting[subject] = future
        future.add_done_callback(lambda done: self._forget(subject, done))
        return subject, future

    def _forget(self, subject: str, done: asyncio.Future[None]) -> None:
        self._waiting.pop(subject, None)
        if not done.cancelled():
            done.exception()  # whoever waits is told as well; nobody has to

    async def _on_answer(self, message: Msg) -> None:
        future = self._waiting.get(message.subject)
        if future is None or future.done():
            return
        refusal = refused(message)
        if refusal is None:
            future.set_result(None)
        else:
            future.set_exception(refusal)

    def abandon(self) -> None:
        """The connection is gone: what was under way will not be answered."""
        for future in list(self._waiting.values()):
            if not future.done():
                future.set_exception(Unavailable("NATS went away; try again"))


def refused(message: Msg) -> StreamMissing | None:
    """What is wrong with an answer, None for an acknowledgement."""
    if message.headers and message.headers.get(STATUS) == NO_RESPONDERS:
        return StreamMissing("no stream takes this subject; it will be declared again")
    try:
        answer = json.loads(message.data)
    except ValueError:
        return StreamMissing("the stream answered with something unreadable")
    if isinstance(answer, dict) and "error" not in answer:
        return None
    return StreamMissing("the stream refused the message")

"""A durable pull consumer at work: fetch, handle in order, acknowledge; nak with back-off; dead letter at its end."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import nats.errors
from nats.aio.msg import Msg
from nats.errors import Error as NatsError
from nats.js import JetStreamContext
from nats.js.client import JetStreamContext as Context

from services.common.bus import subjects
from services.common.bus.streams import Consumer
from services.common.errors import ParleyError
from services.common.telemetry.logs import logger

log = logger(__name__)
Handler = Callable[[Msg], Awaitable[None]]
DeadLetter = Callable[[str, bytes, str], Awaitable[None]]
FETCH_MESSAGES = 32
FETCH_SECONDS = 5.0
POISON_DELIVERIES = 3


class Puller:
    """One round of consuming, until the connection breaks."""

    def __init__(self, consumer: Consumer, handler: Handler, dead_letter: DeadLetter) -> None:
        self._consumer = consumer
        self._handler = handler
        self._dead_letter = dead_letter

    async def run(self, jetstream: JetStreamContext, interruption: asyncio.Future[None]) -> None:
        """Pull until `interruption` is done. Errors of nats: the caller begins again."""
        await jetstream.add_consumer(self._consumer.stream, self._consumer.config())
        pull = await jetstream.pull_subscribe_bind(self._consumer.name, self._consumer.stream)
        try:
            while not interruption.done():
                await self._handle_all(await fetch(pull, interruption))
        finally:
            with contextlib.suppress(NatsError, OSError):
                await pull.unsubscribe()

    async def _handle_all(self, messages: Sequence[Msg]) -> None:
        """In order; those that wait for their turn keep their lease meanwhile."""
        waiting = list(messages)
        keeping = asyncio.create_task(keep_alive(waiting, self._consumer.ack_wait / 3))
        try:
            while waiting:
                await self._handle(waiting[0])
                waiting.pop(0)
        finally:
            keeping.cancel()

    async def _handle(self, message: Msg) -> None:
        if delivered(message) > len(self._consumer.backoff) + POISON_DELIVERIES:
            await self._bury(message)  # it never came to an answer: it may be what kills the process
            return
        try:
            await self._handler(message)
        except Exception as error:  # noqa: BLE001 - a bad message must not stop the others
            await self._refuse(message, error)
            return
        await message.ack()

    async def _refuse(self, message: Msg, error: Exception) -> None:
        count, backoff = delivered(message), self._consumer.backoff
        log.warning("message refused", consumer=self._consumer.name, delivered=count, error=type(error).__name__)
        if count <= len(backoff):
            await message.nak(delay=backoff[count - 1])
            return
        await self._bury(message)

    async def _bury(self, message: Msg) -> None:
        name = self._consumer.name
        identifier = (message.headers or {}).get("Nats-Msg-Id") or f"{name}-{message.metadata.sequence.stream}"
        try:
            await self._dead_letter(subjects.dead_letter(name), message.data, f"dead-{identifier}")
        except ParleyError:
            await message.nak(delay=self._consumer.backoff[-1])  # kept where it is until there is a grave
            return
        log.error("message given up", consumer=name, message=identifier)
        await message.term()


def delivered(message: Msg) -> int:
    """How often the message was handed out, this time included."""
    return message.metadata.num_delivered or 1


async def keep_alive(waiting: Sequence[Msg], seconds: float) -> None:
    """Tell the server that these are still worked on."""
    while True:
        await asyncio.sleep(seconds)
        for message in list(waiting):
            with contextlib.suppress(NatsError, OSError):
                await message.in_progress()


async def fetch(pull: Context.PullSubscription, interruption: asyncio.Future[None]) -> Sequence[Msg]:
    """The next messages, none after a quiet while or an interruption."""
    fetching: asyncio.Task[list[Msg]] = asyncio.ensure_future(pull.fetch(FETCH_MESSAGES, timeout=FETCH_SECONDS))
    watched: set[asyncio.Future[Any]] = {fetching, interruption}
    try:
        done, _ = await asyncio.wait(watched, return_when=asyncio.FIRST_COMPLETED)
        return fetching.result() if fetching in done else []
    except (TimeoutError, nats.errors.TimeoutError):
        return []
    finally:
        fetching.cancel()

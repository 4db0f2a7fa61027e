"""The NATS connection of a process: reconnects for ever, drops doorbells while away, never blocks a caller."""

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import urlsplit

import nats
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.aio.subscription import Subscription
from nats.errors import Error as NatsError
from nats.js import JetStreamContext
from nats.js.api import PubAck
from nats.js.errors import APIError, NoStreamResponseError, NotFoundError

from services.common import context
from services.common.bus import streams, subjects
from services.common.errors import Unavailable
from services.common.telemetry.logs import logger
from services.common.telemetry.metrics import Metrics

log = logger(__name__)
Handler = Callable[[Msg], Awaitable[None]]
RECONNECT_SECONDS = 0.15
FETCH_SECONDS = 5.0
ACK_SECONDS = 5.0
PENDING_MESSAGES = 65_536


class Bus:
    """Publish, subscribe, consume."""

    def __init__(self, url: str, service: str, metrics: Metrics) -> None:
        self._url = url
        self._service = service
        self._metrics = metrics
        self._client = Client()
        self._jetstream: JetStreamContext | None = None
        self._reconnected: list[Callable[[], Awaitable[None]]] = []
        self._background: set[asyncio.Task[None]] = set()

    @property
    def connected(self) -> bool:
        """Whether the connection stands now."""
        return bool(self._client.is_connected)

    async def open(self) -> None:
        """Connect. Unavailable while the server is away; call again."""
        parts = urlsplit(self._url)
        client = Client()
        try:
            await client.connect(
                servers=[f"nats://{parts.hostname}:{parts.port}"],
                user=parts.username,
                password=parts.password,
                name=self._service,
                connect_timeout=1,
                allow_reconnect=False,
            )
            await client.close()
            self._client = await nats.connect(
                servers=[f"nats://{parts.hostname}:{parts.port}"],
                user=parts.username,
                password=parts.password,
                name=self._service,
                connect_timeout=1,
                reconnect_time_wait=RECONNECT_SECONDS,
                max_reconnect_attempts=-1,
                ping_interval=5,
                max_outstanding_pings=2,
                pending_size=0,
                error_cb=self._on_error,
                reconnected_cb=self._on_reconnected,
            )
            self._jetstream = self._client.jetstream(timeout=ACK_SECONDS)
            await self._reconcile()
        except (NatsError, APIError, OSError, TimeoutError) as error:
            with contextlib.suppress(NatsError, OSError):
                await client.close()
            raise Unavailable("NATS is away; try again") from error

    def on_reconnect(self, callback: Callable[[], Awaitable[None]]) -> Callable[[], None]:
        """Call back after every reconnect; the answer takes the callback away again."""
        self._reconnected.append(callback)
        return lambda: self._reconnected.remove(callback)

    def publish(self, subject: str, payload: bytes, headers: dict[str, str] | None = None) -> bool:
        """A doorbell: sent if the connection stands, else dropped and counted."""
        if not self._client.is_connected:
            self._metrics.bus_dropped.inc()
            return False
        self._spawn(self._send(subject, payload, headers))
        return True

    async def _send(self, subject: str, payload: bytes, headers: dict[str, str] | None) -> None:
        try:
            await self._client.publish(subject, payload, headers=headers)
        except (NatsError, OSError):
            self._metrics.bus_dropped.inc()

    async def publish_durable(self, subject: str, payload: bytes, message_id: str) -> None:
        """Into a stream; returns when the stream has it. Unavailable. The same id within two minutes is stored once."""
        acknowledged = await self.publish_async(subject, payload, message_id)
        try:
            await asyncio.wait_for(acknowledged, ACK_SECONDS)
        except (NatsError, APIError, OSError, TimeoutError) as error:
            if isinstance(error, NotFoundError | NoStreamResponseError):
                self._spawn(self._reconcile())
            raise Unavailable("the stream did not acknowledge; it will be tried again") from error

    async def publish_async(self, subject: str, payload: bytes, message_id: str) -> asyncio.Future[PubAck]:
        """Into a stream, without waiting for the acknowledgement. Unavailable when the connection is down."""
        if self._jetstream is None or not self._client.is_connected:
            raise Unavailable("NATS is away; try again")
        headers = {"Nats-Msg-Id": message_id, **self.event_headers(subject, message_id)}
        try:
            return await self._jetstream.publish_async(subject, payload, headers=headers)
        except (NatsError, APIError, OSError, TimeoutError) as error:
            raise Unavailable("NATS is away; try again") from error

    def event_headers(self, subject: str, event_id: str) -> dict[str, str]:
        """CloudEvents attributes, binary mode."""
        headers = {
            "ce-id": event_id,
            "ce-source": f"parley/{self._service}",
            "ce-type": subject.rsplit(".", 2)[0],
            "ce-time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        }
        call = context.current_or_none()
        if call is not None and call.traceparent:
            headers["traceparent"] = call.traceparent
        return headers

    async def subscribe(self, subject: str, handler: Handler, queue: str = "") -> Subscription:
        """Core NATS: the handler gets each message; in a queue group one member gets it."""
        return await self._client.subscribe(subject, queue=queue, cb=handler, pending_msgs_limit=PENDING_MESSAGES)

    async def consume(self, consumer: streams.Consumer, handler: Callable[[Msg], Awaitable[None]]) -> None:
        """Pull for ever: ack after the handler, nak with back-off when it raises, dead letter at the end of the back-off."""
        while True:
            try:
                await self._pull(consumer, handler)
            except (NatsError, APIError, OSError, TimeoutError) as error:
                log.warning("consumer interrupted", consumer=consumer.name, error=type(error).__name__)
                if isinstance(error, NotFoundError | APIError):
                    with contextlib.suppress(NatsError, APIError, OSError, TimeoutError):
                        await self._reconcile()
                await asyncio.sleep(RECONNECT_SECONDS * 4)

    async def _pull(self, consumer: streams.Consumer, handler: Callable[[Msg], Awaitable[None]]) -> None:
        jetstream = self._jetstream
        if jetstream is None:
            raise NatsError
        await jetstream.add_consumer(consumer.stream, consumer.config())
        pull = await jetstream.pull_subscribe_bind(consumer.name, consumer.stream)
        try:
            while True:
                with contextlib.suppress(TimeoutError, nats.errors.TimeoutError):
                    for message in await pull.fetch(32, timeout=FETCH_SECONDS):
                        await self._handle(consumer, message, handler)
                if not self._client.is_connected:
                    raise NatsError
        finally:
            with contextlib.suppress(NatsError, OSError):
                await pull.unsubscribe()

    async def _handle(
        self, consumer: streams.Consumer, message: Msg, handler: Callable[[Msg], Awaitable[None]]
    ) -> None:
        try:
            await handler(message)
        except Exception as error:  # noqa: BLE001 - a bad message must not stop the others
            await self._refuse(consumer, message, error)
            return
        await message.ack()

    async def _refuse(self, consumer: streams.Consumer, message: Msg, error: Exception) -> None:
        delivered = message.metadata.num_delivered or 1
        log.warning("message refused", consumer=consumer.name, delivered=delivered, error=type(error).__name__)
        if delivered <= len(consumer.backoff):
            await message.nak(delay=consumer.backoff[delivered - 1])
            return
        identifier = (message.headers or {}).get("Nats-Msg-Id", f"{consumer.name}-{message.metadata.sequence.stream}")
        await self.publish_durable(subjects.dead_letter(consumer.name), message.data, f"dead-{identifier}")
        await message.term()

    async def close(self) -> None:
        """Flush and leave."""
        for task in list(self._background):
            task.cancel()
        with contextlib.suppress(NatsError, OSError, TimeoutError):
            await asyncio.wait_for(self._client.drain(), 2)
        with contextlib.suppress(NatsError, OSError):
            await self._client.close()

    async def _reconcile(self) -> None:
        if self._jetstream is not None:
            await streams.reconcile(self._jetstream)

    async def _on_reconnected(self) -> None:
        self._spawn(self._after_reconnect())

    async def _after_reconnect(self) -> None:
        with contextlib.suppress(NatsError, APIError, OSError, TimeoutError):
            await self._reconcile()
        for callback in list(self._reconnected):
            try:
                await callback()
            except Exception as error:  # noqa: BLE001 - one listener must not keep the others from catching up
                log.warning("catch-up failed", error=type(error).__name__)

    async def _on_error(self, error: Exception) -> None:
        log.debug("nats", error=type(error).__name__)

    def _spawn(self, work: Any) -> None:  # noqa: ANN401 - a coroutine of any kind
        task: asyncio.Task[None] = asyncio.create_task(work)
        self._background.add(task)
        task.add_done_callback(self._background.discard)

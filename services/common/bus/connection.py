"""The NATS connection of a process: reconnects for ever, drops doorbells while away, never blocks a caller."""

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any
from urllib.parse import unquote, urlsplit

from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.aio.subscription import Subscription
from nats.errors import Error as NatsError
from nats.js import JetStreamContext
from nats.js.errors import APIError

from services.common import context
from services.common.bus import streams
from services.common.bus.acknowledgements import Acknowledgements, StreamMissing
from services.common.bus.consuming import Puller
from services.common.errors import Unavailable
from services.common.telemetry.logs import logger
from services.common.telemetry.metrics import Metrics

log = logger(__name__)
Handler = Callable[[Msg], Awaitable[None]]
RECONNECT_SECONDS = 0.15
CONNECT_SECONDS = 5.0
ACK_SECONDS = 5.0
DRAIN_SECONDS = 2.0
RECONCILE_SECONDS = 0.5
RECONCILE_ATTEMPTS = 5
PENDING_MESSAGES = 65_536
PENDING_BYTES = 32 * 1024 * 1024
FAILURES = (NatsError, APIError, OSError, TimeoutError)

FLUSH_SECONDS = 2


class Bus:
    """Publish, subscribe, consume."""

    def __init__(self, url: str, service: str, metrics: Metrics) -> None:
        self._url = url
        self._service = service
        self._metrics = metrics
        self._client = Client()
        self._jetstream: JetStreamContext | None = None
        self._acknowledgements: Acknowledgements | None = None
        self._reconnected: list[Callable[[], Awaitable[None]]] = []
        self._background: set[asyncio.Task[None]] = set()
        self._interruption: asyncio.Future[None] | None = None
        self._reconciling = False

    @property
    def connected(self) -> bool:
        """Whether the connection stands now."""
        return bool(self._client.is_connected)

    async def open(self) -> None:
        """Connect. Unavailable while the server is away; call again."""
        try:
            await self._probe()
            self._interruption = asyncio.get_running_loop().create_future()
            self._client = Client()
            await asyncio.wait_for(self._connect(), CONNECT_SECONDS)
            self._acknowledgements = Acknowledgements(self._client)
            await self._acknowledgements.open()
            self._jetstream = self._client.jetstream(timeout=ACK_SECONDS)
            await streams.reconcile(self._jetstream)
        except FAILURES as error:
            await self._leave()
            raise Unavailable("NATS is away; try again") from error

    async def _probe(self) -> None:
        """nats-py tries a refused first connection again every two seconds: what does not wait goes first."""
        parts = urlsplit(self._url)
        async with asyncio.timeout(CONNECT_SECONDS):
            reader, writer = await asyncio.open_connection(parts.hostname, parts.port or 4222)
            greeting = await reader.readline()
            writer.close()
        if not greeting.startswith(b"INFO"):
            raise NatsError

    def _whereabouts(self) -> dict[str, Any]:
        parts = urlsplit(self._url)
        return {
            "servers": [f"nats://{parts.hostname}:{parts.port or 4222}"],
            "user": unquote(parts.username) if parts.username else None,
            "password": unquote(parts.password) if parts.password else None,
            "name": self._service,
            "connect_timeout": 1,
            "error_cb": self._on_error,
        }

    async def _connect(self) -> None:
        await self._client.connect(
            **self._whereabouts(),
            reconnect_time_wait=RECONNECT_SECONDS,  # type: ignore[arg-type]  # a fraction is as good
            max_reconnect_attempts=-1,
            ping_interval=5,
            max_outstanding_pings=2,
            pending_size=0,  # nothing is kept for later: a doorbell that rings late is worse than none
            disconnected_cb=self._on_disconnected,
            reconnected_cb=self._on_reconnected,
        )

    def on_reconnect(self, callback: Callable[[], Awaitable[None]]) -> Callable[[], None]:
        """Call back after every reconnect; the answer takes the callback away again."""
        self._reconnected.append(callback)

        def forget() -> None:
            if callback in self._reconnected:
                self._reconnected.remove(callback)

        return forget

    def publish(self, subject: str, payload: bytes, headers: dict[str, str] | None = None) -> bool:
        """A doorbell: sent if the connection stands, else dropped and counted; whether it was sent."""
        sent = self._send(subject, payload, "", headers)
        if not sent:
            self._metrics.bus_dropped.inc()
        return sent

    def _send(self, subject: str, payload: bytes, reply: str, headers: dict[str, str] | None) -> bool:
        """Into the client's buffer, at once: what is published first leaves first."""
        client = self._client
        if not client.is_connected or client.pending_data_size > PENDING_BYTES:
            return False
        publication = client.publish(subject, payload, reply=reply, headers=headers)
        try:
            publication.send(None)
        except StopIteration:
            return True
        except (NatsError, OSError):
            return False
        publication.close()  # it began to wait for a connection that breaks just now
        return False

    async def publish_durable(self, subject: str, payload: bytes, message_id: str) -> None:
        """Into a stream; returns when the stream has it. Unavailable. The same id within two minutes is stored once."""
        acknowledged = await self.publish_async(subject, payload, message_id)
        try:
            async with asyncio.timeout(ACK_SECONDS):
                await acknowledged
        except TimeoutError:
            raise Unavailable("the stream did not acknowledge; it will be tried again") from None

    async def publish_async(self, subject: str, payload: bytes, message_id: str) -> asyncio.Future[None]:
        """Into a stream, without waiting for the acknowledgement; the future raises Unavailable. Unavailable."""
        if self._acknowledgements is None:
            raise Unavailable("NATS is away; try again")
        reply, future = self._acknowledgements.expect()
        headers = {"Nats-Msg-Id": message_id, **self.event_headers(subject, message_id)}
        if not self._send(subject, payload, reply, headers):
            future.cancel()
            raise Unavailable("NATS is away; try again")
        future.add_done_callback(self._notice)
        return future

    def _notice(self, done: asyncio.Future[None]) -> None:
        if not done.cancelled() and isinstance(done.exception(), StreamMissing):
            self._spawn(self._reconcile())

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
        """Core NATS: the handler gets each message; in a queue group one member gets it. Survives reconnects."""
        return await self._client.subscribe(subject, queue=queue, cb=handler, pending_msgs_limit=PENDING_MESSAGES)

    async def flush(self) -> None:
        """Return when the server has seen everything sent so far, a subscription above all. OSError, TimeoutError.

        A message to ourselves, not nats-py's ping: its answer to a ping nobody waits for any more ends its read loop.
        """
        if self._acknowledgements is None:
            raise ConnectionError
        reply, seen = self._acknowledgements.expect()
        if not self._send(reply, b"{}", "", None):
            seen.cancel()
            raise ConnectionError
        async with asyncio.timeout(FLUSH_SECONDS):
            await seen

    async def consume(self, consumer: streams.Consumer, handler: Handler) -> None:
        """Pull for ever: ack after the handler, nak with back-off when it raises, at its end the dead letter."""
        puller = Puller(consumer, handler, self.publish_durable)
        while True:
            try:
                if self._jetstream is not None and self._interruption is not None and self.connected:
                    await puller.run(self._jetstream, self._interruption)
            except FAILURES as error:
                log.warning("consumer interrupted", consumer=consumer.name, error=type(error).__name__)
                await self._reconcile()
            await asyncio.sleep(RECONNECT_SECONDS)

    async def close(self) -> None:
        """Flush and leave."""
        for task in list(self._background):
            task.cancel()
        if self._client.is_connected:
            with contextlib.suppress(*FAILURES):
                await asyncio.wait_for(self._client.drain(), DRAIN_SECONDS)
        await self._leave()

    async def _leave(self) -> None:
        client, self._client = self._client, Client()
        with contextlib.suppress(*FAILURES, AssertionError):  # it asserts that it was connected once
            await client.close()
        transport = getattr(client, "_transport", None)
        if transport is not None:
            transport.close()

    async def _reconcile(self) -> None:
        """Declare the streams again, one at a time and not all the time."""
        if self._reconciling or self._jetstream is None:
            return
        self._reconciling = True
        try:
            for _ in range(RECONCILE_ATTEMPTS):
                try:
                    await streams.reconcile(self._jetstream)
                    break
                except FAILURES as error:  # right after a restart the streams are not up yet
                    log.debug("streams not reconciled", error=type(error).__name__)
                    await asyncio.sleep(RECONCILE_SECONDS)
        finally:
            self._reconciling = False

    async def _on_disconnected(self) -> None:
        if self._acknowledgements is not None:
            self._acknowledgements.abandon()
        interruption, self._interruption = self._interruption, asyncio.get_running_loop().create_future()
        if interruption is not None and not interruption.done():
            interruption.set_result(None)

    async def _on_reconnected(self) -> None:
        self._spawn(self._after_reconnect())

    async def _after_reconnect(self) -> None:
        self._spawn(self._reconcile())
        for callback in list(self._reconnected):
            try:
                await callback()
            except Exception as error:  # noqa: BLE001 - one listener must not keep the others from catching up
                log.warning("catch-up failed", error=type(error).__name__)

    async def _on_error(self, error: Exception) -> None:
        log.debug("nats", error=type(error).__name__)

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task: asyncio.Task[None] = asyncio.create_task(work)
        self._background.add(task)
        task.add_done_callback(self._background.discard)

"""A feed: the ledger first, then live; every event once, in order, without holes.

It subscribes first and reads the ledger second, so nothing falls between. A live batch passes only when it is the next;
anything else makes the feed read the ledger from where it stands. After a reconnect of the bus it reads again.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from nats.aio.msg import Msg
from nats.aio.subscription import Subscription

from services.common.bus.connection import Bus
from services.common.errors import ParleyError
from services.common.telemetry.logs import logger

log = logger(__name__)
E = TypeVar("E")
RETRY_SECONDS = (0.1, 0.25, 0.5, 1.0, 2.0)
SETTLE_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class Batch(Generic[E]):
    """Events that carry the ledger from `first` through `last`; both 0 for events beside the ledger (previews)."""

    events: Sequence[E]
    first: int = 0
    last: int = 0


class EventFeed(Generic[E]):
    """Hands events to `deliver`, which must not wait. `read(after)`: a batch of the ledger and whether more follows."""

    def __init__(
        self,
        bus: Bus,
        subject: str,
        *,
        decode: Callable[[bytes], Batch[E]],
        read: Callable[[int], Awaitable[tuple[Batch[E], bool]]],
        deliver: Callable[[Sequence[E]], None],
        after: int = 0,
    ) -> None:
        self._bus = bus
        self._subject = subject
        self._decode = decode
        self._read = read
        self._deliver = deliver
        self.position = after
        self._subscription: Subscription | None = None
        self._catching: asyncio.Task[None] | None = None
        self._again = False
        self._forget: Callable[[], None] | None = None

    async def open(self) -> None:
        """Subscribe, then read the ledger up to now."""
        self._forget = self._bus.on_reconnect(self._restore)
        await self._subscribe()
        self._catch_up()
        if self._catching is not None:
            await self._catching

    async def _subscribe(self) -> None:
        try:
            self._subscription = await self._bus.subscribe(self._subject, self._on_live)
            # Until the server knows of the subscription, what is published is not heard: the ledger is read after that.
            await self._bus.flush()
        except Exception as error:  # noqa: BLE001 - without NATS the feed still reads the ledger
            log.debug("feed without live events", error=type(error).__name__)

    async def _restore(self) -> None:
        if self._subscription is None:
            await self._subscribe()
        self._catch_up()
        # A writer may reconnect later than this feed: what it could not tell meanwhile is read a moment later.
        asyncio.get_running_loop().call_later(SETTLE_SECONDS, self._catch_up)

    async def _on_live(self, message: Msg) -> None:
        batch = self._decode(message.data)
        if batch.last == 0:
            if self._catching is None:
                self._deliver(batch.events)
        elif batch.last < batch.first:
            self._on_empty(batch)
        elif batch.last <= self.position:
            return
        elif batch.first == self.position + 1 and self._catching is None:
            self.position = batch.last
            self._deliver(batch.events)
        else:
            self._catch_up()

    def _on_empty(self, batch: Batch[E]) -> None:
        """A turn that said nothing: its end stands right after the line it follows."""
        if batch.last == self.position and self._catching is None:
            self._deliver(batch.events)
        elif batch.last > self.position:
            self._catch_up()

    def _catch_up(self) -> None:
        if self._forget is None:
            return
        if self._catching is not None:
            self._again = True
            return
        self._catching = asyncio.create_task(self._read_ledger())

    async def _read_ledger(self) -> None:
        failures = 0
        try:
            while True:
                self._again = False
                try:
                    batch, more = await self._read(self.position)
                except ParleyError as error:
                    if not error.retryable:
                        raise
                    await asyncio.sleep(RETRY_SECONDS[min(failures, len(RETRY_SECONDS) - 1)])
                    failures += 1
                    continue
                failures = 0
                self.position = max(self.position, batch.last)
                self._deliver(batch.events)
                if not more and not self._again:
                    return
        finally:
            self._catching = None

    async def close(self) -> None:
        """Stop listening."""
        if self._forget is not None:
            self._forget()
            self._forget = None
        if self._catching is not None:
            self._catching.cancel()
        if self._subscription is not None:
            subscription, self._subscription = self._subscription, None
            try:
                await subscription.unsubscribe()
            except Exception as error:  # noqa: BLE001 - the connection may be gone, and with it the subscription
                log.debug("feed closed without NATS", error=type(error).__name__)

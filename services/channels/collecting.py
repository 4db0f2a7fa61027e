"""Replies come by the bus; what the bus loses is fetched from the ledger. Both ways end in the same row."""

import asyncio
import contextlib
from collections import defaultdict
from collections.abc import Callable, Sequence

from google.protobuf.message import DecodeError
from nats.aio.msg import Msg
from parley.session.v1 import ledger_service_pb2 as pb
from parley.session.v1 import ledger_service_pb2_grpc as ledger_grpc

from services.channels.config import ChannelsSettings
from services.channels.store.deliveries import Deliveries
from services.common import context
from services.common.bus.connection import Bus
from services.common.bus.streams import CHANNEL_DELIVERIES
from services.common.errors import InvalidArgument, ParleyError
from services.common.security.principal import service_principal
from services.common.telemetry.logs import logger

log = logger(__name__)
PAGE = 200
CALL_SECONDS = 10.0


class Collector:
    """Stores first, then confirms: the ledger tells a reply again until it has been stored here."""

    def __init__(
        self,
        settings: ChannelsSettings,
        ledger: "ledger_grpc.LedgerServiceAsyncStub",
        deliveries: Deliveries,
        stored: Callable[[], None],
    ) -> None:
        self._settings = settings
        self._ledger = ledger
        self._deliveries = deliveries
        self._stored = stored
        self._asked = asyncio.Event()

    async def consume(self, bus: Bus) -> None:
        """Take what the bus brings; for ever."""
        await bus.consume(CHANNEL_DELIVERIES, self.on_message)

    async def on_message(self, message: Msg) -> None:
        """Store one. InvalidArgument for what cannot be read, which ends as a dead letter.

        While the database is away nothing is stored and nothing confirmed: the ledger keeps it for the sweeper.
        """
        delivery = decoded(message.data)
        try:
            await self._store(delivery)
        except ParleyError as error:
            if not error.retryable:
                raise
            log.info("reply left to the sweeper", delivery=delivery.id, error=type(error).__name__)
            self._asked.set()
            return
        await self._confirm(delivery.tenant, [delivery.id])

    async def sweep(self) -> None:
        """Fetch what the bus lost, now and then and whenever a reply may be missing; for ever."""
        while True:
            asked = self._asked.is_set()
            self._asked.clear()
            try:
                await self.sweep_once(0.0 if asked else self._settings.collect_age)
            except ParleyError as error:
                log.debug("ledger not swept", error=type(error).__name__)
                await asyncio.sleep(self._settings.delivery_poll)
                if asked:
                    self._asked.set()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._asked.wait(), self._settings.collect_interval)

    async def sweep_once(self, age: float) -> None:
        """All replies at least so many seconds old that nobody confirmed; then let go what waited for them."""
        begun = await self._deliveries.now()
        request = pb.ListDeliveriesRequest(page_size=PAGE)
        request.minimum_age.FromMilliseconds(int(age * 1000))
        while True:
            with acting():
                page = await self._ledger.ListDeliveries(request)
            await self._take(page.deliveries)
            request.page_token = page.next_page_token
            if not page.next_page_token:
                break
        if not age and await self._deliveries.release(begun):
            self._stored()

    async def _take(self, deliveries: Sequence[pb.Delivery]) -> None:
        stored: dict[str, list[str]] = defaultdict(list)
        for delivery in deliveries:
            try:
                await self._store(delivery)
            except InvalidArgument as error:
                log.warning("reply cannot be read", delivery=delivery.id, reason=error.message)
                continue
            stored[delivery.tenant].append(delivery.id)
        for tenant, ids in stored.items():
            await self._confirm(tenant, ids)

    async def _store(self, delivery: pb.Delivery) -> None:
        """The ledger may forget it afterwards. InvalidArgument, Unavailable."""
        outcome, held = await self._deliveries.store(delivery, self._settings.gap_seconds)
        if outcome == "unknown":
            log.info("reply for a channel that is gone", delivery=delivery.id, channel=delivery.channel)
        if held:
            self._asked.set()
        elif outcome == "stored":
            self._stored()

    async def _confirm(self, tenant: str, ids: Sequence[str]) -> None:
        """Failure does no harm: the ledger tells them again, and they are known."""
        try:
            with acting():
                await self._ledger.ConfirmDeliveries(pb.ConfirmDeliveriesRequest(tenant=tenant, ids=ids))
        except ParleyError as error:
            log.info("replies not confirmed yet", replies=len(ids), error=type(error).__name__)


def acting() -> contextlib.AbstractContextManager[context.CallContext]:
    """For nobody but the service itself."""
    return context.acting_for(service_principal("channels"), seconds=CALL_SECONDS)


def decoded(payload: bytes) -> pb.Delivery:
    """A delivery off the bus. InvalidArgument."""
    try:
        return pb.Delivery.FromString(payload)
    except DecodeError:
        raise InvalidArgument.field("payload", "a parley.session.v1.Delivery") from None

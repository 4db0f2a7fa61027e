"""The sweeper: whatever a lost doorbell, a dead worker or time itself left behind is found again."""

import asyncio
import datetime
import random
import uuid

from parley.session.v1 import session_pb2 as pb

from services.common.db.engine import Database
from services.common.errors import ParleyError
from services.common.telemetry.logs import logger
from services.session.closing import ended
from services.session.config import SessionSettings
from services.session.events import Announcer
from services.session.store.ledger import Ledger

log = logger(__name__)
ROWS = 500
PURGE_SECONDS = 600.0
PURGE_KEYS = "DELETE FROM session.message_keys WHERE created_at < now() - $1::interval"
PURGE_TICKETS = "DELETE FROM session.tickets WHERE expires_at < now()"


class Sweeper:
    """Every replica sweeps: ringing twice and expiring twice do no harm."""

    def __init__(self, settings: SessionSettings, ledger: Ledger, relay: Database, announcer: Announcer) -> None:
        self._settings = settings
        self._ledger = ledger
        self._relay = relay
        self._announcer = announcer

    async def run(self) -> None:
        """Ring for forgotten work and due timers; for ever."""
        grace = datetime.timedelta(seconds=self._settings.sweep_grace)
        while True:
            await asyncio.sleep(self._settings.sweep_interval * random.uniform(0.8, 1.2))  # noqa: S311 - not a secret
            try:
                for tenant, session in await self._ledger.ready(grace, ROWS):
                    self._announcer.ring(tenant, session)
                for tenant, session in await self._ledger.expired(ROWS):
                    await self._expire(tenant, session)
            except ParleyError as error:
                log.debug("sweep postponed", error=type(error).__name__)

    async def _expire(self, tenant: uuid.UUID, session: uuid.UUID) -> None:
        announcement = ended(str(tenant), f"sessions/{session}", pb.Session.STATE_EXPIRED)
        last_seq = await self._ledger.close(tenant, session, "expired", announcement)
        if last_seq is not None:
            self._announcer.committed(tenant, announcement, last_seq)

    async def purge(self) -> None:
        """Forget keys of messages and tickets that are too old to matter; for ever."""
        keep = datetime.timedelta(days=self._settings.message_key_days)
        while True:
            await asyncio.sleep(PURGE_SECONDS)
            try:
                await self._relay.call(PURGE_KEYS, keep)
                await self._relay.call(PURGE_TICKETS)
            except ParleyError as error:
                log.debug("purge postponed", error=type(error).__name__)

"""Listening to a session: the ledger after a number, then live, as one stream of events."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Callable, Sequence

from parley.session.v1 import session_pb2 as pb

from services.common.bus import live, subjects
from services.common.bus.connection import Bus
from services.common.bus.feed import Batch, EventFeed
from services.common.errors import Aborted, DeadlineExceeded, ParleyError, ResourceExhausted, Unavailable
from services.session.store.sessions import Sessions

PAGE = 200
QUEUE_BATCHES = 1000


def numbered(events: Sequence[pb.SessionEvent], seq: int, ledger_seq: int) -> tuple[list[pb.SessionEvent], int, int]:
    """Copies that carry the stream's own count and the resume position."""
    made = []
    for event in events:
        seq += 1
        if event.HasField("message"):
            ledger_seq = event.message.seq
        numbered_event = pb.SessionEvent()
        numbered_event.CopyFrom(event)
        numbered_event.seq, numbered_event.ledger_seq = seq, ledger_seq
        made.append(numbered_event)
    return made, seq, ledger_seq


def retrieved(opening: "asyncio.Task[None]") -> None:
    """Somebody who left while a feed opened does not ask how that ended."""
    if not opening.cancelled():
        opening.exception()


class Listener:
    """Makes streams of events."""

    def __init__(self, bus: Bus, sessions: Sessions) -> None:
        self._bus = bus
        self._sessions = sessions

    async def events(
        self, tenant: str, session: uuid.UUID, after: int, until: Callable[[pb.SessionEvent], bool]
    ) -> AsyncIterator[pb.SessionEvent]:
        """Every event after a number until one for which `until` holds, or the session ends."""
        queue: asyncio.Queue[Sequence[pb.SessionEvent] | ParleyError] = asyncio.Queue(QUEUE_BATCHES)
        slow = asyncio.Event()

        def deliver(events: Sequence[pb.SessionEvent] | ParleyError) -> None:
            try:
                queue.put_nowait(events)
            except asyncio.QueueFull:
                slow.set()

        async def read(position: int) -> tuple[Batch[pb.SessionEvent], bool]:
            try:
                return await self.read(tenant, session, position)
            except (DeadlineExceeded, Aborted) as error:  # the feed tries again what passes
                raise Unavailable(error.message) from error
            except ParleyError as error:
                if not error.retryable:
                    deliver(error)
                raise

        feed = EventFeed(
            self._bus,
            subjects.session_live(tenant, str(session)),
            decode=live.decode,
            read=read,
            deliver=deliver,
            after=after,
        )
        opening = asyncio.create_task(feed.open())
        opening.add_done_callback(retrieved)
        try:
            # Shielded: a subscription that is half made when the listener leaves must reach the feed, which ends it.
            await asyncio.shield(opening)
            seq, position = 0, after
            while not slow.is_set():
                found = await queue.get()
                if isinstance(found, ParleyError):
                    raise found
                batch, seq, position = numbered(found, seq, position)
                for event in batch:
                    yield event
                    if event.HasField("ended") or until(event):
                        return
            raise ResourceExhausted("this listener is too slow; resume after the last ledger_seq", retry_after=1.0)
        finally:
            await feed.close()

    async def read(self, tenant: str, session: uuid.UUID, after: int) -> tuple[Batch[pb.SessionEvent], bool]:
        """A page of the ledger; the last page ends with where the session stands.

        The session is read second, and believed only if nothing was written between: a turn whose words were read but
        not its end would otherwise be told by neither the ledger nor the live batch, which comes too late.
        """
        messages = await self._sessions.messages(tenant, session, after, PAGE)
        current = await self._sessions.read(tenant, session)
        more = current.last_seq > (messages[-1].seq if messages else after)
        return live.page(current, messages, after, more=more), more

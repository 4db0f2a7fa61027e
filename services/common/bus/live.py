"""Live events of a session, as every listener decodes them."""

from collections.abc import Sequence

from parley.session.v1 import session_pb2 as pb

from services.common.bus.feed import Batch


def decode(payload: bytes) -> Batch[pb.SessionEvent]:
    """A live batch with absolute numbers."""
    live = pb.LiveEvents.FromString(payload)
    if not live.base:
        return Batch(list(live.events))
    base = int.from_bytes(live.base, "big")
    count = 0
    for event in live.events:
        if event.HasField("message"):
            event.message.seq += base
            count += 1
    return Batch(list(live.events), first=base + 1, last=base + count)


def settled(session: pb.Session) -> list[pb.SessionEvent]:
    """What is true of a session after its ledger was read to the end."""
    done = pb.TurnCompleted(turn=session.turn, consumed_seq=session.consumed_seq, waiting=session.waiting)
    events = [pb.SessionEvent(completed=done)] if session.turn else []
    if session.state != pb.Session.STATE_ACTIVE:
        events.append(pb.SessionEvent(ended=pb.SessionEnded(state=session.state)))
    return events


def page(session: pb.Session, messages: Sequence[pb.Message], after: int, *, more: bool) -> Batch[pb.SessionEvent]:
    """A page of the ledger as a batch; the last one ends with where the session stands.

    `session` must have been read after `messages` and stand where they end: else `more` is true and it is read again.
    """
    events = [pb.SessionEvent(message=message) for message in messages]
    if not more:
        events.extend(settled(session))
    return Batch(events, first=after + 1, last=messages[-1].seq if messages else after)

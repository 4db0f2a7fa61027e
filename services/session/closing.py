"""What listeners are told when a session is over."""

import uuid

from parley.session.v1 import session_pb2 as pb

from services.common.bus import subjects
from services.session.store.ledger import Announcement


def ended(tenant: str, session: str, state: "pb.Session.State.ValueType") -> Announcement:
    """The outbox row of a session's end."""
    event = pb.SessionEvent(ended=pb.SessionEnded(state=state))
    live = pb.LiveEvents(session=session, events=[event])
    return Announcement(
        event_id=uuid.uuid4(),
        subject=subjects.message_appended(tenant, session.removeprefix("sessions/")),
        payload=live.SerializeToString(),
    )

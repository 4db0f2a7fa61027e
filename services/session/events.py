"""What the session service tells the mesh: doorbells, live events, deliveries."""

import uuid

from parley.session.v1 import ledger_service_pb2 as ledger_pb
from parley.session.v1 import session_pb2 as pb

from services.common.bus import subjects
from services.common.bus.connection import Bus
from services.common.bus.outbox import OutboxRelay, OutboxRow
from services.common.identifiers import derived_id
from services.session.store.ledger import Announcement

BASE_FIELD = b"\x7a\x04"
WEB = "channels/web"
# Whoever starts scripts here does not listen to what they say: it is in the ledger.
UNATTENDED = frozenset({"channels/schedule", "channels/webhook", "channels/event"})
SPOKEN_HERE = UNATTENDED | {"", WEB}


def with_base(payload: bytes, base: int) -> bytes:
    """A payload as the outbox holds it: LiveEvents.base appended, as the SQL function does."""
    return payload + BASE_FIELD + base.to_bytes(4, "big")


class Announcer:
    """Publishes right after a commit; what it cannot publish the outbox relay does later."""

    def __init__(self, bus: Bus, relay: OutboxRelay) -> None:
        self._bus = bus
        self._relay = relay

    def ring(self, tenant: uuid.UUID, session: uuid.UUID) -> None:
        """A turn of this session is ready. Losable: the sweeper rings again."""
        self._bus.publish(subjects.turn_ready(str(tenant), str(session)), session.bytes)

    def cancel(self, tenant: uuid.UUID, session: uuid.UUID) -> None:
        """The person wants the reply to stop. Losable: the reply is then made to its end."""
        self._bus.publish(subjects.turn_cancelled(str(tenant), str(session)), session.bytes)

    def input_posted(self, tenant: uuid.UUID, session: uuid.UUID, message: pb.Message) -> None:
        """Show listeners what a person said. Losable: they read the ledger when the next number comes."""
        event = pb.SessionEvent(message=message)
        base = message.seq - 1
        event.message.seq = 1
        live = pb.LiveEvents(session=f"sessions/{session}", events=[event])
        self._bus.publish(
            subjects.message_appended(str(tenant), str(session)), with_base(live.SerializeToString(), base)
        )

    def committed(self, tenant: uuid.UUID, announcement: Announcement, base: int) -> None:
        """Hand the outbox rows of a commit to the relay."""
        rows = [
            OutboxRow(
                id=announcement.event_id,
                tenant_id=tenant,
                subject=announcement.subject,
                payload=with_base(announcement.payload, base),
                durable=True,
                hold=False,
            )
        ]
        if announcement.delivery_id and announcement.delivery_subject and announcement.delivery is not None:
            rows.append(
                OutboxRow(
                    id=announcement.delivery_id,
                    tenant_id=tenant,
                    subject=announcement.delivery_subject,
                    payload=announcement.delivery,
                    durable=True,
                    hold=True,
                )
            )
        self._relay.submit(rows)


def announcement_of(
    key: ledger_pb.SessionKey, live: pb.LiveEvents, route: ledger_pb.Route, delivery_seed: str
) -> Announcement:
    """The outbox rows of a write: always the live events, and a delivery when the session lives on a channel."""
    session = key.session.removeprefix("sessions/")
    event = Announcement(
        event_id=uuid.uuid4(),
        subject=subjects.message_appended(key.tenant, session),
        payload=live.SerializeToString(),
    )
    messages = [item.message for item in live.events if item.HasField("message")]
    if not messages or not route.external_user or route.channel in SPOKEN_HERE:
        return event
    delivery_id = derived_delivery_id(key.session, delivery_seed)
    delivery = ledger_pb.Delivery(
        id=str(delivery_id),
        tenant=key.tenant,
        channel=route.channel,
        external_user=route.external_user,
        session=key.session,
        bot=route.bot,
        messages=messages,
    )
    return Announcement(
        event_id=event.event_id,
        subject=event.subject,
        payload=event.payload,
        delivery_id=delivery_id,
        delivery_subject=subjects.delivery_requested(key.tenant, route.channel.removeprefix("channels/")),
        delivery=delivery.SerializeToString(),
    )


def derived_delivery_id(session: str, seed: str) -> uuid.UUID:
    """The same turn and first reply always make the same delivery."""
    return derived_id(session, "delivery", seed)

"""What a turn says, made ready for the ledger, the bus and the channels."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field

from google.protobuf import timestamp_pb2
from parley.session.v1 import ledger_service_pb2 as ledger_pb
from parley.session.v1 import session_pb2 as pb

from services.common.identifiers import derived_id
from services.session.domain.storable import storable

ROLE_NAMES = {pb.Message.ROLE_USER: "user", pb.Message.ROLE_BOT: "bot", pb.Message.ROLE_SYSTEM: "system"}
ROLES = {name: role for role, name in ROLE_NAMES.items()}
WAITING_NAMES = {
    pb.Waiting.KIND_UNSPECIFIED: "none",
    pb.Waiting.KIND_NONE: "none",
    pb.Waiting.KIND_MESSAGE: "message",
    pb.Waiting.KIND_TIMER: "timer",
    pb.Waiting.KIND_EVENT: "event",
}
WAITING_KINDS = {
    "none": pb.Waiting.KIND_NONE,
    "message": pb.Waiting.KIND_MESSAGE,
    "timer": pb.Waiting.KIND_TIMER,
    "event": pb.Waiting.KIND_EVENT,
}


@dataclass(slots=True)
class ReplyColumns:
    """Replies as the parallel arrays that the SQL functions take."""

    ids: list[uuid.UUID] = field(default_factory=list)
    roles: list[str] = field(default_factory=list)
    contents: list[str] = field(default_factory=list)
    payloads: list[bytes | None] = field(default_factory=list)
    ordinals: list[int] = field(default_factory=list)
    tokens: list[int] = field(default_factory=list)


def extras(message: pb.Message) -> bytes | None:
    """What a message carries beside its text, encoded; None when it is only text."""
    rest = pb.Message(
        action=message.action,
        suggestions=message.suggestions,
        attachments=message.attachments,
        citations=message.citations,
        run=message.run if message.HasField("run") else None,
    )
    return rest.SerializeToString() or None


def messages(session_id: uuid.UUID, turn: int, replies: Sequence[ledger_pb.Reply]) -> list[pb.Message]:
    """Messages with derived ids and numbers that count from 1 within the batch.

    The id is a hash of (session, turn, ordinal): a turn that runs twice says the same messages.
    """
    made = []
    now = timestamp_pb2.Timestamp()
    now.GetCurrentTime()
    for position, reply in enumerate(replies, start=1):
        message_id = derived_id(session_id, turn, reply.ordinal)
        made.append(
            pb.Message(
                name=f"sessions/{session_id}/messages/{message_id}",
                seq=position,
                role=reply.role or pb.Message.ROLE_BOT,
                text=storable(reply.text),
                suggestions=reply.suggestions,
                attachments=reply.attachments,
                citations=reply.citations,
                turn=turn,
                ordinal=reply.ordinal,
                tokens_used=reply.tokens_used,
                create_time=now,
            )
        )
    return made


def columns(batch: Sequence[pb.Message]) -> ReplyColumns:
    """The arrays of a batch."""
    made = ReplyColumns()
    for message in batch:
        made.ids.append(uuid.UUID(message.name.rpartition("/")[2]))
        made.roles.append(ROLE_NAMES[message.role])
        made.contents.append(message.text)
        made.payloads.append(extras(message))
        made.ordinals.append(message.ordinal)
        made.tokens.append(message.tokens_used)
    return made


def live(session: str, batch: Sequence[pb.Message], *closing: pb.SessionEvent) -> pb.LiveEvents:
    """The batch as listeners get it, with what closes the turn."""
    events = [pb.SessionEvent(message=message) for message in batch]
    return pb.LiveEvents(session=session, events=[*events, *closing])

"""The body of a reply that goes out. Described in docs/architecture/channels.md."""

import datetime
import json
from collections.abc import Mapping
from typing import Any

from parley.session.v1 import ledger_service_pb2 as ledger_pb
from parley.session.v1 import session_pb2

TYPE = "message.created"
ROLES = {
    session_pb2.Message.ROLE_USER: "user",
    session_pb2.Message.ROLE_BOT: "bot",
    session_pb2.Message.ROLE_SYSTEM: "system",
}


def body_of(delivery: ledger_pb.Delivery) -> bytes:
    """The same bytes in every attempt: the time is that of the first message."""
    whole = {
        "type": TYPE,
        "timestamp": moment(delivery.messages[0]),
        "data": {
            "session": delivery.session,
            "bot": delivery.bot,
            "user": {"id": delivery.external_user},
            "messages": [message_of(message) for message in delivery.messages],
        },
    }
    return json.dumps(whole, ensure_ascii=False, separators=(",", ":")).encode()


def message_of(message: session_pb2.Message) -> Mapping[str, Any]:
    """A message; lists that are empty are left out."""
    made: dict[str, Any] = {
        "id": message.name.rpartition("/")[2],
        "role": ROLES.get(message.role, "bot"),
        "text": message.text,
        "turn": message.turn,
        "ordinal": message.ordinal,
        "create_time": moment(message),
    }
    more = {
        "suggestions": [{"text": item.text, "value": item.value or item.text} for item in message.suggestions],
        "attachments": [
            {"name": item.name, "uri": item.uri, "content_type": item.content_type, "size": item.size}
            for item in message.attachments
        ],
        "citations": [{"title": item.title, "uri": item.uri, "quote": item.quote} for item in message.citations],
    }
    return made | {name: items for name, items in more.items() if items}


def moment(message: session_pb2.Message) -> str:
    """RFC 3339, UTC, milliseconds."""
    when = message.create_time.ToDatetime(datetime.UTC)
    return when.isoformat(timespec="milliseconds").replace("+00:00", "Z")

"""Our frames: JSON objects with `type`. A protocol turns frames into requests and events into frames."""

import uuid
from dataclasses import dataclass, field
from typing import Any, Protocol

import orjson
from google.protobuf import json_format
from google.rpc import status_pb2
from parley.common.v1 import content_pb2
from parley.session.v1 import session_pb2 as pb

from services.common.errors import InvalidArgument, ParleyError, from_proto

ROLES = {pb.Message.ROLE_USER: "user", pb.Message.ROLE_BOT: "bot", pb.Message.ROLE_SYSTEM: "system"}
WAITING = {pb.Waiting.KIND_MESSAGE: "message", pb.Waiting.KIND_TIMER: "timer", pb.Waiting.KIND_EVENT: "event"}
Frame = dict[str, Any]
LARGEST_SEQ = 2**31 - 1
DEEPEST = 8
LARGEST_STAMP, LONGEST_STAMP = 1e300, 64


@dataclass(frozen=True, slots=True)
class Request:
    """What a client asks: kind is resume, message, typing, cancel, ping or nothing."""

    kind: str
    after: int = 0
    id: str = ""
    text: str = ""
    action: str = ""
    attachments: list[content_pb2.Attachment] = field(default_factory=list)
    stamp: Any = None


class FrameProtocol(Protocol):
    """One way of speaking over the socket."""

    def greeting(self, session: pb.Session, limits: dict[str, int], display_name: str = "") -> list[Frame]:
        """What the server says when the session is open."""

    def request(self, frame: Frame) -> Request:
        """What a client's frame asks. InvalidArgument."""

    def event(self, event: pb.SessionEvent) -> list[Frame]:
        """An event as frames."""

    def accepted(self, request: Request, seq: int) -> list[Frame]:
        """A message is in the ledger."""

    def refused(self, error: ParleyError, identifier: str) -> list[Frame]:
        """A frame was refused; the connection lives."""

    def answer_ping(self, request: Request) -> list[Frame]:
        """A client's ping."""

    def pong(self, frame: Frame) -> list[Frame]:
        """The same from the frame itself, for those that come by the thousand. InvalidArgument."""


def parse(payload: bytes) -> Frame:
    """A frame's object: strict JSON whose texts can be written as UTF-8 again.

    InvalidArgument, UnicodeDecodeError.
    """
    try:
        frame = orjson.loads(payload)
    except orjson.JSONDecodeError:
        raise InvalidArgument.field("frame", "a JSON object", payload.decode()) from None
    if not isinstance(frame, dict):
        raise InvalidArgument.field("frame", "a JSON object", payload.decode())
    if payload.count(b"{") + payload.count(b"[") > DEEPEST and deeper(frame, DEEPEST):
        raise InvalidArgument.field("frame", f"a JSON object of at most {DEEPEST} levels", payload.decode())
    return frame


def deeper(value: object, levels: int) -> bool:
    """Whether lists and objects lie deeper within each other: Python cannot even show what is very deep."""
    if not isinstance(value, dict | list):
        return False
    inside = value.values() if isinstance(value, dict) else value
    return levels == 0 or any(deeper(inner, levels - 1) for inner in inside)


def stamp_field(frame: Frame, name: str) -> int | float | str | None:
    """What a ping wants back: a number or a short text. InvalidArgument names the field."""
    value = frame.get(name)
    if value is None or (isinstance(value, int | float) and abs(value) < LARGEST_STAMP):
        return value
    if isinstance(value, str) and len(value) <= LONGEST_STAMP:
        return value
    raise InvalidArgument.field(name, f"a number or a text of at most {LONGEST_STAMP} characters", value)


def text_field(frame: Frame, name: str, largest: int) -> str:
    """A text of a frame; empty when absent. InvalidArgument names the field."""
    value = frame.get(name, "")
    if value is None:
        return ""
    if not isinstance(value, str) or len(value) > largest:
        raise InvalidArgument.field(name, f"a text of at most {largest} characters", value)
    return value


def identifier_field(frame: Frame, name: str) -> str:
    """A UUID of a frame. InvalidArgument names the field."""
    value = frame.get(name)
    try:
        return str(uuid.UUID(str(value)))
    except ValueError:
        raise InvalidArgument.field(name, "a UUID that the client chooses", value) from None


def attachments_field(frame: Frame) -> list[content_pb2.Attachment]:
    """Files of a frame. InvalidArgument names the field."""
    found = frame.get("attachments") or []
    if not isinstance(found, list) or len(found) > 10 or not all(isinstance(item, dict) for item in found):
        raise InvalidArgument.field("attachments", "at most 10 objects {name, uri, content_type, size}")
    try:
        return [json_format.ParseDict(item, content_pb2.Attachment()) for item in found]
    except json_format.ParseError:
        raise InvalidArgument.field("attachments", "objects {name, uri, content_type, size}") from None


def problem(error: ParleyError) -> Frame:
    """An error as clients see it."""
    return {"code": error.code.name, "reason": error.reason, "message": error.message}


def failure(status: status_pb2.Status) -> Frame:
    """A status as clients see it."""
    return problem(from_proto(status))


class ParleyProtocol:
    """The frames of docs/architecture/realtime.md."""

    def greeting(self, session: pb.Session, limits: dict[str, int], display_name: str = "") -> list[Frame]:
        """ready."""
        return [
            {
                "type": "ready",
                "session": session.name,
                "bot": session.bot,
                "display_name": display_name or session.bot.removeprefix("bots/"),
                "seq": session.last_seq,
                "locale": session.locale,
                "limits": limits,
            }
        ]

    def request(self, frame: Frame) -> Request:
        """By `type`."""
        kind = text_field(frame, "type", 64)
        if kind == "resume":
            after = frame.get("after", 0)
            if not isinstance(after, int) or isinstance(after, bool) or not 0 <= after <= LARGEST_SEQ:
                raise InvalidArgument.field("after", "the number of the last message seen, 0 for none", after)
            return Request("resume", after=after)
        if kind == "message":
            return Request(
                "message",
                id=identifier_field(frame, "id"),
                text=text_field(frame, "text", 32_768),
                action=text_field(frame, "action", 1024),
                attachments=attachments_field(frame),
            )
        if kind in {"typing", "cancel"}:
            return Request(kind)
        if kind == "ping":
            return Request("ping", stamp=stamp_field(frame, "t"))
        raise InvalidArgument.field("type", "resume, message, typing, cancel or ping", kind)

    def event(self, event: pb.SessionEvent) -> list[Frame]:
        """One frame an event."""
        kind = event.WhichOneof("event")
        if kind == "message":
            return [message_frame(event.message)]
        if kind == "delta":
            delta = event.delta
            body = {"turn": delta.turn, "ordinal": delta.ordinal, "offset": delta.offset, "text": delta.text}
            return [{"type": "delta", **body}]
        if kind == "typing":
            return [{"type": "typing"}]
        if kind == "completed":
            done = event.completed
            waiting = WAITING.get(done.waiting.kind, "none")
            return [{"type": "completed", "turn": done.turn, "seq": done.consumed_seq, "waiting": waiting}]
        if kind == "failed":
            failed = event.failed
            body = {"turn": failed.turn, "seq": failed.consumed_seq, "error": failure(failed.error)}
            return [{"type": "failed", **body}]
        return [{"type": "ended"}] if kind == "ended" else []

    def accepted(self, request: Request, seq: int) -> list[Frame]:
        """accepted."""
        return [{"type": "accepted", "id": request.id, "seq": seq}]

    def refused(self, error: ParleyError, identifier: str) -> list[Frame]:
        """error."""
        frame: Frame = {"type": "error", "error": problem(error)}
        if identifier:
            frame["id"] = identifier
        return [frame]

    def answer_ping(self, request: Request) -> list[Frame]:
        """pong."""
        return [{"type": "pong", "t": request.stamp}]

    def pong(self, frame: Frame) -> list[Frame]:
        """pong."""
        return [{"type": "pong", "t": stamp_field(frame, "t")}]


def message_frame(message: pb.Message) -> Frame:
    """A line of the ledger."""
    frame: Frame = {
        "type": "message",
        "seq": message.seq,
        "id": message.request_id or message.name.rpartition("/")[2],
        "role": ROLES.get(message.role, "system"),
        "text": message.text,
        "turn": message.turn,
        "ordinal": message.ordinal,
        "create_time": message.create_time.ToJsonString() if message.HasField("create_time") else "",
    }
    if message.suggestions:
        frame["suggestions"] = [{"text": item.text, "value": item.value or item.text} for item in message.suggestions]
    if message.attachments:
        frame["attachments"] = [
            {"name": item.name, "uri": item.uri, "content_type": item.content_type, "size": item.size}
            for item in message.attachments
        ]
    if message.citations:
        frame["citations"] = [{"title": item.title, "uri": item.uri, "quote": item.quote} for item in message.citations]
    return frame

"""The protocol of General Bots, both forms: the one its clients speak and the one its book describes."""

import uuid
from typing import Any

from parley.session.v1 import session_pb2 as pb

from gateway.realtime.protocol import Frame, Request, failure, problem, stamp_field, text_field
from services.common.errors import InvalidArgument, ParleyError

USER, BOT, CONTINUE, SUGGESTION, CONTEXT, TOOL, SYSTEM, SWITCHER = 1, 2, 3, 4, 5, 6, 7, 8
SAID = frozenset({0, USER, CONTINUE})
TOOL_PREFIX = "__TOOL__:"


class WireProtocol:
    """Numeric message_type, is_complete."""

    def __init__(self, user_id: str) -> None:
        self._user = user_id
        self._session: pb.Session = pb.Session()
        self._streamed: dict[tuple[int, int], str] = {}

    def greeting(self, session: pb.Session, limits: dict[str, int], display_name: str = "") -> list[Frame]:
        """connected."""
        self._session = session
        body = {"message": "connected", "tools": [], "limits": limits}
        return [{"type": "connected", **self._identity(), **body}]

    def _identity(self) -> Frame:
        return {
            "bot_id": self._session.bot.removeprefix("bots/"),
            "user_id": self._user,
            "session_id": self._session.name.removeprefix("sessions/"),
        }

    def request(self, frame: Frame) -> Request:
        """By message_type."""
        kind = frame.get("message_type", USER)
        if not isinstance(kind, int) or isinstance(kind, bool):
            raise InvalidArgument.field("message_type", "a number from 0 to 8", kind)
        content = text_field(frame, "content", 32_768) or text_field(frame, "text", 32_768)
        if kind == SYSTEM:
            return Request("nothing")
        if kind == TOOL or content.startswith(TOOL_PREFIX):
            return Request("message", id=chosen_id(frame), text=content.removeprefix(TOOL_PREFIX))
        if kind == CONTEXT:
            return Request("message", id=chosen_id(frame), text=text_field(frame, "context_name", 256) or content)
        if kind in SAID | {SUGGESTION} and content:
            return Request("message", id=chosen_id(frame), text=content)
        if kind == SWITCHER:
            return Request("nothing")
        raise InvalidArgument.field("content", "something to say", content)

    def event(self, event: pb.SessionEvent) -> list[Frame]:
        """BotResponse frames; what a person said is not echoed."""
        kind = event.WhichOneof("event")
        if kind == "delta":
            return self._piece(event.delta)
        if kind == "typing":
            return [{**self._response("", complete=False), "thinking": True}]
        if kind == "message" and event.message.role != pb.Message.ROLE_USER:
            return self._message(event.message)
        if kind == "failed":
            return [self._response(failure(event.failed.error)["message"], complete=True)]
        return []

    def _piece(self, delta: pb.Delta) -> list[Frame]:
        """A piece that follows on what was shown; what does not fit comes with the whole message."""
        key = (delta.turn, delta.ordinal)
        shown = self._streamed.get(key, "")
        if delta.offset != len(shown):
            return []
        self._streamed[key] = shown + delta.text
        return [self._response(delta.text, complete=False)]

    def _message(self, message: pb.Message) -> list[Frame]:
        """What the pieces did not show, then the end: clients leave out the text of an end that follows pieces."""
        key = (message.turn, message.ordinal)
        shown = self._streamed.get(key, "")
        self._streamed = {other: text for other, text in self._streamed.items() if other > key}
        end = self._response("", complete=True)
        end["suggestions"] = [{"text": item.text, "context": item.value} for item in message.suggestions]
        if not shown:
            return [{**end, "content": message.text}]
        if not message.text.startswith(shown):
            return [self._response("", complete=True), {**end, "content": message.text}]
        rest = message.text[len(shown) :]
        return [self._response(rest, complete=False), end] if rest else [end]

    def _response(self, content: str, *, complete: bool) -> Frame:
        body = {"channel": "web", "content": content, "message_type": BOT, "stream_token": None}
        return {**self._identity(), **body, "is_complete": complete, "suggestions": [], "switchers": []}

    def accepted(self, request: Request, seq: int) -> list[Frame]:
        """This form has no acknowledgement."""
        return []

    def refused(self, error: ParleyError, identifier: str) -> list[Frame]:
        """As a message of the bot."""
        return [{**self._response(error.message, complete=True), "error": problem(error)}]

    def pong(self, frame: Frame) -> list[Frame]:
        """As any request."""
        return self.answer_ping(self.request(frame))

    def answer_ping(self, request: Request) -> list[Frame]:
        """This form has none."""
        return []


class BookProtocol(WireProtocol):
    """{type: message|typing|suggestion|status|error, ...}."""

    def request(self, frame: Frame) -> Request:
        """By `type`."""
        kind = text_field(frame, "type", 64)
        if kind == "message":
            content = text_field(frame, "content", 32_768) or text_field(frame, "text", 32_768)
            if not content:
                raise InvalidArgument.field("content", "something to say", content)
            return Request("message", id=chosen_id(frame), text=content)
        if kind == "suggestion":
            return Request("message", id=chosen_id(frame), text=text_field(frame, "text", 1024))
        if kind == "typing":
            return Request("typing")
        if kind in {"status", "ping"}:
            return Request("ping", stamp=stamp_field(frame, "timestamp"))
        raise InvalidArgument.field("type", "message, typing, suggestion or status", kind)

    def event(self, event: pb.SessionEvent) -> list[Frame]:
        """Typed frames."""
        kind = event.WhichOneof("event")
        if kind == "typing":
            return [{"type": "typing", **self._identity()}]
        if kind == "message" and event.message.role != pb.Message.ROLE_USER:
            return self._typed(event.message)
        if kind == "completed":
            return [{"type": "status", "status": "idle", **self._identity()}]
        if kind == "failed":
            return [{"type": "error", **self._identity(), "message": failure(event.failed.error)["message"]}]
        return [{"type": "status", "status": "ended"}] if kind == "ended" else []

    def _typed(self, message: pb.Message) -> list[Frame]:
        frames: list[Frame] = [{"type": "message", **self._identity(), "content": message.text, "role": "bot"}]
        if message.suggestions:
            choices = [{"text": item.text, "value": item.value} for item in message.suggestions]
            frames.append({"type": "suggestion", **self._identity(), "suggestions": choices})
        return frames

    def refused(self, error: ParleyError, identifier: str) -> list[Frame]:
        """error."""
        return [{"type": "error", "message": error.message, "error": problem(error)}]

    def answer_ping(self, request: Request) -> list[Frame]:
        """status."""
        return [{"type": "status", "status": "ok", "timestamp": request.stamp}]


def chosen_id(frame: Frame) -> str:
    """The client's own identifier if it is a UUID; a new one otherwise."""
    try:
        return str(uuid.UUID(str(frame.get("id") or frame.get("message_id"))))
    except ValueError:
        return str(uuid.uuid4())


def form_of(frame: dict[str, Any], user_id: str) -> WireProtocol:
    """The first frame of a client decides."""
    return BookProtocol(user_id) if "type" in frame and "message_type" not in frame else WireProtocol(user_id)

"""One socket: who it is for, what it asks, what it is told."""

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import orjson
from parley.session.v1 import session_pb2 as pb
from parley.session.v1 import session_service_pb2 as service_pb
from parley.session.v1 import session_service_pb2_grpc as service_grpc

from gateway.realtime.config import RealtimeSettings
from gateway.realtime.names import BotNames
from gateway.realtime.protocol import Frame, FrameProtocol, Request, parse
from services.common import context
from services.common.bus import live, subjects
from services.common.bus.connection import Bus
from services.common.bus.feed import Batch, EventFeed
from services.common.errors import (
    Aborted,
    DeadlineExceeded,
    Internal,
    InvalidArgument,
    OutOfRange,
    ParleyError,
    ResourceExhausted,
    Unavailable,
)
from services.common.security.principal import Principal
from services.common.telemetry.logs import logger

log = logger(__name__)
PAGE = 200
QUEUE = 64
POST_SECONDS = 20.0
DRAIN_SECONDS = 20.0
CLOSE_PROTOCOL, CLOSE_ENCODING = 1002, 1007
CLOSE_GOING, CLOSE_TICKET, CLOSE_SLOW, CLOSE_LARGE, CLOSE_FAST, CLOSE_SILENT = 4000, 4001, 4008, 4009, 4029, 4010


class Socket(Protocol):
    """What a connection needs of a WebSocket library."""

    def send(self, text: bytes) -> int:
        """Send a text frame; the bytes that wait to be sent."""

    def pong(self, payload: bytes) -> int:
        """Answer a ping; the bytes that wait to be sent."""

    async def drained(self) -> None:
        """Return when the peer has taken most of what was sent."""

    def close(self, code: int, reason: str) -> None:
        """Close with a code."""


@dataclass(frozen=True, slots=True)
class Admission:
    """Who may use which session, and how they speak: `choose` makes the protocol from the first frame."""

    session: pb.Session
    principal: Principal
    choose: Callable[[Frame], FrameProtocol]
    early: FrameProtocol | None = None


@dataclass(frozen=True, slots=True)
class Shared:
    """What all connections of the process share."""

    settings: RealtimeSettings
    bus: Bus
    sessions: "service_grpc.SessionServiceAsyncStub"
    names: BotNames


def retrieved(opening: "asyncio.Task[None]") -> None:
    """A peer that left while its feed opened does not ask how that ended."""
    if not opening.cancelled():
        opening.exception()


class Allowance:
    """A token bucket."""

    def __init__(self, per_minute: int) -> None:
        self._rate = per_minute / 60
        self._size = float(max(10, per_minute // 4))
        self._left = self._size
        self._at = time.monotonic()

    def take(self) -> bool:
        """Whether one more is allowed now."""
        now = time.monotonic()
        left = self._left + (now - self._at) * self._rate
        self._at = now
        left = min(left, self._size)
        self._left = left - 1 if left >= 1 else left
        return left >= 1


def passes(error: ParleyError) -> bool:
    """Whether asking again may help. Aborted: the session service stopped while it answered."""
    return error.retryable or isinstance(error, DeadlineExceeded | Aborted)


class Connection:
    """Frames in by on_frame, frames out by the socket; one task works requests off in order."""

    def __init__(self, shared: Shared, socket: Socket, admit: Callable[[], Awaitable[Admission]]) -> None:
        self._shared = shared
        self._socket = socket
        self._admit = admit
        self._admission: Admission | None = None
        self._protocol: FrameProtocol | None = None
        self._requests: asyncio.Queue[Frame] = asyncio.Queue(QUEUE)
        self._frames = Allowance(shared.settings.frames_per_minute)
        self._messages = Allowance(shared.settings.messages_per_minute)
        self._resumes = Allowance(shared.settings.messages_per_minute)
        self._feed: EventFeed[pb.SessionEvent] | None = None
        self._task: asyncio.Task[None] | None = None
        self._largest_buffer = shared.settings.buffer_bytes
        self._begun = False
        self._closed = False

    def open(self) -> None:
        """Begin."""
        self._task = asyncio.create_task(self._guarded())

    def allows(self) -> bool:
        """Count a frame of the wire, whatever its kind; whether it is to be read. One too many closes."""
        if self._closed:
            return False
        if not self._frames.take():
            self.close(CLOSE_FAST, "too many frames")
            return False
        return True

    def on_ping(self, payload: bytes) -> None:
        """A ping of the wire. Who asks and does not read the answers is let go."""
        if self._socket.pong(payload) > self._largest_buffer:
            self.close(CLOSE_SLOW, "too slow; resume")

    def on_frame(self, payload: bytes) -> None:
        """A message of frames, from the socket's callback: must not wait."""
        try:
            frame = parse(payload)
            if frame.get("type") == "ping" and self._begun and self._protocol is not None:
                self._send(self._protocol.pong(frame))
            else:
                self._requests.put_nowait(frame)
        except UnicodeDecodeError:
            self.close(CLOSE_ENCODING, "expected UTF-8")
        except InvalidArgument as error:
            self._refuse(error, "")
        except asyncio.QueueFull:
            self.close(CLOSE_FAST, "too many frames")

    def close(self, code: int, reason: str) -> None:
        """Close the socket; what was not sent is read from the ledger by whoever resumes."""
        if not self._closed:
            self._closed = True
            self._socket.close(code, reason)

    async def gone(self) -> None:
        """The socket is closed: stop listening."""
        self._closed = True
        if self._task is not None:
            self._task.cancel()
        if self._feed is not None:
            await self._feed.close()

    # requests

    async def _guarded(self) -> None:
        try:
            await self._work()
        except Exception as error:
            log.exception("connection failed", error=type(error).__name__)
            self.close(CLOSE_GOING, "internal error; reconnect")

    async def _work(self) -> None:
        try:
            self._admission = await self._admit()
        except ParleyError as error:
            code = CLOSE_GOING if error.retryable else CLOSE_TICKET
            self.close(code, error.message)
            return
        if self._admission.early is not None:
            await self._speak_first(self._admission, self._admission.early)
        try:
            async with asyncio.timeout(self._shared.settings.first_frame_seconds):
                first = await self._requests.get()
        except TimeoutError:
            if self._admission.early is None:
                self.close(CLOSE_SILENT, "expected a first frame")
                return
            first = await self._requests.get()
        await self._begin(self._admission, first)

    async def _speak_first(self, admission: Admission, early: FrameProtocol) -> None:
        """What the bot says is shown before the client says anything: all of it while nobody has, then what is new."""
        self._protocol = early
        self._send(early.greeting(admission.session, self._limits()))
        session = admission.session
        with context.acting_for(admission.principal), contextlib.suppress(ParleyError):  # after which it is closed
            await self._listen(admission, session.last_seq if session.consumed_seq else 0)

    async def _begin(self, admission: Admission, first: Frame) -> None:
        with context.acting_for(admission.principal):
            chosen = admission.choose(first)
            if type(chosen) is not type(self._protocol):
                chosen.greeting(admission.session, self._limits())
                self._protocol = chosen
            self._begun = True
            await self._serve(first)
            while not self._closed:
                await self._serve(await self._requests.get())

    def _limits(self) -> dict[str, int]:
        settings = self._shared.settings
        return {"frame_bytes": settings.frame_bytes, "messages_per_minute": settings.messages_per_minute}

    async def _serve(self, frame: Frame) -> None:
        protocol = self._protocol
        if protocol is None or self._admission is None:
            return
        given = frame.get("id")
        identifier = given[:64] if isinstance(given, str) else ""
        try:
            request = protocol.request(frame)
            await self._do(self._admission, protocol, request)
        except ParleyError as error:
            self._refuse(error, identifier)
        except TimeoutError:
            self._refuse(Internal("this took too long; send it again with the same id"), identifier)

    async def _do(self, admission: Admission, protocol: FrameProtocol, request: Request) -> None:
        if request.kind == "resume":
            await self._resume(admission, protocol, request.after)
        elif request.kind == "message":
            await self._post(admission, protocol, request)
        elif request.kind == "cancel":
            await self._shared.sessions.CancelTurn(service_pb.CancelTurnRequest(session=admission.session.name))
        elif request.kind == "typing":
            self._show_typing(admission)
        elif request.kind == "ping":
            self._send(protocol.answer_ping(request))

    async def _resume(self, admission: Admission, protocol: FrameProtocol, after: int) -> None:
        if not self._resumes.take():
            raise ResourceExhausted("too many resumes a minute; wait a little", retry_after=1.0)
        try:
            session = await self._session(admission)
        except ParleyError as error:
            if not passes(error):
                raise
            self.close(CLOSE_GOING, "the session cannot be read now; reconnect")  # else the peer waits for "ready"
            return
        self._send(protocol.greeting(session, self._limits(), await self._shared.names.of(session.bot)))
        if after > session.last_seq:  # nothing would ever follow on it
            raise OutOfRange(f"after: expected at most {session.last_seq}, the last message there is, got {after}")
        await self._listen(admission, after)

    async def _post(self, admission: Admission, protocol: FrameProtocol, request: Request) -> None:
        if not self._messages.take():
            raise ResourceExhausted("too many messages a minute; wait a little", retry_after=1.0)
        posting = service_pb.PostMessageRequest(
            session=admission.session.name,
            text=request.text,
            action=request.action,
            attachments=request.attachments,
            request_id=request.id,
        )
        message = await self._shared.sessions.PostMessage(posting, timeout=POST_SECONDS)
        self._send(protocol.accepted(request, message.seq))

    def _show_typing(self, admission: Admission) -> None:
        event = pb.SessionEvent(typing=pb.Typing(role=pb.Message.ROLE_USER))
        payload = pb.LiveEvents(session=admission.session.name, events=[event]).SerializeToString()
        identifier = admission.session.name.removeprefix("sessions/")
        self._shared.bus.publish(subjects.message_delta(admission.principal.tenant_id, identifier), payload)

    # events

    async def _session(self, admission: Admission) -> pb.Session:
        return await self._shared.sessions.GetSession(service_pb.GetSessionRequest(name=admission.session.name))

    async def _listen(self, admission: Admission, after: int) -> None:
        if self._feed is not None:
            await self._feed.close()
        identifier = admission.session.name.removeprefix("sessions/")

        async def read(position: int) -> tuple[Batch[pb.SessionEvent], bool]:
            with context.acting_for(admission.principal):
                return await self._patiently(admission, position)

        self._feed = EventFeed(
            self._shared.bus,
            subjects.session_live(admission.principal.tenant_id, identifier),
            decode=live.decode,
            read=read,
            deliver=self._deliver,
            after=after,
        )
        opening = asyncio.create_task(self._feed.open())
        opening.add_done_callback(retrieved)
        # Shielded: a subscription that is half made when the peer leaves must reach the feed, which ends it.
        await asyncio.shield(opening)

    async def _patiently(self, admission: Admission, after: int) -> tuple[Batch[pb.SessionEvent], bool]:
        """A page when the peer has taken the last one. What passes is tried again; else the client must come back."""
        try:
            async with asyncio.timeout(DRAIN_SECONDS):
                await self._socket.drained()
            return await self._read(admission, after)
        except TimeoutError:
            self.close(CLOSE_SLOW, "too slow; resume")
            raise Unavailable("the peer is too slow") from None
        except ParleyError as error:
            if not passes(error):
                self.close(CLOSE_GOING, "the ledger cannot be read now; reconnect")
                raise
            raise Unavailable(error.message) from error

    async def _read(self, admission: Admission, after: int) -> tuple[Batch[pb.SessionEvent], bool]:
        request = service_pb.ListMessagesRequest(parent=admission.session.name, after_seq=after, page_size=PAGE)
        found = await self._shared.sessions.ListMessages(request)
        # Read second, and believed only if nothing was written between: else nobody tells the end of that turn.
        session = await self._session(admission)
        more = session.last_seq > (found.messages[-1].seq if found.messages else after)
        return live.page(session, found.messages, after, more=more), more

    def _deliver(self, events: Sequence[pb.SessionEvent]) -> None:
        protocol = self._protocol
        if protocol is None:
            return
        for event in events:
            if event.HasField("typing") and event.typing.role == pb.Message.ROLE_USER:
                continue
            self._send(protocol.event(event))

    def _send(self, frames: list[Frame]) -> None:
        if self._closed:
            return
        waiting = 0
        for frame in frames:
            waiting = self._socket.send(orjson.dumps(frame))
        if waiting > self._largest_buffer:
            self.close(CLOSE_SLOW, "too slow; resume")

    def _refuse(self, error: ParleyError, identifier: str) -> None:
        protocol = self._protocol
        if protocol is None:
            self.close(CLOSE_TICKET, "expected a JSON object first")
            return
        self._send(protocol.refused(error, identifier))

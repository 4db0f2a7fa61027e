"""SessionService: what people do with sessions."""

import datetime
import itertools
import uuid
from collections.abc import AsyncIterator, Sequence

from google.protobuf import empty_pb2, json_format, timestamp_pb2
from parley.session.v1 import session_pb2 as pb
from parley.session.v1 import session_service_pb2 as service_pb
from parley.session.v1 import session_service_pb2_grpc as service_grpc

from services.common import context
from services.common.errors import AlreadyExists, InvalidArgument
from services.common.identifiers import derived_id, parse_uuid, uuid7
from services.common.pagination import PageTokens, page_size
from services.common.rpc.handlers import Context
from services.common.security.principal import Principal
from services.session.api.access import access_session, sees_all
from services.session.closing import ended
from services.session.config import SessionSettings
from services.session.events import Announcer
from services.session.knowing import BotDirectory
from services.session.listening import Listener
from services.session.posting import Poster
from services.session.store.ledger import Ledger
from services.session.store.sessions import STATE_NAMES, NewSession, SessionFilter, Sessions
from services.session.store.tickets import Tickets

LARGEST_METADATA = 16 * 1024
LARGEST_PAGE_BYTES = 512 * 1024


class SessionApi(service_grpc.SessionServiceServicer):
    """Translates; every session is reached through access_session."""

    def __init__(
        self,
        settings: SessionSettings,
        sessions: Sessions,
        ledger: Ledger,
        poster: Poster,
        listener: Listener,
        tickets: Tickets,
        bots: BotDirectory,
        announcer: Announcer,
    ) -> None:
        self._settings = settings
        self._sessions = sessions
        self._ledger = ledger
        self._poster = poster
        self._listener = listener
        self._tickets = tickets
        self._bots = bots
        self._announcer = announcer
        self._tokens = PageTokens(settings.page_token_secret)

    async def CreateSession(  # noqa: N802
        self, request: service_pb.CreateSessionRequest, context_: Context
    ) -> pb.Session:
        """Open a session. The same request_id gives the same session."""
        who = context.principal()
        wanted = request.session
        metadata = json_format.MessageToDict(wanted.metadata)
        if wanted.metadata.ByteSize() > LARGEST_METADATA:
            raise InvalidArgument.field("session.metadata", "at most 16 KiB")
        if wanted.channel not in {"", "channels/web"}:
            raise InvalidArgument.field("session.channel", '"channels/web"; other channels open theirs', wanted.channel)
        await self._bots.require(wanted.bot)
        made = derived_id(who.tenant_id, who.subject, request.request_id) if request.request_id else uuid7()
        new = NewSession(
            id=made,
            user=who.subject,
            bot=wanted.bot.removeprefix("bots/"),
            roles=sorted(who.roles),
            timeout=self._settings.session_timeout,
            locale=wanted.locale,
            metadata=metadata,
        )
        created = await self._sessions.create(who.tenant_id, new, limit=self._settings.maximum_sessions_per_person)
        session = await self._sessions.read(who.tenant_id, made)
        if created:
            self._announcer.ring(uuid.UUID(who.tenant_id), made)
        elif (session.bot, session.locale, session.metadata) != (wanted.bot, wanted.locale, wanted.metadata):
            raise AlreadyExists("this request_id came with another request", reason="REQUEST_ID_REUSED")
        return session

    async def GetSession(  # noqa: N802
        self, request: service_pb.GetSessionRequest, context_: Context
    ) -> pb.Session:
        """Read a session."""
        return await access_session(self._sessions, request.name)

    async def ListSessions(  # noqa: N802
        self, request: service_pb.ListSessionsRequest, context_: Context
    ) -> service_pb.ListSessionsResponse:
        """List one's own sessions, or everybody's with the permission."""
        who = context.principal()
        user = request.user if sees_all(who) else who.subject
        filters = (who.tenant_id, user, request.bot, request.state)
        limit = page_size(request.page_size, 50, 200)
        position = self._tokens.read(filters, request.page_token)
        only = SessionFilter(
            user=user,
            bot=request.bot.removeprefix("bots/"),
            status=STATE_NAMES.get(request.state, ""),
            before=position_of(position),
        )
        found = await self._sessions.list(who.tenant_id, only, limit + 1)
        response = service_pb.ListSessionsResponse(sessions=found[:limit])
        if len(found) > limit:
            last = found[limit - 1]
            response.next_page_token = self._tokens.make(filters, (last.create_time.ToJsonString(), last.name))
        return response

    async def EndSession(  # noqa: N802
        self, request: service_pb.EndSessionRequest, context_: Context
    ) -> pb.Session:
        """End a session. Ending an ended one changes nothing."""
        session = await access_session(self._sessions, request.name)
        tenant, identifier = uuid.UUID(context.principal().tenant_id), identifier_of(request.name)
        announcement = ended(str(tenant), session.name, pb.Session.STATE_ENDED)
        last_seq = await self._ledger.close(tenant, identifier, "ended", announcement)
        if last_seq is not None:
            self._announcer.committed(tenant, announcement, last_seq)
        return await self._sessions.read(str(tenant), identifier)

    async def PostMessage(  # noqa: N802
        self, request: service_pb.PostMessageRequest, context_: Context
    ) -> pb.Message:
        """Put a message into the ledger."""
        who = context.principal()
        return await self._poster.post(who.tenant_id, writer(who), key_of(who, request), request)

    async def ListMessages(  # noqa: N802
        self, request: service_pb.ListMessagesRequest, context_: Context
    ) -> service_pb.ListMessagesResponse:
        """List messages after a number."""
        who = context.principal()
        filters = (who.tenant_id, request.parent, request.after_seq)
        limit = page_size(request.page_size, 100, 500)
        position = self._tokens.read(filters, request.page_token)
        await access_session(self._sessions, request.parent)
        after = int(position[0]) if position else request.after_seq
        found = await self._sessions.messages(who.tenant_id, identifier_of(request.parent), after, limit + 1)
        shown = fitting(found[:limit])
        response = service_pb.ListMessagesResponse(messages=shown)
        if len(found) > len(shown):
            response.next_page_token = self._tokens.make(filters, (shown[-1].seq,))
        return response

    async def StreamEvents(  # noqa: N802
        self, request: service_pb.StreamEventsRequest, context_: Context
    ) -> AsyncIterator[pb.SessionEvent]:
        """Stream the ledger after a number, then live."""
        who = context.principal()
        await access_session(self._sessions, request.session)
        session = identifier_of(request.session)
        async for event in self._listener.events(who.tenant_id, session, request.after_seq, lambda _: False):
            yield event

    async def StreamTurn(  # noqa: N802
        self, request: service_pb.PostMessageRequest, context_: Context
    ) -> AsyncIterator[pb.SessionEvent]:
        """Post a message and stream up to the end of its turn."""
        who = context.principal()
        message = await self._poster.post(who.tenant_id, writer(who), key_of(who, request), request)

        def answered(event: pb.SessionEvent) -> bool:
            through = max(event.completed.consumed_seq, event.failed.consumed_seq)
            return through >= message.seq

        session = identifier_of(request.session)
        async for event in self._listener.events(who.tenant_id, session, message.seq - 1, answered):
            yield event

    async def CancelTurn(  # noqa: N802
        self, request: service_pb.CancelTurnRequest, context_: Context
    ) -> empty_pb2.Empty:
        """Ask whoever makes the reply to stop."""
        await access_session(self._sessions, request.session)
        self._announcer.cancel(uuid.UUID(context.principal().tenant_id), identifier_of(request.session))
        return empty_pb2.Empty()

    async def CreateTicket(  # noqa: N802
        self, request: service_pb.CreateTicketRequest, context_: Context
    ) -> service_pb.CreateTicketResponse:
        """Make a ticket that opens one WebSocket."""
        session = await access_session(self._sessions, request.session)
        return await self._tickets.create(context.principal(), identifier_of(session.name))


def fitting(found: Sequence[pb.Message]) -> Sequence[pb.Message]:
    """As many from the beginning as one answer may carry, at least one: long messages make short pages."""
    sizes = itertools.accumulate(message.ByteSize() for message in found)
    return found[: max(1, sum(size <= LARGEST_PAGE_BYTES for size in sizes))]


def identifier_of(name: str) -> uuid.UUID:
    """The UUID of "sessions/{uuid}"; a malformed one is a session that does not exist."""
    return parse_uuid(name.removeprefix("sessions/"), "session")


def key_of(who: Principal, request: service_pb.PostMessageRequest) -> str:
    """What makes a repeat recognisable: the caller's request_id, or the channel's own identifier."""
    if request.request_id:
        return f"r:{who.subject}:{request.request_id}"
    return f"x:{who.subject}:{request.external_id}" if request.external_id else ""


def writer(who: Principal) -> str:
    """Whose sessions the caller may write to; empty means any of the tenant."""
    return "" if sees_all(who) else who.subject


def position_of(position: list[str] | None) -> tuple[datetime.datetime, uuid.UUID] | None:
    """Creation time and id where a page begins."""
    if position is None:
        return None
    timestamp = timestamp_pb2.Timestamp()
    timestamp.FromJsonString(position[0])
    return timestamp.ToDatetime(datetime.UTC), identifier_of(position[1])

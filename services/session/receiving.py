"""Messages from channels: the person and the session are found or made, then the message is posted."""

import datetime
import uuid

from parley.session.v1 import ledger_service_pb2 as ledger_pb
from parley.session.v1 import session_service_pb2 as service_pb

from services.common import context
from services.common.errors import FailedPrecondition, Unavailable
from services.common.identifiers import uuid7
from services.session.posting import Poster
from services.session.store.sessions import NewSession, Sessions

ATTEMPTS = 3


class Receiver:
    """The door for channel adapters."""

    def __init__(self, sessions: Sessions, poster: Poster, timeout: datetime.timedelta) -> None:
        self._sessions = sessions
        self._poster = poster
        self._timeout = timeout

    async def receive(self, request: ledger_pb.ReceiveMessageRequest) -> ledger_pb.ReceiveMessageResponse:
        """Post a message under (channel, external id). A session closed meanwhile is replaced by a new one."""
        tenant = context.principal().tenant_id
        key = f"x:{request.channel}:{request.external_id}"
        for _ in range(ATTEMPTS):
            session = await self._session(tenant, request, key)
            posting = service_pb.PostMessageRequest(
                session=session,
                text=request.text,
                attachments=request.attachments,
                external_id=request.external_id,
            )
            try:
                message, new = await self._poster.post_once(tenant, "", key, posting)
            except FailedPrecondition:
                continue
            name = message.name.partition("/messages/")[0]
            return ledger_pb.ReceiveMessageResponse(session=name, seq=message.seq, duplicate=not new)
        raise Unavailable("the session closed while the message came in; send it again")

    async def _session(self, tenant: str, request: ledger_pb.ReceiveMessageRequest, key: str) -> str:
        channel, bot = request.channel.removeprefix("channels/"), request.bot.removeprefix("bots/")
        for _ in range(ATTEMPTS):
            found = await self._sessions.on_channel(tenant, channel, bot, request.external_user)
            if found:
                return found.name
            earlier = await self._sessions.posted_under(tenant, key)
            if earlier:  # a late repeat must not open a session in which the bot would greet again
                return f"sessions/{earlier}"
            new = NewSession(
                id=uuid7(),
                user=visitor_of(tenant, channel, request.external_user),
                bot=bot,
                roles=("visitor",),
                timeout=self._timeout,
                channel=channel,
                external_user=request.external_user,
                locale=request.locale,
                metadata={"display_name": request.display_name} if request.display_name else {},
            )
            if await self._sessions.create(tenant, new):
                return f"sessions/{new.id}"
        raise Unavailable("the session could not be opened; send the message again")


def visitor_of(tenant: str, channel: str, external_user: str) -> str:
    """Somebody on a channel is the same visitor in all their sessions there."""
    return f"visitors/{uuid.uuid5(uuid.UUID(tenant), f'{channel}:{external_user}')}"

"""Runs of scripts that no person starts: the session is found or made, then the run is posted, once."""

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
ROLES = ("service",)


class Starter:
    """The door for schedules, webhooks and events."""

    def __init__(self, sessions: Sessions, poster: Poster, timeout: datetime.timedelta) -> None:
        self._sessions = sessions
        self._poster = poster
        self._timeout = timeout

    async def start(self, request: ledger_pb.StartRunRequest) -> ledger_pb.StartRunResponse:
        """Post a run under (cause, external id). seq 0 when too many of its kind wait already."""
        tenant, cause = context.principal().tenant_id, request.run.cause
        key = f"x:channels/{cause}:{request.external_id}"
        for _ in range(ATTEMPTS):
            earlier = await self._sessions.posted_under(tenant, key)
            session = earlier or await self._session(tenant, request)
            if not earlier and await self._full(tenant, session, request.most_waiting):
                return ledger_pb.StartRunResponse(session=f"sessions/{session}")
            posting = service_pb.PostMessageRequest(
                session=f"sessions/{session}", text=f"{cause}: {request.run.script}", external_id=request.external_id
            )
            try:
                message, new = await self._poster.post_once(tenant, "", key, posting, request.run)
            except FailedPrecondition:
                continue
            name = message.name.partition("/messages/")[0]
            return ledger_pb.StartRunResponse(session=name, seq=message.seq, duplicate=not new)
        raise Unavailable("the session closed while the run was started; start it again")

    async def _full(self, tenant: str, session: uuid.UUID, most: int) -> bool:
        return most > 0 and await self._sessions.waiting(tenant, session, most) >= most

    async def _session(self, tenant: str, request: ledger_pb.StartRunRequest) -> uuid.UUID:
        cause, bot = request.run.cause, request.bot.removeprefix("bots/")
        for _ in range(ATTEMPTS):
            found = await self._sessions.on_channel(tenant, cause, bot, request.runner)
            if found:
                return uuid.UUID(found.name.removeprefix("sessions/"))
            new = NewSession(
                id=uuid7(),
                user=f"services/{cause}",
                bot=bot,
                roles=ROLES,
                timeout=self._timeout,
                channel=cause,
                external_user=request.runner,
                wakes=False,
            )
            if await self._sessions.create(tenant, new):
                return new.id
        raise Unavailable("the session could not be opened; start the run again")

"""Posting: from a request to a line of the ledger, once."""

import datetime
import hashlib
import uuid

from parley.session.v1 import session_pb2 as pb
from parley.session.v1 import session_service_pb2 as service_pb

from services.common.errors import AlreadyExists, FailedPrecondition
from services.common.identifiers import uuid7
from services.session.domain import replies
from services.session.domain.storable import storable
from services.session.events import Announcer
from services.session.store.ledger import Ledger, Posting
from services.session.store.sessions import Sessions, conceal, missing


class Poster:
    """Recognises repeats, appends, rings the bell."""

    def __init__(self, ledger: Ledger, sessions: Sessions, announcer: Announcer, timeout: datetime.timedelta) -> None:
        self._ledger = ledger
        self._sessions = sessions
        self._announcer = announcer
        self._timeout = timeout

    async def post(self, tenant: str, subject: str, key: str, request: service_pb.PostMessageRequest) -> pb.Message:
        """The message in the ledger: a new one, or the earlier one of the same key.

        `subject` limits it to the person's own sessions; empty means any. AlreadyExists (REQUEST_ID_REUSED), NotFound,
        FailedPrecondition (SESSION_CLOSED).
        """
        message, _ = await self.post_once(tenant, subject, key, request)
        return message

    async def post_once(
        self, tenant: str, subject: str, key: str, request: service_pb.PostMessageRequest, run: pb.Run | None = None
    ) -> tuple[pb.Message, bool]:
        """As `post`, and whether the message is new. `run`: what it starts, when no person says it."""
        session = uuid.UUID(request.session.removeprefix("sessions/"))
        message = pb.Message(
            role=pb.Message.ROLE_USER,
            text=storable(request.text),
            action=request.action,
            attachments=request.attachments,
            request_id=request.request_id,
            run=run,
        )
        posting = Posting(
            tenant=uuid.UUID(tenant),
            session=session,
            subject=subject,
            key=key,
            digest=digest_of(request, run),
            message_id=uuid7(),
            text=message.text,
            extras=replies.extras(message),
            request_id=request.request_id,
            timeout=self._timeout,
        )
        return await self._append(posting, message)

    async def _append(self, posting: Posting, message: pb.Message) -> tuple[pb.Message, bool]:
        row = await self._ledger.post(posting)
        outcome = row["outcome"]
        if outcome == "duplicate":
            if row["digest"] != posting.digest:
                raise reused(posting)
            earlier = await self._sessions.message(str(posting.tenant), row["session_id"], row["message_id"])
            return earlier, False
        if outcome == "closed":
            raise FailedPrecondition(
                "the session is over: open a new one",
                reason="SESSION_CLOSED",
                metadata={"session": f"sessions/{posting.session}"},
            )
        if outcome == "missing":
            raise missing(posting.session)
        message.name = f"sessions/{posting.session}/messages/{row['message_id']}"
        message.seq = row["seq"]
        message.create_time.FromDatetime(row["created_at"])
        self._announcer.ring(posting.tenant, posting.session)
        shown = pb.Message()
        shown.CopyFrom(message)
        conceal(shown)
        self._announcer.input_posted(posting.tenant, posting.session, shown)
        return message, True


def digest_of(request: service_pb.PostMessageRequest, run: pb.Run | None = None) -> bytes:
    """What tells one body from another under a key. A channel's message may meet a newer session when repeated."""
    body = service_pb.PostMessageRequest(
        session="" if request.external_id else request.session,
        text=request.text,
        action=request.action,
        attachments=request.attachments,
    )
    started = run.SerializeToString(deterministic=True) if run is not None else b""
    return hashlib.blake2b(body.SerializeToString(deterministic=True) + started, digest_size=16).digest()


def reused(posting: Posting) -> AlreadyExists:
    """The same key with another body."""
    return AlreadyExists(
        "request_id: this identifier was used for another message; choose a new one for a new message",
        reason="REQUEST_ID_REUSED",
        metadata={"field": "request_id", "request_id": posting.request_id},
    )

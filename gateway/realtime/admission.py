"""Who may come in: by ticket, or by what /api/auth of the General Bots protocol handed out."""

import hashlib
import hmac
import json
import uuid
from collections.abc import Awaitable, Callable

from aiohttp import web
from parley.session.v1 import identity_service_pb2 as identity_pb
from parley.session.v1 import identity_service_pb2_grpc as identity_grpc
from parley.session.v1 import ledger_service_pb2 as ledger_pb
from parley.session.v1 import ledger_service_pb2_grpc as ledger_grpc
from parley.session.v1 import session_pb2 as pb
from parley.session.v1 import session_service_pb2 as service_pb
from parley.session.v1 import session_service_pb2_grpc as service_grpc
from pydantic import SecretStr

from gateway.realtime.connection import Admission
from gateway.realtime.general_bots import WireProtocol, form_of
from gateway.realtime.protocol import ParleyProtocol
from services.common import context
from services.common.errors import ParleyError, Unauthenticated
from services.common.rpc.client import Mesh
from services.common.security.principal import Principal, service_principal

ROLES = frozenset({"visitor"})
NAME = "realtime"


class Visitors:
    """Handles of visitors of the General Bots protocol: `<visitor>~<tenant>~<mac>`, so that none can be made up."""

    def __init__(self, secret: SecretStr) -> None:
        self._key = hashlib.blake2b(
            secret.get_secret_value().encode(), digest_size=32, person=b"visitor-handle"
        ).digest()

    def handle(self, visitor: str, tenant: str) -> str:
        """What a client gets as user_id."""
        body = f"{visitor.removeprefix('visitors/')}~{tenant}"
        return f"{body}~{self._mac(body)}"

    def principal(self, handle: str) -> Principal:
        """Who a handle was made for. Unauthenticated."""
        body, _, mac = handle.rpartition("~")
        visitor, _, tenant = body.partition("~")
        if not hmac.compare_digest(mac.encode(), self._mac(body).encode()):
            raise Unauthenticated("this user_id was not handed out here: ask /api/auth for one")
        return Principal(tenant, f"visitors/{visitor}", ROLES)

    def _mac(self, body: str) -> str:
        return hashlib.blake2b(body.encode(), key=self._key, digest_size=16).hexdigest()


class Doorkeeper:
    """Makes admissions."""

    def __init__(self, mesh: Mesh, secret: SecretStr) -> None:
        channel = mesh.channel("session")
        self._ledger = ledger_grpc.LedgerServiceStub(channel)
        self._sessions = service_grpc.SessionServiceStub(channel)
        self._auth = identity_grpc.AuthServiceStub(channel)
        self._visitors = Visitors(secret)

    def door(self, path: str, query: dict[str, str]) -> Callable[[], Awaitable[Admission]] | None:
        """How somebody at this path is let in; None for a path that leads nowhere."""
        if path == "/v1/ws":
            return lambda: self.by_ticket(query.get("ticket", ""))
        if path == "/ws" or path.startswith("/ws/"):
            bot = path.removeprefix("/ws").strip("/") or query.get("bot_name", "")
            return lambda: self.by_handle(bot, query.get("session_id", ""), query.get("user_id", ""))
        return None

    async def by_ticket(self, ticket: str) -> Admission:
        """A ticket opens its session once."""
        if not ticket:
            raise Unauthenticated("expected a ticket: POST /v1/sessions/...:createTicket", reason="TICKET_INVALID")
        with context.acting_for(service_principal(NAME)):
            found = await self._ledger.RedeemTicket(ledger_pb.RedeemTicketRequest(ticket=ticket))
        who = found.originator
        principal = Principal(who.tenant, who.subject, frozenset(who.roles), frozenset(who.scopes))
        return Admission(found.session, principal, lambda _: ParleyProtocol())

    async def by_handle(self, bot: str, session_id: str, user_id: str) -> Admission:
        """A visitor of /api/auth comes back; without one a new visitor and session are made."""
        if user_id and session_id:
            principal = self._visitors.principal(user_id)
            session = await self._own_session(principal, session_id)
        else:
            principal, session = await self.open(bot)
            user_id = self._visitors.handle(principal.subject, principal.tenant_id)
        return Admission(session, principal, lambda frame: form_of(frame, user_id), WireProtocol(user_id))

    async def _own_session(self, principal: Principal, session_id: str) -> pb.Session:
        try:
            name = f"sessions/{uuid.UUID(session_id)}"
        except ValueError:
            raise Unauthenticated("this session_id was not handed out here: ask /api/auth for one") from None
        with context.acting_for(principal):
            found: pb.Session = await self._sessions.GetSession(service_pb.GetSessionRequest(name=name))
            return found

    async def open(self, bot: str) -> tuple[Principal, pb.Session]:
        """A new visitor with a session."""
        with context.acting_for(service_principal(NAME)):
            tokens = await self._auth.SignInVisitor(identity_pb.SignInVisitorRequest(bot=bot[:80]))
        principal = Principal(tenant_of(tokens.access_token), tokens.subject, ROLES)
        wanted = pb.Session(bot=f"bots/{bot or 'hello'}")
        with context.acting_for(principal):
            session = await self._sessions.CreateSession(service_pb.CreateSessionRequest(session=wanted))
        return principal, session

    async def authenticate(self, request: web.Request) -> web.Response:
        """GET /api/auth?bot_name=: a visitor and a session. Ids a client brings are not honoured."""
        bot = request.query.get("bot_name", "hello")
        try:
            principal, session = await self.open(bot)
        except ParleyError as error:
            status = 503 if error.retryable else 404
            return web.json_response({"error": error.message, "reason": error.reason}, status=status)
        body = {
            "user_id": self._visitors.handle(principal.subject, principal.tenant_id),
            "session_id": session.name.removeprefix("sessions/"),
            "bot_id": bot,
            "bot_name": bot,
            "status": "anonymous",
        }
        return web.json_response(body, headers={"Cache-Control": "no-store"})


def tenant_of(token: str) -> str:
    """The tenant in a token that session has just made."""
    import base64  # noqa: PLC0415 - this one place

    part = token.split(".")[1]
    return str(json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))["tid"])

"""Tickets that open one WebSocket."""

import datetime
import hashlib
import secrets
import uuid

from parley.common.v1 import content_pb2
from parley.session.v1 import ledger_service_pb2 as ledger_pb
from parley.session.v1 import session_service_pb2 as service_pb
from sqlalchemy import text

from services.common.db.engine import Database
from services.common.errors import Unauthenticated
from services.common.security.principal import Principal
from services.session.store.sessions import Sessions

INSERT = text("""INSERT INTO session.tickets (tenant_id, digest, session_id, subject, roles, scopes, expires_at)
VALUES (:tenant, :digest, :session, :subject, :roles, :scopes, :expires)""")
REDEEM = text("""DELETE FROM session.tickets WHERE tenant_id = :tenant AND digest = :digest
RETURNING session_id, subject, roles, scopes, expires_at""")


def digest_of(ticket: str) -> bytes:
    """What is stored of a ticket."""
    return hashlib.sha256(ticket.encode()).digest()


class Tickets:
    """Makes and redeems tickets. A ticket is `<tenant hex>.<secret>`; only its hash is kept."""

    def __init__(self, database: Database, sessions: Sessions, lifetime: datetime.timedelta) -> None:
        self._database = database
        self._sessions = sessions
        self._lifetime = lifetime

    async def create(self, principal: Principal, session: uuid.UUID) -> service_pb.CreateTicketResponse:
        """A ticket for a session the principal may use."""
        tenant = uuid.UUID(principal.tenant_id)
        ticket = f"{tenant.hex}.{secrets.token_urlsafe(32)}"
        expires = datetime.datetime.now(datetime.UTC) + self._lifetime
        values = {
            "tenant": tenant,
            "digest": digest_of(ticket),
            "session": session,
            "subject": principal.subject,
            "roles": sorted(principal.roles),
            "scopes": sorted(principal.scopes),
            "expires": expires,
        }
        async with self._database.unit_of_work(principal.tenant_id) as connection:
            await connection.execute(INSERT, values)
        response = service_pb.CreateTicketResponse(ticket=ticket)
        response.expire_time.FromDatetime(expires)
        return response

    async def redeem(self, ticket: str) -> ledger_pb.RedeemTicketResponse:
        """The session a ticket opens; a second time it opens nothing."""
        invalid = Unauthenticated("the ticket was used, is unknown or has expired", reason="TICKET_INVALID")
        try:
            tenant = uuid.UUID(hex=ticket.partition(".")[0])
        except ValueError:
            raise invalid from None
        async with self._database.unit_of_work(str(tenant)) as connection:
            values = {"tenant": tenant, "digest": digest_of(ticket)}
            row = (await connection.execute(REDEEM, values)).one_or_none()
        if row is None or row.expires_at < datetime.datetime.now(datetime.UTC):
            raise invalid
        session = await self._sessions.read(str(tenant), row.session_id)
        originator = content_pb2.Originator(tenant=str(tenant), subject=row.subject, roles=row.roles, scopes=row.scopes)
        return ledger_pb.RedeemTicketResponse(session=session, originator=originator)

"""The only way for people to reach a session."""

from parley.session.v1 import session_pb2 as pb

from services.common import context
from services.common.identifiers import parse_uuid
from services.common.security.principal import Principal
from services.session.store.sessions import Sessions, missing

ALL = "session.sessions.admin"


def sees_all(who: Principal) -> bool:
    """Whether the caller may use everybody's sessions of the tenant."""
    return who.may(ALL)


async def access_session(sessions: Sessions, name: str) -> pb.Session:
    """The session, if it is the caller's own or the caller may see all. NotFound otherwise, in the same words."""
    who = context.principal()
    identifier = parse_uuid(name.removeprefix("sessions/"), "session")
    session = await sessions.read(who.tenant_id, identifier)
    if session.user != who.subject and not sees_all(who):
        raise missing(identifier)
    return session

"""What a script knows before its first line: who talks, and where."""

import re

from parley.session.v1 import ledger_service_pb2 as ledger_pb

from services.engine.program.values import Value

PHONE = re.compile(r"\+?\d{8,15}")


def predefined(turn: ledger_pb.Turn) -> dict[str, Value]:
    """user_id, session_id, bot_id, channel, language, from, mobile, username and the objects user and session."""
    person, outside = turn.originator.subject, turn.route.external_user
    user_id, session_id = bare(person), bare(turn.lease.key.session)
    mobile = outside if PHONE.fullmatch(outside) else ""
    return {
        "user_id": user_id,
        "session_id": session_id,
        "bot_id": bare(turn.bot),
        "channel": bare(turn.channel),
        "language": turn.locale.partition("-")[0].lower(),
        "from": outside or user_id,
        "mobile": mobile,
        "username": outside or user_id,
        "user": {"id": user_id, "name": outside or user_id, "mobile": mobile, "roles": sorted(turn.originator.roles)},
        "session": {"id": session_id, "channel": bare(turn.channel), "locale": turn.locale},
    }


def bare(name: str) -> str:
    """The last part of a resource name."""
    return name.rpartition("/")[2]

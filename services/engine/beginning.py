"""What a script knows before its first line: who talks, where, and what the bot's configuration gives it."""

import re
from collections.abc import Mapping

from parley.session.v1 import ledger_service_pb2 as ledger_pb

from services.engine.program.values import Value

PARAMETER = "param-"
NUMBER = re.compile(r"[-+]?\d{1,15}(\.\d+)?")
PHONE = re.compile(r"\+?\d{8,15}")
TRUTH = {"true": True, "false": False}


def parameters(config: Mapping[str, str]) -> dict[str, Value]:
    """param-* keys of the configuration are variables of the script, without the prefix and typed."""
    found = {
        name[len(PARAMETER) :].lower().replace("-", "_"): typed(text)
        for name, text in config.items()
        if name.lower().startswith(PARAMETER)
    }
    return found | {"botname": config.get("bot-name", "")}


def typed(text: str) -> Value:
    """A whole number, a number, a truth value or text."""
    plain = text.strip()
    match = NUMBER.fullmatch(plain)
    if match is not None:
        return float(plain) if match[1] else int(plain)
    return TRUTH.get(plain.lower(), text)


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

"""Roles and what they may: the one table."""

from functools import lru_cache

ROLES: dict[str, tuple[str, ...]] = {
    "owner": ("*",),
    "admin": ("session.*", "engine.*", "llm.*", "kb.*", "channels.*", "drive.*"),
    "developer": (
        "session.sessions.*", "session.messages.*", "session.variables.*", "session.own.*", "session.apiKeys.*",
        "engine.*", "llm.*", "kb.*", "channels.*", "drive.*",
    ),
    "agent": (
        "session.sessions.*", "session.messages.*", "session.variables.list", "session.own.*", "engine.bots.read",
        "kb.search", "kb.documents.read", "drive.uploads.*", "drive.files.read", "channels.channels.read",
    ),
    "user": (
        "session.sessions.create", "session.sessions.get", "session.sessions.list", "session.sessions.end",
        "session.messages.*", "session.own.*", "engine.bots.read", "kb.search", "drive.uploads.create",
        "drive.files.read", "llm.use",
    ),
    "visitor": (
        "session.sessions.create", "session.sessions.get", "session.sessions.list", "session.sessions.end",
        "session.messages.*", "session.own.get", "engine.bots.read", "drive.uploads.create", "drive.files.read",
    ),
    "service": ("*",),
}  # fmt: skip
RANK = ("visitor", "user", "agent", "developer", "admin", "owner")


def matches(pattern: str, permission: str) -> bool:
    """ "session.*" matches "session.messages.post"; "*" matches all."""
    if pattern in {"*", permission}:
        return True
    return pattern.endswith(".*") and permission.startswith(pattern[:-1])


@lru_cache(maxsize=4096)
def allows(roles: frozenset[str], scopes: frozenset[str], permission: str) -> bool:
    """Whether a set of roles gives a permission and the scopes, if any, do not withhold it."""
    given = any(matches(pattern, permission) for role in roles for pattern in ROLES.get(role, ()))
    return given and (not scopes or any(matches(pattern, permission) for pattern in scopes))


def outranks(roles: frozenset[str], granted: frozenset[str]) -> bool:
    """Whether somebody with `roles` may grant `granted`: nobody grants above their own."""
    highest = max((RANK.index(role) for role in roles if role in RANK), default=-1)
    return all(role in RANK and RANK.index(role) <= highest for role in granted)

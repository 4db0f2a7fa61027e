"""Who may give what to whom. Nobody hands out more than they hold."""

from collections.abc import Collection, Iterable

from services.common.errors import InvalidArgument, PermissionDenied
from services.common.security import policy
from services.common.security.principal import Principal

GRANTABLE = frozenset({"owner", "admin", "developer", "agent", "user"})
DEFAULT_ROLES = ("user",)
PASSWORD_EXPIRED_SCOPES = frozenset({"session.own.get", "session.own.changePassword"})


def covered(wanted: Iterable[str], held: Collection[str]) -> bool:
    """Whether every permission pattern wanted lies inside one that is held."""
    return all(any(policy.matches(pattern, want) for pattern in held) for want in wanted)


def patterns_of(roles: Iterable[str]) -> set[str]:
    """All that some roles give."""
    return {pattern for role in roles for pattern in policy.ROLES.get(role, ())}


def ensure_roles(maker: Principal, roles: Collection[str], *, scoped: bool = False) -> None:
    """Raise PermissionDenied when a role gives more than the maker has.

    `scoped`: what is made will be limited by `ensure_scopes`, so only the maker's roles count here.
    """
    held = patterns_of(maker.roles)
    for role in sorted(roles):
        given = patterns_of([role])
        within = covered(given, held) and (scoped or not maker.scopes or covered(given, maker.scopes))
        if role not in GRANTABLE or not within:
            raise PermissionDenied(f"the role {role} gives more than yours", metadata={"role": role})


def ensure_scopes(maker: Principal, scopes: Collection[str]) -> None:
    """Raise when a maker who is limited to scopes makes something less limited."""
    if not maker.scopes:
        return
    if not scopes:
        raise InvalidArgument.field("api_key.scopes", "at least one scope, for its maker is limited to scopes")
    for scope in sorted(scopes):
        if not covered([scope], maker.scopes):
            raise PermissionDenied(f"the scope {scope} is beyond its maker's", metadata={"scope": scope})


def ensure_not_above(maker: Principal, roles: Collection[str]) -> None:
    """Raise PermissionDenied when somebody to be changed may do more than the caller."""
    if not covered(patterns_of(roles), patterns_of(maker.roles)):
        raise PermissionDenied("the account holds a role above yours")

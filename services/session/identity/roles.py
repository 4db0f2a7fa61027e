"""Who may give what to whom. Nobody hands out more than they hold."""

from collections.abc import Collection, Iterable

from services.common.errors import InvalidArgument, PermissionDenied
from services.common.security.principal import Principal

GRANTS: dict[str, frozenset[str]] = {
    "owner": frozenset({"owner", "admin", "developer", "agent", "user"}),
    "admin": frozenset({"admin", "developer", "agent", "user"}),
    "developer": frozenset({"developer", "user"}),
    "agent": frozenset({"agent", "user"}),
    "user": frozenset({"user"}),
}
GRANTABLE = GRANTS["owner"]
DEFAULT_ROLES = ("user",)
PASSWORD_EXPIRED_SCOPES = frozenset({"session.own.get", "session.own.changePassword"})


def grantable_by(roles: Iterable[str]) -> frozenset[str]:
    """The roles a holder of these may hand out."""
    return frozenset().union(*(GRANTS.get(role, frozenset()) for role in roles))


def covers(pattern: str, scope: str) -> bool:
    """Whether everything `scope` stands for is inside `pattern`: "session.*" covers "session.users.*"."""
    return pattern in {"*", scope} or (pattern.endswith(".*") and scope.startswith(pattern[:-1]))


def ensure_roles(maker: Principal, roles: Collection[str]) -> None:
    """Raise PermissionDenied when one of the roles is above the maker's own."""
    beyond = sorted(set(roles) - grantable_by(maker.roles))
    if beyond:
        raise PermissionDenied(
            f"only somebody above may give the role {beyond[0]}",
            reason="PERMISSION_MISSING",
            metadata={"role": beyond[0]},
        )


def ensure_scopes(maker: Principal, scopes: Collection[str]) -> None:
    """Raise when a maker who is limited to scopes makes something less limited."""
    if not maker.scopes:
        return
    if not scopes:
        raise InvalidArgument.field("api_key.scopes", "at least one scope, for its maker is limited to scopes")
    for scope in sorted(scopes):
        if not any(covers(pattern, scope) for pattern in maker.scopes):
            raise PermissionDenied(
                f"the scope {scope} is beyond its maker's", reason="PERMISSION_MISSING", metadata={"scope": scope}
            )


def ensure_not_above(maker: Principal, roles: Collection[str]) -> None:
    """Raise PermissionDenied when the person to be changed holds a role above the caller's."""
    beyond = sorted(set(roles) - grantable_by(maker.roles))
    if beyond:
        raise PermissionDenied(
            "the account holds a role above yours", reason="PERMISSION_MISSING", metadata={"role": beyond[0]}
        )

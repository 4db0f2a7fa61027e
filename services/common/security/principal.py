"""Who is calling."""

from dataclasses import dataclass, field

from services.common.security import policy


@dataclass(frozen=True, slots=True)
class Principal:
    """The originating person, and the service that calls for them if one does.

    subject: "users/<uuid>", "visitors/<uuid>", "apiKeys/<id>" or "services/<name>".
    scopes: permissions the credential is limited to; empty means all that the roles give.
    """

    tenant_id: str
    subject: str
    roles: frozenset[str]
    scopes: frozenset[str] = field(default_factory=frozenset)
    service: str = ""

    def may(self, permission: str) -> bool:
        """Whether roles give the permission and scopes do not withhold it."""
        return policy.allows(self.roles, self.scopes, permission)


def service_principal(name: str, tenant_id: str = "") -> Principal:
    """A service acting by itself."""
    return Principal(tenant_id=tenant_id, subject=f"services/{name}", roles=frozenset({"service"}), service=name)

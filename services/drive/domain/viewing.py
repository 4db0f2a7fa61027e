"""Who sees which files."""

from dataclasses import dataclass, replace

from services.common.errors import InvalidArgument, NotFound, PermissionDenied
from services.common.security.principal import Principal

SEE_ALL = frozenset({"owner", "admin", "developer", "agent", "service"})


@dataclass(frozen=True, slots=True)
class Viewer:
    """For whom files are looked up. only_owner: the one whose files are seen, empty for all of the tenant."""

    tenant: str
    subject: str
    only_owner: str


def viewer_of(principal: Principal) -> Viewer:
    """Visitors and users see what they own, the others all of the tenant.

    PermissionDenied for a service that acts for nobody: it has no tenant.
    """
    if not principal.tenant_id:
        raise PermissionDenied("this is done for somebody, and the calling service did not say for whom")
    only = "" if principal.roles & SEE_ALL else principal.subject
    return Viewer(principal.tenant_id, principal.subject, only)


def keeping_for(viewer: Viewer, owner: str) -> Viewer:
    """The viewer as the one who keeps files for an owner ("bots/x"); as they are when that is empty.

    PermissionDenied for visitors and users, InvalidArgument for an owner that is no bot: nobody writes into the files
    of another person.
    """
    if not owner:
        return viewer
    if viewer.only_owner:
        raise PermissionDenied("owner: visitors and users keep their own files only")
    if not owner.startswith("bots/"):
        raise InvalidArgument.field("owner", '"bots/{bot}"', owner)
    return replace(viewer, subject=owner)


def missing(identifier: object) -> NotFound:
    """The same words whether it never was, or is somebody else's."""
    return NotFound(f"files/{identifier} does not exist", metadata={"name": f"files/{identifier}"})

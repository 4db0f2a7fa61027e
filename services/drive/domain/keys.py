"""Keys of objects: the tenant first, never the path somebody chose."""

from uuid import UUID

from services.common.identifiers import uuid7


def upload_key(tenant: str, identifier: UUID) -> str:
    """Where the bytes of an upload are PUT. Nothing there is ever read by anybody but CompleteUpload."""
    return f"{tenant}/{identifier}/upload"


def fresh_key(tenant: str, identifier: UUID) -> str:
    """A key that no object ever had, for one generation of a file."""
    return f"{tenant}/{identifier}/{uuid7()}"

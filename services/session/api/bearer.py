"""What the caller's own access token says beside the principal. The chassis has verified it already."""

import base64
import json
import uuid
from typing import Any, cast

from services.session.identity.access_tokens import TYPE, family_of

BEARER = "Bearer "


def family_of_call(context: object) -> uuid.UUID | None:
    """The family of the sign-in behind a call; None for API keys and services."""
    metadata = dict(cast("Any", context).invocation_metadata() or ())
    parts = str(metadata.get("authorization", "")).removeprefix(BEARER).split(".")
    header, claims = (json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))) for part in parts[:2])
    return family_of(str(claims.get("jti", ""))) if header.get("typ") == TYPE else None

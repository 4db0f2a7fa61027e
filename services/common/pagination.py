"""Page tokens (AIP-158): signed, bound to tenant and filter, expiring; an address, never a right."""

import base64
import binascii
import hashlib
import hmac
import json
import time
from collections.abc import Sequence

from pydantic import SecretStr

from services.common.errors import InvalidArgument

LIFETIME_SECONDS = 24 * 3600
DIGEST_BYTES = 16


def page_size(requested: int, default: int, maximum: int) -> int:
    """What a list uses: the default when unset, never above the maximum. InvalidArgument when negative."""
    if requested < 0:
        raise InvalidArgument.field("page_size", "zero or more", requested)
    return min(requested or default, maximum)


class PageTokens:
    """Makes and reads page tokens."""

    def __init__(self, secret: SecretStr) -> None:
        self._key = hashlib.blake2b(secret.get_secret_value().encode(), digest_size=32, person=b"page-token").digest()

    def make(self, filters: Sequence[object], position: Sequence[object]) -> str:
        """A token for what follows `position` (JSON values) in the list that `filters` describe."""
        body = json.dumps([int(time.time()), [str(item) for item in position]], separators=(",", ":")).encode()
        return encoded(self._sign(filters, body) + body)

    def read(self, filters: Sequence[object], token: str) -> list[str] | None:
        """The position in a token, None without one. InvalidArgument when it was not made for this list."""
        if not token:
            return None
        refused = InvalidArgument(
            "page_token: expected the next_page_token of the same list with the same arguments",
            reason="PAGE_TOKEN_INVALID",
            metadata={"field": "page_token"},
        )
        try:
            raw = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
        except (binascii.Error, ValueError):
            raise refused from None
        signature, body = raw[:DIGEST_BYTES], raw[DIGEST_BYTES:]
        if not hmac.compare_digest(signature, self._sign(filters, body)) or encoded(raw) != token:
            raise refused
        made, position = json.loads(body)
        if made + LIFETIME_SECONDS < time.time():
            raise refused
        return [str(item) for item in position]

    def _sign(self, filters: Sequence[object], body: bytes) -> bytes:
        scope = json.dumps([str(item) for item in filters]).encode()
        return hashlib.blake2b(scope + b"\x1e" + body, key=self._key, digest_size=DIGEST_BYTES).digest()


def encoded(raw: bytes) -> str:
    """Base64 for addresses, without padding."""
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")

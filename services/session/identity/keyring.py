"""The signing keys in memory: which one signs now, which ones verify."""

import datetime
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from joserfc.jwk import OKPKey

from services.common.errors import Unavailable

ALGORITHM = "EdDSA"


@dataclass(frozen=True, slots=True)
class SigningKey:
    """One key. `retire_at` is when nothing signed with it is valid any more; None while it is the newest."""

    key_id: str
    public: dict[str, Any]
    private: OKPKey
    activate_at: datetime.datetime
    retire_at: datetime.datetime | None = None

    def verifies(self, now: datetime.datetime) -> bool:
        """Whether it belongs into the published set."""
        return self.retire_at is None or self.retire_at > now


class KeyRing:
    """The keys of the installation, replaced as a whole when they are read again."""

    def __init__(self) -> None:
        self._keys: tuple[SigningKey, ...] = ()

    def replace(self, keys: Iterable[SigningKey]) -> None:
        """Take over what was just read, newest activation first."""
        self._keys = tuple(sorted(keys, key=lambda key: key.activate_at, reverse=True))

    def current(self, now: datetime.datetime) -> tuple[str, OKPKey]:
        """Id and private half of the youngest key whose time has come, by a slow clock the eldest.

        Raises Unavailable before the first is loaded.
        """
        published = [key for key in self._keys if key.verifies(now)]
        if not published:
            raise Unavailable("no signing key is loaded yet")
        chosen = next((key for key in published if key.activate_at <= now), published[-1])
        return chosen.key_id, chosen.private

    def age(self, now: datetime.datetime) -> datetime.timedelta | None:
        """How long ago the newest key began or will begin to sign; None without keys."""
        return now - self._keys[0].activate_at if self._keys else None

    def published(self, now: datetime.datetime) -> dict[str, list[dict[str, Any]]]:
        """The JWKS: the next key before it signs, the current one, and those whose tokens still live."""
        return {"keys": [key.public for key in self._keys if key.verifies(now)]}


def new_private_key(key_id: str) -> OKPKey:
    """A fresh Ed25519 key."""
    return OKPKey.generate_key("Ed25519", {"kid": key_id, "use": "sig", "alg": ALGORITHM}, private=True, auto_kid=False)


def public_jwk(key: OKPKey) -> dict[str, Any]:
    """What is published of a key."""
    return {**key.as_dict(private=False), "use": "sig", "alg": ALGORITHM}

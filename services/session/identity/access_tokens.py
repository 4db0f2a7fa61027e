"""Access tokens: short, signed, and saying all that a service needs to know."""

import datetime
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from joserfc import jwt
from joserfc.errors import UnsupportedAlgorithmError
from joserfc.jws import JWSRegistry

from services.common.security.principal import Principal
from services.session.identity.keyring import ALGORITHM, KeyRing

TYPE = "at+jwt"


class FixedAlgorithms(JWSRegistry):
    """Exactly the algorithms it is given.

    EdDSA is the name Envoy knows, so joserfc's advice to use the newer one is not taken.
    """

    def get_alg(self, name: str) -> Any:  # noqa: ANN401 - joserfc does not export its type
        """The model of an allowed algorithm. Raises UnsupportedAlgorithmError."""
        if name not in (self.allowed or ()):
            message = f"the algorithm {name} is not allowed"
            raise UnsupportedAlgorithmError(message)
        return self.algorithms[name]


SIGNING = FixedAlgorithms(algorithms=[ALGORITHM])


@dataclass(frozen=True, slots=True)
class AccessToken:
    """A signed token and when it ends."""

    text: str
    expire_at: datetime.datetime


class AccessTokens:
    """Signs tokens with the current key of a ring."""

    def __init__(
        self,
        ring: KeyRing,
        *,
        issuer: str,
        audience: str,
        lifetime: datetime.timedelta,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._ring = ring
        self._issuer = issuer
        self._audience = audience
        self._lifetime = lifetime
        self._clock = clock

    def issue(
        self, principal: Principal, *, family: uuid.UUID | None = None, not_after: datetime.datetime | None = None
    ) -> AccessToken:
        """A token for this principal, ending no later than `not_after`."""
        exactly = datetime.datetime.fromtimestamp(self._clock(), datetime.UTC)
        now = exactly.replace(microsecond=0)
        expire_at = min(now + self._lifetime, not_after or datetime.datetime.max.replace(tzinfo=datetime.UTC))
        key_id, private = self._ring.current(exactly)
        claims = {
            "iss": self._issuer,
            "aud": self._audience,
            "sub": principal.subject,
            "tid": principal.tenant_id,
            "roles": sorted(principal.roles),
            "scope": " ".join(sorted(principal.scopes)),
            "iat": int(now.timestamp()),
            "exp": int(expire_at.timestamp()),
            "jti": token_id(family),
        }
        header = {"typ": TYPE, "alg": ALGORITHM, "kid": key_id}
        return AccessToken(jwt.encode(header, claims, private, registry=SIGNING), expire_at)


def token_id(family: uuid.UUID | None) -> str:
    """Unique; begins with the family of the refresh token that stands behind it, if there is one."""
    unique = uuid.uuid4().hex
    return f"{family.hex}.{unique}" if family else unique


def family_of(identifier: str) -> uuid.UUID | None:
    """The family in a `jti`, or None."""
    family, dot, _ = identifier.partition(".")
    return uuid.UUID(hex=family) if dot else None

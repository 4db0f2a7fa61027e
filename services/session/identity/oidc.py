"""Tokens of outside issuers. Which issuers, and where their keys come from, is fixed by configuration."""

import base64
import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from joserfc import jwt
from joserfc.errors import JoseError

from services.common.errors import Unauthenticated
from services.session.identity.access_tokens import FixedAlgorithms
from services.session.identity.issuer_keys import IssuerKeys
from services.session.identity.roles import DEFAULT_ROLES
from services.session.identity.settings import OidcIssuer

SKEW_SECONDS = 60
LONGEST_SUBJECT = 255
LONGEST_EMAIL = 320


@dataclass(frozen=True, slots=True)
class OutsidePerson:
    """Somebody an issuer vouches for. `email` is empty unless it may be believed; `roles` is None when it says none."""

    issuer: OidcIssuer
    subject: str
    email: str
    name: str
    locale: str
    roles: tuple[str, ...] | None


class OidcVerifier:
    """Checks tokens of the configured issuers, and of no others."""

    def __init__(
        self,
        issuers: Sequence[OidcIssuer],
        clock: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._sources = tuple((issuer, IssuerKeys(issuer, monotonic)) for issuer in issuers)
        self._clock = clock

    async def verify(self, token: str, tenant: str) -> OutsidePerson:
        """Who a token is of; `tenant` is a short name, or empty for the issuer's. Unauthenticated, Unavailable."""
        header, claims = peek(token)
        issuer, keys = self._source(claims, tenant)
        found = await keys.find(str(header.get("kid", "")))
        if found is None:
            raise invalid("no key of the issuer fits")
        registry = FixedAlgorithms(algorithms=[found.algorithm], strict_check_header=False)
        try:
            checked = dict(jwt.decode(token, found.key, registry=registry).claims)
        except (JoseError, ValueError) as error:
            raise invalid("the signature does not verify") from error
        check_claims(checked, issuer, self._clock())
        return person_of(checked, issuer)

    def _source(self, claims: Mapping[str, Any], tenant: str) -> tuple[OidcIssuer, IssuerKeys]:
        for issuer, keys in self._sources:
            if claims.get("iss") == issuer.issuer and tenant in {"", issuer.tenant} and addressed(claims, issuer):
                return issuer, keys
        raise invalid("issuer, audience or tenant is not one that is configured")


def invalid(why: str) -> Unauthenticated:
    """The token is refused."""
    return Unauthenticated(f"the token is not accepted: {why}")


def peek(token: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Header and claims, unverified: they only choose what to verify with."""
    parts = token.split(".")
    if len(parts) != 3:
        raise invalid("it is not a signed JWT")
    try:
        header, claims = (json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))) for part in parts[:2])
    except ValueError:
        raise invalid("it is malformed") from None
    if not isinstance(header, dict) or not isinstance(claims, dict):
        raise invalid("it is malformed")
    return header, claims


def addressed(claims: Mapping[str, Any], issuer: OidcIssuer) -> bool:
    """Whether the audience is ours, and if there are several, whether we asked for it."""
    audience = claims.get("aud")
    listed = audience if isinstance(audience, list) else [audience]
    return issuer.audience in listed and (len(listed) == 1 or claims.get("azp", issuer.audience) == issuer.audience)


def check_claims(claims: Mapping[str, Any], issuer: OidcIssuer, now: float) -> None:
    """Issuer, audience, times and subject of verified claims. Unauthenticated."""
    if claims.get("iss") != issuer.issuer or not addressed(claims, issuer):
        raise invalid("it is meant for somebody else")
    if not _is_time(claims.get("exp")):
        raise invalid("it never expires")
    if claims["exp"] + SKEW_SECONDS <= now:
        raise Unauthenticated("the token has expired", reason="TOKEN_EXPIRED")
    for name in ("nbf", "iat"):
        if name in claims and (not _is_time(claims[name]) or claims[name] - SKEW_SECONDS > now):
            raise invalid(f"{name} lies in the future")
    subject = claims.get("sub")
    if not isinstance(subject, str) or not 0 < len(subject) <= LONGEST_SUBJECT:
        raise invalid("it has no subject")


def person_of(claims: Mapping[str, Any], issuer: OidcIssuer) -> OutsidePerson:
    """What verified claims say about somebody."""
    email = claims.get("email")
    believed = isinstance(email, str) and "@" in email and len(email) <= LONGEST_EMAIL
    believed = believed and (claims.get("email_verified") is True or issuer.trust_email)
    return OutsidePerson(
        issuer=issuer,
        subject=claims["sub"],
        email=str(email) if believed else "",
        name=str(claims.get("name", ""))[:255],
        locale=str(claims.get("locale", ""))[:35],
        roles=roles_of(claims, issuer),
    )


def roles_of(claims: Mapping[str, Any], issuer: OidcIssuer) -> tuple[str, ...] | None:
    """Our roles for the issuer's; "user" when none of them is mapped, None when the issuer gives no roles."""
    if not issuer.roles_claim:
        return None
    claimed: Any = claims
    for part in issuer.roles_claim.split("."):
        claimed = claimed.get(part) if isinstance(claimed, Mapping) else None
    listed = claimed if isinstance(claimed, list) else [claimed]
    mapped = {issuer.role_map[item] for item in listed if isinstance(item, str) and item in issuer.role_map}
    return tuple(sorted(mapped)) or DEFAULT_ROLES


def _is_time(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)

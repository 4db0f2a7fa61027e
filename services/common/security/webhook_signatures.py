"""Standard Webhooks (https://www.standardwebhooks.com): a signature over "id.timestamp.body", HMAC-SHA256."""

import base64
import hmac
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from services.common.errors import InvalidArgument, Unauthenticated

ID, TIMESTAMP, SIGNATURE = "webhook-id", "webhook-timestamp", "webhook-signature"
PREFIX, VERSION = "whsec_", "v1,"
SECRET_BYTES = 32
LONGEST_ID, MOST_SIGNATURES = 255, 16
LONGEST_TIME = 15


@dataclass(frozen=True, slots=True)
class Envelope:
    """The three headers."""

    id: str
    timestamp: str
    signature: str


def new_secret() -> bytes:
    """Random bytes to sign with."""
    return secrets.token_bytes(SECRET_BYTES)


def shown(secret: bytes) -> str:
    """As people copy it: "whsec_" and base64."""
    return PREFIX + base64.b64encode(secret).decode()


def sign(secret: bytes, identifier: str, timestamp: str, body: bytes) -> str:
    """ "v1,<base64>"."""
    signed = f"{identifier}.{timestamp}.".encode() + body
    return VERSION + base64.b64encode(hmac.digest(secret, signed, "sha256")).decode()


def headers(secret: bytes, identifier: str, timestamp: int, body: bytes) -> dict[str, str]:
    """What a signed message is sent with."""
    return {
        ID: identifier,
        TIMESTAMP: str(timestamp),
        SIGNATURE: sign(secret, identifier, str(timestamp), body),
    }


def verify(
    known: Sequence[bytes], given: Mapping[str, str], body: bytes, now: float, tolerance: int
) -> Envelope:  # fmt: skip
    """The headers of a message whose signature one of the secrets made, no longer ago than `tolerance` seconds.

    `given`: header names in small letters. Unauthenticated SIGNATURE_INVALID when it was not signed with a known
    secret, InvalidArgument when it was, and is too old or named in a way that could be read differently.
    """
    envelope = Envelope(given.get(ID, ""), given.get(TIMESTAMP, ""), given.get(SIGNATURE, ""))
    parts = (envelope.id, envelope.timestamp, envelope.signature)
    if not all(part and part.isascii() for part in parts):
        raise refused(f"expected the headers {ID}, {TIMESTAMP} and {SIGNATURE}, in ASCII")
    if not matches(known, envelope, body):
        raise refused(
            f"{SIGNATURE}: does not verify; is the secret this channel's, and the body signed as it was sent?"
        )
    check_id(envelope.id)
    check_time(envelope.timestamp, now, tolerance)
    return envelope


def matches(known: Sequence[bytes], envelope: Envelope, body: bytes) -> bool:
    """Whether one of the signatures is of one of the secrets. All are compared, each in constant time."""
    given = [item.encode() for item in envelope.signature.split(" ")[:MOST_SIGNATURES] if item.startswith(VERSION)]
    found = False
    for secret in known:
        made = sign(secret, envelope.id, envelope.timestamp, body).encode()
        for signature in given:
            found |= hmac.compare_digest(made, signature)
    return found


def check_id(identifier: str) -> None:
    """InvalidArgument. With a dot in it, one signed message could be cut into another id, time and body."""
    if len(identifier) > LONGEST_ID or "." in identifier or not all("!" <= char <= "~" for char in identifier):
        raise InvalidArgument.field(ID, f"at most {LONGEST_ID} visible ASCII characters without a dot")


def check_time(timestamp: str, now: float, tolerance: int) -> None:
    """InvalidArgument SIGNATURE_INVALID for a time too far from now."""
    if not timestamp.isdigit() or len(timestamp) > LONGEST_TIME:
        raise InvalidArgument.field(TIMESTAMP, "Unix seconds")
    if abs(now - int(timestamp)) > tolerance:
        text = f"{TIMESTAMP}: expected a time at most {tolerance} seconds from now; sign again when you send again"
        raise InvalidArgument(text, reason="SIGNATURE_INVALID", metadata={"field": TIMESTAMP})


def refused(message: str) -> Unauthenticated:
    """Not signed by somebody who has the secret."""
    return Unauthenticated(message, reason="SIGNATURE_INVALID")

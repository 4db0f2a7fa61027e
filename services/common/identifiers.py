"""Identifiers: time-ordered, derived, and parts of resource names."""

import os
import re
import time
import uuid

from services.common.errors import InvalidArgument

NAMESPACE = uuid.UUID("6f4a3f0e-5d0b-5c39-9f0c-7061726c6579")


def uuid7() -> uuid.UUID:
    """A UUID of version 7 (RFC 9562): 48 bits of milliseconds, then random."""
    milliseconds = time.time_ns() // 1_000_000
    random = int.from_bytes(os.urandom(10), "big")
    value = (milliseconds & 0xFFFF_FFFF_FFFF) << 80 | random
    value = value & ~(0xF << 76) | 0x7 << 76
    value = value & ~(0x3 << 62) | 0x2 << 62
    return uuid.UUID(int=value)


def derived_id(*parts: object) -> uuid.UUID:
    """The same parts always give the same identifier, so that a step done twice is recognised."""
    return uuid.uuid5(NAMESPACE, "/".join(str(part) for part in parts))


def parse_name(pattern: str, name: str, field: str = "name") -> tuple[str, ...]:
    """Parts of a resource name: parse_name("bots/*/versions/*", ...) -> ("hello", "3"). InvalidArgument."""
    expression = "^" + re.escape(pattern).replace(r"\*", "([^/]+)") + "$"
    match = re.match(expression, name)
    if match is None:
        raise InvalidArgument.field(field, f'a name like "{pattern}"', name)
    return match.groups()


def parse_uuid(text: str, field: str) -> uuid.UUID:
    """A UUID. InvalidArgument that names the field."""
    try:
        return uuid.UUID(text)
    except ValueError:
        raise InvalidArgument.field(field, "a UUID", text) from None

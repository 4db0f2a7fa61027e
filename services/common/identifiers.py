"""Identifiers: time-ordered, derived, and parts of resource names."""

import os
import re
import time
import uuid
from functools import lru_cache

from services.common.errors import InvalidArgument

CANONICAL = re.compile("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII)
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


@lru_cache(maxsize=256)
def compiled(pattern: str) -> re.Pattern[str]:
    """What a name of the pattern looks like: no part is empty, none holds a slash, a blank or a control character."""
    return re.compile(re.escape(pattern).replace(r"\*", r"([^/\s\x00-\x1f\x7f]+)"))


def parse_name(pattern: str, name: str, field: str = "name") -> tuple[str, ...]:
    """Parts of a resource name: parse_name("bots/*/versions/*", ...) -> ("hello", "3"). InvalidArgument."""
    match = compiled(pattern).fullmatch(name)
    if match is None:
        raise InvalidArgument.field(field, f'a name like "{pattern}"', name)
    return match.groups()


def parse_uuid(text: str, field: str) -> uuid.UUID:
    """A UUID in its usual spelling: one thing has one name. InvalidArgument that names the field."""
    if CANONICAL.fullmatch(text) is None:
        raise InvalidArgument.field(field, "a UUID", text)
    return uuid.UUID(text)

"""Addresses as scripts write them, made into addresses that can be asked."""

import re
from collections.abc import Mapping
from urllib.parse import urlencode

from services.engine.program.values import ProgramError, Value, text_of

SCHEME = re.compile(r"[a-z][a-z0-9+.-]*://", re.IGNORECASE)
HOST_KEY = "host"
ALLOWED_KEY = "web-allowed-hosts"
SEPARATORS = re.compile(r"[\s,;]+")


def is_address(text: str) -> bool:
    """Whether a text is an address of the web, not the name of a file or a variable."""
    written = text.strip()
    return bool(SCHEME.match(written)) or written.startswith(("/api/", "//"))


def absolute(written: str, config: Mapping[str, str], own: str) -> str:
    """The whole address. `own`: where this installation's own API is, may be empty. ProgramError without a host."""
    url = written.strip()
    if SCHEME.match(url):
        return escaped(url)
    host = config.get(HOST_KEY, "").strip() or own
    if not host:
        message = "a whole address was expected, such as https://example.com/path: the bot has no `host` in config.csv"
        raise ProgramError(message)
    base = host if SCHEME.match(host) else f"https://{host}"
    return escaped(f"{base.rstrip('/')}/{url.lstrip('/')}")


def escaped(url: str) -> str:
    """Blanks behind the host written as %20: scripts put names of cities there."""
    start = url.find("://") + 3
    ends = [position for position in (url.find(mark, start) for mark in "/?#") if position >= 0]
    cut = min(ends, default=len(url))
    return url[:cut] + url[cut:].replace(" ", "%20")


def with_query(url: str, query: Mapping[str, Value]) -> str:
    """The address with more behind its question mark; NULL is left out, a list is repeated."""
    pairs = [
        (name, text_of(item))
        for name, value in query.items()
        for item in (value if isinstance(value, list) else [value])
        if item is not None
    ]
    if not pairs:
        return url
    base, mark, fragment = url.partition("#")
    return f"{base}{'&' if '?' in base else '?'}{urlencode(pairs)}{mark}{fragment}"


def hosts_of(text: str) -> tuple[str, ...]:
    """Patterns of hosts in a text: `example.com`, `*.example.com`."""
    return tuple(part.lower() for part in SEPARATORS.split(text) if part)


def matches(host: str, patterns: tuple[str, ...]) -> bool:
    """Whether a host is one of a list; every host is when the list is empty."""
    return not patterns or any(
        host == pattern or (pattern.startswith("*.") and host.endswith(pattern[1:])) for pattern in patterns
    )

"""Headers of requests, as scripts set them."""

import re
from collections.abc import Mapping

from services.engine.program.values import ProgramError, Value, text_of

SETTING = "headers"
NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,256}")
VALUE = re.compile(r"[\t\x20-\x7e\x80-\xff]{0,8192}")
MOST_HEADERS = 64


def session_headers(settings: Mapping[str, Value]) -> dict[str, str]:
    """What SET HEADER left in the conversation. ProgramError for what cannot be sent."""
    left = settings.get(SETTING) or {}
    if len(left) > MOST_HEADERS:
        message = f"at most {MOST_HEADERS} headers, there are {len(left)}: CLEAR HEADERS takes them away"
        raise ProgramError(message)
    return {name: header_value(name, text_of(value)) for name, value in left.items()}


def header_value(name: str, value: str) -> str:
    """The value. ProgramError for a name or a value that is none."""
    if not NAME.fullmatch(name):
        message = f"{name[:40]!r} is no name of a header: letters, digits and - were expected"
        raise ProgramError(message)
    if not VALUE.fullmatch(value):
        message = f"the header {name} holds a line break or another sign that no header may hold"
        raise ProgramError(message)
    return value.strip()


def merged(left: Mapping[str, str], right: Mapping[str, str]) -> dict[str, str]:
    """Both; the right one wins, whatever the case of its names."""
    names = {name.lower() for name in right} | {"accept-encoding"}  # compression is between the client and the server
    return {name: value for name, value in left.items() if name.lower() not in names} | dict(right)


def has(headers: Mapping[str, str], wanted: str) -> bool:
    """Whether a header is there, whatever the case."""
    return any(name.lower() == wanted.lower() for name in headers)


def taken(headers: dict[str, str], wanted: str) -> str:
    """A header's value, taken out; empty when it is not there."""
    found = next((name for name in headers if name.lower() == wanted), None)
    return headers.pop(found) if found else ""

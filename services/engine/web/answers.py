"""What came back, as values."""

import codecs
import re
from http import HTTPStatus

import orjson

from services.engine.program.values import ProgramError, Value, owned
from services.engine.web.port import Page

CHARSET = re.compile(r"charset\s*=\s*\"?([\w.:-]+)", re.IGNORECASE)
TEXTUAL = ("text/", "application/xml", "application/javascript", "application/x-www-form-urlencoded", "application/csv")
JSON_MARKS = (b"{", b"[")


def response_of(page: Page) -> Value:
    """A response object. ProgramError for data that no script can hold."""
    headers = {name: value[:8192] for name, value in page.headers.items()}
    return {"status": page.status, "statusText": phrase(page.status), "headers": headers, "data": data_of(page)}


def phrase(status: int) -> str:
    """The words that belong to a status; what the other side wrote there is not repeated."""
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return ""


def data_of(page: Page) -> Value:
    """JSON when it is that, else text; NULL for an empty answer and for what is neither. ProgramError: too large."""
    kind = page.media_type
    says_json = kind == "application/json" or kind.endswith("+json")
    if says_json or page.body.lstrip()[:1] in JSON_MARKS:
        try:
            return held(orjson.loads(page.body))
        except ValueError:
            pass
    if not page.body or not (says_json or is_text(page)):
        return None
    return held(text(page))


def held(value: Value) -> Value:
    """The value, when a script can hold it. ProgramError."""
    return owned([value])[0]


def is_text(page: Page) -> bool:
    """Whether people could read the body."""
    kind = page.media_type
    if not kind:
        return b"\x00" not in page.body[:1024]
    return kind.startswith(TEXTUAL) or kind.endswith("+xml")


def text(page: Page) -> str:
    """The body in its character set, UTF-8 when none is named."""
    match = CHARSET.search(page.headers.get("content-type", ""))
    try:
        return codecs.decode(page.body, match[1] if match else "utf-8", "replace")
    except (LookupError, ValueError, AssertionError):
        return page.body.decode("utf-8", "replace")


def plain_data(response: Value) -> Value:
    """What GET gives: the data itself, or the whole response object when the other side did not do what was asked."""
    if not 200 <= response["status"] < 300:
        return response
    if response["data"] is None and response["headers"].get("content-length", "0") != "0":
        kind = response["headers"].get("content-type", "no type")[:80]
        message = f"expected text or JSON at the address, there is {kind}: DOWNLOAD keeps such a thing as a file"
        raise ProgramError(message)
    return response["data"]

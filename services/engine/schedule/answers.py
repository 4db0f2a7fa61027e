"""What a script returns, as the answer of a webhook."""

import json
import math
from collections.abc import Mapping
from typing import Any

import grpc
from aiohttp import web

from services.common.errors import ParleyError
from services.engine.program.values import Value, text_of

# What a script may say in the head of an answer. Cookies and what browsers trust of this origin are not among it.
ALLOWED = frozenset(
    """content-type content-language content-disposition cache-control etag expires last-modified location retry-after
    vary link""".split()
)
# The answer is on the origin of the pages: a browser must neither guess its type nor run what is in it.
ALWAYS = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "Cache-Control": "no-store",
}
STATUSES = {
    grpc.StatusCode.INVALID_ARGUMENT: 400,
    grpc.StatusCode.UNAUTHENTICATED: 401,
    grpc.StatusCode.PERMISSION_DENIED: 403,
    grpc.StatusCode.NOT_FOUND: 404,
    grpc.StatusCode.ALREADY_EXISTS: 409,
    grpc.StatusCode.RESOURCE_EXHAUSTED: 429,
    grpc.StatusCode.UNAVAILABLE: 503,
    grpc.StatusCode.DEADLINE_EXCEEDED: 503,
    grpc.StatusCode.ABORTED: 503,
}
RETRY_SECONDS = 2
LONGEST_HEADER = 4096


def answer_of(value: Value) -> web.Response:
    """`#{status: 201, headers: #{...}, body: ...}`, or any other value, which is the body of a 200."""
    if not isinstance(value, dict) or not is_status(value.get("status")):
        return written(200, {}, value)
    headers = value.get("headers")
    rest = {name: item for name, item in value.items() if name not in {"status", "headers"}}
    body = rest.get("body", rest or None)
    return written(int(value["status"]), headers if isinstance(headers, dict) else {}, body)


def is_status(value: Value) -> bool:
    """Whether it is a number that HTTP has for the end of a request."""
    return isinstance(value, int | float) and not isinstance(value, bool) and 200 <= value <= 599 and value % 1 == 0


def written(status: int, headers: Mapping[str, Value], body: Value) -> web.Response:
    """Text as text, everything else as JSON."""
    own = {name.title(): text_of(text)[:LONGEST_HEADER] for name, text in headers.items() if name.lower() in ALLOWED}
    own = {name: text for name, text in own.items() if text.isprintable()}
    plain = isinstance(body, str)
    text = body if isinstance(body, str) else json.dumps({} if body is None else body, ensure_ascii=False)
    kind = own.pop("Content-Type", "") or ("text/plain" if plain else "application/json")
    made = web.Response(status=status, headers={**ALWAYS, **own})
    if status not in {204, 304}:
        made.body = text.encode(errors="replace")
        made.headers["Content-Type"] = kind if "charset" in kind else f"{kind}; charset=utf-8"
    return made


def told(status: int, body: Mapping[str, Any]) -> web.Response:
    """A word of ours."""
    return web.Response(status=status, text=json.dumps(body), content_type="application/json", headers=ALWAYS)


def refusal(error: ParleyError) -> web.Response:
    """What a caller is told about an error."""
    body = {"code": error.code.name, "message": error.message, "reason": error.reason}
    status = 413 if error.reason == "TOO_LARGE" else STATUSES.get(error.code, 500)
    made = told(status, body)
    if status in {429, 503}:
        made.headers["Retry-After"] = str(max(1, math.ceil(error.retry_after or RETRY_SECONDS)))
    if status == 413:
        made.force_close()  # the rest of the body is not read
    return made

"""What a script sends, in the form that its Content-Type names."""

import base64
import binascii
import re
from collections.abc import Iterator
from urllib.parse import urlencode

import orjson

from services.engine.program.values import ProgramError, Value, text_of

JSON = "application/json"
TEXT = "text/plain; charset=utf-8"
FORM = "application/x-www-form-urlencoded"
MULTIPART = "multipart/form-data"
BREAKS = re.compile(r"[\x00-\x1f\x7f]")


def encode(body: Value | bytes, content_type: str, key: str) -> tuple[bytes | None, str]:
    """Bytes and their type. `key` makes the boundary of parts, so that a repeated request is the same to the byte."""
    if body is None:
        return None, content_type
    if isinstance(body, bytes):
        return body, content_type
    kind = content_type.partition(";")[0].strip().lower()
    if kind == FORM:
        return (body if isinstance(body, str) else form(fields_of(body, FORM))).encode(), content_type
    if kind == MULTIPART:
        boundary = f"parley-{key}"
        return multipart(fields_of(body, MULTIPART), boundary), f"{MULTIPART}; boundary={boundary}"
    if not isinstance(body, str):
        return json_of(body), content_type or JSON
    return encoded(body), content_type or (JSON if is_json(body) else TEXT)


def encoded(text: str) -> bytes:
    """UTF-8. ProgramError for half a character."""
    try:
        return text.encode()
    except UnicodeEncodeError:
        message = "the text holds half a character, which cannot be sent"
        raise ProgramError(message) from None


def json_of(value: Value) -> bytes:
    """JSON. ProgramError for what it cannot say."""
    try:
        return orjson.dumps(value)
    except TypeError:
        message = "the data cannot be sent as JSON"
        raise ProgramError(message) from None


def is_json(text: str) -> bool:
    """Whether a text is a JSON object or list that somebody wrote out."""
    if not text.lstrip().startswith(("{", "[")):
        return False
    try:
        orjson.loads(text)
    except ValueError:
        return False
    return True


def fields_of(body: Value, kind: str) -> dict[str, Value]:
    """The fields of a form. ProgramError."""
    if isinstance(body, dict):
        return body
    message = f"{kind} needs an object of fields, such as #{{name: value}}"
    raise ProgramError(message)


def form(fields: dict[str, Value]) -> str:
    """a=1&b=2; a list repeats its name."""
    return urlencode([(name, text_of(item)) for name, value in fields.items() for item in items_of(value)])


def items_of(value: Value) -> list[Value]:
    """A list, or the one."""
    return value if isinstance(value, list) else [value]


def multipart(fields: dict[str, Value], boundary: str) -> bytes:
    """Parts; an object with `filename` and `content` (text) or `base64` is a file."""
    return b"".join(parts(fields, boundary)) + f"--{boundary}--\r\n".encode()


def parts(fields: dict[str, Value], boundary: str) -> Iterator[bytes]:
    """One part a value."""
    for name, value in fields.items():
        for item in items_of(value):
            head, content = part(name, item)
            yield f"--{boundary}\r\nContent-Disposition: form-data; {head}\r\n\r\n".encode() + content + b"\r\n"


def part(name: str, value: Value) -> tuple[str, bytes]:
    """The rest of the disposition, with the type, and the content."""
    if not (isinstance(value, dict) and "filename" in value):
        return f'name="{quoted(name)}"', encoded(text_of(value))
    kind = BREAKS.sub("", text_of(value.get("type"))) or "application/octet-stream"
    head = f'name="{quoted(name)}"; filename="{quoted(text_of(value["filename"]))}"\r\nContent-Type: {kind}'
    return head, file_content(value)


def file_content(value: dict[str, Value]) -> bytes:
    """What a file part holds. ProgramError."""
    if "base64" not in value:
        return encoded(text_of(value.get("content")))
    try:
        return base64.b64decode(text_of(value["base64"]), validate=True)
    except (binascii.Error, ValueError):
        message = "the field base64 of a file part is not base64"
        raise ProgramError(message) from None


def quoted(text: str) -> str:
    """As browsers write names of fields (WHATWG): no quote and no line break gets out."""
    return BREAKS.sub(lambda match: f"%{ord(match[0]):02X}", text).replace('"', "%22")

"""The body of a message that comes in: JSON, checked field by field. Described in docs/architecture/channels.md."""

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from typing import Any, NoReturn

from parley.common.v1 import content_pb2

from services.channels.domain.port import Incoming
from services.common.errors import InvalidArgument

LONGEST_ID, LONGEST_NAME, LONGEST_LOCALE, LONGEST_TEXT, LONGEST_URI = 255, 255, 35, 32_768, 2048
MOST_ATTACHMENTS = 10
LARGEST_SIZE = 2**63 - 1
LOCALE = re.compile(r"[A-Za-z]{2,8}([-_][A-Za-z0-9]{1,8})*")
Json = Mapping[str, Any]
SHAPES: dict[str, frozenset[str]] = {
    "": frozenset({"type", "user", "message"}),
    "user": frozenset({"id", "name", "locale"}),
    "message": frozenset({"id", "text", "attachments"}),
    "attachment": frozenset({"name", "uri", "content_type", "size"}),
}


def read(body: bytes, envelope: str) -> Incoming:
    """What a body says. InvalidArgument that names the field and what was expected of it."""
    whole = shaped(parse(body), "", "")
    if whole.get("type") != "message":
        raise InvalidArgument.field("type", '"message"')
    user = shaped(required(whole, "user", ""), "user", "user")
    person = text(user, "id", "user", LONGEST_ID, empty=False)
    message = shaped(required(whole, "message", ""), "message", "message")
    attachments = attached(message.get("attachments", []))
    words = text(message, "text", "message", LONGEST_TEXT)
    if not words.strip() and not attachments:
        raise InvalidArgument.field("message.text", "words, unless there are attachments")
    return Incoming(
        envelope=envelope,
        message=text(message, "id", "message", LONGEST_ID, empty="id" not in message),
        body_digest=hashlib.sha256(body).digest(),
        message_digest=digest_of(person, message),
        user=person,
        text=words,
        display_name=text(user, "name", "user", LONGEST_NAME),
        locale=language(text(user, "locale", "user", LONGEST_LOCALE)),
        attachments=attachments,
    )


def parse(body: bytes) -> Any:  # noqa: ANN401 - any JSON
    """JSON without what parsers read differently: repeated names, NaN, another encoding. InvalidArgument."""
    try:
        return json.loads(body.decode(), object_pairs_hook=unrepeated, parse_constant=unknown_constant)
    except UnicodeDecodeError:
        raise InvalidArgument.field("body", "UTF-8") from None
    except (ValueError, RecursionError):
        raise InvalidArgument.field("body", "JSON") from None


def unrepeated(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    """An object. InvalidArgument when it has a name twice."""
    made = dict(pairs)
    if len(made) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise InvalidArgument.field(twice[:80], "each field once")
    return made


def unknown_constant(name: str) -> NoReturn:
    """NaN and the infinities are not JSON."""
    raise ValueError(name)


def shaped(value: Any, path: str, shape: str) -> Json:  # noqa: ANN401 - any JSON
    """An object with no field that we do not know. InvalidArgument."""
    if not isinstance(value, dict):
        raise InvalidArgument.field(path or "body", "an object")
    for name in value:
        if name not in SHAPES[shape]:
            raise InvalidArgument.field(joined(path, name[:80]), f"one of {', '.join(sorted(SHAPES[shape]))}")
    return value


def required(value: Json, name: str, path: str) -> Any:  # noqa: ANN401 - any JSON
    """A field that must be there. InvalidArgument."""
    if name not in value:
        raise InvalidArgument.field(joined(path, name), "a value")
    return value[name]


def text(value: Json, name: str, path: str, longest: int, *, empty: bool = True) -> str:
    """A string of so many characters, "" when it is missing. InvalidArgument."""
    found = value.get(name, "")
    least = 0 if empty else 1
    if not isinstance(found, str) or not least <= len(found) <= longest or not storable(found):
        raise InvalidArgument.field(joined(path, name), f"a string of {least} to {longest} characters")
    return found


def storable(value: str) -> bool:
    """Whether every store and wire takes it: no NUL, no half of a surrogate pair."""
    return "\x00" not in value and not any("\ud800" <= char <= "\udfff" for char in value)


def attached(value: Any) -> Sequence[content_pb2.Attachment]:  # noqa: ANN401 - any JSON
    """Attachments. InvalidArgument."""
    if not isinstance(value, list) or len(value) > MOST_ATTACHMENTS:
        raise InvalidArgument.field("message.attachments", f"a list of at most {MOST_ATTACHMENTS}")
    return [attachment(item, f"message.attachments[{number}]") for number, item in enumerate(value)]


def attachment(value: Any, path: str) -> content_pb2.Attachment:  # noqa: ANN401 - any JSON
    """One of them. InvalidArgument."""
    given = shaped(value, path, "attachment")
    uri = text(given, "uri", path, LONGEST_URI, empty=False)
    if not uri.startswith(("https://", "files/")):
        raise InvalidArgument.field(f"{path}.uri", 'an https address or "files/..."')
    size = given.get("size", 0)
    if isinstance(size, bool) or not isinstance(size, int) or not 0 <= size <= LARGEST_SIZE:
        raise InvalidArgument.field(f"{path}.size", "bytes, a whole number")
    return content_pb2.Attachment(
        name=text(given, "name", path, LONGEST_NAME, empty=False),
        uri=uri,
        content_type=text(given, "content_type", path, LONGEST_NAME),
        size=size,
    )


def language(value: str) -> str:
    """A locale. InvalidArgument."""
    if value and LOCALE.fullmatch(value) is None:
        raise InvalidArgument.field("user.locale", 'a language such as "de" or "pt-BR"')
    return value


def digest_of(user: str, message: Json) -> bytes:
    """What tells one message from another, whatever bytes it came in."""
    plain = json.dumps([user, dict(message)], sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(plain.encode()).digest()


def joined(path: str, name: str) -> str:
    """ "user.id"."""
    return f"{path}.{name}" if path else name

"""SOAP: an envelope for an operation of a WSDL, sent by the same guarded client as everything else."""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.sax.saxutils import escape, quoteattr

from services.engine.program.values import ProgramError, Value, number_of, owned, text_of, truthy
from services.engine.web.markup import aside, children, first_text, local, parse
from services.engine.web.port import Request
from services.engine.web.wsdl import describe, operation_of

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

    from services.engine.keywords.world import World
    from services.engine.web.port import Page, Web
    from services.engine.web.wsdl import Operation

ENVELOPE_11 = "http://schemas.xmlsoap.org/soap/envelope/"
ENVELOPE_12 = "http://www.w3.org/2003/05/soap-envelope"
SECURITY = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd"
PASSWORD_TEXT = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-username-token-profile-1.0#PasswordText"
DEEPEST = 30
NAME_EXTRAS = frozenset("_-.")
NOT_HERE = ("soap-client-cert", "soap-client-key", "soap-ca-cert")
SWITCHES_NOT_HERE = ("soap-oauth-enabled", "soap-wsse-timestamp")
PLAIN_PASSWORDS = frozenset({"", "text", "passwordtext"})
SAID = 200


async def call(web: Web, world: World, url: str, name: str, given: list[Value]) -> Value:
    """What the operation answered: the children of its element as an object. ProgramError, also for a fault.

    given: one object of parts by name, or the values of the parts in their order.
    """
    refuse_what_is_missing(world)
    operation = operation_of(await describe(web, world, url), name)
    page = await web.fetch(world, request(world, operation, parts(operation, given)))
    return await aside(lambda: owned(result(page)))


def refuse_what_is_missing(world: World) -> None:
    """ProgramError for keys of config.csv that this client cannot honour: nothing is left out silently."""
    config = world.config
    asked = [key for key in NOT_HERE if config.get(key)]
    asked += [key for key in SWITCHES_NOT_HERE if truthy(config.get(key))]
    secured = truthy(config.get("soap-wsse-enabled"))
    if secured and config.get("soap-wsse-password-type", "").lower() not in PLAIN_PASSWORDS:
        asked.append("soap-wsse-password-type")
    if config.get("soap-verify-ssl", "").strip().lower() in {"false", "0", "no"}:
        asked.append("soap-verify-ssl")
    if asked:
        message = f"not available on this installation: SOAP with {', '.join(asked)}"
        raise ProgramError(message)


def parts(operation: Operation, given: list[Value]) -> dict[str, Value]:
    """Values by the names and in the order of the schema. ProgramError for more values than there are parts."""
    if len(given) == 1 and isinstance(given[0], dict):
        written = dict(given[0])
    elif len(given) > len(operation.parts):
        wanted = ", ".join(operation.parts)[:200] or "none"
        message = f"{operation.element} takes {len(operation.parts)} values ({wanted}), {len(given)} were given"
        raise ProgramError(message)
    else:
        written = dict(zip(operation.parts, given, strict=False))
    known = {part.lower(): part for part in operation.parts}
    named = {known.get(name.lower(), name): value for name, value in written.items()}
    order = {part: place for place, part in enumerate(operation.parts)}
    return dict(sorted(named.items(), key=lambda item: order.get(item[0], len(order))))


def request(world: World, operation: Operation, values: dict[str, Value]) -> Request:
    """The POST."""
    if operation.version_12:
        kind = f'application/soap+xml; charset=utf-8; action="{operation.action}"'
        headers = {"Content-Type": kind}
    else:
        headers = {"Content-Type": "text/xml; charset=utf-8", "SOAPAction": f'"{operation.action}"'}
    if any(ord(sign) < 32 or ord(sign) > 126 for sign in operation.action):
        message = "the WSDL names an action that cannot be sent"
        raise ProgramError(message)
    key = world.config.get("soap-api-key")
    if key:
        headers[world.config.get("soap-api-key-header") or "X-API-Key"] = key
    body = envelope(world, operation, values).encode()
    return Request(method="POST", url=operation.address, body=body, headers=headers, seconds=seconds(world))


def seconds(world: World) -> float:
    """The time of `soap-timeout`. ProgramError for what is no number."""
    written = world.config.get("soap-timeout", "")
    return float(number_of(written, "a number of seconds in soap-timeout")) if written else 0.0


def envelope(world: World, operation: Operation, values: dict[str, Value]) -> str:
    """The XML."""
    space = ENVELOPE_12 if operation.version_12 else ENVELOPE_11
    prefix = "" if operation.qualified else "m:"
    attribute = f"xmlns{'' if operation.qualified else ':m'}={quoteattr(operation.namespace)}"
    inner = "".join(xml(name, value, DEEPEST) for name, value in values.items())
    body = f"<{prefix}{operation.element} {attribute}>{inner}</{prefix}{operation.element}>"
    head = f"<s:Header>{security(world)}</s:Header>" if truthy(world.config.get("soap-wsse-enabled")) else ""
    opening = f'<?xml version="1.0" encoding="utf-8"?><s:Envelope xmlns:s="{space}">'
    return f"{opening}{head}<s:Body>{body}</s:Body></s:Envelope>"


def security(world: World) -> str:
    """A user name token (WS-Security)."""
    user, password = (escape(world.config.get(f"soap-wsse-{what}", "")) for what in ("username", "password"))
    token = f'<w:Username>{user}</w:Username><w:Password Type="{PASSWORD_TEXT}">{password}</w:Password>'
    return f'<w:Security xmlns:w="{SECURITY}"><w:UsernameToken>{token}</w:UsernameToken></w:Security>'


def xml(name: str, value: Value, depth: int) -> str:
    """One element, or one for each of a list. ProgramError for a name that is none."""
    if depth == 0:
        message = f"parameters of SOAP may be {DEEPEST} deep"
        raise ProgramError(message)
    if isinstance(value, list):
        return "".join(xml(name, item, depth - 1) for item in value)
    if not (name[:1].isalpha() or name[:1] == "_") or not all(sign.isalnum() or sign in NAME_EXTRAS for sign in name):
        message = f"{name[:40]!r} cannot be the name of a parameter of SOAP"
        raise ProgramError(message)
    if isinstance(value, dict):
        return f"<{name}>{''.join(xml(part, item, depth - 1) for part, item in value.items())}</{name}>"
    return f"<{name}>{escape(printable(text_of(value)))}</{name}>" if value is not None else f"<{name}/>"


def printable(text: str) -> str:
    """Without the control characters that XML cannot hold."""
    return "".join(sign for sign in text if sign in "\t\n\r" or " " <= sign < "\ud800" or "\ue000" <= sign < "\ufffe"
                   or sign > "\uffff")  # fmt: skip


def result(page: Page) -> Value:
    """The answer. ProgramError for a fault, and for what is no envelope."""
    if page.media_type.endswith(("xml", "html")) or page.body.lstrip().startswith(b"<"):
        root = parse(page.body)
        body = next(iter(children(root, "Body")), None) if local(root) == "Envelope" else None
        if body is not None:
            return unwrapped(next(iter(body), None))
    message = f"the service answered {page.status} without a SOAP envelope"
    raise ProgramError(message)


def unwrapped(answer: Element | None) -> Value:
    """The children of the answer; fields of an only child stand at the top as well. ProgramError for a fault."""
    if answer is None:
        return None
    if local(answer) == "Fault":
        reason = first_text(answer, "faultstring") or "".join(answer.itertext()).strip()
        message = f"the service answered with a fault: {reason[:SAID]}"
        raise ProgramError(message)
    value = value_of(answer, DEEPEST)
    if isinstance(value, dict) and len(value) == 1:
        inner = next(iter(value.values()))
        return {**inner, **value} if isinstance(inner, dict) else value
    return value


def value_of(element: Element, depth: int) -> Value:
    """Text of a leaf, an object of the children, a list where a name is repeated; NULL for xsi:nil."""
    if any(name.endswith("}nil") and flag in {"true", "1"} for name, flag in element.attrib.items()):
        return None
    if not len(element):
        return (element.text or "").strip()
    if depth == 0:
        message = f"the answer is more than {DEEPEST} deep"
        raise ProgramError(message)
    found: dict[str, list[Value]] = {}
    for child in element:
        found.setdefault(local(child), []).append(value_of(child, depth - 1))
    return {name: values if len(values) > 1 else values[0] for name, values in found.items()}

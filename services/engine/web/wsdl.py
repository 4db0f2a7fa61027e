"""WSDL 1.1, as far as a call needs it: where an operation is, its element, the order of its parts."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import urljoin

from services.engine.program.values import ProgramError
from services.engine.web.markup import aside, children, expect_good, local, namespace, parse
from services.engine.web.port import Request

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

    from services.engine.keywords.world import World
    from services.engine.web.port import Web

MOST_DOCUMENTS = 12
SOAP_11 = "http://schemas.xmlsoap.org/wsdl/soap/"
SOAP_12 = "http://schemas.xmlsoap.org/wsdl/soap12/"
SCHEMA = "http://www.w3.org/2001/XMLSchema"
REFERENCES = {"import", "include"}


@dataclass(frozen=True, slots=True)
class Operation:
    """How to call. element: the one inside the body; parts: its children in order; qualified: whether these carry the
    namespace too.
    """

    address: str
    action: str
    element: str
    namespace: str
    parts: tuple[str, ...]
    qualified: bool
    version_12: bool


@dataclass(slots=True)
class Description:
    """All documents of a service."""

    documents: list[Element] = field(default_factory=list)

    def all(self, name: str) -> list[Element]:
        """Elements of a name, in every document."""
        return [element for root in self.documents for element in root.iter() if local(element) == name]

    def named(self, kind: str, name: str) -> Element | None:
        """The one of a kind that has a name; the prefix of a reference does not count."""
        wanted = name.rpartition(":")[2]
        return next((element for element in self.all(kind) if element.get("name") == wanted), None)


async def describe(web: Web, world: World, url: str) -> Description:
    """The WSDL at an address with all that it refers to. ProgramError."""
    description, waiting, seen = Description(), [url], set[str]()
    while waiting:
        at = waiting.pop(0)
        if at in seen:
            continue
        seen.add(at)
        if len(seen) > MOST_DOCUMENTS:
            message = f"the WSDL refers to more than {MOST_DOCUMENTS} other documents"
            raise ProgramError(message)
        page = expect_good(await web.fetch(world, Request(method="GET", url=at)))
        root = await aside(lambda body=page.body: parse(body))  # type: ignore[misc]
        description.documents.append(root)
        waiting += [urljoin(page.url, to) for to in references(root)]
    if not description.all("definitions"):
        message = "a WSDL was expected at the address: it often ends with ?wsdl"
        raise ProgramError(message)
    return description


def references(root: Element) -> list[str]:
    """Where the other documents are, as written."""
    found = [element for element in root.iter() if local(element) in REFERENCES]
    return [to for element in found if (to := element.get("location") or element.get("schemaLocation"))]


def operation_of(description: Description, name: str) -> Operation:
    """How to call an operation. ProgramError when there is none of the name, with those there are."""
    bindings = [binding for binding in description.all("binding") if soap_of(binding) is not None]
    if not bindings:
        message = "the WSDL describes no service that speaks SOAP over HTTP"
        raise ProgramError(message)
    bindings.sort(key=lambda binding: namespace(expected(soap_of(binding))) != SOAP_11)
    for binding in bindings:
        for operation in children(binding, "operation"):
            if operation.get("name", "").lower() == name.lower():
                return built(description, binding, operation)
    known = {operation.get("name", "") for binding in bindings for operation in children(binding, "operation")}
    message = f"the service has no operation {name[:60]}; it has {', '.join(sorted(known))[:300]}"
    raise ProgramError(message)


def soap_of(element: Element) -> Element | None:
    """The SOAP extension of a binding, an operation or a port."""
    return next((child for child in element if namespace(child) in {SOAP_11, SOAP_12}), None)


def expected(element: Element | None) -> Element:
    """What must be there. ProgramError."""
    if element is None:
        message = "the WSDL is incomplete: what an operation needs is not in it"
        raise ProgramError(message)
    return element


def built(description: Description, binding: Element, operation: Element) -> Operation:
    """What is known of an operation."""
    name, soap = operation.get("name", ""), expected(soap_of(binding))
    extension = soap_of(operation)
    address = expected(soap_of(port_of(description, binding))).get("location", "")
    body = next((part for entry in children(operation, "input") for part in entry if local(part) == "body"), None)
    message = input_message(description, binding, name)
    first = next(iter(children(message, "part")), None)
    root = expected(next(iter(description.all("definitions")), None))
    how = {
        "address": address,
        "action": extension.get("soapAction", "") if extension is not None else "",
        "version_12": namespace(soap) == SOAP_12,
    }
    if first is not None and first.get("element"):
        return wrapped(description, first.get("element", ""), how)
    space = (body.get("namespace") if body is not None else "") or root.get("targetNamespace", "")
    parts = tuple(part.get("name", "") for part in children(message, "part"))
    return Operation(element=name, namespace=space, parts=parts, qualified=False, **how)  # type: ignore[arg-type]


def port_of(description: Description, binding: Element) -> Element:
    """The port of a service that has the binding."""
    name = binding.get("name", "")
    return expected(
        next((port for port in description.all("port") if port.get("binding", "").rpartition(":")[2] == name), None)
    )


def input_message(description: Description, binding: Element, operation: str) -> Element:
    """The message that goes in."""
    kind = expected(description.named("portType", binding.get("type", "")))
    abstract = next((one for one in children(kind, "operation") if one.get("name") == operation), None)
    entry = next(iter(children(expected(abstract), "input")), None)
    return expected(description.named("message", expected(entry).get("message", "")))


def wrapped(description: Description, reference: str, how: dict[str, object]) -> Operation:
    """Document style: the element that the schema describes."""
    name = reference.rpartition(":")[2]
    for schema in (found for found in description.all("schema") if namespace(found) == SCHEMA):
        element = next((one for one in children(schema, "element") if one.get("name") == name), None)
        if element is not None:
            return Operation(
                element=name,
                namespace=schema.get("targetNamespace", ""),
                parts=tuple(parts_of(description, element)),
                qualified=schema.get("elementFormDefault") == "qualified",
                **how,  # type: ignore[arg-type]
            )
    return Operation(element=name, namespace="", parts=(), qualified=False, **how)  # type: ignore[arg-type]


def parts_of(description: Description, element: Element) -> list[str]:
    """Names of what is in an element, in their order."""
    kind = next(iter(children(element, "complexType")), None)
    if kind is None and element.get("type"):
        kind = description.named("complexType", element.get("type", ""))
    if kind is None:
        return []
    order = next((child for child in kind if local(child) in {"sequence", "all"}), None)
    if order is None:
        return []
    return [one.get("name") or one.get("ref", "").rpartition(":")[2] for one in children(order, "element")]

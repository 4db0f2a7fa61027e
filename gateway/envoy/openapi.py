"""The REST face of the API as an OpenAPI 3.1 document, made from the descriptor set. Internal methods are left out."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from google.protobuf import descriptor_pb2
from google.protobuf.descriptor_pb2 import FieldDescriptorProto as Field

from gateway.envoy.contract import Binding, Contract, Described, Method, Service
from gateway.envoy.schemas import WELL_KNOWN, Schema, Schemas
from gateway.envoy.templates import VARIABLE, variables

VERSION = "1"
ABOUT = """Conversations with bots, durable: an acknowledged message is answered once, in order.

Sign in with `POST /v1/visitors:signIn` or `POST /v1/users:signIn`, or send an API key as `x-api-key`. Fields have
their proto names. Fields that the API does not know are dropped without a word: required ones are checked.
64-bit integers are strings. Streams are server-sent events, one JSON object each, and end with `completed` or
`failed`. Errors are `google.rpc.Status`; the reason is in the detail `google.rpc.ErrorInfo`."""
SECURITY = {
    "bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"},
    "apiKey": {"type": "apiKey", "in": "header", "name": "x-api-key"},
}
ERROR = "google.rpc.Status"


def write(descriptors_path: Path, out_path: Path) -> None:
    """Makes the document of a descriptor set file. OSError, ContractError."""
    made = _document(Contract.read(Path(descriptors_path)))
    Path(out_path).write_text(json.dumps(made, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def document(descriptor_set: descriptor_pb2.FileDescriptorSet) -> dict[str, Any]:
    """The document of a descriptor set that carries source info and all imports. ContractError."""
    return _document(Contract(descriptor_set.SerializeToString()))


def _document(contract: Contract) -> dict[str, Any]:
    schemas = Schemas(contract)
    paths: dict[str, Any] = {}
    for method in contract.methods:
        for index, binding in enumerate(method.bindings):
            path = _path(binding.template)
            paths.setdefault(path, {})[binding.verb] = _operation(schemas, method, binding, index)
    paths.update(_sockets())
    _error_schema(schemas)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Parley",
            "version": VERSION,
            "description": ABOUT,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "security": [{name: []} for name in SECURITY],
        "tags": [_tag(service) for service in contract.services if service.transcoded],
        "paths": dict(sorted(paths.items())),
        "components": {
            "schemas": dict(sorted(schemas.components.items())),
            "responses": {"Error": _error_response()},
            "securitySchemes": SECURITY,
        },
    }


def _tag(service: Service) -> Schema:
    return {"name": service.name.rpartition(".")[2], "description": service.comment}


def _operation(schemas: Schemas, method: Method, binding: Binding, index: int) -> Schema:
    tag = method.service.rpartition(".")[2]
    made: Schema = {
        "operationId": f"{tag}_{method.name}" + (f"_{index + 1}" if index else ""),
        "tags": [tag],
        "summary": method.comment.partition(". ")[0].rstrip("."),
        "description": method.comment,
        "parameters": [*_path_parameters(schemas, method, binding), *_query_parameters(schemas, method, binding)],
        "responses": _responses(schemas, method),
        "x-parley-permission": "public" if method.public else method.permission,
    }
    if binding.body:
        made["requestBody"] = _body(schemas, method, binding)
    if method.public:
        made["security"] = []
    return {key: value for key, value in made.items() if value != [] or key == "security"}


def _responses(schemas: Schemas, method: Method) -> Schema:
    kind = "text/event-stream" if method.streams else "application/json"
    said = "A stream of events, each a line `data: {...}`." if method.streams else "Done."
    done = {"description": said, "content": {kind: {"schema": schemas.reference(method.response)}}}
    return {"200": done, "default": {"$ref": "#/components/responses/Error"}}


def _body(schemas: Schemas, method: Method, binding: Binding) -> Schema:
    if binding.body == "*":
        schema = _rest_of(schemas, method, _bound(binding))
    else:
        schema = schemas.field(method.request, _field(schemas, method.request, binding.body))
    return {"required": True, "content": {"application/json": {"schema": schema}}}


def _rest_of(schemas: Schemas, method: Method, bound: frozenset[str]) -> Schema:
    """The request without what the path says already."""
    if not bound:
        return schemas.reference(method.request)
    component = f"{method.request.removeprefix('parley.')}.Body"
    schemas.components[component] = schemas.message(method.request, without=bound)
    return {"$ref": f"#/components/schemas/{component}"}


def _bound(binding: Binding) -> frozenset[str]:
    return frozenset(variable.field for variable in variables(binding.template))


def _path(template: str) -> str:
    """`/v1/{name=sessions/*}:end` as OpenAPI has it: `/v1/sessions/{session}:end`."""
    return VARIABLE.sub(lambda found: "/".join(_named(found[2] or "*", found[1])), template)


def _named(pattern: str, field: str) -> Iterator[str]:
    """Segments of a variable's pattern, each star named after the collection before it."""
    before = field
    for segment in pattern.split("/"):
        yield f"{{{_singular(before)}}}" if segment == "*" else segment
        before = segment


def _singular(collection: str) -> str:
    return f"{collection[:-3]}y" if collection.endswith("ies") else collection.removesuffix("s")


def _path_parameters(schemas: Schemas, method: Method, binding: Binding) -> Iterator[Schema]:
    for variable in variables(binding.template):
        field = _field(schemas, method.request, variable.field)
        expression = schemas.field(method.request, field).get("pattern", "")
        patterns = expression.removeprefix("^").removesuffix("$").split("/")
        names = list(_named(variable.pattern, variable.field))
        for index, name in enumerate(names):
            if name.startswith("{"):
                schema: Schema = {"type": "string"}
                if len(patterns) == len(names) and _whole(patterns[index]):
                    schema["pattern"] = f"^{patterns[index]}$"
                yield {"name": name[1:-1], "in": "path", "required": True, "schema": schema}


def _whole(expression: str) -> bool:
    """A part of a pattern that stands for itself: a group may have been cut in two."""
    return expression.count("(") == expression.count(")")


def _query_parameters(schemas: Schemas, method: Method, binding: Binding) -> Iterator[Schema]:
    if binding.body == "*":
        return
    taken = _bound(binding) | {binding.body}
    yield from _parameters(schemas, method.request, taken, "")


def _parameters(schemas: Schemas, message: str, taken: frozenset[str], prefix: str) -> Iterator[Schema]:
    for field in schemas.messages[message].field:
        name = f"{prefix}{field.name}"
        kind = field.type_name.lstrip(".")
        if name in taken:
            continue
        if field.type == Field.TYPE_MESSAGE and not _printed_as_text(kind):
            if field.label != Field.LABEL_REPEATED and kind not in WELL_KNOWN and not prefix:
                yield from _parameters(schemas, kind, taken, f"{name}.")
            continue
        yield _query(schemas, message, field, name)


def _printed_as_text(kind: str) -> bool:
    return WELL_KNOWN.get(kind, {}).get("type") == "string"


def _query(schemas: Schemas, message: str, field: Described, name: str) -> Schema:
    schema = schemas.field(message, field)
    made: Schema = {"name": name, "in": "query", "required": schemas.required(field)}
    if said := schema.pop("description", ""):
        made["description"] = said
    return {**made, "schema": schema}


def _field(schemas: Schemas, message: str, path: str) -> Described:
    """The field at a dotted path. KeyError."""
    first, _, rest = path.partition(".")
    for field in schemas.messages[message].field:
        if field.name == first:
            return _field(schemas, field.type_name.lstrip("."), rest) if rest else field
    raise KeyError(f"{message} has no field {path}")


def _error_schema(schemas: Schemas) -> None:
    schemas.components[ERROR] = {
        "type": "object",
        "description": "Why a call failed.",
        "properties": {
            "code": {"type": "integer", "format": "int32", "description": "google.rpc.Code."},
            "message": {"type": "string", "description": "For developers, in English."},
            "details": {
                "type": "array",
                "items": dict(WELL_KNOWN["google.protobuf.Any"]),
                "description": "google.rpc.ErrorInfo with the reason, BadRequest, RetryInfo, RequestInfo.",
            },
        },
        "required": ["code", "message"],
    }


def _error_response() -> Schema:
    schema = {"$ref": f"#/components/schemas/{ERROR}"}
    return {"description": "It failed.", "content": {"application/json": {"schema": schema}}}


def _sockets() -> dict[str, Any]:
    """What is no RPC: the WebSocket, the keys, the health of the edge."""
    ticket = {"name": "ticket", "in": "query", "required": True, "schema": {"type": "string"}}
    keys = {"type": "object", "properties": {"keys": {"type": "array", "items": {"type": "object"}}}}
    return {
        "/v1/ws": {
            "get": {
                "operationId": "WebSocket",
                "summary": "Opens a WebSocket with a ticket of CreateTicket",
                "parameters": [ticket],
                "security": [],
                "responses": {
                    "101": {"description": "Frames follow, JSON text."},
                    "401": {"description": "The ticket was used, is unknown or has expired."},
                },
            }
        },
        "/.well-known/jwks.json": {
            "get": {
                "operationId": "Keys",
                "summary": "Keys that verify access tokens",
                "security": [],
                "responses": {"200": {"description": "A JWK set.", "content": {"application/json": {"schema": keys}}}},
            }
        },
        "/healthz": {
            "get": {
                "operationId": "Health",
                "summary": "Whether the edge takes traffic",
                "security": [],
                "responses": {
                    "200": {"description": "It does."},
                    "503": {"description": "It is going away."},
                },
            }
        },
    }

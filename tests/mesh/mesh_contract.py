"""Every RPC of the descriptor set, and requests for each that pass its validation: made by rule, no list by hand."""

import importlib
import json
import re
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

import protovalidate
from buf.validate import validate_pb2
from google.api import field_behavior_pb2
from google.protobuf import json_format, symbol_database
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message

from cli.stack.layout import ROOT
from gateway.envoy.contract import Binding, Contract, Method
from gateway.envoy.templates import VARIABLE, variables

CONTRACT = Contract.read(ROOT / "build" / "descriptors.binpb")
METHODS = tuple(CONTRACT.methods)
OPEN = tuple(method for method in METHODS if not method.internal)
INTERNAL = tuple(method for method in METHODS if method.internal)
RESOURCE = re.compile(r"^\^\(?[a-z][A-Za-z|]*\)?/")
# By the last part of a field's path: what a request needs beside names of resources.
SAMPLES: Mapping[str, Any] = {
    "api_key": "pk_00000000_0000000000000000",
    "content": b"words",
    "content_type": "text/plain",
    "current_password": "not the password now",
    "display_name": "A name",
    "email": "nobody@example.com",
    "file_name": "a.txt",
    "key": "colour",
    "kind": 2,
    "names": [f"files/{uuid.uuid4()}"],
    "new_password": "long enough to be one",
    "owner_email": "owner@example.com",
    "password": "not a password at all",
    "path": "start.bas",
    "query": "What is there?",
    "refresh_token": "rt_0000000000000000",
    "role": 2,
    "size": 5,
    "target": "orders",
    "source_path": "start.bas",
    "text": 'TALK "Hello"',
    "texts": ["Hello"],
    "uri": "https://example.com/hook",
}
# Names that the caller chooses: each request has another.
NEW = {"bot_id", "channel_id", "slug"}
# Fields of messages in messages that a request cannot do without.
INNER = {"user", "tenant", "api_key", "bot", "channel", "session", "scripts", "messages", "variables", "webhook"}

for found in CONTRACT.files.file:
    if found.package.startswith("parley."):
        importlib.import_module(found.name.removesuffix(".proto").replace("/", ".") + "_pb2")


@dataclass(frozen=True, slots=True)
class Place:
    """A field that holds a resource's name: "channel.bot". `pattern`: what the name must match."""

    path: str
    pattern: str
    needed: bool


def message_class(name: str) -> type[Message]:
    """The generated class of a message."""
    made: type[Message] = symbol_database.Default().GetSymbol(name)
    return made


def pattern_of(field: FieldDescriptor) -> str:
    """The pattern its text must have, empty when any will do."""
    rules = field.GetOptions().Extensions[validate_pb2.field]
    return str(rules.string.pattern)


def output_only(field: FieldDescriptor) -> bool:
    return field_behavior_pb2.OUTPUT_ONLY in field.GetOptions().Extensions[field_behavior_pb2.field_behavior]


def walk(described: Descriptor, before: str = "") -> Iterator[tuple[str, FieldDescriptor]]:
    """(path, field) of what a caller may fill in, single messages of ours gone into."""
    for field in described.fields:
        if output_only(field):
            continue
        yield f"{before}{field.name}", field
        ours = field.message_type is not None and field.message_type.full_name.startswith("parley.")
        if ours and not field.is_repeated:
            yield from walk(field.message_type, f"{before}{field.name}.")


def places(method: Method) -> list[Place]:
    """Every field of its request that names a resource: by its pattern, or because a path of REST binds it."""
    bound = {
        variable.field: f"^{variable.expression}$"
        for binding in method.bindings
        for variable in variables(binding.template)
    }
    found = []
    for path, field in walk(message_class(method.request).DESCRIPTOR):
        pattern = pattern_of(field) if field.type == field.TYPE_STRING else ""
        if RESOURCE.match(pattern) or path in bound:
            pattern = pattern if RESOURCE.match(pattern) else bound[path]
            needed = re.search(pattern, "") is None and not field.containing_oneof
            found.append(Place(path, pattern, needed))
    assert set(bound) <= {place.path for place in found}, method.path
    return found


def put(request: Message, path: str, value: Any) -> None:
    """Set a field by its path; other members of its oneof go."""
    *outer, last = path.split(".")
    for name in outer:
        request = getattr(request, name)
        request.SetInParent()
    setattr(request, last, value)


def fill(request: Message, before: str = "") -> None:
    """What a request cannot do without, from SAMPLES."""
    described = request.DESCRIPTOR
    for field in described.fields:
        if output_only(field) or (field.containing_oneof and request.WhichOneof(field.containing_oneof.name)):
            continue
        if field.message_type is not None:
            if field.name in INNER and field.message_type.full_name.startswith("parley."):
                inner = getattr(request, field.name)
                fill(inner.add() if field.is_repeated else inner, f"{before}{field.name}.")
                if not field.is_repeated:
                    inner.SetInParent()
        elif field.name == "request_id":
            setattr(request, field.name, str(uuid.uuid4()))
        elif field.name in NEW:
            setattr(request, field.name, f"n{uuid.uuid4().hex[:12]}")
        elif field.name in SAMPLES and not RESOURCE.match(pattern_of(field)):
            give(request, field)


def give(request: Message, field: FieldDescriptor) -> None:
    sample = SAMPLES[field.name]
    if field.is_repeated:
        getattr(request, field.name).extend(sample)
    elif field.type == field.TYPE_BYTES or not isinstance(sample, bytes):
        setattr(request, field.name, sample)


def request_of(method: Method, names: Mapping[str, str]) -> Message:
    """A request that passes validation, `names` by path of field. Fails for a method that the samples do not fit."""
    made = message_class(method.request)()
    for path, name in names.items():
        put(made, path, name)
    fill(made)
    try:
        protovalidate.validate(made)
    except protovalidate.ValidationError as error:
        raise AssertionError(f"{method.path} is not covered: tell mesh_contract.py of {error}: {made}") from error
    return made


def rest_calls(method: Method, request: Message) -> Iterator[tuple[str, str, Any]]:
    """(verb, path with query, body) for each HTTP rule whose template the request fits."""
    for binding in method.bindings:
        made = rest_call(binding, request)
        if made is not None:
            yield made


def rest_call(binding: Binding, request: Message) -> tuple[str, str, Any] | None:
    given = json_format.MessageToDict(request, preserving_proto_field_name=True)
    for variable in variables(binding.template):
        if not re.fullmatch(variable.expression, taken(dict(given), variable.field)):
            return None
    path = VARIABLE.sub(lambda found: quote(take(given, found[1]), safe="/:"), binding.template)
    body: Any = None
    if binding.body == "*":
        body, given = given, {}
    elif binding.body:
        body = given.pop(binding.body, {})
    query = urlencode(dict(flat(given)))
    return binding.verb.upper(), f"{path}?{query}" if query else path, body


def taken(given: dict[str, Any], path: str) -> str:
    for name in path.split("."):
        given = given.get(name, {})
    return str(given or "")


def take(given: dict[str, Any], path: str) -> str:
    """A value by its path, taken out."""
    *outer, last = path.split(".")
    for name in outer:
        given = given[name]
    return str(given.pop(last))


def flat(given: Mapping[str, Any], before: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in given.items():
        if isinstance(value, dict):
            yield from flat(value, f"{before}{name}.")
        else:
            yield f"{before}{name}", value if isinstance(value, str) else json.dumps(value)

"""What the descriptor set says of the API: services, methods, access rules, HTTP bindings, comments.

Options are read through a pool made of the set itself, so no generated stubs are needed (the Helm chart renders
without them).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, TypeAlias

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

ACCESS = "parley.common.v1.access"
HTTP = "google.api.http"
# A message of a pool made at run time has no static type.
Described: TypeAlias = Any
VERBS = ("get", "put", "post", "delete", "patch")


class ContractError(ValueError):
    """The descriptor set says something that the edge must not serve; the message names the method."""


@dataclass(frozen=True, slots=True)
class Binding:
    """One HTTP rule: verb in lower case, path template, `body` ("" none, "*" whole, else a field)."""

    verb: str
    template: str
    body: str


@dataclass(frozen=True, slots=True)
class Method:
    """One RPC with what its options say."""

    service: str
    name: str
    request: str
    response: str
    streams: bool
    client_streams: bool
    public: bool
    internal: bool
    permission: str
    bindings: tuple[Binding, ...]
    comment: str

    @property
    def path(self) -> str:
        """The path gRPC calls it by."""
        return f"/{self.service}/{self.name}"

    @property
    def safe(self) -> bool:
        """Repeating it changes nothing: every binding is a GET."""
        return bool(self.bindings) and all(binding.verb == "get" for binding in self.bindings)


@dataclass(frozen=True, slots=True)
class Service:
    """One gRPC service; `room` is the process that serves it: "session" of "parley.session.v1.SessionService"."""

    name: str
    room: str
    methods: tuple[Method, ...]
    comment: str

    @property
    def exposed(self) -> bool:
        """People may call something of it."""
        return any(not method.internal for method in self.methods)

    @property
    def transcoded(self) -> bool:
        """Something of it has a REST path."""
        return any(method.bindings for method in self.methods)


class Contract:
    """A descriptor set, its options understood. ContractError when it exposes what it must not."""

    def __init__(self, serialized: bytes) -> None:
        self.pool = descriptor_pool.DescriptorPool()
        for file in descriptor_pb2.FileDescriptorSet.FromString(serialized).file:
            self.pool.Add(file)
        known = self.pool.FindMessageTypeByName("google.protobuf.FileDescriptorSet")
        self.files: Described = message_factory.GetMessageClass(known).FromString(serialized)
        self._refuse_exposed_internals()

    @classmethod
    def read(cls, path: Path) -> "Contract":
        """From a file of protoc's. OSError, ContractError."""
        return cls(path.read_bytes())

    @cached_property
    def services(self) -> tuple[Service, ...]:
        """Every service of ours, by name."""
        found = (self._service(file, index) for file in self._ours() for index in range(len(file.service)))
        return tuple(sorted(found, key=lambda service: service.name))

    @property
    def methods(self) -> Iterator[Method]:
        """Every method of every service."""
        return (method for service in self.services for method in service.methods)

    @cached_property
    def comments(self) -> dict[str, str]:
        """Comment by full name of message, field, enum or enum value ("parley.x.v1.Enum.VALUE")."""
        found: dict[str, str] = {}
        for file in self._ours():
            locations = self._locations(file)
            for index, message in enumerate(file.message_type):
                _note_message(found, locations, f"{file.package}.{message.name}", message, (4, index))
            for index, enum in enumerate(file.enum_type):
                _note_enum(found, locations, f"{file.package}.{enum.name}", enum, (5, index))
        return found

    def option(self, options: Described, name: str) -> Described:
        """Value of the extension `name` in an options message of this set, or None when unset."""
        try:
            extension = self.pool.FindExtensionByName(name)
        except KeyError:
            return None
        return options.Extensions[extension] if options.HasExtension(extension) else None

    def _ours(self) -> Iterator[Described]:
        return (file for file in self.files.file if file.package.startswith("parley."))

    @staticmethod
    def _locations(file: Described) -> dict[tuple[int, ...], str]:
        return {tuple(at.path): _clean(at.leading_comments) for at in file.source_code_info.location}

    def _service(self, file: Described, index: int) -> Service:
        described = file.service[index]
        name = f"{file.package}.{described.name}"
        locations = self._locations(file)
        methods = tuple(
            self._method(name, method, locations.get((6, index, 2, at), ""))
            for at, method in enumerate(described.method)
        )
        return Service(name, file.package.split(".")[1], methods, locations.get((6, index), ""))

    def _method(self, service: str, described: Described, comment: str) -> Method:
        access = self.option(described.options, ACCESS)
        return Method(
            service=service,
            name=described.name,
            request=described.input_type.lstrip("."),
            response=described.output_type.lstrip("."),
            streams=described.server_streaming,
            client_streams=described.client_streaming,
            public=bool(access and access.public),
            internal=bool(access and access.internal),
            permission=access.permission if access else "",
            bindings=tuple(self._bindings(described)),
            comment=comment,
        )

    def _bindings(self, described: Described) -> Iterator[Binding]:
        rule = self.option(described.options, HTTP)
        for one in (rule, *rule.additional_bindings) if rule is not None else ():
            verb = one.WhichOneof("pattern")
            if verb not in VERBS:
                raise ContractError(f"{described.name}: expected one of {', '.join(VERBS)}, got {verb}")
            yield Binding(verb, getattr(one, verb), one.body)

    def _refuse_exposed_internals(self) -> None:
        for method in self.methods:
            if method.internal and method.bindings:
                raise ContractError(f"{method.path}: an internal method must not have an HTTP rule")


def _clean(comment: str) -> str:
    return " ".join(line.strip() for line in comment.strip().splitlines())


def _note_message(
    found: dict[str, str], locations: dict[tuple[int, ...], str], name: str, message: Described, at: tuple[int, ...]
) -> None:
    found[name] = locations.get(at, "")
    for index, field in enumerate(message.field):
        found[f"{name}.{field.name}"] = locations.get((*at, 2, index), "")
    for index, nested in enumerate(message.nested_type):
        _note_message(found, locations, f"{name}.{nested.name}", nested, (*at, 3, index))
    for index, enum in enumerate(message.enum_type):
        _note_enum(found, locations, f"{name}.{enum.name}", enum, (*at, 4, index))


def _note_enum(
    found: dict[str, str], locations: dict[tuple[int, ...], str], name: str, enum: Described, at: tuple[int, ...]
) -> None:
    found[name] = locations.get(at, "")
    for index, value in enumerate(enum.value):
        found[f"{name}.{value.name}"] = locations.get((*at, 2, index), "")

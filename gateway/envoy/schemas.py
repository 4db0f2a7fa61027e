"""Messages and enums as JSON Schema 2020-12, the dialect of OpenAPI 3.1: what the transcoder reads and prints."""

from collections.abc import Iterator
from typing import Any

from google.protobuf.descriptor_pb2 import FieldDescriptorProto as Field

from gateway.envoy.contract import Contract, Described

Schema = dict[str, Any]

RULES = "buf.validate.field"
ONEOF_RULES = "buf.validate.oneof"
BEHAVIOR = "google.api.field_behavior"
REQUIRED, OUTPUT_ONLY, INPUT_ONLY = 2, 3, 4
WIDE = {"type": "string", "format": "int64", "pattern": "^-?[0-9]+$"}
SCALARS: dict[int, Schema] = {
    Field.TYPE_DOUBLE: {"type": "number", "format": "double"},
    Field.TYPE_FLOAT: {"type": "number", "format": "float"},
    Field.TYPE_INT32: {"type": "integer", "format": "int32"},
    Field.TYPE_SINT32: {"type": "integer", "format": "int32"},
    Field.TYPE_SFIXED32: {"type": "integer", "format": "int32"},
    Field.TYPE_UINT32: {"type": "integer", "format": "int64", "minimum": 0},
    Field.TYPE_FIXED32: {"type": "integer", "format": "int64", "minimum": 0},
    Field.TYPE_INT64: WIDE,
    Field.TYPE_SINT64: WIDE,
    Field.TYPE_SFIXED64: WIDE,
    Field.TYPE_UINT64: WIDE,
    Field.TYPE_FIXED64: WIDE,
    Field.TYPE_BOOL: {"type": "boolean"},
    Field.TYPE_STRING: {"type": "string"},
    Field.TYPE_BYTES: {"type": "string", "contentEncoding": "base64"},
}
WELL_KNOWN: dict[str, Schema] = {
    "google.protobuf.Timestamp": {"type": "string", "format": "date-time"},
    "google.protobuf.Duration": {"type": "string", "pattern": r"^-?[0-9]+(\.[0-9]{1,9})?s$"},
    "google.protobuf.FieldMask": {"type": "string", "description": "Names of fields, separated by commas."},
    "google.protobuf.Struct": {"type": "object", "additionalProperties": True},
    "google.protobuf.Value": {},
    "google.protobuf.ListValue": {"type": "array", "items": {}},
    "google.protobuf.Empty": {"type": "object"},
    "google.protobuf.Any": {
        "type": "object",
        "properties": {"@type": {"type": "string"}},
        "required": ["@type"],
        "additionalProperties": True,
    },
}
NUMBER = {"gte": "minimum", "gt": "exclusiveMinimum", "lte": "maximum", "lt": "exclusiveMaximum", "const": "const"}
# Rule of protovalidate -> keyword of JSON Schema, by the kind of the field.
KEYWORDS: dict[str, dict[str, str]] = {
    "string": {"min_len": "minLength", "max_len": "maxLength", "pattern": "pattern", "const": "const"},
    "repeated": {"min_items": "minItems", "max_items": "maxItems", "unique": "uniqueItems"},
    "map": {"min_pairs": "minProperties", "max_pairs": "maxProperties"},
    "int32": NUMBER,
    "uint32": NUMBER,
    "float": NUMBER,
    "double": NUMBER,
}
FORMATS = ("uuid", "email", "hostname", "uri")


class Schemas:
    """Schemas by component name; what is referred to is taken in. KeyError for an unknown type."""

    def __init__(self, contract: Contract) -> None:
        self.contract = contract
        self.components: dict[str, Schema] = {}
        self.messages: dict[str, Described] = {}
        self.enums: dict[str, Described] = {}
        for file in contract.files.file:
            for message in file.message_type:
                self._index(f"{file.package}.{message.name}", message)
            self.enums.update({f"{file.package}.{enum.name}": enum for enum in file.enum_type})

    def reference(self, name: str) -> Schema:
        """A schema of the message or enum with this full name: a `$ref`, or inline for a well-known type."""
        if name in WELL_KNOWN:
            return dict(WELL_KNOWN[name])
        component = name.removeprefix("parley.")
        if component not in self.components:
            self.components[component] = {}
            made = self.message(name) if name in self.messages else self._enum(name)
            self.components[component] = made
        return {"$ref": f"#/components/schemas/{component}"}

    def message(self, name: str, *, without: frozenset[str] = frozenset()) -> Schema:
        """A message as an object, some of its fields left out."""
        described = self.messages[name]
        fields = [field for field in described.field if field.name not in without]
        schema: Schema = {"type": "object"}
        _say(schema, self.contract.comments.get(name, ""))
        schema["properties"] = {field.name: self.field(name, field) for field in fields}
        if needed := [field.name for field in fields if self.required(field)]:
            schema["required"] = needed
        choices = [choice for choice in self._choices(described) if not without & set(choice)]
        if choices:
            schema["allOf"] = [{"oneOf": [{"required": [one]} for one in choice]} for choice in choices]
        return schema

    def field(self, message: str, field: Described) -> Schema:
        """One field with its comment, its constraints and its behaviour."""
        schema = self._constrained(self._shape(field), field)
        _say(schema, self.contract.comments.get(f"{message}.{field.name}", ""))
        behaviors = self.behaviors(field)
        if OUTPUT_ONLY in behaviors:
            schema["readOnly"] = True
        if INPUT_ONLY in behaviors:
            schema["writeOnly"] = True
        return schema

    def behaviors(self, field: Described) -> frozenset[int]:
        """Values of google.api.field_behavior."""
        try:
            extension = self.contract.pool.FindExtensionByName(BEHAVIOR)
        except KeyError:
            return frozenset()
        return frozenset(field.options.Extensions[extension])

    def required(self, field: Described) -> bool:
        """A request without the field is refused."""
        rules = self.contract.option(field.options, RULES)
        return REQUIRED in self.behaviors(field) or bool(rules and rules.required)

    def _index(self, name: str, message: Described) -> None:
        self.messages[name] = message
        self.enums.update({f"{name}.{enum.name}": enum for enum in message.enum_type})
        for nested in message.nested_type:
            self._index(f"{name}.{nested.name}", nested)

    def _shape(self, field: Described) -> Schema:
        one = self._single(field)
        if field.label != Field.LABEL_REPEATED:
            return one
        entry = self.messages.get(field.type_name.lstrip("."))
        if entry is not None and entry.options.map_entry:
            return {"type": "object", "additionalProperties": self._single(entry.field[1])}
        return {"type": "array", "items": one}

    def _single(self, field: Described) -> Schema:
        if field.type in SCALARS:
            return dict(SCALARS[field.type])
        name = field.type_name.lstrip(".")
        entry = self.messages.get(name)
        return {} if entry is not None and entry.options.map_entry else self.reference(name)

    def _constrained(self, schema: Schema, field: Described) -> Schema:
        rules = self.contract.option(field.options, RULES)
        kind = rules.WhichOneof("type") if rules is not None else None
        if kind is None:
            return schema
        given = getattr(rules, kind)
        for rule, keyword in KEYWORDS.get(kind, {}).items():
            if given.HasField(rule):
                schema[keyword] = getattr(given, rule)
        if kind == "string":
            schema.update(_format(given))
        return schema

    def _choices(self, message: Described) -> Iterator[list[str]]:
        for index, oneof in enumerate(message.oneof_decl):
            rules = self.contract.option(oneof.options, ONEOF_RULES)
            if rules is not None and rules.required:
                yield [field.name for field in message.field if _in_oneof(field, index)]

    def _enum(self, name: str) -> Schema:
        values = [value.name for value in self.enums[name].value]
        comments = self.contract.comments
        schema: Schema = {"type": "string", "enum": values}
        said = [(value, comments.get(f"{name}.{value}", "")) for value in values]
        lines = [comments.get(name, ""), *(f"- `{value}`: {comment}" for value, comment in said if comment)]
        _say(schema, "\n".join(line for line in lines if line))
        return schema


def _format(rules: Described) -> Schema:
    found = [name for name in FORMATS if getattr(rules, name)]
    return {"format": found[0]} if found else {}


def _in_oneof(field: Described, index: int) -> bool:
    return bool(field.HasField("oneof_index") and field.oneof_index == index)


def _say(schema: Schema, comment: str) -> None:
    if comment:
        schema["description"] = comment

"""The OpenAPI document against the descriptor set it is made of."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from google.protobuf import descriptor_pb2

from gateway.envoy import openapi
from gateway.envoy.contract import Contract

pytestmark = pytest.mark.contract
DESCRIPTORS = Path(__file__).resolve().parents[2] / "build" / "descriptors.binpb"
METHODS = {"get", "put", "post", "delete", "patch"}


@pytest.fixture(scope="module")
def contract() -> Contract:
    return Contract.read(DESCRIPTORS)


@pytest.fixture(scope="module")
def made() -> dict[str, Any]:
    return openapi.document(descriptor_pb2.FileDescriptorSet.FromString(DESCRIPTORS.read_bytes()))


def operations(made: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, item in made["paths"].items():
        for verb, operation in item.items():
            yield path, verb, operation


def references(node: object) -> Iterator[str]:
    if isinstance(node, dict):
        if isinstance(node.get("$ref"), str):
            yield node["$ref"]
        for value in node.values():
            yield from references(value)
    elif isinstance(node, list):
        for value in node:
            yield from references(value)


def test_every_reference_resolves(made: dict[str, Any]) -> None:
    found = set(references(made))
    assert len(found) > 50
    for reference in found:
        node: Any = made
        for part in reference.removeprefix("#/").split("/"):
            node = node[part]
        assert node, reference


def test_operations_have_names_of_their_own(made: dict[str, Any]) -> None:
    names = [operation["operationId"] for _, _, operation in operations(made)]
    assert len(names) == len(set(names))


def test_every_binding_is_there_and_nothing_else(made: dict[str, Any], contract: Contract) -> None:
    described = sum(len(method.bindings) for method in contract.methods)
    listed = [operation for _, _, operation in operations(made) if "tags" in operation]
    assert len(listed) == described
    names = {operation["operationId"].split("_")[1] for operation in listed}
    assert names == {method.name for method in contract.methods if method.bindings}


def test_internal_methods_are_left_out(made: dict[str, Any], contract: Contract) -> None:
    internal = {method.request.removeprefix("parley.") for method in contract.methods if method.internal}
    assert internal
    assert not internal & set(made["components"]["schemas"])
    assert "LedgerService" not in {tag["name"] for tag in made["tags"]}


def test_parameters_of_the_path_are_declared(made: dict[str, Any]) -> None:
    for path, _, operation in operations(made):
        declared = [one["name"] for one in operation.get("parameters", []) if one["in"] == "path"]
        assert declared == re.findall(r"\{(\w+)\}", path)


def test_verbs_have_bodies_as_they_should(made: dict[str, Any]) -> None:
    for path, verb, operation in operations(made):
        assert verb in METHODS
        assert ("requestBody" in operation) == (verb in {"post", "patch", "put"}), path


def test_permissions_and_security(made: dict[str, Any], contract: Contract) -> None:
    by_name = {f"{method.service.rpartition('.')[2]}_{method.name}": method for method in contract.methods}
    for _, _, operation in operations(made):
        method = by_name.get("_".join(operation["operationId"].split("_")[:2]))
        if method is None:
            continue
        expected = "public" if method.public else method.permission
        assert operation["x-parley-permission"] == expected != ""
        assert (operation.get("security") == []) == method.public
    assert made["security"] == [{"bearer": []}, {"apiKey": []}]


def test_streams_are_event_streams(made: dict[str, Any], contract: Contract) -> None:
    streams = {method.name for method in contract.methods if method.streams and method.bindings}
    for _, _, operation in operations(made):
        content = operation["responses"].get("200", {}).get("content", {})
        is_stream = operation["operationId"].split("_")[-1] in streams
        assert ("text/event-stream" in content) == is_stream
    assert {"StreamEvents", "StreamTurn", "CompleteStream"} <= streams


def test_what_the_path_says_is_not_in_the_body(made: dict[str, Any]) -> None:
    post = made["paths"]["/v1/sessions/{session}/messages"]["post"]
    reference = post["requestBody"]["content"]["application/json"]["schema"]["$ref"]
    properties = made["components"]["schemas"][reference.rpartition("/")[2]]["properties"]
    assert "text" in properties
    assert "session" not in properties
    create = made["paths"]["/v1/sessions"]["post"]
    assert create["requestBody"]["content"]["application/json"]["schema"]["$ref"].endswith("/session.v1.Session")
    assert [one["name"] for one in create["parameters"]] == ["request_id"]


def test_constraints_and_comments_come_along(made: dict[str, Any]) -> None:
    schemas = made["components"]["schemas"]
    sign_in = schemas["session.v1.SignInRequest"]
    assert sign_in["required"] == ["email", "password"]
    assert sign_in["properties"]["email"]["minLength"] == 3
    assert sign_in["properties"]["password"]["writeOnly"] is True
    session = schemas["session.v1.Session"]
    assert session["properties"]["bot"]["pattern"].startswith("^bots/")
    assert session["properties"]["last_seq"]["readOnly"] is True
    assert "STATE_ACTIVE" in schemas["session.v1.Session.State"]["enum"]
    assert "- `STATE_EXPIRED`: Ended by its timeout." in schemas["session.v1.Session.State"]["description"]
    assert schemas["drive.v1.File"]["properties"]["size"]["type"] == "string", "64-bit integers are strings"
    assert schemas["engine.v1.PublishBotRequest.Body"]["properties"]["config"] == {
        "type": "object",
        "additionalProperties": {"type": "string"},
        "maxProperties": 1000,
        "description": "Configuration.",
    }
    exactly_one = {"oneOf": [{"required": ["api_key"]}, {"required": ["id_token"]}]}
    assert schemas["session.v1.ExchangeTokenRequest"]["allOf"] == [exactly_one]


def test_everything_is_described(made: dict[str, Any]) -> None:
    for path, verb, operation in operations(made):
        assert operation["summary"], (path, verb)
    for name, schema in made["components"]["schemas"].items():
        if not name.startswith("google."):
            assert schema["description"], name


def test_patterns_are_regular_expressions(made: dict[str, Any]) -> None:
    def patterns(node: object) -> Iterator[str]:
        if isinstance(node, dict):
            if isinstance(node.get("pattern"), str):
                yield node["pattern"]
            for value in node.values():
                yield from patterns(value)
        elif isinstance(node, list):
            for value in node:
                yield from patterns(value)

    for pattern in patterns(made):
        re.compile(pattern)


def test_the_file_is_json(tmp_path: Path, made: dict[str, Any]) -> None:
    import json

    openapi.write(DESCRIPTORS, tmp_path / "openapi.json")
    assert json.loads((tmp_path / "openapi.json").read_text(encoding="utf-8")) == made

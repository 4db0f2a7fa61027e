"""What the edge is told, and the shape of what is made of it."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from gateway.envoy import bootstrap
from gateway.envoy.__main__ import main
from gateway.envoy.contract import Contract
from gateway.envoy.settings import ROOMS, EdgeSettings, Endpoint, SettingsError, from_file, from_mapping
from gateway.envoy.templates import constant, regular_expression, variables

pytestmark = pytest.mark.unit
DESCRIPTORS = Path(__file__).resolve().parents[3] / "build" / "descriptors.binpb"


def values(**more: object) -> dict[str, Any]:
    return {
        "descriptors": DESCRIPTORS,
        "out": "envoy.yaml",
        "port": 8080,
        "admin_socket": "admin.sock",
        "services": dict.fromkeys(ROOMS, "127.0.0.1:7001"),
        "operations": dict.fromkeys(("session", "channels"), "127.0.0.1:7002"),
        "realtime": "127.0.0.1:7003",
        "web": "127.0.0.1:7004",
        "s3": "127.0.0.1:7005",
        **more,
    }


def made(**more: object) -> dict[str, Any]:
    settings = from_mapping(values(**more))
    return bootstrap.document(Contract.read(DESCRIPTORS), settings)


def manager(document: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = document["static_resources"]["listeners"][0]["filter_chains"][0]["filters"][0]
    return dict(found["typed_config"])


def routes(document: dict[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = manager(document)["route_config"]["virtual_hosts"][0]["routes"]
    return found


@pytest.mark.parametrize("text", ["", "host", ":80", "host:", "host:0", "host:70000", "host:x"])
def test_addresses_that_are_none(text: str) -> None:
    with pytest.raises(SettingsError, match="host:port"):
        Endpoint.parse(text)


def test_addresses() -> None:
    assert Endpoint.parse("[::1]:80") == Endpoint(host="::1", port=80)
    assert Endpoint.parse("[::1]:80").numeric
    assert not Endpoint.parse("session.parley.svc:80").numeric


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ({"services": {"session": "127.0.0.1:1"}}, "services.kb"),
        ({"operations": {}}, "operations.session"),
        ({"port": 0}, "port"),
        ({"s3_bucket": "../x"}, "s3_bucket"),
        ({"admin_socket": "x" * 200}, "admin_socket"),
        ({"limits": {"burst": 0}}, "limits.burst"),
        ({"unknown": 1}, "unknown"),
    ],
)
def test_wrong_settings_are_named(wrong: dict[str, object], named: str) -> None:
    with pytest.raises(SettingsError, match=named):
        from_mapping(values(**wrong))


def test_a_file_and_what_wins_over_it(tmp_path: Path) -> None:
    file = tmp_path / "edge.yaml"
    given = {**values(limits={"unary_seconds": 3}), "descriptors": str(DESCRIPTORS)}
    file.write_text(yaml.safe_dump(given), encoding="utf-8")
    settings = from_file(file, port=9000, host=None)
    assert isinstance(settings, EdgeSettings)
    assert (settings.port, settings.host, settings.limits.unary_seconds) == (9000, "127.0.0.1", 3)
    file.write_text("- a", encoding="utf-8")
    with pytest.raises(SettingsError, match="mapping"):
        from_file(file)


def arguments(out: Path) -> list[str]:
    made = ["--descriptors", str(DESCRIPTORS), "--out", str(out), "--port", "8080", "--admin-socket", "admin.sock"]
    for room in ROOMS:
        made += ["--service", f"{room}=127.0.0.1:7001"]
    made += ["--operations", "session=127.0.0.1:7002", "--operations", "channels=127.0.0.1:7002"]
    made += ["--realtime", "127.0.0.1:1", "--web", "127.0.0.1:2", "--s3", "127.0.0.1:3", "--s3-bucket", "parley-files"]
    return [*made, "--allowed-origin", "https://a.example", "--allowed-origin", "https://b.example"]


def test_the_command_writes_a_configuration(tmp_path: Path) -> None:
    assert main(arguments(tmp_path / "envoy.yaml")) == 0
    assert main(arguments(tmp_path / "envoy.json")) == 0
    document = yaml.safe_load((tmp_path / "envoy.yaml").read_text())
    assert document == json.loads((tmp_path / "envoy.json").read_text())
    assert document["admin"]["address"] == {"pipe": {"path": "admin.sock", "mode": 0o600}}


def test_the_command_says_what_is_wrong(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*arguments(tmp_path / "envoy.yaml"), "--service", "nothing"]) == 2
    assert "room=host:port" in capsys.readouterr().err
    assert main(["--port", "1"]) == 2
    assert "admin_socket" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_names_are_resolved_and_addresses_are_not() -> None:
    document = made(services={**dict.fromkeys(ROOMS, "127.0.0.1:1"), "kb": ["kb-0.kb:1", "kb-1.kb:1"]})
    kinds = {cluster["name"]: cluster["type"] for cluster in document["static_resources"]["clusters"]}
    assert kinds.pop("kb") == "STRICT_DNS"
    assert set(kinds.values()) == {"STATIC"}


def test_streams_have_no_timeout_and_the_rest_has_one() -> None:
    streams = {method.path for method in Contract.read(DESCRIPTORS).methods if method.streams}
    seen = set()
    for route in routes(made()):
        path, action = route["match"].get("path"), route.get("route", {})
        if path in streams:
            assert action["timeout"] == "0s"
            assert action["idle_timeout"] == "3600s"
            seen.add(path)
        elif action and action["cluster"] in ROOMS:
            assert action["timeout"] != "0s"
            assert route["request_headers_to_add"][0]["header"]["key"] == "grpc-timeout"
    assert seen == streams


def test_only_reads_are_repeated_after_the_service_was_asked() -> None:
    reads = {method.path for method in Contract.read(DESCRIPTORS).methods if method.safe}
    repeated = {
        route["match"]["path"]
        for route in routes(made())
        if "unavailable" in route.get("route", {}).get("retry_policy", {}).get("retry_on", "").split(",")
    }
    assert repeated == reads


def test_internal_methods_have_no_way_in() -> None:
    contract = Contract.read(DESCRIPTORS)
    internal = {service.name for service in contract.services if not service.exposed}
    assert internal == {"parley.session.v1.LedgerService"}
    text = json.dumps(made())
    assert not [name for name in internal if name in text]


def test_methods_where_secrets_are_guessed_are_limited_by_address() -> None:
    guarded = [route["match"] for route in routes(made()) if "local_ratelimit" in json.dumps(route)]
    assert {"path": "/v1/users:signIn"} in guarded
    assert {"path": "/parley.session.v1.AuthService/SignIn"} in guarded
    assert {"prefix": "/v1/"} not in guarded


def test_the_largest_file_of_the_contract_fits_into_a_json_body() -> None:
    largest = 3145728  # max_len of PutFile.content and ImportDocument.content
    assert from_mapping(values()).limits.json_body_bytes > largest * 4 // 3 + 4096, "base64 and the other fields"


def test_without_origins_there_is_no_cors_policy() -> None:
    assert "typed_per_filter_config" not in manager(made())["route_config"]["virtual_hosts"][0]


def test_no_secret_is_logged() -> None:
    (log,) = manager(made())["access_log"]
    fields = log["typed_config"]["log_format"]["json_format"]
    text = json.dumps(fields).lower()
    assert not [word for word in ("authorization", "api-key", "cookie", "%req(:path)%", "referer") if word in text]
    assert "access_log" not in manager(made(access_log=""))
    assert log["name"] == "envoy.access_loggers.stdout"
    (log,) = manager(made(access_log="edge.log"))["access_log"]
    assert log["typed_config"]["path"] == "edge.log"


@pytest.mark.parametrize(
    ("template", "expression", "fields"),
    [
        ("/v1/sessions", "/v1/sessions", []),
        ("/v1/{name=sessions/*}:end", "/v1/sessions/[^/:]+:end", ["name"]),
        ("/v1/{name=bots/*/versions/*}:rollback", "/v1/bots/[^/:]+/versions/[^/:]+:rollback", ["name"]),
        ("/v1/{bot.name=bots/*}", "/v1/bots/[^/:]+", ["bot.name"]),
        ("/v1/{id}", "/v1/[^/:]+", ["id"]),
    ],
)
def test_templates(template: str, expression: str, fields: list[str]) -> None:
    assert regular_expression(template) == expression
    assert [variable.field for variable in variables(template)] == fields
    assert constant(template) == (not fields)

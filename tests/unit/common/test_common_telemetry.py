"""Logs without secrets, metrics under the names the mission gives."""

import json
import logging
from collections.abc import Iterator

import pytest
import structlog

from services.common import context
from services.common.security.principal import Principal
from services.common.telemetry import logs, tracing
from services.common.telemetry.metrics import Metrics

pytestmark = pytest.mark.unit
NAMES = (
    "http_requests_total",
    "http_request_duration_bucket",
    "ws_connections",
    "llm_requests_total",
    "llm_cache_hits",
    "db_pool_size",
    "memory_usage",
)


@pytest.fixture(autouse=True)
def defaults_again() -> Iterator[None]:
    handlers = list(logging.getLogger().handlers)
    yield
    structlog.reset_defaults()
    logging.getLogger().handlers[:] = handlers


def test_the_names_of_the_mission_are_kept_exactly() -> None:
    metrics = Metrics("llm")
    metrics.http_requests.labels("llm", "GET", "200").inc()
    metrics.http_duration.labels("llm", "GET").observe(0.1)
    metrics.llm_requests.labels("demo", "ok").inc()
    metrics.llm_cache_hits.labels("exact").inc()
    metrics.db_pool_size.labels("app").set(3)
    lines = metrics.exposition().decode().splitlines()
    for name in NAMES:
        assert any(line.startswith((f"{name}{{", f"{name} ")) for line in lines), name
    assert 'llm_cache_hits{layer="exact"} 1.0' in lines


def test_a_line_is_json_and_says_where_it_comes_from(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure("session", "INFO", "json")
    who = Principal("tenant-1", "users/u", frozenset())
    with context.acting_for(who) as call:
        structlog.get_logger(module="m").info("happened", rows=3)
    line = json.loads(capsys.readouterr().err)
    assert line["event"] == "happened"
    assert (line["service"], line["rows"], line["tenant"]) == ("session", 3, "tenant-1")
    assert line["request_id"] == call.request_id


def test_no_secret_is_written(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure("session", "INFO", "json")
    structlog.get_logger().warning("x", api_key="hunter2", refresh_token="hunter2", prompt_tokens=7)
    written = capsys.readouterr().err
    assert "hunter2" not in written
    assert json.loads(written)["prompt_tokens"] == 7


def fail(password: str) -> None:
    raise ValueError(len(password))


def test_a_trace_is_written_without_what_the_variables_held(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure("session", "INFO", "json")
    try:
        fail("hunter" + "2")
    except ValueError as error:
        structlog.get_logger().error("failed", exc_info=error)
    written = capsys.readouterr().err
    assert "ValueError" in written
    assert "hunter2" not in written


def test_without_an_endpoint_nothing_is_traced_but_the_trace_goes_on() -> None:
    quiet = tracing.Tracing("session", "")
    given = tracing.new_traceparent()
    with quiet.span("x", given) as passed:
        assert passed == given
    assert not quiet.on
    quiet.close()

"""The upstreams: one cluster a room, all able to come back within a second of a crash."""

from collections.abc import Iterator

from gateway.envoy.settings import EdgeSettings, Endpoint
from gateway.envoy.types import Json, typed

MANY = 100_000


def operations(room: str) -> str:
    """Name of the cluster of a room's HTTP listener."""
    return f"{room}-operations"


def clusters(settings: EdgeSettings) -> Iterator[Json]:
    """Every cluster of the settings."""
    for room, endpoints in sorted(settings.services.items()):
        yield _cluster(room, endpoints, _http2(), health_checks=[_grpc_health()])
    for room, endpoints in sorted(settings.operations.items()):
        yield _cluster(operations(room), endpoints, _http1())
    for name, endpoints in (("realtime", settings.realtime), ("web", settings.web), ("s3", settings.s3)):
        yield _cluster(name, endpoints, _http1())
    if settings.traces:
        yield _cluster("traces", settings.traces, _http2())
    if settings.metrics:
        yield _admin(settings)


def _cluster(name: str, endpoints: tuple[Endpoint, ...], protocol: Json, **more: object) -> Json:
    return {
        "name": name,
        "type": "STATIC" if all(endpoint.numeric for endpoint in endpoints) else "STRICT_DNS",
        "connect_timeout": "1s",
        "lb_policy": "LEAST_REQUEST",
        # Zero healthy hosts: try them all the same, so that the first request after a restart already succeeds.
        "common_lb_config": {"healthy_panic_threshold": {"value": 1}},
        "load_assignment": _assignment(name, endpoints),
        "upstream_connection_options": {
            "tcp_keepalive": {"keepalive_time": 10, "keepalive_interval": 5, "keepalive_probes": 3}
        },
        "circuit_breakers": _breakers(),
        "outlier_detection": _outliers(),
        "typed_extension_protocol_options": {"envoy.extensions.upstreams.http.v3.HttpProtocolOptions": protocol},
        **more,
    }


def _assignment(name: str, endpoints: tuple[Endpoint, ...]) -> Json:
    return {"cluster_name": name, "endpoints": [{"lb_endpoints": [_endpoint(endpoint) for endpoint in endpoints]}]}


def _endpoint(endpoint: Endpoint) -> Json:
    address = {"socket_address": {"address": endpoint.host, "port_value": endpoint.port}}
    return {"endpoint": {"address": address}}


def _breakers() -> Json:
    # A WebSocket is a connection and a stream is a request: the defaults (1024) would be the limit of the platform.
    threshold: Json = {
        "max_connections": MANY,
        "max_requests": MANY,
        "max_pending_requests": 4096,
        "retry_budget": {"budget_percent": {"value": 20}, "min_retry_concurrency": 20},
    }
    return {"thresholds": [{"priority": "DEFAULT", **threshold}, {"priority": "HIGH", **threshold}]}


def _outliers() -> Json:
    # Half at most, so a lone replica is never put aside: ejecting it would only delay its recovery.
    return {
        "consecutive_5xx": 10,
        "consecutive_gateway_failure": 5,
        "enforcing_consecutive_gateway_failure": 100,
        "split_external_local_origin_errors": True,
        "consecutive_local_origin_failure": 3,
        "interval": "1s",
        "base_ejection_time": "1s",
        "max_ejection_time": "10s",
        "max_ejection_percent": 50,
        "enforcing_success_rate": 0,
        "enforcing_local_origin_success_rate": 0,
    }


def _grpc_health() -> Json:
    return {
        "timeout": "1s",
        "interval": "1s",
        "no_traffic_interval": "1s",
        "no_traffic_healthy_interval": "1s",
        "unhealthy_interval": "0.25s",
        "unhealthy_threshold": 2,
        "healthy_threshold": 1,
        "grpc_health_check": {},
    }


def _http2() -> Json:
    # No HTTP/2 pings: gRPC servers answer frequent ones with GOAWAY too_many_pings. TCP keepalive does it.
    windows = {"initial_stream_window_size": 1 << 20, "initial_connection_window_size": 8 << 20}
    return typed(
        "extensions.upstreams.http.v3.HttpProtocolOptions",
        explicit_http_config={"http2_protocol_options": windows},
    )


def _http1() -> Json:
    # Shorter than the keep-alive of what is behind, or a request meets a connection being closed.
    return typed(
        "extensions.upstreams.http.v3.HttpProtocolOptions",
        common_http_protocol_options={"idle_timeout": "30s"},
        explicit_http_config={"http_protocol_options": {}},
    )


def _admin(settings: EdgeSettings) -> Json:
    pipe = {"pipe": {"path": str(settings.admin_socket)}}
    endpoints = [{"lb_endpoints": [{"endpoint": {"address": pipe}}]}]
    return {
        "name": "admin",
        "type": "STATIC",
        "connect_timeout": "1s",
        "load_assignment": {"cluster_name": "admin", "endpoints": endpoints},
    }

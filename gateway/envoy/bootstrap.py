"""The whole configuration of Envoy: listener, clusters, admin, limits of the process."""

import json
from pathlib import Path

import yaml

from gateway.envoy.clusters import clusters
from gateway.envoy.contract import Contract
from gateway.envoy.filters import http_filters
from gateway.envoy.replies import local_replies
from gateway.envoy.routes import virtual_host
from gateway.envoy.settings import EdgeSettings
from gateway.envoy.types import Json, seconds, typed

# What only the mesh may say of a caller: taken off before anything looks at the request.
FOREIGN_PREFIXES = ("x-parley-", "x-envoy-", "x-user", "x-tenant", "x-forwarded-h", "x-forwarded-po", "x-forwarded-pre")
FOREIGN_NAMES = ("traceparent", "tracestate", "baggage")


def document(contract: Contract, settings: EdgeSettings) -> Json:
    """Envoy's bootstrap, version 3 of its API."""
    listeners = [_listener(contract, settings)]
    if settings.metrics:
        listeners.append(_metrics(settings))
    return {
        "node": {"id": "edge", "cluster": "parley"},
        "admin": {"address": {"pipe": {"path": str(settings.admin_socket), "mode": 0o600}}},
        "static_resources": {"listeners": listeners, "clusters": list(clusters(settings))},
        "overload_manager": _overload(settings),
    }


def write(settings: EdgeSettings) -> None:
    """Writes the configuration where the settings say, whole or not at all. OSError, ContractError."""
    made = document(Contract.read(settings.descriptors), settings)
    text = json.dumps(made, indent=1) if settings.out.suffix == ".json" else yaml.safe_dump(made, sort_keys=False)
    fresh = Path(f"{settings.out}.new")
    fresh.write_text(text, encoding="utf-8")
    fresh.replace(settings.out)


def _listener(contract: Contract, settings: EdgeSettings) -> Json:
    manager = _connection_manager(contract, settings)
    chain: Json = {"filters": [{"name": "envoy.filters.network.http_connection_manager", "typed_config": manager}]}
    if settings.tls:
        chain["transport_socket"] = _tls(settings)
    return {
        "name": "edge",
        "address": {"socket_address": {"address": settings.host, "port_value": settings.port}},
        "per_connection_buffer_limit_bytes": 32 << 10,
        "filter_chains": [chain],
    }


def _connection_manager(contract: Contract, settings: EdgeSettings) -> Json:
    limits = settings.limits
    manager = typed(
        "extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
        stat_prefix="edge",
        codec_type="AUTO",
        server_name="parley",
        use_remote_address=True,
        xff_num_trusted_hops=settings.trusted_hops,
        normalize_path=True,
        merge_slashes=True,
        path_with_escaped_slashes_action="REJECT_REQUEST",
        always_set_request_id_in_response=True,
        stream_idle_timeout=seconds(limits.idle_seconds),
        request_headers_timeout=seconds(limits.headers_seconds),
        request_timeout=seconds(limits.request_seconds),
        delayed_close_timeout="2s",
        common_http_protocol_options={
            "idle_timeout": "3600s",
            "max_headers_count": 100,
            "headers_with_underscores_action": "REJECT_REQUEST",
        },
        http2_protocol_options={
            "max_concurrent_streams": 100,
            "initial_stream_window_size": 64 << 10,
            "initial_connection_window_size": 1 << 20,
        },
        upgrade_configs=[{"upgrade_type": "websocket", "enabled": False}],
        early_header_mutation_extensions=[_foreign_headers()],
        local_reply_config=local_replies(),
        http_filters=http_filters(contract, settings),
        route_config={
            "name": "edge",
            # Routes of the API are direct answers until transcoding has given them a gRPC path.
            "virtual_hosts": [virtual_host(contract, settings)],
        },
    )
    if settings.access_log:
        manager["access_log"] = [_access_log(settings.access_log)]
    if settings.traces:
        manager["tracing"] = _tracing()
    return manager


def _foreign_headers() -> Json:
    removals: list[Json] = [{"remove_on_match": {"key_matcher": {"prefix": prefix}}} for prefix in FOREIGN_PREFIXES]
    removals += [{"remove": name} for name in FOREIGN_NAMES]
    return {
        "name": "envoy.http.early_header_mutation.header_mutation",
        "typed_config": typed(
            "extensions.http.early_header_mutation.header_mutation.v3.HeaderMutation", mutations=removals
        ),
    }


def _access_log(path: str) -> Json:
    # No query: it carries tickets and signatures. No header that carries a credential.
    fields = {
        "time": "%START_TIME%",
        "logger": "edge.access",
        "method": "%REQ(X-ENVOY-ORIGINAL-METHOD?:METHOD)%",
        "path": "%PATH(NQ:ORIG_OR_PATH)%",
        "rpc": "%REQ_WITHOUT_QUERY(:PATH)%",
        "protocol": "%PROTOCOL%",
        "status": "%RESPONSE_CODE%",
        "grpc_status": "%GRPC_STATUS(SNAKE_STRING)%",
        "details": "%RESPONSE_CODE_DETAILS%",
        "flags": "%RESPONSE_FLAGS%",
        "duration_ms": "%DURATION%",
        "bytes_in": "%BYTES_RECEIVED%",
        "bytes_out": "%BYTES_SENT%",
        "upstream": "%UPSTREAM_CLUSTER%",
        "client": "%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT%",
        "subject": "%DYNAMIC_METADATA(envoy.filters.http.jwt_authn:claims:sub)%",
        "request_id": "%REQ(X-REQUEST-ID)%",
    }
    without_query = typed("extensions.formatter.req_without_query.v3.ReqWithoutQuery")
    formatter = {"name": "envoy.formatter.req_without_query", "typed_config": without_query}
    form = {"json_format": fields, "formatters": [formatter]}
    if path == "/dev/stdout":
        name, config = "stdout", typed("extensions.access_loggers.stream.v3.StdoutAccessLog", log_format=form)
    else:
        name, config = "file", typed("extensions.access_loggers.file.v3.FileAccessLog", path=path, log_format=form)
    return {
        "name": f"envoy.access_loggers.{name}",
        "filter": {"not_health_check_filter": {}},
        "typed_config": config,
    }


def _tracing() -> Json:
    return {
        "provider": {
            "name": "envoy.tracers.opentelemetry",
            "typed_config": typed(
                "config.trace.v3.OpenTelemetryConfig",
                service_name="edge",
                grpc_service={"envoy_grpc": {"cluster_name": "traces"}, "timeout": "1s"},
            ),
        }
    }


def _tls(settings: EdgeSettings) -> Json:
    assert settings.tls is not None
    pair = {
        "certificate_chain": {"filename": str(settings.tls.chain)},
        "private_key": {"filename": str(settings.tls.key)},
    }
    common = {
        "tls_certificates": [pair],
        "alpn_protocols": ["h2", "http/1.1"],
        "tls_params": {"tls_minimum_protocol_version": "TLSv1_2"},
    }
    return {
        "name": "envoy.transport_sockets.tls",
        "typed_config": typed("extensions.transport_sockets.tls.v3.DownstreamTlsContext", common_tls_context=common),
    }


def _metrics(settings: EdgeSettings) -> Json:
    """Figures for Prometheus on a port of their own; nothing else of the admin interface."""
    assert settings.metrics is not None
    route = {"match": {"path": "/metrics"}, "route": {"cluster": "admin", "prefix_rewrite": "/stats/prometheus"}}
    host = {"name": "metrics", "domains": ["*"], "routes": [route]}
    manager = typed(
        "extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
        stat_prefix="metrics",
        route_config={"name": "metrics", "virtual_hosts": [host]},
        http_filters=[
            {"name": "envoy.filters.http.router", "typed_config": typed("extensions.filters.http.router.v3.Router")}
        ],
    )
    address = {"address": settings.metrics.host, "port_value": settings.metrics.port}
    return {
        "name": "metrics",
        "address": {"socket_address": address},
        "filter_chains": [
            {"filters": [{"name": "envoy.filters.network.http_connection_manager", "typed_config": manager}]}
        ],
    }


def _overload(settings: EdgeSettings) -> Json:
    monitors = "extensions.resource_monitors"
    connections = typed(
        f"{monitors}.downstream_connections.v3.DownstreamConnectionsConfig",
        max_active_downstream_connections=settings.limits.connections,
    )
    heap = typed(f"{monitors}.fixed_heap.v3.FixedHeapConfig", max_heap_size_bytes=settings.limits.heap_bytes)
    return {
        "refresh_interval": "0.25s",
        "resource_monitors": [
            {"name": "envoy.resource_monitors.global_downstream_max_connections", "typed_config": connections},
            {"name": "envoy.resource_monitors.fixed_heap", "typed_config": heap},
        ],
        "actions": [
            _action("envoy.overload_actions.shrink_heap", 0.9),
            _action("envoy.overload_actions.stop_accepting_requests", 0.95),
            _action("envoy.overload_actions.stop_accepting_connections", 0.98),
        ],
    }


def _action(name: str, threshold: float) -> Json:
    trigger = {"name": "envoy.resource_monitors.fixed_heap", "threshold": {"value": threshold}}
    return {"name": name, "triggers": [trigger]}

"""The HTTP filters, in the order in which a request meets them."""

from collections.abc import Iterator
from pathlib import Path

from gateway.envoy import types
from gateway.envoy.clusters import operations
from gateway.envoy.contract import Contract
from gateway.envoy.limiting import overall
from gateway.envoy.settings import EdgeSettings, Limits
from gateway.envoy.templates import constant, regular_expression
from gateway.envoy.types import Json, seconds, typed

PROVIDER = "people"
COMPRESSED = [
    "application/json",
    "application/javascript",
    "application/manifest+json",
    "image/svg+xml",
    "text/css",
    "text/html",
    "text/javascript",
    "text/plain",
]


def http_filters(contract: Contract, settings: EdgeSettings) -> list[Json]:
    """The whole chain. Answers travel it backwards."""
    limits = settings.limits
    return [
        _filter("envoy.filters.http.health_check", _health()),
        _filter(types.HEADERS, _security_headers(settings)),
        _filter(types.CORS, typed("extensions.filters.http.cors.v3.Cors")),
        _filter(types.COMPRESSOR, _compressor()),
        # Before whatever may refuse, so that a refusal reaches gRPC-Web callers as a gRPC status.
        _filter("envoy.filters.http.grpc_web", typed("extensions.filters.http.grpc_web.v3.GrpcWeb")),
        _filter(types.RATE_LIMIT, overall(limits)),
        _filter(types.API_KEY, _api_keys()),
        _filter(types.JWT, _tokens(contract, settings)),
        {**_filter(types.BUFFER, _buffer(limits)), "disabled": True},
        _filter(types.TRANSCODER, _transcoder(contract, settings)),
        _filter(
            "envoy.filters.http.router", typed("extensions.filters.http.router.v3.Router", suppress_envoy_headers=True)
        ),
    ]


def _filter(name: str, config: Json) -> Json:
    return {"name": name, "typed_config": config}


def _health() -> Json:
    path = {"name": ":path", "string_match": {"exact": "/healthz"}}
    return typed("extensions.filters.http.health_check.v3.HealthCheck", pass_through_mode=False, headers=[path])


def _security_headers(settings: EdgeSettings) -> Json:
    headers = {
        "x-content-type-options": "nosniff",
        "referrer-policy": "no-referrer",
        "x-frame-options": "SAMEORIGIN",
    }
    if settings.tls:
        headers["strict-transport-security"] = "max-age=31536000"
    mutations = [
        {"append": {"header": {"key": name, "value": value}, "append_action": "ADD_IF_ABSENT"}}
        for name, value in headers.items()
    ]
    return typed(
        "extensions.filters.http.header_mutation.v3.HeaderMutation", mutations={"response_mutations": mutations}
    )


def _compressor() -> Json:
    # Not text/event-stream: an event must leave when it is made, not when the compressor has enough.
    common = {"min_content_length": 512, "content_type_matcher": [{"prefix": kind} for kind in COMPRESSED]}
    library = _filter("gzip", typed("extensions.compression.gzip.compressor.v3.Gzip", compression_level="BEST_SPEED"))
    return typed(
        "extensions.filters.http.compressor.v3.Compressor",
        response_direction_config={"common_config": common},
        compressor_library=library,
    )


def _api_keys() -> Json:
    """Exchanges an API key for a token at the session service; only where a key is sent."""
    exchange = typed(
        "extensions.filters.http.ext_authz.v3.ExtAuthz",
        http_service={
            "server_uri": {"uri": "http://session", "cluster": operations("session"), "timeout": "2s"},
            "path_override": "/authorize",
            "authorization_response": {"allowed_upstream_headers": {"patterns": [{"exact": "authorization"}]}},
        },
        allowed_headers={"patterns": [{"exact": "x-api-key"}]},
        failure_mode_allow=False,
        status_on_error={"code": 503},
    )
    key = typed("type.matcher.v3.HttpRequestHeaderMatchInput", header_name="x-api-key")
    present = {
        "single_predicate": {
            "input": _filter("key", key),
            "value_match": {"safe_regex": {"google_re2": {}, "regex": ".+"}},
        }
    }
    skip = _filter("skip", typed("extensions.filters.common.matcher.action.v3.SkipFilter"))
    absent = {"predicate": {"not_matcher": present}, "on_match": {"action": skip}}
    return typed(
        "extensions.common.matching.v3.ExtensionWithMatcher",
        extension_config=_filter(types.API_KEY, exchange),
        xds_matcher={"matcher_list": {"matchers": [absent]}},
    )


def _tokens(contract: Contract, settings: EdgeSettings) -> Json:
    limits = settings.limits
    keys = {
        "http_uri": {
            "uri": "http://session/.well-known/jwks.json",
            "cluster": operations("session"),
            "timeout": "2s",
        },
        "cache_duration": seconds(limits.keys_seconds),
        "async_fetch": {"fast_listener": True, "failed_refetch_duration": "0.5s"},
    }
    provider = {
        "issuer": settings.issuer,
        "audiences": [settings.audience],
        "forward": True,
        "from_headers": [{"name": "Authorization", "value_prefix": "Bearer "}],
        "payload_in_metadata": "claims",
        "clock_skew_seconds": limits.clock_skew_seconds,
        "jwt_cache_config": {"jwt_cache_size": 4096},
        "remote_jwks": keys,
    }
    return typed(
        "extensions.filters.http.jwt_authn.v3.JwtAuthentication",
        providers={PROVIDER: provider},
        rules=list(_token_rules(contract)),
    )


def _token_rules(contract: Contract) -> Iterator[Json]:
    """What is public first; then everything of the API needs a token, by REST and by gRPC."""
    yield {"match": {"path": "/v1/ws"}}
    for method in contract.methods:
        if method.public and not method.internal:
            yield {"match": {"path": method.path}}
            for binding in method.bindings:
                yield {"match": {**_path(binding.template), "headers": [_verb(binding.verb)]}}
    requires = {"provider_name": PROVIDER}
    yield {"match": {"prefix": "/v1/"}, "requires": requires}
    for service in contract.services:
        if service.exposed:
            yield {"match": {"prefix": f"/{service.name}/"}, "requires": requires}


def _path(template: str) -> Json:
    if constant(template):
        return {"path": template}
    return {"safe_regex": {"regex": regular_expression(template)}}


def _verb(verb: str) -> Json:
    return {"name": ":method", "string_match": {"exact": verb.upper()}}


def _buffer(limits: Limits) -> Json:
    return typed("extensions.filters.http.buffer.v3.Buffer", max_request_bytes=max(limits.page_body_bytes, 1))


def _transcoder(contract: Contract, settings: EdgeSettings) -> Json:
    return typed(
        "extensions.filters.http.grpc_json_transcoder.v3.GrpcJsonTranscoder",
        proto_descriptor=str(Path(settings.descriptors).absolute()),
        services=[service.name for service in contract.services if service.transcoded],
        auto_mapping=False,
        convert_grpc_status=True,
        case_insensitive_enum_parsing=True,
        query_param_unescape_plus=True,
        max_request_body_size=settings.limits.json_body_bytes,
        max_response_body_size=settings.limits.json_response_bytes,
        print_options={
            "always_print_primitive_fields": True,
            "preserve_proto_field_names": True,
            "stream_sse_style_delimited": True,
        },
        request_validation_options={
            "reject_unknown_method": True,
            "reject_unknown_query_parameters": True,
            "reject_binding_body_field_collisions": True,
        },
    )

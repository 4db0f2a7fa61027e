"""Where a path goes. The order matters: the first route that matches wins.

A REST request is routed twice: as it came, and by the gRPC path that the transcoder gave it.
"""

import re
from collections.abc import Iterator

from gateway.envoy import types
from gateway.envoy.clusters import operations
from gateway.envoy.contract import Contract, Method, Service
from gateway.envoy.limiting import guard
from gateway.envoy.settings import EdgeSettings, Limits
from gateway.envoy.templates import constant
from gateway.envoy.types import Json, disabled, seconds, typed

SIGNATURE = "X-Amz-Signature"
# Nothing was executed when one of these happens, so repeating is safe for any call.
NEVER_SENT = "connect-failure,refused-stream,reset-before-request"
# A read may also be repeated after the server was asked.
REPEATABLE = f"{NEVER_SENT},unavailable,reset"
# Where webhooks and forms of bots are, for any engine.
SCRIPTS = ("/api/[^/]+/webhook/[^/]+", "/api/bot/[^/]+/[^/]+", "/api/[^/]+/forms/[^/]+")
PRIVATE_HEADERS = ["x-api-key"]
# What the pages' listener serves beside pages, for operators.
OPERATIONS = ("/metrics", "/readyz", "/healthz")
LEAKS = ["grpc-status", "grpc-message", "grpc-status-details-bin", "grpc-encoding", "grpc-accept-encoding"]


def virtual_host(contract: Contract, settings: EdgeSettings) -> Json:
    """The one virtual host, with all routes and the CORS policy."""
    host: Json = {"name": "parley", "domains": ["*"], "routes": list(routes(contract, settings))}
    if settings.allowed_origins:
        host["typed_per_filter_config"] = {types.CORS: _cors(settings.allowed_origins)}
    return host


def routes(contract: Contract, settings: EdgeSettings) -> Iterator[Json]:
    """Every route: sockets, plain HTTP, gRPC (which transcoded REST becomes), REST, pages."""
    limits = settings.limits
    yield _socket({"path": "/v1/ws"}, limits)
    yield _socket({"path_separated_prefix": "/ws"}, limits)
    visitors = operations("realtime") if settings.operations.get("realtime") else "realtime"
    yield _plain({"path": "/api/auth"}, visitors, limits, body=limits.page_body_bytes)
    yield _plain({"path": "/.well-known/jwks.json"}, operations("session"), limits, body=0)
    yield _plain({"prefix": "/webhooks/"}, operations("channels"), limits, body=limits.webhook_body_bytes)
    if settings.operations.get("engine"):
        for expression in SCRIPTS:
            yield _script({"safe_regex": {"regex": expression}}, limits)
    yield from _objects(settings)
    for service in contract.services:
        if service.exposed:
            yield from _service(service, limits)
    yield _answer({"prefix": "/parley."}, 404, "no such service")
    yield _answer({"prefix": "/", "grpc": {}}, 404, "no such service")
    for template in _guarded(contract, limits):
        route = _rest({"path": template}, limits)
        route["typed_per_filter_config"][types.RATE_LIMIT] = guard(limits)
        yield route
    yield _rest({"prefix": "/v1/"}, limits)
    for path in OPERATIONS:
        yield _answer({"safe_regex": {"regex": _however_written(path)}}, 404, "there is no such page")
    pages = _plain({"prefix": "/"}, "web", limits, body=limits.page_body_bytes)
    # Pages say themselves who may load them: an answer that names one origin would be cached for the others too.
    pages["typed_per_filter_config"][types.CORS] = disabled()
    yield pages


def _however_written(path: str) -> str:
    """What matches the path whichever of its characters are percent-encoded: the server behind decodes them."""
    return "".join(f"(?:{re.escape(character)}|%(?i:{ord(character):02x}))" for character in path)


def _socket(match: Json, limits: Limits) -> Json:
    return {
        "match": match,
        "route": {
            "cluster": "realtime",
            "timeout": "0s",
            "idle_timeout": seconds(limits.stream_idle_seconds),
            "upgrade_configs": [{"upgrade_type": "websocket", "enabled": True}],
            "retry_policy": _retries(NEVER_SENT),
        },
        "typed_per_filter_config": _bare(),
    }


def _plain(match: Json, cluster: str, limits: Limits, *, body: int) -> Json:
    """A route to something that speaks HTTP; at most `body` bytes go in."""
    return {
        "match": match,
        "route": {
            "cluster": cluster,
            "timeout": seconds(limits.unary_seconds),
            "retry_policy": _retries(NEVER_SENT),
        },
        "typed_per_filter_config": {**_bare(), types.BUFFER: _buffer(max(body, 1))},
    }


def _script(match: Json, limits: Limits) -> Json:
    """A web address of a bot: its script may take a while to answer."""
    route = _plain(match, operations("engine"), limits, body=limits.webhook_body_bytes)
    route["route"]["timeout"] = seconds(limits.script_seconds)
    return route


def _objects(settings: EdgeSettings) -> Iterator[Json]:
    """Signed requests to the object store, streamed both ways; the store checks the signature."""
    prefix = {"prefix": f"/{settings.s3_bucket}/"}
    signed = [{"name": SIGNATURE, "present_match": True}]
    size = {"start": 0, "end": settings.limits.upload_bytes + 1}
    reads = {"name": ":method", "string_match": {"safe_regex": {"regex": "GET|HEAD"}}}
    writes = {"name": ":method", "string_match": {"exact": "PUT"}}
    route = {
        "route": {"cluster": "s3", "timeout": "0s", "idle_timeout": "60s", "retry_policy": _retries(NEVER_SENT)},
        "typed_per_filter_config": _bare(),
    }
    bounded = {"name": "content-length", "range_match": size}
    yield {"match": {**prefix, "query_parameters": signed, "headers": [reads]}, **route}
    yield {"match": {**prefix, "query_parameters": signed, "headers": [writes, bounded]}, **route}
    asks = {"name": ":method", "string_match": {"exact": "OPTIONS"}}
    # The CORS filter answers, and only on a route that leads somewhere; what it leaves, the pages refuse.
    yield {
        "match": {**prefix, "query_parameters": signed, "headers": [asks]},
        "route": {"cluster": "web", "timeout": seconds(settings.limits.unary_seconds)},
        "typed_per_filter_config": _bare(),
    }
    too_large = _answer({**prefix, "query_parameters": signed, "headers": [writes]}, 413, "the object is too large")
    yield {**too_large, "typed_per_filter_config": _bare()}
    yield {**_answer(prefix, 403, "the address is not signed"), "typed_per_filter_config": _bare()}


def _service(service: Service, limits: Limits) -> Iterator[Json]:
    """Routes of a gRPC service: those methods that differ, then the rest."""
    for method in service.methods:
        if method.internal:
            yield _answer({"path": method.path}, 404, "no such method")
        elif method.streams:
            yield _streaming(method, limits)
        elif method.path in limits.guarded_methods:
            route = _unary({"path": method.path}, service.room, _deadline(method, limits), safe=method.safe)
            yield {**route, "typed_per_filter_config": {types.RATE_LIMIT: guard(limits)}}
        elif method.safe or method.path in limits.method_seconds:
            yield _unary({"path": method.path}, service.room, _deadline(method, limits), safe=method.safe)
    yield _unary({"prefix": f"/{service.name}/"}, service.room, limits.unary_seconds, safe=False)


def _deadline(method: Method, limits: Limits) -> float:
    return limits.method_seconds.get(method.path, limits.unary_seconds)


def _unary(match: Json, cluster: str, deadline: float, *, safe: bool) -> Json:
    return {
        "match": match,
        "route": {
            "cluster": cluster,
            "timeout": seconds(deadline),
            "max_stream_duration": {"grpc_timeout_header_max": seconds(deadline)},
            "retry_policy": _retries(REPEATABLE if safe else NEVER_SENT),
        },
        # Services refuse a unary call without a deadline; one that came over REST has none.
        "request_headers_to_add": [_unless_present("grpc-timeout", f"{int(deadline * 1000)}m")["append"]],
        "request_headers_to_remove": PRIVATE_HEADERS,
    }


def _streaming(method: Method, limits: Limits) -> Json:
    room = method.service.split(".")[1]
    return {
        "match": {"path": method.path},
        "route": {
            "cluster": room,
            "timeout": "0s",
            "idle_timeout": seconds(limits.stream_idle_seconds),
            "retry_policy": _retries(REPEATABLE if method.safe else NEVER_SENT),
        },
        "request_headers_to_remove": PRIVATE_HEADERS,
    }


def _guarded(contract: Contract, limits: Limits) -> Iterator[str]:
    """REST paths of the methods that somebody may want to try again and again."""
    for method in contract.methods:
        if method.path in limits.guarded_methods:
            yield from (binding.template for binding in method.bindings if constant(binding.template))


def _rest(match: Json, limits: Limits) -> Json:
    """What every REST request meets first. Once transcoded it has a gRPC path and is routed again."""
    mutations = [{"remove": name} for name in LEAKS]
    mutations.append(_unless_present("cache-control", "no-store"))
    per_route = typed("extensions.filters.http.header_mutation.v3.HeaderMutationPerRoute")
    per_route["mutations"] = {"response_mutations": mutations}
    # The transcoder parses as bytes come in, so its own limit does not bound a body; the buffer filter does.
    filters = {types.HEADERS: per_route, types.BUFFER: _buffer(limits.json_body_bytes)}
    # A route and no direct answer, because the CORS filter looks at routes only. The transcoder lets nothing through.
    return {"match": match, "route": {"cluster": "web"}, "typed_per_filter_config": filters}


def _answer(match: Json, status: int, text: str) -> Json:
    return {"match": match, "direct_response": {"status": status, "body": {"inline_string": text}}}


def _retries(on: str) -> Json:
    return {
        "retry_on": on,
        "num_retries": 3,
        "retry_back_off": {"base_interval": "0.05s", "max_interval": "0.5s"},
    }


def _bare() -> Json:
    """Nothing of the API's filters: the bytes go through as they came."""
    return {name: disabled() for name in (types.TRANSCODER, types.API_KEY)}


def _buffer(maximum: int) -> Json:
    return typed("extensions.filters.http.buffer.v3.BufferPerRoute", buffer={"max_request_bytes": maximum})


def _unless_present(name: str, value: str) -> Json:
    return {"append": {"header": {"key": name, "value": value}, "append_action": "ADD_IF_ABSENT"}}


def _cors(origins: tuple[str, ...]) -> Json:
    allowed = [{"safe_regex": {"regex": ".*"}} if origin == "*" else {"exact": origin} for origin in origins]
    return typed(
        "extensions.filters.http.cors.v3.CorsPolicy",
        allow_origin_string_match=allowed,
        allow_methods="GET, POST, PUT, PATCH, DELETE, OPTIONS",
        allow_headers="authorization, content-type, x-api-key, x-grpc-web, x-user-agent, grpc-timeout, last-event-id",
        expose_headers="grpc-status, grpc-message, grpc-status-details-bin, x-request-id, retry-after, etag",
        max_age="86400",
        # Tokens travel in headers; no cookie is ever needed from another origin.
        allow_credentials=False,
    )

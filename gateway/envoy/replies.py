"""Errors that Envoy itself answers with, in the shape services use: google.rpc.Status as JSON.

gRPC callers are left alone: Envoy makes trailers for them. Nothing below 400 is touched.
"""

from collections.abc import Iterator

from gateway.envoy.types import Json, typed

# HTTP status -> (google.rpc.Code, reason of parley.common.v1.ErrorReason)
STATUSES = {
    400: (3, "INVALID_FIELD"),
    401: (16, "TOKEN_INVALID"),
    403: (7, "PERMISSION_MISSING"),
    404: (5, "RESOURCE_NOT_FOUND"),
    408: (4, "DEADLINE_EXCEEDED"),
    413: (3, "TOO_LARGE"),
    415: (3, "INVALID_FIELD"),
    429: (8, "LIMIT_REACHED"),
    431: (3, "TOO_LARGE"),
    500: (13, "INTERNAL"),
    501: (12, "NOT_AVAILABLE"),
    502: (14, "DEPENDENCY_UNAVAILABLE"),
    503: (14, "DEPENDENCY_UNAVAILABLE"),
    504: (4, "DEADLINE_EXCEEDED"),
}
WRONG_AUDIENCE = "jwt_authn_access_denied{Audiences_in_Jwt_are_not_allowed}"
NO_KEYS = "jwt_authn_access_denied{Jwks_remote_fetch_is_failed}"
# What Envoy would say of the inside of the mesh is for its log.
MESSAGES = {
    500: "internal error",
    502: "the service cannot be reached at the moment",
    503: "the service cannot be reached at the moment",
    504: "the service did not answer in time",
}
BODY = "%LOCAL_REPLY_BODY%"


def local_replies() -> Json:
    """The HTTP connection manager's `local_reply_config`."""
    return {"mappers": list(_mappers())}


def _mappers() -> Iterator[Json]:
    # Envoy says 403 for a foreign audience and 401 while it has no keys: both would mislead a client.
    yield from _turned(WRONG_AUDIENCE, 401, BODY)
    yield from _turned(NO_KEYS, 503, "the verification keys are not there yet")
    yield from _turned("ext_authz_denied", 401, "the API key is not valid")
    malformed = _because("response.code_details == 'path_normalization_failed'")
    yield {"filter": malformed, **_body(400, "the path is malformed: no escaped slashes, nothing above the root")}
    for status in STATUSES:
        yield {"filter": _all(_status("EQ", status), _not_grpc()), **_body(status, MESSAGES.get(status, BODY))}
    yield {"filter": _all(_status("GE", 500), _not_grpc()), **_body(500, MESSAGES[500])}
    yield {"filter": _all(_status("GE", 400), _not_grpc()), **_body(400, BODY)}
    for status, message in MESSAGES.items():
        yield {
            "filter": _status("EQ", status),
            "body_format_override": {"text_format_source": {"inline_string": message}},
        }


def _turned(details: str, status: int, message: str) -> Iterator[Json]:
    because = _because(f"response.code_details == '{details}'")
    yield {"filter": _all(because, _not_grpc()), "status_code": status, **_body(status, message)}
    yield {"filter": because, "status_code": status}


def _body(status: int, message: str) -> Json:
    code, reason = STATUSES[status]
    info = {"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": reason, "domain": "parley"}
    request = {"@type": "type.googleapis.com/google.rpc.RequestInfo", "request_id": "%REQ(X-REQUEST-ID)%"}
    details = [info, request]
    if status in {429, 503}:
        details.append({"@type": "type.googleapis.com/google.rpc.RetryInfo", "retry_delay": "1s"})
    return {"body_format_override": {"json_format": {"code": code, "message": message, "details": details}}}


def _all(*filters: Json) -> Json:
    return {"and_filter": {"filters": list(filters)}}


def _status(comparison: str, value: int) -> Json:
    runtime = {"default_value": value, "runtime_key": f"parley.reply.{value}"}
    return {"status_code_filter": {"comparison": {"op": comparison, "value": runtime}}}


def _not_grpc() -> Json:
    """REST, also when it is transcoded already: then it has a gRPC content type and the path it came by."""
    plain = {
        "name": "content-type",
        "string_match": {"prefix": "application/grpc"},
        "invert_match": True,
        "treat_missing_header_as_empty": True,
    }
    transcoded = {"name": "x-envoy-original-path", "present_match": True}
    return {"or_filter": {"filters": [{"header_filter": {"header": header}} for header in (plain, transcoded)]}}


def _because(expression: str) -> Json:
    return {
        "extension_filter": {
            "name": "envoy.access_loggers.extension_filters.cel",
            "typed_config": typed(
                "extensions.access_loggers.filters.cel.v3.ExpressionFilter",
                expression=expression,
            ),
        }
    }

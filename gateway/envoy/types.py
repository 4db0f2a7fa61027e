"""Names of Envoy's types, and small pieces that every part of the configuration uses."""

from typing import Any

Json = dict[str, Any]

FILTERS = "type.googleapis.com/envoy.extensions.filters.http"
JWT = "envoy.filters.http.jwt_authn"
API_KEY = "envoy.filters.http.ext_authz"
TRANSCODER = "envoy.filters.http.grpc_json_transcoder"
BUFFER = "envoy.filters.http.buffer"
CORS = "envoy.filters.http.cors"
COMPRESSOR = "envoy.filters.http.compressor"
RATE_LIMIT = "envoy.filters.http.local_ratelimit"
HEADERS = "envoy.filters.http.header_mutation"


def typed(name: str, **fields: object) -> Json:
    """A message of Envoy's: `typed("config.route.v3.FilterConfig", disabled=True)`."""
    return {"@type": f"type.googleapis.com/envoy.{name}", **fields}


def seconds(value: float) -> str:
    """A duration as protobuf's JSON has it: 0.25 -> "0.25s"."""
    return f"{value:.6f}".rstrip("0").rstrip(".") + "s"


def disabled() -> Json:
    """Switches a filter off on a route. The filters' own per-route messages have no such field."""
    return typed("config.route.v3.FilterConfig", disabled=True)

"""Local rate limits: one for everything, one by client address for methods where secrets are guessed."""

from gateway.envoy.settings import Limits
from gateway.envoy.types import Json, typed

ADDRESSES = 10_000


def overall(limits: Limits) -> Json:
    """The filter's own configuration: a bucket for the whole process."""
    return _limit(_bucket(limits.requests_per_second, limits.burst))


def guard(limits: Limits) -> Json:
    """Configuration of a route: a bucket for each address, of which the newest 10 000 are remembered."""
    entry: Json = {"entries": [{"key": "remote_address"}]}
    entry["token_bucket"] = _bucket(limits.guarded_per_second, limits.guarded_burst)
    return {
        **_limit(_bucket(limits.requests_per_second, limits.burst)),
        "descriptors": [entry],
        "rate_limits": [{"actions": [{"remote_address": {}}]}],
        "max_dynamic_descriptors": ADDRESSES,
    }


def _limit(bucket: Json) -> Json:
    always = {"default_value": {"numerator": 100, "denominator": "HUNDRED"}}
    later = {"header": {"key": "retry-after", "value": "1"}, "append_action": "OVERWRITE_IF_EXISTS_OR_ADD"}
    return typed(
        "extensions.filters.http.local_ratelimit.v3.LocalRateLimit",
        stat_prefix="edge",
        token_bucket=bucket,
        filter_enabled=always,
        filter_enforced=always,
        rate_limited_as_resource_exhausted=True,
        response_headers_to_add=[later],
    )


def _bucket(per_second: int, burst: int) -> Json:
    if per_second < 20:
        return {"max_tokens": burst, "tokens_per_fill": per_second, "fill_interval": "1s"}
    return {"max_tokens": burst, "tokens_per_fill": per_second // 20, "fill_interval": "0.05s"}

"""What a failure of an OpenAI-compatible server means in the one error tree."""

from collections.abc import Mapping
from typing import Any

from services.common.errors import (
    DeadlineExceeded,
    FailedPrecondition,
    InvalidArgument,
    ParleyError,
    ResourceExhausted,
    Unavailable,
)

REASON = "PROVIDER_FAILED"
QUOTA_WORDS = ("insufficient_quota", "billing", "usage limit")
LONGEST_RETRY_SECONDS = 3600.0


def failed(message: str, kind: str) -> Unavailable:
    """The provider failed in a way that may pass."""
    return Unavailable(message, reason=REASON, metadata={"kind": kind})


def cut() -> Unavailable:
    """The stream ended before its end."""
    return failed("the model's answer was cut off", "cut")


def late(kind: str) -> DeadlineExceeded:
    """It took too long. kind: "first_token", "chunk" or "answer"."""
    return DeadlineExceeded("the model took too long", reason=REASON, metadata={"kind": f"timeout_{kind}"})


def from_http(status: int, headers: Mapping[str, str], body: object) -> ParleyError:
    """The tree's word for an HTTP error; the provider's own text is not passed on, it may hold the prompt."""
    told = body.get("error", body) if isinstance(body, dict) else {}
    told = told if isinstance(told, dict) else {}
    code = f"{told.get('code') or ''} {told.get('type') or ''}".strip()
    details = {"status": str(status), "code": code[:80]}
    if status in {402, 429} or any(word in code for word in QUOTA_WORDS):
        return exhausted(code, details, retry_after(headers))
    if status >= 500 or status in {408, 409}:
        return Unavailable(
            "the model provider failed",
            reason=REASON,
            metadata={**details, "kind": "server"},
            retry_after=retry_after(headers),
        )
    return refused(status, code, details)


def exhausted(code: str, details: dict[str, str], wait: float | None) -> ResourceExhausted:
    """A limit of the provider: of its rate, which passes, or of the account, which does not by itself."""
    if any(word in code for word in QUOTA_WORDS):
        return ResourceExhausted("the account at the model provider is used up", metadata={**details, "kind": "quota"})
    return ResourceExhausted(
        "the model provider's rate limit was reached", metadata={**details, "kind": "rate"}, retry_after=wait or 1.0
    )


def refused(status: int, code: str, details: dict[str, str]) -> ParleyError:
    """What asking again will not change."""
    if status in {401, 403}:
        return FailedPrecondition(
            "the model provider refused our key", reason=REASON, metadata={**details, "kind": "auth"}
        )
    if status == 404:
        return FailedPrecondition(
            "the model provider has no such model", reason=REASON, metadata={**details, "kind": "model"}
        )
    kind = "context_length" if "context_length" in code or status == 413 else "request"
    if "content_filter" in code or "content_policy" in code:
        kind = "content_filter"
    return InvalidArgument(
        f"the model provider refused the request ({kind})", reason=REASON, metadata={**details, "kind": kind}
    )


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds the provider asks us to wait, None when it does not say so in a way we read."""
    for name, scale in (("retry-after-ms", 0.001), ("retry-after", 1.0)):
        try:
            return min(max(0.0, float(headers.get(name, "")) * scale), LONGEST_RETRY_SECONDS)
        except ValueError:
            continue
    return None


def from_event(event: Mapping[str, Any]) -> ParleyError:
    """An error that came inside a stream."""
    told = event.get("error")
    status = told.get("code") if isinstance(told, dict) else None
    return from_http(status if isinstance(status, int) else 500, {}, event)

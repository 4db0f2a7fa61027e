"""Structured logs: static messages, data in fields, the trace and request of the call."""

import contextlib
import io
import logging
import sys
from typing import Any, TextIO, cast

import structlog
from structlog.typing import EventDict, WrappedLogger

from services.common import context

SECRET_WORDS = ("password", "secret", "token", "authorization", "api_key", "dsn", "ticket")


def logger(name: str) -> Any:  # noqa: ANN401 - structlog's own type is a lazy proxy
    """A logger that carries its module's name."""
    return structlog.get_logger(module=name)


def add_call(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """Add what identifies the call."""
    call = context.current_or_none()
    if call is not None:
        event["request_id"] = call.request_id
        if call.traceparent:
            event["trace_id"] = call.traceparent.split("-")[1] if "-" in call.traceparent else ""
        if call.principal is not None:
            event["tenant"] = call.principal.tenant_id
    return event


def mask(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """No field named like a secret is ever written. Counts of tokens are no secret."""
    for key in event:
        if not key.endswith("tokens") and any(word in key.lower() for word in SECRET_WORDS):
            event[key] = "***"
    return event


class Lossy(io.TextIOBase):
    """A stream whose failures are nobody's: a line that a full disk does not take fails no call."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        """Write, or lose it."""
        with contextlib.suppress(OSError):
            return self._stream.write(text)
        return len(text)

    def flush(self) -> None:
        """As far as it goes."""
        with contextlib.suppress(OSError):
            self._stream.flush()


def configure(service: str, level: str, form: str) -> None:
    """Set up logs of the process, once."""
    # Traces go without local variables, which hold what people said and what keys are.
    plain = structlog.processors.ExceptionRenderer(structlog.tracebacks.ExceptionDictTransformer(show_locals=False))
    renderers: list[Any] = [plain, structlog.processors.JSONRenderer()]
    if form == "console":
        console = structlog.dev.ConsoleRenderer(
            colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback
        )
        renderers = [console]

    def add_service(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
        event["service"] = service
        return event

    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            add_service,
            add_call,
            mask,
            *renderers,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(getattr(logging, level)),
        logger_factory=structlog.PrintLoggerFactory(cast("TextIO", Lossy(sys.stderr))),
        cache_logger_on_first_use=True,
    )
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr, format="%(levelname)s %(name)s %(message)s")

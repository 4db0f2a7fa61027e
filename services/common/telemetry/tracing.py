"""OpenTelemetry traces over OTLP, only when an endpoint is set: without one, a call costs a string comparison."""

import contextlib
import secrets
from collections.abc import Iterator

from opentelemetry import trace
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

PROPAGATOR = TraceContextTextMapPropagator()


class Tracing:
    """Spans round calls."""

    def __init__(self, service: str, endpoint: str) -> None:
        self._tracer: trace.Tracer | None = None
        self._provider: TracerProvider | None = None
        if endpoint:
            from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter  # noqa: PLC0415 - costly

            self._provider = TracerProvider(resource=Resource.create({"service.name": f"parley-{service}"}))
            exporter = OTLPSpanExporter(endpoint=endpoint, insecure=endpoint.startswith("http://"))
            self._provider.add_span_processor(BatchSpanProcessor(exporter))
            self._tracer = self._provider.get_tracer("parley")

    @property
    def on(self) -> bool:
        """Whether spans are recorded."""
        return self._tracer is not None

    @contextlib.contextmanager
    def span(self, name: str, traceparent: str) -> Iterator[str]:
        """Record a span under the caller's; gives the traceparent to pass on."""
        if self._tracer is None:
            yield traceparent
            return
        parent = PROPAGATOR.extract({"traceparent": traceparent}) if traceparent else None
        with self._tracer.start_as_current_span(name, context=parent):
            carrier: dict[str, str] = {}
            PROPAGATOR.inject(carrier)
            yield carrier.get("traceparent", traceparent)

    def close(self) -> None:
        """Send what is left."""
        if self._provider is not None:
            self._provider.shutdown()


def new_traceparent() -> str:
    """A W3C traceparent that starts a trace without recording it."""
    return f"00-{secrets.token_hex(16)}-{secrets.token_hex(8)}-00"

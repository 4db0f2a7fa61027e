"""Prometheus metrics; the first seven names are the mission's, kept exactly."""

import os
import time
from functools import lru_cache

import psutil
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

BUCKETS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)


class Metrics:
    """The registry of a process."""

    def __init__(self, service: str) -> None:
        self.service = service
        self.registry = CollectorRegistry()
        self.http_requests = Counter(
            "http_requests_total", "HTTP requests", ["service", "method", "status"], registry=self.registry
        )
        self.http_duration = Histogram(
            "http_request_duration", "Seconds", ["service", "method"], buckets=BUCKETS, registry=self.registry
        )
        self.ws_connections = Gauge("ws_connections", "Open WebSockets", registry=self.registry)
        self.llm_requests = Counter("llm_requests_total", "Model calls", ["model", "outcome"], registry=self.registry)
        # A gauge that only rises: a counter of this name would be written as llm_cache_hits_total.
        self.llm_cache_hits = Gauge("llm_cache_hits", "Answers from the cache", ["layer"], registry=self.registry)
        self.db_pool_size = Gauge("db_pool_size", "Database connections", ["pool"], registry=self.registry)
        self.memory_usage = Gauge("memory_usage", "Resident bytes", registry=self.registry)
        self.rpc_handled = Counter("rpc_handled_total", "Calls served", ["method", "code"], registry=self.registry)
        self.rpc_duration = Histogram(
            "rpc_duration_seconds", "Seconds", ["method"], buckets=BUCKETS, registry=self.registry
        )
        self.bus_dropped = Counter("bus_dropped_total", "Doorbells dropped while NATS was away", registry=self.registry)
        self.outbox_pending = Gauge("outbox_pending", "Outbox rows not yet acknowledged", registry=self.registry)
        self.turns = Counter("turns_total", "Turns by outcome", ["outcome"], registry=self.registry)
        self.turn_duration = Histogram("turn_duration_seconds", "Seconds", buckets=BUCKETS, registry=self.registry)
        self._process = psutil.Process(os.getpid())
        self.memory_usage.set_function(lambda: float(self._process.memory_info().rss))
        self.handled = lru_cache(maxsize=1024)(self._handled)
        self.duration = lru_cache(maxsize=512)(self._duration)

    def _handled(self, method: str, code: str) -> Counter:
        return self.rpc_handled.labels(method, code)

    def _duration(self, method: str) -> Histogram:
        return self.rpc_duration.labels(method)

    def observe(self, method: str, code: str, started: float) -> None:
        """Count one call; `started` is time.perf_counter()."""
        self.handled(method, code).inc()
        self.duration(method).observe(time.perf_counter() - started)

    def exposition(self) -> bytes:
        """The text format."""
        return generate_latest(self.registry)

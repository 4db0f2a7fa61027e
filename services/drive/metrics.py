"""What the drive counts."""

from prometheus_client import Counter, Histogram

from services.common.telemetry.metrics import BUCKETS, Metrics


class DriveMetrics:
    """Metrics of the drive in the registry of the process."""

    def __init__(self, metrics: Metrics) -> None:
        registry = metrics.registry
        self.stored = Counter("drive_stored_bytes_total", "Bytes that went live", ["how"], registry=registry)
        self.streamed = Counter("drive_streamed_bytes_total", "Bytes sent by ReadFile", registry=registry)
        self.removed = Counter("drive_objects_removed_total", "Objects the sweeper removed", registry=registry)
        self.expired = Counter("drive_uploads_expired_total", "Uploads never completed", registry=registry)
        self.store_duration = Histogram(
            "drive_store_duration_seconds", "Seconds", ["operation"], buckets=BUCKETS, registry=registry
        )

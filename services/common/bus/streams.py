"""Streams and consumers: declared here, reconciled at start and whenever they are found missing."""

from dataclasses import dataclass

from nats.js import JetStreamContext
from nats.js.api import ConsumerConfig, DiscardPolicy, RetentionPolicy, StorageType, StreamConfig
from nats.js.errors import NotFoundError

HOUR = 3600.0
STREAMS = {
    "SESSION": StreamConfig(
        name="SESSION",
        subjects=["parley.session.v1.message.appended.>"],
        retention=RetentionPolicy.LIMITS,
        discard=DiscardPolicy.OLD,
        storage=StorageType.FILE,
        max_age=HOUR,
        max_bytes=256 * 1024 * 1024,
        duplicate_window=120.0,
    ),
    "DELIVERIES": StreamConfig(
        name="DELIVERIES",
        subjects=["parley.session.v1.delivery.requested.>"],
        retention=RetentionPolicy.WORK_QUEUE,
        discard=DiscardPolicy.OLD,
        storage=StorageType.FILE,
        max_age=24 * HOUR,
        max_bytes=256 * 1024 * 1024,
        duplicate_window=120.0,
    ),
    "DEAD": StreamConfig(
        name="DEAD",
        subjects=["parley.common.v1.letter.dead.>"],
        retention=RetentionPolicy.LIMITS,
        discard=DiscardPolicy.OLD,
        storage=StorageType.FILE,
        max_age=30 * 24 * HOUR,
        max_bytes=64 * 1024 * 1024,
    ),
}


@dataclass(frozen=True, slots=True)
class Consumer:
    """A durable pull consumer. `backoff`: seconds before each redelivery; after its end comes the dead letter."""

    name: str
    stream: str
    subject: str
    ack_wait: float = 30.0
    backoff: tuple[float, ...] = (1.0, 5.0, 15.0, 30.0, 60.0)
    maximum_pending: int = 256

    def config(self) -> ConsumerConfig:
        """As the server wants it."""
        return ConsumerConfig(
            durable_name=self.name,
            filter_subject=self.subject,
            ack_wait=self.ack_wait,
            max_deliver=-1,  # the bound is kept by Puller, which buries the message before it lets go of it
            max_ack_pending=self.maximum_pending,
        )


CHANNEL_DELIVERIES = Consumer("channels-deliveries", "DELIVERIES", "parley.session.v1.delivery.requested.>")


async def reconcile(jetstream: JetStreamContext) -> None:
    """Make every stream as declared."""
    for config in STREAMS.values():
        try:
            await jetstream.stream_info(str(config.name))
        except NotFoundError:
            await jetstream.add_stream(config)
        else:
            await jetstream.update_stream(config)

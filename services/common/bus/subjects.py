"""Every subject name: parley.<service>.v1.<entity>.<event>.<tenant>.<id>, ids last, tenant second to last."""

ENGINE_WORKERS = "engine-worker"


def turn_ready(tenant: str, session: str) -> str:
    """A doorbell: a turn of the session may be claimed. Core NATS, queue group ENGINE_WORKERS."""
    return f"parley.session.v1.turn.ready.{tenant}.{session}"


TURN_READY_ALL = "parley.session.v1.turn.ready.*.*"


def turn_cancelled(tenant: str, session: str) -> str:
    """A person wants the reply that is being made to stop."""
    return f"parley.session.v1.turn.cancelled.{tenant}.{session}"


TURN_CANCELLED_ALL = "parley.session.v1.turn.cancelled.*.*"


def message_appended(tenant: str, session: str) -> str:
    """Messages are in the ledger: LiveEvents. Stream SESSION."""
    return f"parley.session.v1.message.appended.{tenant}.{session}"


def message_delta(tenant: str, session: str) -> str:
    """Pieces of a reply being made, typing: LiveEvents without a base. Core NATS."""
    return f"parley.session.v1.message.delta.{tenant}.{session}"


def session_live(tenant: str, session: str) -> str:
    """What a feed subscribes to: both of the above."""
    return f"parley.session.v1.message.*.{tenant}.{session}"


def delivery_requested(tenant: str, account: str) -> str:
    """A reply for a channel: session.v1.Delivery. Stream DELIVERIES."""
    return f"parley.session.v1.delivery.requested.{tenant}.{account}"


def call_answered(tenant: str, call: str) -> str:
    """What a webhook started has returned. Core NATS, losable."""
    return f"parley.engine.v1.call.answered.{tenant}.{call}"


CALL_ANSWERED_ALL = "parley.engine.v1.call.answered.*.*"


def dead_letter(consumer: str) -> str:
    """A message that a consumer could not handle. Stream DEAD."""
    return f"parley.common.v1.letter.dead.{consumer}"

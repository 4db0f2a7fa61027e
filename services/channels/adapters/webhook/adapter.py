"""Signed webhooks: messages come in as they do, replies go out as they do."""

import datetime
import email.utils
import math
import time
from collections.abc import Mapping

from parley.session.v1 import ledger_service_pb2 as ledger_pb

from services.channels.adapters.webhook import incoming, outgoing
from services.channels.domain.port import Incoming, OpenChannel, Outcome, Result
from services.common.errors import InvalidArgument, ParleyError
from services.common.security import webhook_signatures as signatures
from services.common.security.safe_client import Answer, Question, SafeClient

ANSWER_BYTES = 64 * 1024
CONTENT_TYPE = "application/json"
PATIENT = frozenset({429, 503})


class WebhookAdapter:
    """Standard Webhooks, both ways. `tolerance`: seconds a signature may be old; `seconds`: for one attempt."""

    kind = "webhook"
    signed = True

    def __init__(self, client: SafeClient, *, tolerance: int, seconds: float) -> None:
        self._client = client
        self._tolerance = tolerance
        self._seconds = seconds

    async def check(self, uri: str) -> None:
        """Replies must have somewhere to go. InvalidArgument."""
        if not uri:
            raise InvalidArgument.field("channel.webhook.uri", "an address such as https://example.com/path")
        await self._client.check(uri, "channel.webhook.uri")

    def receive(self, channel: OpenChannel, headers: Mapping[str, str], body: bytes, now: float) -> Incoming:
        """Verified before anything of it is parsed. Unauthenticated, InvalidArgument."""
        envelope = signatures.verify(channel.secrets, headers, body, now, self._tolerance)
        return incoming.read(body, envelope.id)

    async def deliver(self, channel: OpenChannel, delivery: ledger_pb.Delivery, now: float) -> Outcome:
        """Post it once. The id is the delivery's in every attempt, so that the receiver knows a repetition."""
        body = outgoing.body_of(delivery)
        headers = signatures.headers(channel.secrets[0], delivery.id, int(now), body)
        question = Question(
            method="POST",
            url=channel.uri,
            headers={**headers, "Content-Type": CONTENT_TYPE},
            body=body,
            seconds=self._seconds,
            body_bytes=ANSWER_BYTES,
        )
        try:
            return outcome_of(await self._client.ask(question))
        except ParleyError as error:
            return Outcome(Result.RETRY, error=error.message)


def outcome_of(answer: Answer) -> Outcome:
    """What a status means. Nothing the other side wrote is repeated."""
    if 200 <= answer.status < 300:
        return Outcome(Result.DELIVERED, answer.status)
    if answer.status == 410:
        return Outcome(Result.GONE, 410, "the receiver is gone (410): the channel was disabled")
    wait = retry_after(answer.headers.get("retry-after", ""), time.time()) if answer.status in PATIENT else 0.0
    if 300 <= answer.status < 400:
        return Outcome(Result.RETRY, answer.status, f"the receiver redirects ({answer.status}): set its final address")
    return Outcome(Result.RETRY, answer.status, f"the receiver answered {answer.status}", wait)


def retry_after(header: str, now: float) -> float:
    """Seconds of a Retry-After header, which holds seconds or a date; 0 for one that cannot be read."""
    try:
        seconds = float(header)
    except ValueError:
        return until(header, now)
    return max(0.0, seconds) if math.isfinite(seconds) else 0.0


def until(header: str, now: float) -> float:
    """Seconds until an HTTP date."""
    try:
        moment = email.utils.parsedate_to_datetime(header)
    except (ValueError, TypeError, IndexError):
        return 0.0
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=datetime.UTC)
    return max(0.0, moment.timestamp() - now)

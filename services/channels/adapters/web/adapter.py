"""The built-in web chat: people post and read over the edge, so nothing comes in and nothing needs sending here."""

from collections.abc import Mapping

from parley.session.v1 import ledger_service_pb2 as ledger_pb

from services.channels.domain.port import Incoming, OpenChannel, Outcome, Result
from services.common.errors import InvalidArgument, NotFound


class WebAdapter:
    """Its replies are delivered once they are in the ledger, which web clients read."""

    kind = "web"
    signed = False

    async def check(self, uri: str) -> None:
        """There is nowhere to send to. InvalidArgument."""
        if uri:
            raise InvalidArgument.field("channel.webhook.uri", "none for a web channel")

    def receive(self, channel: OpenChannel, headers: Mapping[str, str], body: bytes, now: float) -> Incoming:
        """Web clients post messages over the edge. NotFound."""
        raise NotFound("no channel takes messages here")

    async def deliver(self, channel: OpenChannel, delivery: ledger_pb.Delivery, now: float) -> Outcome:
        """Already there."""
        return Outcome(Result.DELIVERED)

"""From a verified message to the ledger; answered only once the ledger has it."""

from dataclasses import dataclass

from parley.session.v1 import ledger_service_pb2 as pb
from parley.session.v1 import ledger_service_pb2_grpc as ledger_grpc

from services.channels.domain.port import Incoming, OpenChannel
from services.channels.store.receipts import Receipts, reused
from services.common import context
from services.common.errors import AlreadyExists, InvalidArgument, ParleyError, ResourceExhausted, Unavailable
from services.common.security.principal import service_principal
from services.common.telemetry.logs import logger

log = logger(__name__)


@dataclass(frozen=True, slots=True)
class Receipt:
    """Where a message is: "sessions/{uuid}", its number there, and whether it had come before."""

    session: str
    seq: int
    duplicate: bool


class Receiver:
    """Acts as the service, for the tenant of the channel."""

    def __init__(self, ledger: "ledger_grpc.LedgerServiceAsyncStub", receipts: Receipts, seconds: float) -> None:
        self._ledger = ledger
        self._receipts = receipts
        self._seconds = seconds

    async def receive(self, channel: OpenChannel, incoming: Incoming) -> Receipt:
        """Post it once. InvalidArgument, AlreadyExists and ResourceExhausted are the sender's; else Unavailable."""
        who = service_principal("channels", str(channel.tenant))
        with context.acting_for(who, seconds=self._seconds):
            await self._receipts.note(channel, incoming)
            try:
                answer = await self._ledger.ReceiveMessage(request_of(channel, incoming))
            except AlreadyExists:
                raise reused("message.id" if incoming.message else "webhook-id") from None
            except (InvalidArgument, ResourceExhausted):
                raise
            except ParleyError as error:
                log.warning("message not taken", channel=channel.name, error=type(error).__name__, reason=error.reason)
                raise Unavailable("the message could not be kept; send it again") from None
        return Receipt(answer.session, answer.seq, answer.duplicate)


def request_of(channel: OpenChannel, incoming: Incoming) -> pb.ReceiveMessageRequest:
    """As the ledger takes it."""
    return pb.ReceiveMessageRequest(
        channel=channel.name,
        external_user=incoming.user,
        external_id=incoming.external_id,
        bot=channel.bot,
        text=incoming.text,
        attachments=incoming.attachments,
        locale=incoming.locale,
        display_name=incoming.display_name,
    )

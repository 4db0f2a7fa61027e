"""LedgerService: what workers and channels do with sessions."""

import datetime
import uuid
from collections.abc import Sequence

import asyncpg
from google.protobuf import empty_pb2, json_format
from parley.session.v1 import ledger_service_pb2 as ledger_pb
from parley.session.v1 import ledger_service_pb2_grpc as ledger_grpc
from parley.session.v1 import session_pb2 as pb

from services.common.errors import Aborted
from services.common.rpc.handlers import Context
from services.session.config import SessionSettings
from services.session.domain import replies
from services.session.domain.storable import storable, storable_json
from services.session.events import Announcer, announcement_of
from services.session.identity.tenancy import TenantDirectory
from services.session.receiving import Receiver
from services.session.starting import Starter
from services.session.store.deliveries import Deliveries
from services.session.store.ledger import Closing, Fence, Ledger
from services.session.store.tickets import Tickets

SCOPES = {
    ledger_pb.VariableChange.SCOPE_BOT: "bot",
    ledger_pb.VariableChange.SCOPE_USER: "user",
    ledger_pb.VariableChange.SCOPE_SESSION: "session",
    ledger_pb.VariableChange.SCOPE_CHANNEL: "channel",
}


def lease_lost(fence: Fence) -> Aborted:
    """The error of a fenced worker."""
    return Aborted(
        "the lease belongs to another worker now; drop this turn",
        reason="LEASE_LOST",
        metadata={"session": f"sessions/{fence.session}", "epoch": str(fence.epoch)},
    )


class LedgerApi(ledger_grpc.LedgerServiceServicer):
    """Translates; the rules are in the SQL functions behind `Ledger`."""

    def __init__(
        self,
        settings: SessionSettings,
        ledger: Ledger,
        announcer: Announcer,
        receiver: Receiver,
        starter: Starter,
        tenants: TenantDirectory,
        tickets: Tickets,
        deliveries: Deliveries,
    ) -> None:
        self._settings = settings
        self._ledger = ledger
        self._announcer = announcer
        self._receiver = receiver
        self._starter = starter
        self._tenants = tenants
        self._tickets = tickets
        self._deliveries = deliveries

    async def ClaimTurns(  # noqa: N802
        self, request: ledger_pb.ClaimTurnsRequest, context: Context
    ) -> ledger_pb.ClaimTurnsResponse:
        """Claim turns that are ready."""
        keys = [
            (uuid.UUID(key.tenant), uuid.UUID(key.session.removeprefix("sessions/"))) for key in request.sessions
        ] or await self._ledger.ready(datetime.timedelta(0), request.limit)
        rows = await self._ledger.claim(keys[: request.limit], request.worker, request.lease.ToTimedelta())
        return ledger_pb.ClaimTurnsResponse(turns=[await self._turn(row) for row in rows])

    async def _turn(self, row: asyncpg.Record) -> ledger_pb.Turn:
        turn = turn_message(row)
        if row["journaled"]:
            entries = await self._ledger.journal(row["tenant_id"], row["session_id"], row["turn"])
            turn.journal.extend(
                ledger_pb.JournalEntry(key=entry["key"], kind=entry["kind"], result=entry["result"])
                for entry in entries
            )
        return turn

    async def RenewLease(  # noqa: N802
        self, request: ledger_pb.RenewLeaseRequest, context: Context
    ) -> ledger_pb.RenewLeaseResponse:
        """Prolong a lease."""
        fence = Fence.of(request.lease)
        until = await self._ledger.renew(fence, request.duration.ToTimedelta())
        if until is None:
            raise lease_lost(fence)
        response = ledger_pb.RenewLeaseResponse()
        response.expire_time.FromDatetime(until)
        return response

    async def CheckpointTurn(  # noqa: N802
        self, request: ledger_pb.CheckpointTurnRequest, context: Context
    ) -> ledger_pb.CheckpointTurnResponse:
        """Make what the turn said so far durable."""
        fence = Fence.of(request.lease)
        batch = replies.messages(fence.session, request.turn, request.replies)
        live = replies.live(request.lease.key.session, batch)
        announcement = announcement_of(request.lease.key, live, request.route, seed(request.turn, request.replies))
        row = await self._ledger.checkpoint(fence, request.turn, replies.columns(batch), request, announcement)
        if row is None:
            raise lease_lost(fence)
        if batch:
            self._announcer.committed(fence.tenant, announcement, row["base_seq"])
        return ledger_pb.CheckpointTurnResponse(last_seq=row["last_seq"])

    async def CommitTurn(  # noqa: N802
        self, request: ledger_pb.CommitTurnRequest, context: Context
    ) -> ledger_pb.CommitTurnResponse:
        """End a turn in one transaction."""
        fence = Fence.of(request.lease)
        batch = replies.messages(fence.session, request.turn, request.replies)
        live = replies.live(request.lease.key.session, batch, *closing_events(request))
        announcement = announcement_of(request.lease.key, live, request.route, seed(request.turn, request.replies))
        row = await self._ledger.commit(
            fence,
            request.turn,
            replies.columns(batch),
            (request.state, request.bot_version),
            self._closing(request),
            announcement,
        )
        if row is None:
            raise lease_lost(fence)
        self._announcer.committed(fence.tenant, announcement, row["base_seq"])
        if row["more_pending"]:
            self._announcer.ring(fence.tenant, fence.session)
        return ledger_pb.CommitTurnResponse(last_seq=row["last_seq"], more_pending=row["more_pending"])

    def _closing(self, request: ledger_pb.CommitTurnRequest) -> Closing:
        return Closing(
            consumed_seq=request.consumed_seq,
            waiting=replies.WAITING_NAMES[request.waiting.kind],
            until=until_of(request.waiting),
            ends=request.end_session,
            timeout=self._settings.session_timeout,
            changes=[change_of(change) for change in request.variables],
        )

    async def AbandonTurn(  # noqa: N802
        self, request: ledger_pb.AbandonTurnRequest, context: Context
    ) -> empty_pb2.Empty:
        """Give a turn back."""
        fence = Fence.of(request.lease)
        delay = request.delay.ToTimedelta()
        if await self._ledger.abandon(fence, delay) and not delay:
            self._announcer.ring(fence.tenant, fence.session)
        return empty_pb2.Empty()

    async def ReceiveMessage(  # noqa: N802
        self, request: ledger_pb.ReceiveMessageRequest, context: Context
    ) -> ledger_pb.ReceiveMessageResponse:
        """Take a message from a channel."""
        return await self._receiver.receive(request)

    async def StartRun(  # noqa: N802
        self, request: ledger_pb.StartRunRequest, context: Context
    ) -> ledger_pb.StartRunResponse:
        """Start a script without a person."""
        return await self._starter.start(request)

    async def FindTenant(  # noqa: N802
        self, request: ledger_pb.FindTenantRequest, context: Context
    ) -> ledger_pb.FindTenantResponse:
        """The tenant that a short name means."""
        found = await self._tenants.find(request.slug)
        return ledger_pb.FindTenantResponse(tenant=str(found or ""))

    async def RedeemTicket(  # noqa: N802
        self, request: ledger_pb.RedeemTicketRequest, context: Context
    ) -> ledger_pb.RedeemTicketResponse:
        """Redeem a ticket, once."""
        return await self._tickets.redeem(request.ticket)

    async def ListDeliveries(  # noqa: N802
        self, request: ledger_pb.ListDeliveriesRequest, context: Context
    ) -> ledger_pb.ListDeliveriesResponse:
        """Replies of channels that nobody has confirmed."""
        return await self._deliveries.list(request)

    async def ConfirmDeliveries(  # noqa: N802
        self, request: ledger_pb.ConfirmDeliveriesRequest, context: Context
    ) -> empty_pb2.Empty:
        """Forget replies that were delivered."""
        await self._deliveries.confirm(uuid.UUID(request.tenant), [uuid.UUID(item) for item in request.ids])
        return empty_pb2.Empty()


def seed(turn: int, said: Sequence[ledger_pb.Reply]) -> str:
    """What the id of a delivery is derived from."""
    return f"{turn}:{said[0].ordinal if said else 0}"


def until_of(waiting: pb.Waiting) -> datetime.datetime | None:
    """When the program wakes by itself."""
    return waiting.until.ToDatetime(datetime.UTC) if waiting.HasField("until") else None


def change_of(change: ledger_pb.VariableChange) -> tuple[str, str, str | None]:
    """(scope, key, JSON text or None to remove)."""
    removed = not change.HasField("value") or change.value.WhichOneof("kind") in {None, "null_value"}
    value = None if removed else storable_json(json_format.MessageToJson(change.value, indent=None))
    return SCOPES[change.scope], storable(change.key), value


def closing_events(request: ledger_pb.CommitTurnRequest) -> list[pb.SessionEvent]:
    """What ends the turn for listeners."""
    events = []
    if request.HasField("error"):
        failed = pb.TurnFailed(turn=request.turn, consumed_seq=request.consumed_seq, error=request.error)
        events.append(pb.SessionEvent(failed=failed))
    else:
        done = pb.TurnCompleted(turn=request.turn, consumed_seq=request.consumed_seq, waiting=request.waiting)
        events.append(pb.SessionEvent(completed=done))
    if request.end_session:
        events.append(pb.SessionEvent(ended=pb.SessionEnded(state=pb.Session.STATE_ENDED)))
    return events


def turn_message(row: asyncpg.Record) -> ledger_pb.Turn:
    """A claimed row as its message."""
    session = f"sessions/{row['session_id']}"
    key = ledger_pb.SessionKey(tenant=str(row["tenant_id"]), session=session)
    turn = ledger_pb.Turn(
        lease=ledger_pb.Lease(key=key, epoch=row["epoch"], token=str(row["token"])),
        turn=row["turn"],
        bot=f"bots/{row['bot_id']}",
        bot_version=row["bot_version"],
        channel=f"channels/{row['channel']}",
        locale=row["locale"],
        state=row["state"],
        said=row["said"],
        more_pending=row["more_pending"],
    )
    turn.originator.tenant, turn.originator.subject = key.tenant, row["user_id"]
    turn.originator.roles.extend(row["roles"])
    turn.route.channel, turn.route.external_user, turn.route.bot = turn.channel, row["external_user"], turn.bot
    if row["seq"] is None:
        turn.timer.FromDatetime(row["timer"])
        return turn
    if row["payload"]:
        turn.input.ParseFromString(row["payload"])
    turn.input.name = f"{session}/messages/{row['message_id']}"
    turn.input.seq, turn.input.text, turn.input.role = row["seq"], row["content"], pb.Message.ROLE_USER
    turn.input.request_id = row["request_id"]
    turn.input.create_time.FromDatetime(row["created_at"])
    return turn

"""ScheduleService."""

import uuid

from google.protobuf import empty_pb2, json_format
from parley.engine.v1 import schedule_service_pb2 as pb
from parley.engine.v1 import schedule_service_pb2_grpc as schedule_grpc
from parley.session.v1 import ledger_service_pb2_grpc as ledger_grpc
from pydantic import SecretStr

from services.common import context
from services.common.db.engine import Database
from services.common.identifiers import parse_name, parse_uuid
from services.common.pagination import PageTokens, page_size
from services.common.rpc.handlers import Context
from services.common.security.principal import service_principal
from services.engine.schedule import events
from services.engine.schedule.listing import KINDS, Listing
from services.engine.schedule.operating import Operating

DEFAULT_PAGE, LARGEST_PAGE = 50, 200
LEAST = uuid.UUID(int=0)


class ScheduleApi(schedule_grpc.ScheduleServiceServicer):
    """What starts scripts of the caller's bots."""

    def __init__(
        self,
        database: Database,
        listing: Listing,
        operating: Operating,
        ledger: "ledger_grpc.LedgerServiceAsyncStub",
        secret: SecretStr,
    ) -> None:
        self._database = database
        self._listing = listing
        self._operating = operating
        self._ledger = ledger
        self._tokens = PageTokens(secret)

    async def ListSchedules(  # noqa: N802
        self, request: pb.ListSchedulesRequest, context_: Context
    ) -> pb.ListSchedulesResponse:
        """By identifier."""
        bot, after, limit = self._page(request, "schedules")
        found = await self._listing.schedules(tenant(), bot, uuid.UUID(after) if after else LEAST, limit + 1)
        response = pb.ListSchedulesResponse(schedules=found[:limit])
        response.next_page_token = self._next(request, "schedules", [item.name for item in found], limit)
        return response

    async def PauseSchedule(  # noqa: N802
        self, request: pb.PauseScheduleRequest, context_: Context
    ) -> pb.Schedule:
        """Pausing a paused one changes nothing."""
        bot, identifier = schedule_of(request.name)
        await self._operating.pause(tenant(), bot, identifier)
        return await self._listing.schedule(tenant(), bot, identifier)

    async def ResumeSchedule(  # noqa: N802
        self, request: pb.ResumeScheduleRequest, context_: Context
    ) -> pb.Schedule:
        """Resuming one that goes on changes nothing."""
        bot, identifier = schedule_of(request.name)
        await self._operating.resume(tenant(), bot, identifier)
        return await self._listing.schedule(tenant(), bot, identifier)

    async def RunSchedule(  # noqa: N802
        self, request: pb.RunScheduleRequest, context_: Context
    ) -> pb.RunScheduleResponse:
        """Start it now; once under a request_id."""
        bot, identifier = schedule_of(request.name)
        who = context.principal()
        run = await self._operating.run_of(who, bot, identifier, request.request_id)
        with context.acting_for(service_principal("engine", who.tenant_id), seconds=10.0):
            answer = await self._ledger.StartRun(run)
        return pb.RunScheduleResponse(session=answer.session, seq=answer.seq)

    async def DeleteSchedule(  # noqa: N802
        self, request: pb.DeleteScheduleRequest, context_: Context
    ) -> empty_pb2.Empty:
        """Remove one that a script set."""
        await self._operating.delete(tenant(), *schedule_of(request.name))
        return empty_pb2.Empty()

    async def ListWebhooks(  # noqa: N802
        self, request: pb.ListWebhooksRequest, context_: Context
    ) -> pb.ListWebhooksResponse:
        """By name."""
        bot, after, limit = self._page(request, "webhooks")
        found = await self._listing.webhooks(tenant(), bot, after, limit + 1)
        response = pb.ListWebhooksResponse(webhooks=found[:limit])
        response.next_page_token = self._next(request, "webhooks", [item.name for item in found], limit)
        return response

    async def RotateWebhookKey(  # noqa: N802
        self, request: pb.RotateWebhookKeyRequest, context_: Context
    ) -> pb.Webhook:
        """A new key."""
        bot, name = parse_name("bots/*/webhooks/*", request.name)
        return await self._operating.rotate(tenant(), bot, name, request)

    async def ListEventRules(  # noqa: N802
        self, request: pb.ListEventRulesRequest, context_: Context
    ) -> pb.ListEventRulesResponse:
        """By identifier."""
        bot, after, limit = self._page(request, "eventRules")
        found = await self._listing.events(tenant(), bot, uuid.UUID(after) if after else LEAST, limit + 1)
        response = pb.ListEventRulesResponse(event_rules=found[:limit])
        response.next_page_token = self._next(request, "eventRules", [item.name for item in found], limit)
        return response

    async def EmitEvent(  # noqa: N802
        self, request: pb.EmitEventRequest, context_: Context
    ) -> pb.EmitEventResponse:
        """Tell what happened; once under a request_id."""
        bot = parse_name("bots/*", request.bot, "bot")[0]
        await self._listing.require(tenant(), bot)
        happening = events.Happening(tenant(), bot, KINDS[request.kind], request.target)
        payload = json_format.MessageToDict(request.payload)
        return await self._operating.emit(happening, payload, request)

    def _page(
        self, request: pb.ListSchedulesRequest | pb.ListWebhooksRequest | pb.ListEventRulesRequest, what: str
    ) -> tuple[str, str, int]:
        """Bot, identifier the page begins after, size."""
        position = self._tokens.read((tenant(), request.parent, what), request.page_token)
        limit = page_size(request.page_size, DEFAULT_PAGE, LARGEST_PAGE)
        return parse_name("bots/*", request.parent, "parent")[0], position[0] if position else "", limit

    def _next(
        self,
        request: pb.ListSchedulesRequest | pb.ListWebhooksRequest | pb.ListEventRulesRequest,
        what: str,
        names: list[str],
        limit: int,
    ) -> str:
        """Empty on the last page."""
        if len(names) <= limit:
            return ""
        return self._tokens.make((tenant(), request.parent, what), (names[limit - 1].rpartition("/")[2],))


def tenant() -> str:
    """The caller's."""
    return context.principal().tenant_id


def schedule_of(name: str) -> tuple[str, uuid.UUID]:
    """Bot and identifier."""
    bot, identifier = parse_name("bots/*/schedules/*", name)
    return bot, parse_uuid(identifier, "name")

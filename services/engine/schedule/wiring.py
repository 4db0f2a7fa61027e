"""What starts scripts, put together for the engine."""

from collections.abc import Mapping
from typing import Any

from parley.engine.v1 import schedule_service_pb2, schedule_service_pb2_grpc
from parley.session.v1 import ledger_service_pb2_grpc

from services.common.db.engine import Database
from services.common.db.requests import RequestLog
from services.common.security.sealing import Vault
from services.common.service import Chassis
from services.engine.api.schedules import ScheduleApi
from services.engine.config import EngineSettings
from services.engine.schedule import calls
from services.engine.schedule.callers import Webhooks
from services.engine.schedule.claiming import Clockwork
from services.engine.schedule.doors import Doors, Doorway
from services.engine.schedule.events import StoredEvents, Teller
from services.engine.schedule.listing import Listing
from services.engine.schedule.operating import Operating
from services.engine.schedule.port import Events, Schedules
from services.engine.schedule.setting import StoredSchedules


def serve(chassis: Chassis, settings: EngineSettings, vault: Vault) -> None:
    """ScheduleService."""
    database, secret = chassis.database, settings.page_token_secret
    operating = Operating(database, vault, RequestLog("engine", secret), float(settings.rotation_seconds))
    ledger = ledger_service_pb2_grpc.LedgerServiceStub(chassis.mesh.channel("session"))
    chassis.server.add(
        schedule_service_pb2_grpc.add_ScheduleServiceServicer_to_server,
        ScheduleApi(database, Listing(database), operating, ledger, secret),
        schedule_service_pb2.DESCRIPTOR.services_by_name["ScheduleService"],
    )


def ports(database: Database) -> Mapping[Any, Any]:
    """What keywords find behind them."""
    return {Schedules: StoredSchedules(database), Events: StoredEvents()}


async def start(chassis: Chassis, settings: EngineSettings, vault: Vault) -> None:
    """Open the doors, and look for what is due."""
    ledger = ledger_service_pb2_grpc.LedgerServiceStub(chassis.mesh.channel("session"))
    relay = chassis.relay_database
    doorway = Doorway(
        settings,
        chassis.database,
        chassis.bus,
        ledger,
        Webhooks(chassis.database, vault),
        calls.Calls(chassis.database),
    )
    await Doors(doorway).open(chassis.operations.application)
    clockwork = Clockwork(relay, ledger, poll=settings.schedule_poll, lease=settings.schedule_lease)
    chassis.tasks.spawn("schedules", clockwork.run)
    chassis.tasks.spawn("events", Teller(relay, ledger, settings.event_poll).run)
    chassis.tasks.spawn("old calls", lambda: calls.keep_tidy(relay, settings.webhook_call_days))

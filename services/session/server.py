"""Wiring of the session service: the only place that knows concretes."""

import datetime

from parley.session.v1 import (
    ledger_service_pb2,
    ledger_service_pb2_grpc,
    session_service_pb2,
    session_service_pb2_grpc,
    variable_service_pb2,
    variable_service_pb2_grpc,
)

from services.common.bus.outbox import OutboxRelay
from services.common.service import Chassis
from services.session.api.ledger import LedgerApi
from services.session.api.sessions import SessionApi
from services.session.api.variables import VariableApi
from services.session.config import SessionSettings
from services.session.events import Announcer
from services.session.identity.tenancy import TenantDirectory
from services.session.identity.wiring import Identity, add_identity
from services.session.knowing import BotDirectory
from services.session.listening import Listener
from services.session.posting import Poster
from services.session.receiving import Receiver
from services.session.starting import Starter
from services.session.store.deliveries import Deliveries
from services.session.store.ledger import Ledger
from services.session.store.sessions import Sessions
from services.session.store.tickets import Tickets
from services.session.store.variables import Variables
from services.session.sweeping import Sweeper


class SessionService:
    """Identities, sessions, the ledger, variables."""

    name = "session"

    def __init__(self) -> None:
        self._identity: Identity | None = None

    async def open(self, chassis: Chassis) -> None:
        """Build and register."""
        settings = chassis.settings
        if not isinstance(settings, SessionSettings):
            message = "the session service needs SessionSettings"
            raise TypeError(message)
        chassis.require("nats")
        relay = OutboxRelay(chassis.bus, chassis.relay_database, chassis.metrics, schema="session")
        announcer = Announcer(chassis.bus, relay)
        self._add_apis(chassis, settings, announcer)
        sweeper = Sweeper(settings, Ledger(chassis.database, chassis.relay_database), chassis.relay_database, announcer)
        chassis.tasks.spawn("outbox", relay.run)
        chassis.tasks.spawn("outbox sweep", relay.sweep)
        chassis.tasks.spawn("sweep", sweeper.run)
        chassis.tasks.spawn("purge", sweeper.purge)
        self._identity = await add_identity(chassis, settings)

    def _add_apis(self, chassis: Chassis, settings: SessionSettings, announcer: Announcer) -> None:
        database, relay_database = chassis.database, chassis.relay_database
        ledger, sessions = Ledger(database, relay_database), Sessions(database)
        poster = Poster(ledger, sessions, announcer, settings.session_timeout)
        tickets = Tickets(database, sessions, datetime.timedelta(seconds=settings.ticket_seconds))
        people = SessionApi(
            settings,
            sessions,
            ledger,
            poster,
            Listener(chassis.bus, sessions),
            tickets,
            BotDirectory(chassis.mesh, chassis.cache),
            announcer,
        )
        workers = LedgerApi(
            settings,
            ledger,
            announcer,
            Receiver(sessions, poster, settings.session_timeout),
            Starter(sessions, poster, settings.session_timeout),
            TenantDirectory(database),
            tickets,
            Deliveries(database, relay_database),
        )
        variables = VariableApi(Variables(database), sessions, settings.page_token_secret)
        for add, servicer, module, service in (
            (
                session_service_pb2_grpc.add_SessionServiceServicer_to_server,
                people,
                session_service_pb2,
                "SessionService",
            ),
            (ledger_service_pb2_grpc.add_LedgerServiceServicer_to_server, workers, ledger_service_pb2, "LedgerService"),
            (
                variable_service_pb2_grpc.add_VariableServiceServicer_to_server,
                variables,
                variable_service_pb2,
                "VariableService",
            ),
        ):
            chassis.server.add(add, servicer, module.DESCRIPTOR.services_by_name[service])

    async def close(self) -> None:
        """Stop identity's own clients."""
        if self._identity is not None:
            await self._identity.close()

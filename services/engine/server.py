"""Wiring of the engine: the only place that knows concretes."""

from parley.engine.v1 import bot_service_pb2, bot_service_pb2_grpc, trace_service_pb2, trace_service_pb2_grpc
from parley.session.v1 import ledger_service_pb2_grpc

from services.common.db import requests
from services.common.security.sealing import Vault, key_of
from services.common.service import Chassis
from services.engine.agent import wiring as agent
from services.engine.agent.answering import Answerer
from services.engine.api.bots import BotApi
from services.engine.api.traces import TraceApi
from services.engine.computing import Computing
from services.engine.config import EngineSettings
from services.engine.effects import Effects, SessionVariables
from services.engine.files import wiring as files
from services.engine.files.working import Workshop
from services.engine.keywords.memory.variables import Variables
from services.engine.machine.machine import Budgets
from services.engine.outgoing import Outgoing
from services.engine.releases import Releases
from services.engine.sandbox import wiring as sandbox
from services.engine.schedule import wiring as schedule
from services.engine.schedule.calls import Calls
from services.engine.schedule.rows import Declarations
from services.engine.store import Bots
from services.engine.tables import wiring as tables
from services.engine.tracing.rows import Traces, keep_tidy
from services.engine.turn import Tools
from services.engine.worker import Worker


class EngineService:
    """Bots, and the workers that run them."""

    name = "engine"

    def __init__(self) -> None:
        self._outgoing: Outgoing | None = None
        self._workshop = Workshop()

    async def open(self, chassis: Chassis) -> None:
        """Build and register."""
        settings = chassis.settings
        if not isinstance(settings, EngineSettings):
            message = "the engine needs EngineSettings"
            raise TypeError(message)
        vault = Vault(key_of(settings.key_encryption_key))
        bots = Bots(chassis.database, Declarations(vault))
        chassis.server.add(
            bot_service_pb2_grpc.add_BotServiceServicer_to_server,
            BotApi(bots, settings.page_token_secret),
            bot_service_pb2.DESCRIPTOR.services_by_name["BotService"],
        )
        schedule.serve(chassis, settings, vault)
        chassis.server.add(
            trace_service_pb2_grpc.add_TraceServiceServicer_to_server,
            TraceApi(Traces(chassis.database), settings.page_token_secret),
            trace_service_pb2.DESCRIPTOR.services_by_name["TraceService"],
        )
        if settings.works:
            chassis.require("nats")
            worker = Worker(self._tools(chassis, settings, bots), chassis.metrics)
            await worker.listen()
            chassis.tasks.spawn("worker", worker.run)
            await schedule.start(chassis, settings, vault)
            chassis.tasks.spawn("old traces", lambda: keep_tidy(chassis.relay_database, settings.trace_days))
            chassis.tasks.spawn(
                "old effects", lambda: requests.keep_tidy(chassis.relay_database, settings.request_days)
            )

    def _tools(self, chassis: Chassis, settings: EngineSettings, bots: Bots) -> Tools:
        answerer = Answerer(chassis.mesh, settings.answer_seconds, settings.knowledge_floor)
        self._outgoing = outgoing = Outgoing(settings, chassis.cache)
        releases = Releases(bots, Budgets(nodes=settings.turn_nodes, seconds=settings.turn_seconds))
        return Tools(
            settings=settings,
            ledger=ledger_service_pb2_grpc.LedgerServiceStub(chassis.mesh.channel("session")),
            releases=releases,
            effects=Effects(
                {
                    **outgoing.ports,
                    Variables: SessionVariables(chassis.mesh),
                    **agent.ports(chassis.mesh, settings, answerer, releases),
                    **schedule.ports(chassis.database),
                    **sandbox.ports(chassis, settings),
                    **tables.ports(chassis, settings),
                    **files.ports(chassis, self._workshop),
                }
            ),
            answerer=answerer,
            bus=chassis.bus,
            calls=Calls(chassis.database),
            traces=Traces(chassis.database),
            computing=Computing(),
        )

    async def close(self) -> None:
        """Give connections to the outside back, end the processes in which documents are worked on."""
        await self._workshop.close()
        if self._outgoing is not None:
            await self._outgoing.close()

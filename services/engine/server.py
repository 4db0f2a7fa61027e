"""Wiring of the engine: the only place that knows concretes."""

from parley.engine.v1 import bot_service_pb2, bot_service_pb2_grpc
from parley.session.v1 import ledger_service_pb2_grpc

from services.common.service import Chassis
from services.engine.agent.answering import Answerer
from services.engine.api.bots import BotApi
from services.engine.config import EngineSettings
from services.engine.effects import Effects, MeshModels, SessionVariables
from services.engine.keywords.memory.variables import Variables
from services.engine.keywords.models.port import Models
from services.engine.machine.machine import Budgets
from services.engine.releases import Releases
from services.engine.store import Bots
from services.engine.turn import Tools
from services.engine.worker import Worker


class EngineService:
    """Bots, and the workers that run them."""

    name = "engine"

    async def open(self, chassis: Chassis) -> None:
        """Build and register."""
        settings = chassis.settings
        if not isinstance(settings, EngineSettings):
            message = "the engine needs EngineSettings"
            raise TypeError(message)
        bots = Bots(chassis.database)
        chassis.server.add(
            bot_service_pb2_grpc.add_BotServiceServicer_to_server,
            BotApi(bots, settings.page_token_secret),
            bot_service_pb2.DESCRIPTOR.services_by_name["BotService"],
        )
        if settings.works:
            chassis.require("nats")
            worker = Worker(self._tools(chassis, settings, bots), chassis.metrics)
            await worker.listen()
            chassis.tasks.spawn("worker", worker.run)

    def _tools(self, chassis: Chassis, settings: EngineSettings, bots: Bots) -> Tools:
        answerer = Answerer(chassis.mesh, settings.answer_seconds, settings.knowledge_floor)
        return Tools(
            settings=settings,
            ledger=ledger_service_pb2_grpc.LedgerServiceStub(chassis.mesh.channel("session")),
            releases=Releases(bots, Budgets(nodes=settings.turn_nodes, seconds=settings.turn_seconds)),
            effects=Effects({Variables: SessionVariables(chassis.mesh), Models: MeshModels(answerer)}),
            answerer=answerer,
            bus=chassis.bus,
        )

    async def close(self) -> None:
        """Nothing of its own to give back."""

"""Wiring of the bridge: the only place that knows concretes."""

from parley.engine.v1 import bot_service_pb2_grpc
from parley.session.v1 import session_service_pb2_grpc

from gateway.realtime.admission import Doorkeeper
from gateway.realtime.config import RealtimeSettings
from gateway.realtime.connection import Connection, Shared, Socket
from gateway.realtime.names import BotNames
from gateway.realtime.sockets import SocketServer
from services.common.service import Chassis


class RealtimeService:
    """Sockets over feeds."""

    name = "realtime"

    def __init__(self) -> None:
        self._sockets: SocketServer | None = None

    async def open(self, chassis: Chassis) -> None:
        """Build and listen."""
        settings = chassis.settings
        if not isinstance(settings, RealtimeSettings):
            message = "the bridge needs RealtimeSettings"
            raise TypeError(message)
        chassis.require("nats")
        sessions = session_service_pb2_grpc.SessionServiceStub(chassis.mesh.channel("session"))
        names = BotNames(bot_service_pb2_grpc.BotServiceStub(chassis.mesh.channel("engine")))
        shared = Shared(settings, chassis.bus, sessions, names)
        doorkeeper = Doorkeeper(chassis.mesh, settings.page_token_secret)

        def opener(path: str, query: dict[str, str], socket: Socket) -> Connection | None:
            admit = doorkeeper.door(path, query)
            return None if admit is None else Connection(shared, socket, admit)

        chassis.operations.application.router.add_get("/api/auth", doorkeeper.authenticate)
        self._sockets = SocketServer(settings, chassis.metrics, opener)
        await self._sockets.start()

    async def close(self) -> None:
        """Ask peers to reconnect."""
        if self._sockets is not None:
            await self._sockets.stop()

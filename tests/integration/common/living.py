"""The smallest service there is, run as a process by test_common_service."""

import asyncio
import os
import sys
from typing import Any

from aiohttp import web
from parley.session.v1 import session_pb2, session_service_pb2, session_service_pb2_grpc

from services.common.config import Settings
from services.common.service import Chassis, run


class Sessions(session_service_pb2_grpc.SessionServiceServicer):
    async def GetSession(self, request: Any, context: Any) -> session_pb2.Session:
        await asyncio.sleep(0.3)
        return session_pb2.Session(name=request.name, bot=f"pid-{os.getpid()}")


class Living:
    """Answers, and has a loop that fails once."""

    name = "session"

    def __init__(self) -> None:
        self.turns = 0

    async def open(self, chassis: Chassis) -> None:
        chassis.require("nats")
        chassis.server.add(
            session_service_pb2_grpc.add_SessionServiceServicer_to_server,
            Sessions(),  # type: ignore[abstract]
            session_service_pb2.DESCRIPTOR.services_by_name["SessionService"],
        )
        chassis.operations.application.router.add_get("/pid", self.pid)
        chassis.tasks.spawn("once", self.loop)

    async def loop(self) -> None:
        self.turns += 1
        if self.turns == 1:
            raise RuntimeError("the first turn fails")
        await asyncio.Event().wait()

    async def pid(self, _: web.Request) -> web.Response:
        return web.json_response({"pid": os.getpid(), "turns": self.turns})

    async def close(self) -> None:
        sys.stderr.write("closed in order\n")


if __name__ == "__main__":
    run(Living, Settings)

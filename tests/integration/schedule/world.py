"""The engine and the session service in this process, and one tenant at a time."""

import dataclasses
import datetime
import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

import aiohttp
import asyncpg
from parley.engine.v1 import bot_pb2, bot_service_pb2, bot_service_pb2_grpc
from parley.session.v1 import session_pb2, session_service_pb2, session_service_pb2_grpc

from services.common.service import Chassis
from services.engine.config import EngineSettings
from tests.integration.llm.running import Caller
from tests.waiting import until

BOT = "clock"


@dataclass
class ScheduleWorld:
    """What the tests stand on."""

    settings: EngineSettings
    engine: Chassis
    session: Chassis
    caller: Caller
    superuser: asyncpg.Pool
    http: aiohttp.ClientSession
    tenant: str = field(default_factory=lambda: str(uuid.uuid4()))

    def fresh(self) -> Self:
        """Another tenant."""
        return dataclasses.replace(self, tenant=str(uuid.uuid4()))

    @property
    def bots(self) -> Any:
        return bot_service_pb2_grpc.BotServiceStub(self.caller.mesh.channel("engine"))

    @property
    def sessions(self) -> Any:
        return session_service_pb2_grpc.SessionServiceStub(self.caller.mesh.channel("session"))

    async def publish(
        self, given: Mapping[str, str] | None = None, config: Mapping[str, str] | None = None, **more: str
    ) -> bot_pb2.BotVersion:
        """A version of the bot, live afterwards: publish(start="TALK 1")."""
        bot, scripts = BOT, {**(given or {}), **more}
        with self.caller.acting(self.tenant):
            await self.bots.CreateBot(
                bot_service_pb2.CreateBotRequest(bot_id=bot, bot=bot_pb2.Bot(), request_id=str(uuid.uuid4()))
            )
            made: bot_pb2.BotVersion = await self.bots.PublishBot(
                bot_service_pb2.PublishBotRequest(
                    bot=f"bots/{bot}",
                    scripts=[bot_pb2.Script(path=f"{name}.bas", text=text) for name, text in scripts.items()],
                    config=config or {},
                )
            )
        return made

    async def sql(self, statement: str, *arguments: object) -> list[asyncpg.Record]:
        """As the superuser: row-level security does not apply."""
        rows: list[asyncpg.Record] = await self.superuser.fetch(statement, *arguments)
        return rows

    async def schedules(self) -> list[asyncpg.Record]:
        """This tenant's."""
        return await self.sql(
            "SELECT * FROM engine.schedules WHERE tenant_id = $1 ORDER BY script, rule", uuid.UUID(self.tenant)
        )

    async def due(self, late: float = 0.0, script: str = "%") -> None:
        """All schedules of this tenant are due since so many seconds."""
        await self.sql(
            "UPDATE engine.schedules SET next_at = clock_timestamp() - $2::interval "
            "WHERE tenant_id = $1 AND script LIKE $3",
            uuid.UUID(self.tenant),
            datetime.timedelta(seconds=late),
            script,
        )

    async def runs(self, channel: str = "schedule") -> list[session_pb2.Session]:
        """Sessions of scripts that nobody started."""
        with self.caller.acting(self.tenant):
            found: Any = await self.sessions.ListSessions(session_service_pb2.ListSessionsRequest(page_size=200))
        return [item for item in found.sessions if item.channel == f"channels/{channel}"]

    async def said(self, channel: str = "schedule") -> list[str]:
        """What they said, session by session."""
        lines: list[str] = []
        for session in await self.runs(channel):
            request = session_service_pb2.ListMessagesRequest(parent=session.name, page_size=200)
            with self.caller.acting(self.tenant):
                page: Any = await self.sessions.ListMessages(request)
            lines += [line.text for line in page.messages if line.role != session_pb2.Message.ROLE_USER]
        return lines

    async def says(self, *texts: str, channel: str = "schedule") -> None:
        """Wait until these, and no more, were said."""

        async def met() -> bool:
            return len(await self.said(channel)) >= len(texts)

        await until(met)
        assert sorted(await self.said(channel)) == sorted(texts)

    async def outcome(self, script: str, wanted: str) -> asyncpg.Record:
        """Wait until the schedule of a script ended so the last time."""
        found: list[asyncpg.Record] = []

        async def met() -> bool:
            found[:] = [row for row in await self.schedules() if row["script"] == script]
            return bool(found) and found[0]["last_outcome"] == wanted

        await until(met)
        return found[0]


def variables(row: asyncpg.Record) -> dict[str, Any]:
    made: dict[str, Any] = json.loads(row["variables"])
    return made

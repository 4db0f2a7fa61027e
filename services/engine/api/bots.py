"""BotService."""

import asyncio

from google.protobuf import empty_pb2, json_format
from parley.engine.v1 import bot_pb2 as pb
from parley.engine.v1 import bot_service_pb2 as service_pb
from parley.engine.v1 import bot_service_pb2_grpc as bot_grpc
from pydantic import SecretStr

from services.common import context
from services.common.errors import AlreadyExists, InvalidArgument
from services.common.identifiers import parse_name
from services.common.pagination import PageTokens, page_size
from services.common.rpc.handlers import Context
from services.engine import publishing
from services.engine.store import Bots
from services.engine.tools.schema import ToolDescription, mcp_form, openai_form, tools_of

CHANGEABLE = frozenset({"display_name", "description"})
NEWEST = 2**31 - 1


class BotApi(bot_grpc.BotServiceServicer):
    """Bots and their versions. What is done again gives the same result, so request_id needs no record."""

    def __init__(self, bots: Bots, secret: SecretStr) -> None:
        self._bots = bots
        self._tokens = PageTokens(secret)

    async def CreateBot(  # noqa: N802
        self, request: service_pb.CreateBotRequest, context_: Context
    ) -> pb.Bot:
        """Make a bot. Repeating it with a request_id gives the bot that is there, if it says the same."""
        tenant = context.principal().tenant_id
        try:
            return await self._bots.create(tenant, request.bot_id, request.bot)
        except AlreadyExists:
            if not request.request_id:
                raise
            there = await self._bots.get(tenant, request.bot_id)
            if (there.display_name, there.description) != (request.bot.display_name, request.bot.description):
                raise
            return there

    async def GetBot(self, request: service_pb.GetBotRequest, context_: Context) -> pb.Bot:  # noqa: N802
        """Read a bot."""
        return await self._bots.get(context.principal().tenant_id, parse_name("bots/*", request.name)[0])

    async def ListBots(  # noqa: N802
        self, request: service_pb.ListBotsRequest, context_: Context
    ) -> service_pb.ListBotsResponse:
        """List bots by name."""
        tenant = context.principal().tenant_id
        limit = page_size(request.page_size, 50, 200)
        position = self._tokens.read((tenant, "bots"), request.page_token)
        found = await self._bots.list(tenant, position[0] if position else "", limit + 1)
        response = service_pb.ListBotsResponse(bots=found[:limit])
        if len(found) > limit:
            last = found[limit - 1].name.removeprefix("bots/")
            response.next_page_token = self._tokens.make((tenant, "bots"), (last,))
        return response

    async def UpdateBot(  # noqa: N802
        self, request: service_pb.UpdateBotRequest, context_: Context
    ) -> pb.Bot:
        """Change display_name or description."""
        tenant = context.principal().tenant_id
        wanted = set(request.update_mask.paths) or set(CHANGEABLE)
        if not wanted <= CHANGEABLE:
            raise InvalidArgument.field("update_mask", "display_name, description", ", ".join(sorted(wanted)))
        current = await self._bots.get(tenant, parse_name("bots/*", request.bot.name, "bot.name")[0])
        current.etag = request.bot.etag
        for name in wanted:
            setattr(current, name, getattr(request.bot, name))
        return await self._bots.update(tenant, current)

    async def DeleteBot(  # noqa: N802
        self, request: service_pb.DeleteBotRequest, context_: Context
    ) -> empty_pb2.Empty:
        """Remove a bot."""
        await self._bots.delete(context.principal().tenant_id, parse_name("bots/*", request.name)[0])
        return empty_pb2.Empty()

    async def PublishBot(  # noqa: N802
        self, request: service_pb.PublishBotRequest, context_: Context
    ) -> pb.BotVersion:
        """Compile, store, go live."""
        tenant, identifier = context.principal().tenant_id, parse_name("bots/*", request.bot, "bot")[0]
        compiled = await asyncio.to_thread(publishing.publish, request.scripts, request.config, request.system_prompt)
        version = await self._bots.publish(
            tenant,
            identifier,
            compiled,
            request.scripts,
            request.config,
            request.system_prompt,
            migrate=request.migrate,
        )
        return await self._bots.version(tenant, identifier, version)

    async def GetBotVersion(  # noqa: N802
        self, request: service_pb.GetBotVersionRequest, context_: Context
    ) -> pb.BotVersion:
        """Read a version."""
        identifier, version = parse_name("bots/*/versions/*", request.name)
        return await self._bots.version(context.principal().tenant_id, identifier, int(version))

    async def ListBotVersions(  # noqa: N802
        self, request: service_pb.ListBotVersionsRequest, context_: Context
    ) -> service_pb.ListBotVersionsResponse:
        """List versions, newest first."""
        tenant, identifier = context.principal().tenant_id, parse_name("bots/*", request.parent, "parent")[0]
        filters = (tenant, request.parent, "versions")
        limit = page_size(request.page_size, 50, 200)
        position = self._tokens.read(filters, request.page_token)
        await self._bots.get(tenant, identifier)
        found = await self._bots.versions(tenant, identifier, int(position[0]) if position else NEWEST, limit + 1)
        response = service_pb.ListBotVersionsResponse(versions=found[:limit])
        if len(found) > limit:
            last = parse_name("bots/*/versions/*", found[limit - 1].name)[1]
            response.next_page_token = self._tokens.make(filters, (last,))
        return response

    async def ListTools(  # noqa: N802
        self, request: service_pb.ListToolsRequest, context_: Context
    ) -> service_pb.ListToolsResponse:
        """List the tools of a version, by name."""
        tenant = context.principal().tenant_id
        parts = request.parent.split("/")
        version = int(parts[3]) if len(parts) == 4 else await self._live(tenant, parts[1])
        filters = (tenant, request.parent, "tools", str(version))
        limit = page_size(request.page_size, 50, 200)
        position = self._tokens.read(filters, request.page_token)
        programs = (await self._bots.release(tenant, parts[1], version)).programs if version else {}
        found = [tool for tool in tools_of(programs) if not position or tool.name > position[0]]
        response = service_pb.ListToolsResponse(tools=map(tool_message, found[:limit]))
        if len(found) > limit:
            response.next_page_token = self._tokens.make(filters, (found[limit - 1].name,))
        return response

    async def _live(self, tenant: str, identifier: str) -> int:
        """The number of the live version; 0 before the first publication. NotFound."""
        name = (await self._bots.get(tenant, identifier)).live_version
        return int(name.rpartition("/")[2]) if name else 0

    async def RollbackBot(  # noqa: N802
        self, request: service_pb.RollbackBotRequest, context_: Context
    ) -> pb.Bot:
        """Make an older version live."""
        identifier, version = parse_name("bots/*/versions/*", request.name)
        tenant = context.principal().tenant_id
        return await self._bots.roll_back(tenant, identifier, int(version), migrate=request.migrate)

    async def CheckScripts(  # noqa: N802
        self, request: service_pb.CheckScriptsRequest, context_: Context
    ) -> service_pb.CheckScriptsResponse:
        """Compile without publishing."""
        _, found = await asyncio.to_thread(publishing.check, request.scripts)
        return service_pb.CheckScriptsResponse(diagnostics=[publishing.diagnostic_message(item) for item in found])


def tool_message(tool: ToolDescription) -> service_pb.BotTool:
    """A tool as its message."""
    message = service_pb.BotTool(name=tool.name, script=tool.script, description=tool.description)
    json_format.ParseDict(openai_form(tool), message.openai)
    json_format.ParseDict(mcp_form(tool), message.mcp)
    return message

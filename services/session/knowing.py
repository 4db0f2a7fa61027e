"""Which bots exist: asked of the engine, remembered for a while."""

from parley.engine.v1 import bot_service_pb2 as pb
from parley.engine.v1 import bot_service_pb2_grpc as bot_grpc

from services.common import context
from services.common.cache import Cache
from services.common.rpc.client import Mesh

SECONDS = 300


class BotDirectory:
    """Cache key config:{tenant}:{bot}, five minutes."""

    def __init__(self, mesh: Mesh, cache: Cache) -> None:
        self._bots = bot_grpc.BotServiceStub(mesh.channel("engine"))
        self._cache = cache

    async def require(self, name: str) -> None:
        """NotFound unless the tenant has this bot."""
        key = f"config:{context.principal().tenant_id}:{name.removeprefix('bots/')}"
        if await self._cache.get(key) is not None:
            return
        bot = await self._bots.GetBot(pb.GetBotRequest(name=name))
        await self._cache.set(key, bot.live_version.encode() or b"-", SECONDS)

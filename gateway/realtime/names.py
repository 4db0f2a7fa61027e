"""What bots are called: asked of the engine, remembered for a minute."""

import asyncio
import time
from dataclasses import dataclass

from parley.engine.v1 import bot_service_pb2 as pb
from parley.engine.v1 import bot_service_pb2_grpc as bot_grpc

from services.common import context
from services.common.errors import ParleyError

KEPT_SECONDS = 60.0
AWAY_SECONDS = 5.0
ASK_SECONDS = 1.0
MOST = 4096


@dataclass(frozen=True, slots=True)
class Known:
    """An answer and until when it counts, on the monotonic clock."""

    text: str
    until: float


class BotNames:
    """Display names by tenant and bot. However many connect at once, a bot is asked for once; at most MOST are kept."""

    def __init__(self, bots: "bot_grpc.BotServiceAsyncStub") -> None:
        self._bots = bots
        self._known: dict[tuple[str, str], Known] = {}
        self._asking: dict[tuple[str, str], asyncio.Task[str]] = {}

    async def of(self, bot: str) -> str:
        """The display name of "bots/{bot}"; empty when it has none or the engine does not say it within a second."""
        key = (context.principal().tenant_id, bot)
        known = self._known.get(key)
        if known is not None and known.until > time.monotonic():
            return known.text
        asking = self._asking.get(key)
        if asking is None:
            asking = self._asking[key] = asyncio.create_task(self._ask(key))
        return await asyncio.shield(asking)  # a peer that leaves does not take the answer from the others

    async def _ask(self, key: tuple[str, str]) -> str:
        text, seconds = "", AWAY_SECONDS
        try:
            found = await self._bots.GetBot(pb.GetBotRequest(name=key[1]), timeout=ASK_SECONDS)
            text, seconds = found.display_name, KEPT_SECONDS
        except ParleyError:
            text = self._known[key].text if key in self._known else ""
        finally:
            del self._asking[key]
        self._keep(key, Known(text, time.monotonic() + seconds))
        return text

    def _keep(self, key: tuple[str, str], known: Known) -> None:
        self._known.pop(key, None)
        while len(self._known) >= MOST:
            del self._known[next(iter(self._known))]  # the one that was asked for longest ago
        self._known[key] = known

"""Valkey: scratch. Every failure is a miss, every write may be dropped."""

import asyncio
import json
from typing import Any

import redis.asyncio as redis
from redis.exceptions import RedisError

from services.common.telemetry.logs import logger

log = logger(__name__)
TIMEOUT_SECONDS = 0.25
RETRY_SECONDS = 1.0


class Cache:
    """Bytes and JSON with a time to live. While the server is away it is not asked more than once a second."""

    def __init__(self, url: str) -> None:
        self._client = redis.Redis.from_url(
            url, socket_timeout=TIMEOUT_SECONDS, socket_connect_timeout=TIMEOUT_SECONDS, max_connections=32
        )
        self._away_until = 0.0

    async def get(self, key: str) -> bytes | None:
        """The value, None when it is not there or the server is away."""
        found = await self._ask("GET", key)
        return found if isinstance(found, bytes) else None

    async def set(self, key: str, value: bytes, seconds: int) -> None:
        """Keep a value for some seconds."""
        await self._ask("SET", key, value, "EX", seconds)

    async def get_json(self, key: str) -> Any:  # noqa: ANN401 - whatever was stored
        """A JSON value or None."""
        raw = await self.get(key)
        return None if raw is None else json.loads(raw)

    async def set_json(self, key: str, value: object, seconds: int) -> None:
        """Keep a JSON value for some seconds."""
        await self.set(key, json.dumps(value, separators=(",", ":")).encode(), seconds)

    async def delete(self, *keys: str) -> None:
        """Forget."""
        await self._ask("DEL", *keys)

    async def increment(self, key: str, seconds: int) -> int | None:
        """Count up; the first count starts the time to live. None when the server is away."""
        count = await self._ask("INCR", key)
        if count == 1:
            await self._ask("EXPIRE", key, seconds)
        return count if isinstance(count, int) else None

    async def ping(self) -> bool:
        """Whether the server answers."""
        return bool(await self._ask("PING"))

    async def close(self) -> None:
        """Give the connections back."""
        await self._client.aclose()

    async def _ask(self, *words: str | bytes | int) -> object:
        now = asyncio.get_running_loop().time()
        if now < self._away_until:
            return None
        try:
            return await self._client.execute_command(*words)  # type: ignore[no-untyped-call]
        except (RedisError, OSError, TimeoutError) as error:
            self._away_until = now + RETRY_SECONDS
            log.warning("cache away", error=type(error).__name__)
            return None

"""Valkey: scratch. Every failure is a miss, every write may be dropped."""

import asyncio
import json
from typing import Any

import redis.asyncio as redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import MaxConnectionsError, RedisError

from services.common.telemetry.logs import logger

log = logger(__name__)
TIMEOUT_SECONDS = 0.25
RETRY_SECONDS = 1.0
CONNECTIONS = 64
INCREMENT = "local n = redis.call('INCR', KEYS[1]) if n == 1 then redis.call('EXPIRE', KEYS[1], ARGV[1]) end return n"


class Cache:
    """Bytes and JSON with a time to live. While the server is away it is not asked more than once a second.

    Without an address everything is a miss.
    """

    def __init__(self, url: str) -> None:
        self._client = redis.Redis.from_url(
            url or "redis://127.0.0.1:1",
            socket_timeout=TIMEOUT_SECONDS,
            socket_connect_timeout=TIMEOUT_SECONDS,
            max_connections=CONNECTIONS,
            retry=Retry(NoBackoff(), 1),  # once: a connection that idled through a restart of the server is stale
        )
        self._on = bool(url)
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
        try:
            return None if raw is None else json.loads(raw)
        except ValueError:
            return None

    async def set_json(self, key: str, value: object, seconds: int) -> None:
        """Keep a JSON value for some seconds."""
        await self.set(key, json.dumps(value, separators=(",", ":")).encode(), seconds)

    async def delete(self, *keys: str) -> None:
        """Forget."""
        await self._ask("DEL", *keys)

    async def increment(self, key: str, seconds: int) -> int | None:
        """Count up; the first count starts the time to live. None when the server is away."""
        count = await self._ask("EVAL", INCREMENT, 1, key, seconds)
        return count if isinstance(count, int) else None

    async def ping(self) -> bool:
        """Whether the server answers."""
        return bool(await self._ask("PING"))

    async def close(self) -> None:
        """Give the connections back."""
        await self._client.aclose()

    async def _ask(self, *words: str | bytes | int) -> object:
        now = asyncio.get_running_loop().time()
        if not self._on or now < self._away_until:
            return None
        try:
            return await self._client.execute_command(*words)  # type: ignore[no-untyped-call]
        except MaxConnectionsError:
            return None
        except (RedisError, OSError, TimeoutError) as error:
            self._away_until = now + RETRY_SECONDS
            log.warning("cache away", error=type(error).__name__)
            return None

"""A process of the stack, and how to tell that it is ready."""

import signal
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import aiohttp

Check = Callable[[], Awaitable[bool]]


@dataclass
class Component:
    """command and environment to run; `ready` to ask; `after`: names that must be ready first."""

    name: str
    command: list[str]
    ready: Check
    port: int = 0
    environment: dict[str, str] = field(default_factory=dict)
    after: tuple[str, ...] = ()
    options: dict[str, Any] = field(default_factory=dict)
    stop_signal: signal.Signals = signal.SIGTERM
    stop_seconds: float = 8.0


def http_check(url: str) -> Check:
    """Ready when the address answers with 200."""

    async def ready() -> bool:
        timeout = aiohttp.ClientTimeout(total=2)
        try:
            async with aiohttp.ClientSession(timeout=timeout) as client, client.get(url) as answer:
                return answer.status == 200
        except (aiohttp.ClientError, OSError, TimeoutError):
            return False

    return ready

"""A site that tests drive, and the web as an installation gives it to scripts."""

from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any, TypeVar

import pytest

from services.common.cache import Cache
from services.common.security.safe_client import SafeClient
from services.engine.keywords.world import World
from services.engine.web.client import Rules, SafeWeb
from services.engine.web.limits import Limits
from tests.doubles.web_site import WebSite


def no_names(host: str, port: int) -> Sequence[str]:
    if host == "localhost":
        return ["127.0.0.1"]
    raise OSError(host)


def world_of(**what: Any) -> World:
    given = {"tenant": "t1", "bot": "bots/b", "session": "sessions/s", "user": "u", "key": "turn-7/node-3"}
    return World(**(given | what))


Make = Callable[..., SafeWeb]
R = TypeVar("R")


class Inline:
    """`Documents` without a process of its own."""

    async def run(self, work: Callable[..., R], *arguments: object) -> R:
        return work(*arguments)


@pytest.fixture
async def site() -> AsyncIterator[WebSite]:
    made = WebSite()
    await made.start()
    yield made
    await made.stop()


@pytest.fixture
async def make() -> AsyncIterator[Make]:
    """Makes a web: rules of the installation, `lookup`, `loopback`, `per_minute`, `at_once`."""
    opened: list[SafeWeb] = []

    def build(
        *, lookup: Any = no_names, loopback: bool = True, per_minute: int = 10_000, at_once: int = 8, **rules: Any
    ) -> SafeWeb:
        client = SafeClient(loopback=loopback, plain=True, lookup=lookup)
        made = SafeWeb(client, Limits(Cache(""), per_minute=per_minute, at_once=at_once), Rules(**rules))
        opened.append(made)
        return made

    yield build
    for one in opened:
        await one.close()


@pytest.fixture
def world() -> World:
    return world_of()

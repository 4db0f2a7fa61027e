"""One bridge with its session service for all tests of it."""

from collections.abc import AsyncIterator

import pytest

from cli.stack.layout import Layout
from tests.integration.realtime.bridge import Bridge, bridge_running
from tests.integration.session_ledger.world import LedgerWorld, Person, Worker, ledger_world
from tests.servers import Nats, Postgres


@pytest.fixture(scope="session")
async def world(postgres: Postgres, nats: Nats, valkey_url: str, layout: Layout) -> AsyncIterator[LedgerWorld]:
    async with ledger_world(postgres, nats, valkey_url, layout, "bridge") as made:
        yield made


@pytest.fixture(scope="session")
async def bridge(world: LedgerWorld) -> AsyncIterator[Bridge]:
    async with bridge_running(world) as made:
        yield made


@pytest.fixture
async def person(world: LedgerWorld) -> Person:
    """Somebody with an open session that has had its first turn."""
    made = world.person()
    await made.open()
    await Worker(world).serve(made)
    return made


@pytest.fixture
def worker(world: LedgerWorld) -> Worker:
    return Worker(world, "first")

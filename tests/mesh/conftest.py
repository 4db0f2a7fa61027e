"""One whole stack for all tests of the mesh."""

from collections.abc import AsyncIterator

import pytest

from tests.mesh.mesh_talk import Talk
from tests.mesh.mesh_world import Mesh, running


@pytest.fixture(scope="session")
async def mesh() -> AsyncIterator[Mesh]:
    async with running() as made:
        yield made


@pytest.fixture
async def talk(mesh: Mesh) -> Talk:
    """A new visitor, greeted by the bot `hello`."""
    return await Talk.begin(mesh)

"""The embedding model is changed: vectors of two models never meet, nothing is lost, and nobody need import again."""

import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from parley.kb.v1 import kb_service_pb2_grpc
from pydantic import SecretStr

from services.common.db import migrate
from services.kb.config import KbSettings
from services.kb.server import KbService
from services.kb.store.stale import StaleDocuments
from services.llm.config import LlmSettings
from services.llm.server import LlmService
from tests.doubles.openai_server import KEY, Behaviour, OpenAIDouble
from tests.integration.kb.conftest import KbWorld, kb_settings
from tests.integration.llm.running import Caller, Keys, running
from tests.servers import Postgres
from tests.waiting import until

pytestmark = pytest.mark.integration
ROOT = Path(__file__).resolve().parents[3]
TEXT = "# Returns\n\nYou may return an article within 30 days of delivery.\n"
WORDS, MEANING = "return an article within 30 days", "geld terug"
SECTIONS = 40
DATABASE = "kb_models"
# Vectors of the double have no meaning: everything is near enough.
OTHER = {"kb_embedding_model": "openai/vectors", "kb_embedding_dimensions": 24, "kb_similarity_floor": -1}


@dataclass
class Models:
    """Two embedders behind one llm service, and a database that no other kb process works on."""

    keys: Keys
    postgres: Postgres
    llm_port: int
    double: OpenAIDouble
    folder: Path

    @property
    def dsn(self) -> str:
        return at(self.postgres.relay_dsn)

    def world(self, **more: Any) -> KbWorld:
        dsns = {"postgres_dsn": at(self.postgres.app_dsn), "postgres_relay_dsn": self.dsn}
        settings = kb_settings(self.keys, self.postgres, self.folder, self.llm_port, **{**dsns, **more})
        caller = Caller(self.keys, kb=settings.port)
        stub = kb_service_pb2_grpc.KbServiceStub(caller.mesh.channel("kb"))
        return KbWorld(KbService(), None, settings, caller, stub, self.keys, self.llm_port, self.postgres)  # type: ignore[arg-type]

    async def value(self, query: str, *arguments: object) -> Any:
        connection = await asyncpg.connect(self.dsn)
        try:
            return await connection.fetchval(query, *arguments)
        finally:
            await connection.close()

    async def others(self) -> int:
        """Chunks that the double did not embed."""
        return int(await self.value("SELECT count(*) FROM kb.chunks WHERE embedding_id <> 'openai/vectors@24'"))

    def embedded(self) -> int:
        """Texts the double was asked for."""
        return sum(len(request.body["input"]) for request in self.double.requests)


def at(dsn: str) -> str:
    """The same role, in the database of these tests."""
    return f"{dsn.rpartition('/')[0]}/{DATABASE}"


@pytest.fixture
async def models(postgres: Postgres, tmp_path: Path) -> AsyncIterator[Models]:
    connection = await postgres._parts._connect("postgres")
    await connection.execute(f"DROP DATABASE IF EXISTS {DATABASE} WITH (FORCE)")
    await connection.execute(f"CREATE DATABASE {DATABASE} OWNER parley_owner")
    await connection.close()
    await migrate.run(at(postgres.owner_dsn), ["kb"], checking=False)
    keys, double = Keys(tmp_path), OpenAIDouble()
    await double.start()
    double.behaviour = Behaviour(dimensions=24)
    settings = keys.settings(
        LlmSettings, "llm", openai_base_url=double.base_url, openai_api_key=KEY, openai_embedding_model="vectors"
    )
    async with running(LlmService(), settings):
        yield Models(keys, postgres, settings.port, double, tmp_path / "data")
    await double.stop()


async def taken_in(models: Models, **documents: str) -> str:
    """The tenant; documents in the index and the database as the first model leaves them."""
    first = models.world()
    async with running(first.service, first.settings):
        assert first.service.reconciler is not None
        await first.service.reconciler.done.wait()
        for path, text in documents.items():
            await first.live(path, text, content_type="text/markdown")
        if "a" in documents:
            assert (await first.search(WORDS)).passages[0].similarity > 0.8
    await first.caller.mesh.close()
    return first.tenant


async def test_documents_of_another_model_are_found_by_words_then_embedded_anew(
    models: Models, monkeypatch: pytest.MonkeyPatch
) -> None:
    claim = StaleDocuments.claim

    async def nothing(self: StaleDocuments, seconds: float) -> None:
        return None

    tenant = await taken_in(models, a=TEXT, b="# Hours\n\nThe shop opens at nine.\n")
    other = models.world(**OTHER)
    other.tenant = tenant
    monkeypatch.setattr(StaleDocuments, "claim", nothing)
    async with running(other.service, other.settings) as chassis:
        assert other.service.reconciler is not None
        await other.service.reconciler.done.wait()
        passages = (await other.search(WORDS)).passages
        assert [(item.path, item.similarity) for item in passages] == [("a", 0.0)]
        assert not (await other.search(MEANING)).passages
        await until(lambda: waiting(chassis.metrics.exposition()) == 2)
        monkeypatch.setattr(StaleDocuments, "claim", claim)
        await until(lambda: waiting(chassis.metrics.exposition()) == 0)
        assert await models.others() == 0
        assert await models.value("SELECT count(*) FROM kb.kb_documents WHERE embedding_id <> 'openai/vectors@24'") == 0
        assert {item.path for item in (await other.search(MEANING)).passages} == {"a", "b"}
        assert (await other.search(WORDS)).passages[0].similarity != 0
        assert await other.service.reconciler.once() == (0, 0)
    await other.caller.mesh.close()


def waiting(exposition: bytes) -> float:
    """What the gauge says."""
    lines = exposition.decode().splitlines()
    return next(float(line.split()[1]) for line in lines if line.startswith("kb_documents_to_embed "))


async def test_a_model_that_is_away_loses_nothing_and_an_import_goes_first(models: Models) -> None:
    tenant = await taken_in(models, a=TEXT)
    models.double.behaviour = Behaviour(dimensions=24, fault="failing")
    other = models.world(**OTHER)
    other.tenant = tenant
    async with running(other.service, other.settings):
        await until(lambda: len(models.double.requests) > 2)
        models.double.behaviour = Behaviour(dimensions=24)
        newer = await other.live("a", TEXT.replace("30", "60"), content_type="text/markdown")
        assert newer.revision == 2
        await until(lambda: none_left(models))
        assert "60 days" in (await other.search(WORDS)).passages[0].text
    await other.caller.mesh.close()


async def none_left(models: Models) -> bool:
    return await models.others() == 0


def environment(settings: KbSettings) -> dict[str, str]:
    """The settings as a process reads them."""
    made = {**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'build' / 'stubs'}"}
    for name, value in settings:
        if value not in (None, ""):
            plain = value.get_secret_value() if isinstance(value, SecretStr) else value
            made[f"PARLEY_{name.upper()}"] = str(plain)
    return made


async def test_what_kill_9_interrupted_is_gone_on_with(models: Models) -> None:
    parts = [
        f"## Part {number}\n\nThe article number {number} is kept on shelf {number}.\n" for number in range(SECTIONS)
    ]
    tenant = await taken_in(models, long="\n".join(["# Shelves\n", *parts]))
    total = await models.others()
    assert total >= SECTIONS
    models.double.behaviour = Behaviour(dimensions=24, latency=0.1)
    killed = models.world(**OTHER, kb_lease_seconds=1.0)
    with subprocess.Popen(  # noqa: ASYNC220
        [sys.executable, "-m", "services.kb"],
        cwd=ROOT,
        env=environment(killed.settings),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as process:

        async def begun() -> bool:
            return 0 < await models.others() < total

        try:
            await until(begun, 30)
        finally:
            process.send_signal(signal.SIGKILL)
    await killed.caller.mesh.close()
    assert 0 < await models.others() < total
    other = models.world(**OTHER, kb_lease_seconds=1.0)
    other.tenant = tenant
    async with running(other.service, other.settings):
        await until(lambda: none_left(models), 30)
        assert models.embedded() <= total + 8
        assert other.service.reconciler is not None
        assert await other.service.reconciler.once() == (0, 0)
        index = other.service._index
        assert index is not None
        assert all(kept.meant for kept in (await index.everything()).values())
        found = await other.search("article number 7 shelf 7")
        assert found.passages[0].similarity != 0
    await other.caller.mesh.close()

"""The llm service over gRPC, with a double behind it and a real PostgreSQL."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest
from parley.llm.v1 import llm_service_pb2_grpc

from services.common.db import migrate
from services.common.service import Chassis
from services.llm.config import LlmSettings
from services.llm.server import LlmService
from tests.doubles.openai_server import KEY, Behaviour, OpenAIDouble
from tests.integration.llm.running import Caller, Keys, running
from tests.servers import Postgres, RunningServer


@dataclass
class LlmWorld:
    """The service, its caller and what is behind it."""

    chassis: Chassis
    caller: Caller
    stub: llm_service_pb2_grpc.LlmServiceStub
    double: OpenAIDouble
    postgres: Postgres


@pytest.fixture(scope="session")
async def llm_running(
    postgres: Postgres, valkey: RunningServer, valkey_url: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[LlmWorld]:
    await migrate.run(postgres.owner_dsn, ["llm"], checking=False)
    keys = Keys(tmp_path_factory.mktemp("llm"))
    double = OpenAIDouble()
    await double.start()
    settings = keys.settings(
        LlmSettings,
        "llm",
        postgres_dsn=postgres.app_dsn,
        postgres_relay_dsn=postgres.relay_dsn,
        valkey_url=valkey_url,
        openai_base_url=double.base_url,
        openai_api_key=KEY,
        openai_model="double",
        openai_embedding_model="vectors",
        llm_aliases={"fast": "best", "best": "openai/double"},
        llm_first_token_seconds=1.0,
        llm_chunk_seconds=0.5,
        llm_answer_seconds=3.0,
        usage_batch_seconds=0.01,
        usage_purge_seconds=0.1,
        embedding_threads=1,
    )
    async with running(LlmService(), settings) as chassis:
        caller = Caller(keys, llm=settings.port)
        stub = llm_service_pb2_grpc.LlmServiceStub(caller.mesh.channel("llm"))
        yield LlmWorld(chassis, caller, stub, double, postgres)
        await caller.mesh.close()
    await double.stop()


@pytest.fixture
def llm(llm_running: LlmWorld) -> LlmWorld:
    llm_running.double.behaviour = Behaviour()
    llm_running.double.requests.clear()
    return llm_running

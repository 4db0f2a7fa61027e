"""Wiring of the llm service: the only place that knows concretes."""

import contextlib

from parley.llm.v1 import llm_service_pb2, llm_service_pb2_grpc

from services.common.errors import ParleyError
from services.common.service import Chassis
from services.llm.api.models import LlmApi
from services.llm.config import LlmSettings
from services.llm.domain.port import Embedder, Provider
from services.llm.domain.registry import Registry
from services.llm.embedders.local import LocalEmbedder
from services.llm.embedders.openai_compatible import OpenAICompatibleEmbedder
from services.llm.providers.extractive import ExtractiveProvider
from services.llm.providers.openai_client import OpenAIClient
from services.llm.providers.openai_compatible import OpenAICompatibleProvider
from services.llm.repeating import Repeats
from services.llm.usage import UsageLog, UsagePurge


class LlmService:
    """Models: a configured one, and the built-in ones."""

    name = "llm"

    def __init__(self) -> None:
        self._providers: list[Provider] = []
        self._embedders: list[Embedder] = []
        self._usage: UsageLog | None = None

    async def open(self, chassis: Chassis) -> None:
        """Build and register."""
        settings = chassis.settings
        if not isinstance(settings, LlmSettings):
            message = "the llm service needs LlmSettings"
            raise TypeError(message)
        self._build(settings)
        self._usage = UsageLog(
            chassis.database, chassis.metrics, rows=settings.usage_queue_rows, seconds=settings.usage_batch_seconds
        )
        api = LlmApi(
            Registry(self._providers, settings.llm_aliases),
            Registry(self._embedders, settings.llm_aliases),
            self._usage,
            Repeats(chassis.cache, chassis.metrics, settings.llm_repeat_seconds),
            chassis.metrics,
            settings.page_token_secret,
            settings.llm_piece_seconds,
        )
        chassis.server.add(
            llm_service_pb2_grpc.add_LlmServiceServicer_to_server,
            api,
            llm_service_pb2.DESCRIPTOR.services_by_name["LlmService"],
        )
        chassis.tasks.spawn("usage", self._usage.run)
        purge = UsagePurge(chassis.relay_database, days=settings.usage_days, seconds=settings.usage_purge_seconds)
        chassis.tasks.spawn("purge", purge.run)

    def _build(self, settings: LlmSettings) -> None:
        """The configured vendor is preferred to the built-in one."""
        client = OpenAIClient(settings)
        if settings.has_openai:
            self._providers.append(OpenAICompatibleProvider(settings, client))
        if settings.has_openai_embeddings:
            self._embedders.append(OpenAICompatibleEmbedder(settings, client))
        self._providers.append(ExtractiveProvider())
        self._embedders.append(
            LocalEmbedder(
                threads=settings.embedding_threads,
                cache_entries=settings.embedding_cache_entries,
                queue_texts=settings.embedding_queue_texts,
            )
        )

    async def close(self) -> None:
        """Write the last rows, give everything back."""
        if self._usage is not None:
            with contextlib.suppress(ParleyError):
                await self._usage.flush()
        for provider in self._providers:
            await provider.close()
        for embedder in self._embedders:
            await embedder.close()

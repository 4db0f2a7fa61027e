"""Embeddings of an OpenAI-compatible server."""

import json
from collections.abc import Sequence
from typing import Any

import numpy as np

from services.llm.config import LlmSettings
from services.llm.domain.port import Vector
from services.llm.providers.openai_client import OpenAIClient, translated
from services.llm.providers.openai_errors import failed


class OpenAICompatibleEmbedder:
    """One request a call; the texts of a call are at most 256."""

    name = "openai"

    def __init__(self, settings: LlmSettings, client: OpenAIClient) -> None:
        self._settings = settings
        self._client = client

    def models(self) -> Sequence[str]:
        """The configured one."""
        return (self._settings.openai_embedding_model,)

    async def embed(self, model: str, texts: Sequence[str], *, query: bool) -> list[Vector]:
        """A vector a text. ParleyError."""
        client = await self._client.get()
        try:
            raw = await client.embeddings.with_raw_response.create(
                model=model, input=list(texts), encoding_format="float"
            )
            vectors = in_order(json.loads(raw.content))
        except Exception as error:  # noqa: BLE001 - the SDK's, its HTTP library's, or nonsense in the body
            raise translated(error) from None
        if len(vectors) != len(texts):
            raise failed("the provider sent too few vectors", "malformed")
        return vectors

    async def close(self) -> None:
        """The client is the provider's to close, or its own."""
        await self._client.close()


def in_order(body: dict[str, Any]) -> list[Vector]:
    """Vectors by their index, of length one."""
    rows = sorted(body["data"], key=lambda row: row["index"])
    made = [np.asarray(row["embedding"], dtype=np.float32) for row in rows]
    return [vector / max(float(np.linalg.norm(vector)), 1e-12) for vector in made]

"""Vectors by way of the llm service; those of questions are kept for a while."""

from collections import OrderedDict
from collections.abc import Awaitable, Sequence
from typing import Protocol

import numpy as np
from parley.llm.v1 import llm_service_pb2 as llm

from services.common.errors import FailedPrecondition
from services.kb.vectors.port import Vector

QUESTIONS_KEPT = 2048
PASSAGES_AT_ONCE = 8
PASSAGE_SECONDS = 60.0
QUESTION_SECONDS = 5.0


class EmbedCall(Protocol):
    """LlmServiceStub.Embed over the mesh."""

    def __call__(self, request: llm.EmbedRequest, *, timeout: float | None = None) -> Awaitable[llm.EmbedResponse]:
        """The vectors; ParleyError."""


class Embeddings:
    """One model for all that is indexed: vectors of two models cannot be compared. `identity` is kept with each vector:
    the model's name and its dimensions.
    """

    def __init__(self, call: EmbedCall, model: str, dimensions: int) -> None:
        self._call = call
        self.model = model
        self.identity = f"{model}@{dimensions}"
        self._dimensions = dimensions
        self._kept: OrderedDict[str, Vector] = OrderedDict()

    async def question(self, text: str) -> Vector:
        """The vector of a question. ParleyError."""
        kept = self._kept.get(text)
        if kept is not None:
            self._kept.move_to_end(text)
            return kept
        made = (await self._ask([text], llm.EmbedRequest.PURPOSE_QUERY, QUESTION_SECONDS))[0]
        self._kept[text] = made
        if len(self._kept) > QUESTIONS_KEPT:
            self._kept.popitem(last=False)
        return made

    async def passages(self, texts: Sequence[str]) -> list[Vector]:
        """Vectors of at most PASSAGES_AT_ONCE passages. ParleyError."""
        return await self._ask(texts, llm.EmbedRequest.PURPOSE_PASSAGE, PASSAGE_SECONDS)

    async def _ask(
        self, texts: Sequence[str], purpose: "llm.EmbedRequest.Purpose.ValueType", seconds: float
    ) -> list[Vector]:
        request = llm.EmbedRequest(model=self.model, texts=texts, purpose=purpose)
        answer = await self._call(request, timeout=seconds)
        made = [np.asarray(vector.values, dtype=np.float32) for vector in answer.vectors]
        if len(made) != len(texts) or any(len(vector) != self._dimensions for vector in made):
            raise FailedPrecondition(
                f"{self.model} does not make vectors of {self._dimensions} dimensions: "
                "set PARLEY_KB_EMBEDDING_DIMENSIONS to what it makes"
            )
        return made

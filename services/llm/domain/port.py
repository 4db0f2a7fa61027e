"""What a vendor's file implements."""

from collections.abc import AsyncIterator, Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from parley.llm.v1 import llm_service_pb2 as pb

Vector = NDArray[np.float32]
Piece = str | pb.CompleteResponse


class Provider(Protocol):
    """Makes completions. `name` is the first part of "provider/model"."""

    name: str

    def models(self) -> Sequence[str]:
        """Models it offers, the preferred one first."""

    async def complete(self, model: str, request: pb.CompleteRequest) -> pb.CompleteResponse:
        """The whole answer. ParleyError."""

    def stream(self, model: str, request: pb.CompleteRequest) -> AsyncIterator[Piece]:
        """Pieces of text, then the whole answer, which comes only if all of it came. ParleyError.

        Closing the iterator ends the work at the vendor's.
        """

    async def close(self) -> None:
        """Give connections back."""


class Embedder(Protocol):
    """Makes vectors of length one."""

    name: str

    def models(self) -> Sequence[str]:
        """Models it offers, the preferred one first."""

    async def embed(self, model: str, texts: Sequence[str], *, query: bool) -> list[Vector]:
        """A vector a text, in order. ParleyError."""

    async def close(self) -> None:
        """Give back what it holds."""

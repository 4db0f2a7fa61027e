"""LlmService on the wire."""

import contextlib
import time
from collections.abc import AsyncIterator
from typing import Any, Self

import grpc.aio
from parley.llm.v1 import llm_service_pb2 as pb
from parley.llm.v1 import llm_service_pb2_grpc as llm_grpc
from pydantic import SecretStr

from services.common import context
from services.common.errors import ParleyError, to_status
from services.common.pagination import PageTokens, page_size
from services.common.telemetry.metrics import Metrics
from services.llm.domain.joining import joined
from services.llm.domain.port import Embedder, Provider
from services.llm.domain.registry import Registry, list_models
from services.llm.repeating import Repeats
from services.llm.usage import UsageLog, UsageRow

Wire = grpc.aio.ServicerContext[Any, Any]
DEFAULT_PAGE, LARGEST_PAGE = 50, 200
CHARACTERS_PER_TOKEN = 4


class LlmApi(llm_grpc.LlmServiceServicer):
    """Finds the vendor, counts, accounts."""

    def __init__(
        self,
        providers: Registry[Provider],
        embedders: Registry[Embedder],
        usage: UsageLog,
        repeats: Repeats,
        metrics: Metrics,
        secret: SecretStr,
        piece_seconds: float,
    ) -> None:
        self._providers = providers
        self._embedders = embedders
        self._usage = usage
        self._repeats = repeats
        self._metrics = metrics
        self._tokens = PageTokens(secret)
        self._piece_seconds = piece_seconds

    async def Complete(  # noqa: N802
        self, request: pb.CompleteRequest, context_: Wire
    ) -> pb.CompleteResponse:
        """The whole answer; to a repetition the first one, which is not accounted again."""
        earlier = await self._repeats.earlier(request)
        if earlier is not None:
            return earlier
        provider, model = self._providers.find(request.model)
        name = f"{provider.name}/{model}"
        account = Account(self, name, self._providers.label(name), "complete", request.bot)
        with account:
            response = await provider.complete(model, request)
            account.used(response.usage)
        await self._repeats.keep(request, response)
        return response

    async def CompleteStream(  # noqa: N802
        self, request: pb.CompleteRequest, context_: Wire
    ) -> AsyncIterator[pb.CompletionEvent]:
        """As it goes. What fails before the first piece is the call's status, so that it can be tried again;
        what fails later is the event `failed`.
        """
        provider, model = self._providers.find(request.model)
        name = f"{provider.name}/{model}"
        account = Account(self, name, self._providers.label(name), "stream", request.bot)
        seq = 0
        try:
            with account:
                async with (
                    contextlib.aclosing(provider.stream(model, request)) as whole,  # type: ignore[type-var]
                    contextlib.aclosing(joined(whole, self._piece_seconds)) as pieces,
                ):
                    async for piece in pieces:
                        seq += 1
                        if isinstance(piece, str):
                            yield pb.CompletionEvent(seq=seq, delta=piece)
                        else:
                            account.used(piece.usage)
                            yield pb.CompletionEvent(seq=seq, completed=piece)
        except ParleyError as error:
            if not seq:
                raise
            yield pb.CompletionEvent(seq=seq + 1, failed=to_status(error))

    async def Embed(self, request: pb.EmbedRequest, context_: Wire) -> pb.EmbedResponse:  # noqa: N802
        """Vectors. Unset purpose: passages."""
        embedder, model = self._embedders.find(request.model)
        name = f"{embedder.name}/{model}"
        account = Account(self, name, self._embedders.label(name), "embed", "")
        with account:
            query = request.purpose == pb.EmbedRequest.PURPOSE_QUERY
            vectors = await embedder.embed(model, request.texts, query=query)
            account.used(pb.Usage(input_tokens=sum(map(len, request.texts)) // CHARACTERS_PER_TOKEN))
        return pb.EmbedResponse(vectors=[pb.Vector(values=vector.tolist()) for vector in vectors], model=name)

    async def ListModels(  # noqa: N802
        self, request: pb.ListModelsRequest, context_: Wire
    ) -> pb.ListModelsResponse:
        """By name."""
        limit = page_size(request.page_size, DEFAULT_PAGE, LARGEST_PAGE)
        filters = (context.principal().tenant_id, "models")
        position = self._tokens.read(filters, request.page_token)
        after = position[0] if position else ""
        found = [model for model in list_models(self._providers, self._embedders) if model.name > after]
        response = pb.ListModelsResponse(models=found[:limit])
        if len(found) > limit:
            response.next_page_token = self._tokens.make(filters, (found[limit - 1].name,))
        return response

    def account(self, row: UsageRow, label: str) -> None:
        """Count a call under a label, and put it on its tenant's account."""
        self._metrics.llm_requests.labels(label, row.outcome).inc()
        self._usage.put(row)


class Account:
    """Round one call of a model: whatever way it ends, it is counted once."""

    __slots__ = ("_api", "_bot", "_label", "_model", "_operation", "_started", "_usage")

    def __init__(self, api: LlmApi, model: str, label: str, operation: str, bot: str) -> None:
        self._api = api
        self._model = model
        self._label = label
        self._operation = operation
        self._bot = bot
        self._usage = pb.Usage()
        self._started = time.perf_counter()

    def used(self, usage: pb.Usage) -> None:
        """What the vendor says was used."""
        self._usage = usage

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        call = context.current_or_none()
        who = call.principal if call is not None else None
        self._api.account(
            UsageRow(
                tenant=who.tenant_id if who else "",
                bot=self._bot,
                subject=who.subject if who else "",
                model=self._model,
                operation=self._operation,
                outcome=outcome_of(error),
                input_tokens=self._usage.input_tokens,
                output_tokens=self._usage.output_tokens,
                milliseconds=int((time.perf_counter() - self._started) * 1000),
            ),
            self._label,
        )


def outcome_of(error: BaseException | None) -> str:
    """ "ok", a reason of the tree, "CANCELLED" or "INTERNAL"."""
    if error is None:
        return "ok"
    if isinstance(error, ParleyError):
        return error.reason
    return "INTERNAL" if isinstance(error, Exception) else "CANCELLED"

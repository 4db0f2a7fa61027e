"""Chat completions of OpenAI, and of whatever speaks its wire: Groq, Ollama, OpenRouter, vLLM, llama.cpp ..."""

import asyncio
import contextlib
import json
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Sequence
from typing import Any, TypeVar

from parley.llm.v1 import llm_service_pb2 as pb

from services.common.errors import ParleyError
from services.llm.config import LlmSettings
from services.llm.domain.citing import citations_in
from services.llm.domain.port import Piece
from services.llm.domain.prompt import chat_messages, question_of, tool_specs
from services.llm.domain.sentences import language_of
from services.llm.providers.openai_client import OpenAIClient, translated
from services.llm.providers.openai_errors import cut, failed, late
from services.llm.providers.openai_stream import Gathering, gathered, said_all

T = TypeVar("T")
READ_OUT_SECONDS = 0.2


class OpenAICompatibleProvider:
    """One address, one key, one shared client."""

    name = "openai"

    def __init__(self, settings: LlmSettings, client: OpenAIClient) -> None:
        self._settings = settings
        self._client = client

    def models(self) -> Sequence[str]:
        """The configured one."""
        return (self._settings.openai_model,)

    async def complete(self, model: str, request: pb.CompleteRequest) -> pb.CompleteResponse:
        """The whole answer."""
        client = await self._client.get()
        try:
            async with asyncio.timeout(self._settings.llm_answer_seconds):
                raw = await client.chat.completions.with_raw_response.create(**arguments(model, request))
            body = json.loads(raw.content)
            gathering = gathered(body)
        except TimeoutError:
            raise late("answer") from None
        except Exception as error:  # noqa: BLE001 - the SDK's, its HTTP library's, or nonsense in the body
            raise translated(error) from None
        if not gathering.whole:
            raise failed("the model's answer has no end", "malformed")
        return self._finished(model, request, gathering)

    async def stream(self, model: str, request: pb.CompleteRequest) -> AsyncIterator[Piece]:
        """Pieces, then the whole; a stream that ends before its end raises."""
        gathering = Gathering()
        try:
            async with contextlib.aclosing(self._lines(model, request)) as lines:
                async for line in lines:
                    text = gathering.line(line)
                    if text:
                        yield text
        except ParleyError:
            raise
        except Exception as error:  # noqa: BLE001 - as above
            raise translated(error) from None
        if not gathering.whole:
            raise cut()
        yield self._finished(model, request, gathering)

    async def _lines(self, model: str, request: pb.CompleteRequest) -> AsyncGenerator[str, None]:
        """Lines of data of the event stream, each in its time."""
        clock = asyncio.get_running_loop().time
        settings = self._settings
        await self._client.get()  # the first call imports the SDK: that is not the model's time
        end = clock() + settings.llm_answer_seconds
        first = clock() + settings.llm_first_token_seconds
        async with contextlib.AsyncExitStack() as stack:
            opening = self._client.open_stream(
                {**arguments(model, request), "stream": True, "stream_options": {"include_usage": True}}
            )
            response = await within(stack.enter_async_context(opening), min(first, end), "first_token")
            lines = await stack.enter_async_context(contextlib.aclosing(data_lines(response)))
            limit, kind = first, "first_token"
            while (line := await within(anext(lines, None), min(limit, end), kind)) is not None:
                yield line
                if said_all(line):
                    await read_out(lines)
                    return
                limit, kind = clock() + settings.llm_chunk_seconds, "chunk"

    def _finished(self, model: str, request: pb.CompleteRequest, gathering: Gathering) -> pb.CompleteResponse:
        made = gathering.response()
        made.model = f"{self.name}/{model}"
        if request.passages:
            language = language_of(question_of(request), request.locale)
            made.citations.extend(citations_in(made.text, request.passages, language))
        return made

    async def close(self) -> None:
        """Close the client."""
        await self._client.close()


async def within(waiting: Awaitable[T], limit: float, kind: str) -> T:
    """Wait until a moment of the loop's clock. DeadlineExceeded that says what was late."""
    try:
        async with asyncio.timeout_at(limit):
            return await waiting
    except TimeoutError:
        raise late(kind) from None


async def read_out(lines: AsyncIterator[str]) -> None:
    """The end of a body that has said all: only a connection that was read to its end serves the next request."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(READ_OUT_SECONDS):
            async for _ in lines:
                pass


async def data_lines(response: Any) -> AsyncGenerator[str, None]:  # noqa: ANN401 - of the SDK's HTTP library
    """Lines that carry something: comments that keep a connection alive are no sign of an answer."""
    async for line in response.aiter_lines():
        if line.startswith("data:"):
            yield line


def arguments(model: str, request: pb.CompleteRequest) -> dict[str, Any]:
    """What the SDK is called with; what is unset is left out."""
    made: dict[str, Any] = {"model": model, "messages": chat_messages(request)}
    if request.tools:
        made["tools"] = tool_specs(request)
    if request.HasField("temperature"):
        made["temperature"] = round(request.temperature, 6)
    if request.HasField("max_tokens"):
        made["max_tokens"] = request.max_tokens
    return made

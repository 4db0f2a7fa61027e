"""One shared client of the official SDK, imported and made when first needed: the import alone takes half a second."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any

import orjson

from services.common.errors import Internal, ParleyError
from services.llm.providers.openai_errors import failed, from_http, late

if TYPE_CHECKING:
    from openai import AsyncOpenAI

    from services.llm.config import LlmSettings

NO_KEY = "none"
LARGEST_REFUSAL = 65_536


class OpenAIClient:
    """Holds the client. Retries are nobody's business here: the mesh has a budget for them."""

    def __init__(self, settings: LlmSettings) -> None:
        self._settings = settings
        self._client: AsyncOpenAI | None = None
        self._http: Any = None
        self._address: Any = None
        self._headers: dict[str, str] = {}
        self._making = asyncio.Lock()

    async def get(self) -> AsyncOpenAI:
        """The client."""
        if self._client is None:
            async with self._making:
                if self._client is None:
                    self._client = await asyncio.to_thread(self._make)
        return self._client

    @contextlib.asynccontextmanager
    async def open_stream(self, body: dict[str, Any]) -> AsyncIterator[Any]:
        """The response of a streamed completion. ParleyError for a refusal, else errors of the HTTP library.

        With the SDK's address, credential and connections, past its making of requests: that looks at the type of every
        field of every message, and takes longer than all the rest.
        """
        await self.get()
        request = self._http.build_request("POST", self._address, content=orjson.dumps(body), headers=self._headers)
        response = await self._http.send(request, stream=True)
        try:
            if not response.is_success:  # a redirection too: whoever is sent elsewhere has no stream
                raise await refusal(response)
            yield response
        finally:
            await response.aclose()

    def _make(self) -> AsyncOpenAI:
        import httpx2  # noqa: PLC0415 - lazily, see above
        from openai import AsyncOpenAI, DefaultAioHttpClient  # noqa: PLC0415

        settings = self._settings
        connections = settings.llm_connections
        key = settings.openai_api_key.get_secret_value() if settings.openai_api_key else NO_KEY
        timeout = httpx2.Timeout(settings.llm_answer_seconds, connect=settings.llm_connect_seconds)
        self._http = DefaultAioHttpClient(  # the SDK's other transport parses HTTP in Python
            limits=httpx2.Limits(max_connections=connections, max_keepalive_connections=connections),
            timeout=timeout,
            follow_redirects=False,
            trust_env=True,
        )
        client = AsyncOpenAI(
            api_key=key,
            base_url=settings.openai_base_url or None,
            max_retries=0,
            timeout=timeout,
            http_client=self._http,
        )
        self._address = client.base_url.join("chat/completions")
        self._headers = streaming_headers(client)
        return client

    async def close(self) -> None:
        """Close its connections."""
        if self._client is not None:
            await self._client.close()
            self._client = None


def streaming_headers(client: AsyncOpenAI) -> dict[str, str]:
    """What the SDK sends, for a stream of events."""
    own = {name: value for name, value in client.default_headers.items() if isinstance(value, str)}
    return own | {"Accept": "text/event-stream", "Authorization": f"Bearer {client.api_key}"}


async def refusal(response: Any) -> ParleyError:  # noqa: ANN401 - of the SDK's HTTP library
    """The tree's word for an answer that is no stream."""
    content = b""
    async for part in response.aiter_bytes():
        content += part
        if len(content) > LARGEST_REFUSAL:
            break
    try:
        body = orjson.loads(content)
    except ValueError:
        body = None
    return from_http(response.status_code, response.headers, body)


def lost_connection(error: BaseException | None) -> bool:
    """Whether there was no connection, or it ended: the SDK's transport calls that a timeout as well."""
    import aiohttp  # noqa: PLC0415

    while error is not None:
        if isinstance(error, aiohttp.ClientConnectionError):
            return not isinstance(error, TimeoutError)
        error = error.__cause__
    return False


def translated(error: Exception) -> ParleyError:
    """The tree's word for what the SDK or its HTTP library raised."""
    import httpx2  # noqa: PLC0415
    import openai  # noqa: PLC0415

    if isinstance(error, ParleyError):
        return error
    if isinstance(error, openai.APIStatusError):
        response: Any = error.response
        return from_http(error.status_code, response.headers, error.body)
    refused = lost_connection(error)
    if isinstance(error, openai.APITimeoutError | httpx2.TimeoutException) and not refused:
        return late("answer")
    if refused or isinstance(error, openai.APIConnectionError):
        return failed("the model provider cannot be reached", "connection")
    if isinstance(error, httpx2.HTTPError):
        return failed("the model's answer was cut off", "cut")
    return Internal(
        "the model provider's answer makes no sense",
        reason="PROVIDER_FAILED",
        metadata={"kind": "malformed", "error": type(error).__name__},
    )

"""Clients: a thin proxy of a channel adds deadline, credential, request id and trace to every call."""

import json
import time
from collections.abc import AsyncIterator, Awaitable
from typing import Any

import grpc
import grpc.aio

from services.common import context
from services.common.config import Settings
from services.common.errors import DeadlineExceeded, from_status
from services.common.security.tokens import MeshSigner

MARGIN_SECONDS = 0.05
LARGEST_MESSAGE = 4 * 1024 * 1024
SERVICE_CONFIG = json.dumps(
    {
        "loadBalancingConfig": [{"round_robin": {}}],
        "methodConfig": [
            {
                "name": [{}],
                "retryPolicy": {
                    "maxAttempts": 4,
                    "initialBackoff": "0.05s",
                    "maxBackoff": "1s",
                    "backoffMultiplier": 3,
                    "retryableStatusCodes": ["UNAVAILABLE"],
                },
            }
        ],
        "retryThrottling": {"maxTokens": 100, "tokenRatio": 0.5},
    }
)
OPTIONS = [
    ("grpc.service_config", SERVICE_CONFIG),
    ("grpc.enable_retries", 1),
    ("grpc.max_receive_message_length", LARGEST_MESSAGE),
    ("grpc.max_send_message_length", LARGEST_MESSAGE),
    ("grpc.keepalive_time_ms", 30_000),
    ("grpc.keepalive_timeout_ms", 10_000),
    ("grpc.keepalive_permit_without_calls", 1),
    ("grpc.min_reconnect_backoff_ms", 100),
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 1_000),
    ("grpc.dns_min_time_between_resolutions_ms", 5_000),
]


class MeshChannel:
    """Looks like grpc.aio.Channel to a generated stub; raises the error tree."""

    def __init__(self, target: str, signer: MeshSigner, timeout: float) -> None:
        self.channel = grpc.aio.insecure_channel(target, options=OPTIONS)
        self._signer = signer
        self._timeout = timeout

    def prepare(self, timeout: float | None, *, streaming: bool) -> tuple[float | None, list[tuple[str, str]]]:
        """Deadline and metadata of a call. DeadlineExceeded when the incoming call has no time left."""
        call = context.current_or_none()
        limit = timeout if timeout is not None or streaming else self._timeout
        principal = None
        request_id, traceparent = "", ""
        if call is not None:
            principal, request_id, traceparent = call.principal, call.request_id, call.traceparent
            if call.deadline is not None:
                left = call.deadline - time.monotonic() - MARGIN_SECONDS
                if left <= 0:
                    raise DeadlineExceeded("no time is left for a call that this one needs")
                limit = left if limit is None else min(limit, left)
        metadata = [("authorization", f"Bearer {self._signer.token(principal)}")]
        if request_id:
            metadata.append(("x-request-id", request_id))
        if traceparent:
            metadata.append(("traceparent", traceparent))
        return limit, metadata

    def unary_unary(self, *arguments: Any, **options: Any) -> Any:  # noqa: ANN401
        """What a stub asks for."""
        return Unary(self, self.channel.unary_unary(*arguments, **options))

    def stream_unary(self, *arguments: Any, **options: Any) -> Any:  # noqa: ANN401
        """What a stub asks for."""
        return Unary(self, self.channel.stream_unary(*arguments, **options))

    def unary_stream(self, *arguments: Any, **options: Any) -> Any:  # noqa: ANN401
        """What a stub asks for."""
        return Streaming(self, self.channel.unary_stream(*arguments, **options))

    def stream_stream(self, *arguments: Any, **options: Any) -> Any:  # noqa: ANN401
        """What a stub asks for."""
        return Streaming(self, self.channel.stream_stream(*arguments, **options))


class Unary:
    """A method with one answer."""

    __slots__ = ("_channel", "_method")

    def __init__(self, channel: MeshChannel, method: Any) -> None:  # noqa: ANN401
        self._channel = channel
        self._method = method

    def __call__(self, request: Any, *, timeout: float | None = None) -> Awaitable[Any]:  # noqa: ANN401
        """The answer; ParleyError."""
        return self._call(request, timeout)

    async def _call(self, request: Any, timeout: float | None) -> Any:  # noqa: ANN401, ASYNC109 - grpc's own word
        limit, metadata = self._channel.prepare(timeout, streaming=False)
        try:
            return await self._method(request, timeout=limit, metadata=metadata)
        except grpc.aio.AioRpcError as error:
            raise from_status(error) from None


class Streaming:
    """A method with many answers."""

    __slots__ = ("_channel", "_method")

    def __init__(self, channel: MeshChannel, method: Any) -> None:  # noqa: ANN401
        self._channel = channel
        self._method = method

    async def __call__(self, request: Any, *, timeout: float | None = None) -> AsyncIterator[Any]:  # noqa: ANN401, ASYNC109
        """The answers; ParleyError. Closing the iterator cancels the call."""
        limit, metadata = self._channel.prepare(timeout, streaming=True)
        call = self._method(request, timeout=limit, metadata=metadata)
        try:
            async for item in call:
                yield item
        except grpc.aio.AioRpcError as error:
            raise from_status(error) from None
        finally:
            call.cancel()


class Mesh:
    """One channel a peer, made when first asked for."""

    def __init__(self, settings: Settings, signer: MeshSigner) -> None:
        self._settings = settings
        self._signer = signer
        self._channels: dict[str, MeshChannel] = {}

    def channel(self, service: str) -> Any:  # noqa: ANN401 - stands in for grpc.aio.Channel
        """The channel to a service: SessionServiceStub(mesh.channel("session")). RuntimeError when not configured."""
        found = self._channels.get(service)
        if found is None:
            target = self._settings.address(service)
            if not target:
                message = f"PARLEY_{service.upper()}_ADDRESS is not set"
                raise RuntimeError(message)
            found = MeshChannel(target, self._signer, self._settings.rpc_timeout)
            self._channels[service] = found
        return found

    async def close(self) -> None:
        """Close all channels."""
        for channel in self._channels.values():
            await channel.channel.close()
        self._channels.clear()

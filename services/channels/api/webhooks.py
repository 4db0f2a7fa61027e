"""POST /webhooks/{public token}: the door for messages, on the operations listener. Envoy leads here."""

import asyncio
import json
import math
import re
import time
from collections.abc import Mapping
from typing import Any

import aiohttp
import grpc
from aiohttp import web

from services.channels.adapters.registry import Registry
from services.channels.config import ChannelsSettings
from services.channels.domain.port import OpenChannel
from services.channels.receiving import Receipt, Receiver
from services.channels.store.channels import PATH, Channels
from services.common.errors import InvalidArgument, NotFound, ParleyError, ResourceExhausted, Unavailable
from services.common.limiting import TokenBuckets
from services.common.telemetry.logs import logger

log = logger(__name__)
TOKEN = re.compile("[A-Za-z0-9_-]{43}")
PIECE_BYTES = 64 * 1024
RETRY_SECONDS = 2
STATUSES = {
    grpc.StatusCode.INVALID_ARGUMENT: 400,
    grpc.StatusCode.UNAUTHENTICATED: 401,
    grpc.StatusCode.NOT_FOUND: 404,
    grpc.StatusCode.ALREADY_EXISTS: 409,
    grpc.StatusCode.RESOURCE_EXHAUSTED: 429,
    grpc.StatusCode.UNAVAILABLE: 503,
    grpc.StatusCode.DEADLINE_EXCEEDED: 503,
    grpc.StatusCode.ABORTED: 503,
}


class WebhookRoutes:
    """Finds the channel, lets its adapter verify and read the bytes, hands the message to the ledger."""

    def __init__(self, settings: ChannelsSettings, channels: Channels, registry: Registry, receiver: Receiver) -> None:
        self._settings = settings
        self._channels = channels
        self._registry = registry
        self._receiver = receiver
        self._buckets = TokenBuckets(settings.webhooks_per_second, settings.webhook_burst)

    def add_to(self, application: web.Application) -> None:
        """Register."""
        application.router.add_post(PATH + "{token}", self.post)

    async def post(self, request: web.Request) -> web.Response:
        """202 for a new message, 200 for one that had come before, or an error as JSON."""
        try:
            async with asyncio.timeout(self._settings.webhook_seconds):
                return answer(await self._take(request))
        except ParleyError as error:
            return refusal(error)
        except TimeoutError:
            return refusal(Unavailable("the message could not be kept in time; send it again"))
        except Exception as error:
            log.exception("webhook failed", error=type(error).__name__)
            return refusal(ParleyError("internal error; send it again"))

    async def _take(self, request: web.Request) -> Receipt:
        channel = await self._channel(request.match_info["token"])
        body = await read(request, self._settings.webhook_body_bytes)
        headers = {name.lower(): value for name, value in request.headers.items()}
        incoming = self._registry.of(channel.kind).receive(channel, headers, body, time.time())
        self._admit(channel)
        return await self._receiver.receive(channel, incoming)

    async def _channel(self, token: str) -> OpenChannel:
        """Found by the token, if it is enabled. NotFound in the same words and time whichever it is not."""
        found = await self._channels.by_token(token if TOKEN.fullmatch(token) else "")
        if found is None:
            raise NotFound("no channel takes messages here")
        return found

    def _admit(self, channel: OpenChannel) -> None:
        """Only messages of somebody who has the secret count: nobody else can use up the channel's share."""
        wait = self._buckets.take((channel.tenant, channel.id), time.monotonic())
        if wait:
            raise ResourceExhausted("too many messages at once on this channel; send it again", retry_after=wait)


async def read(request: web.Request, most: int) -> bytes:
    """The raw bytes. ResourceExhausted TOO_LARGE, InvalidArgument when they are encoded or end too early."""
    if request.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise InvalidArgument.field("content-encoding", "none: the signature is of the bytes as they are sent")
    too_large = ResourceExhausted(f"the body is larger than {most} bytes", reason="TOO_LARGE")
    if request.content_length is not None and request.content_length > most:
        raise too_large
    body = bytearray()
    try:
        async for piece in request.content.iter_chunked(PIECE_BYTES):
            body += piece
            if len(body) > most:
                raise too_large
    except (web.RequestPayloadError, aiohttp.ClientError, OSError):
        raise InvalidArgument.field("body", "all of it") from None
    return bytes(body)


def answer(receipt: Receipt) -> web.Response:
    """What a sender is told about its message."""
    told = {"session": receipt.session, "seq": receipt.seq, "duplicate": receipt.duplicate}
    return as_json(200 if receipt.duplicate else 202, told)


def refusal(error: ParleyError) -> web.Response:
    """What a sender is told about an error."""
    told = {"code": error.code.name, "message": error.message, "reason": error.reason}
    field = error.metadata.get("field")
    if field:
        told["field"] = field
    status = 413 if error.reason == "TOO_LARGE" else STATUSES.get(error.code, 500)
    made = as_json(status, told)
    if status in {429, 503}:
        made.headers["Retry-After"] = str(max(1, math.ceil(error.retry_after or RETRY_SECONDS)))
    if status == 413:
        made.force_close()  # the rest of the body is not read
    return made


def as_json(status: int, told: Mapping[str, Any]) -> web.Response:
    """A JSON answer that nobody keeps."""
    return web.Response(
        status=status,
        text=json.dumps(told),
        content_type="application/json",
        headers={"Cache-Control": "no-store"},
    )

"""HTTP ways in, on the operations listener; Envoy leads here.

GET, POST, PUT, PATCH, DELETE  /api/{bot}/webhook/{name}, /api/bot/{bot}/{name}    WEBHOOK "name"
POST                           /api/{bot}/forms/{form}                             ON FORM SUBMIT "form"
"""

import asyncio
import hashlib
import json
import time
import uuid
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

import aiohttp
from aiohttp import web
from nats.aio.msg import Msg
from parley.session.v1 import ledger_service_pb2 as ledger_pb
from parley.session.v1 import ledger_service_pb2_grpc as ledger_grpc
from parley.session.v1 import session_pb2 as pb

from services.common import context
from services.common.bus import subjects
from services.common.bus.connection import Bus
from services.common.db.engine import Database
from services.common.errors import AlreadyExists, InvalidArgument, ParleyError, ResourceExhausted, Unavailable
from services.common.identifiers import uuid7
from services.common.limiting import TokenBuckets
from services.common.security.principal import service_principal
from services.common.telemetry.logs import logger
from services.engine.config import EngineSettings
from services.engine.schedule import answers
from services.engine.schedule.callers import KEY_QUERY, OpenWebhook, Tenants, Webhooks, admit, missing, plain_headers
from services.engine.schedule.calls import Call, Calls
from services.engine.schedule.events import Happening, keep

log = logger(__name__)
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
PIECE_BYTES = 64 * 1024
POLL_SECONDS = 0.5
LARGEST_VARIABLES = 2_097_152
TENANT_QUERY = "tenant"
Handler = Callable[[web.Request], Awaitable[web.Response]]


@dataclass(frozen=True, slots=True)
class Doorway:
    """What the doors stand on."""

    settings: EngineSettings
    database: Database
    bus: Bus
    ledger: "ledger_grpc.LedgerServiceAsyncStub"
    webhooks: Webhooks
    calls: Calls


class Doors:
    """Takes requests, starts scripts, waits for what they return."""

    def __init__(self, doorway: Doorway) -> None:
        settings = doorway.settings
        self._settings = settings
        self._doorway = doorway
        self._tenants = Tenants(doorway.ledger)
        self._buckets = TokenBuckets(settings.webhooks_per_second, settings.webhook_burst)
        self._waiting: dict[str, asyncio.Event] = {}

    async def open(self, application: web.Application) -> None:
        """Register, and listen for answers."""
        for method in METHODS:
            for path in ("/api/{bot}/webhook/{name}", "/api/bot/{bot}/{name}"):
                application.router.add_route(method, path, self._guarded(self._webhook))
        application.router.add_post("/api/{bot}/forms/{name}", self._guarded(self._form))
        await self._doorway.bus.subscribe(subjects.CALL_ANSWERED_ALL, self._on_answer)

    async def _on_answer(self, message: Msg) -> None:
        waiting = self._waiting.get(message.subject.rpartition(".")[2])
        if waiting is not None:
            waiting.set()

    def _guarded(self, handler: Handler) -> Handler:
        async def handle(request: web.Request) -> web.Response:
            try:
                return await handler(request)
            except ParleyError as error:
                return answers.refusal(error)
            except TimeoutError:
                return answers.refusal(Unavailable("this could not be done in time; send it again"))
            except Exception as error:
                log.exception("door failed", error=type(error).__name__)
                return answers.refusal(ParleyError("internal error; send it again"))

        return handle

    async def _webhook(self, request: web.Request) -> web.Response:
        ends = time.monotonic() + self._settings.webhook_seconds
        async with asyncio.timeout(self._settings.webhook_seconds):
            webhook = await self._found(request)
            body = await read(request, self._settings.webhook_body_bytes)
            headers = {name.lower(): text for name, text in request.headers.items()}
            delivery = admit(webhook, headers, request.query, body, self._settings.signature_tolerance)
            self._take((webhook.tenant, webhook.bot, webhook.name))
            call = await self._start(webhook, delivery or str(uuid7()), variables(request, headers, body), body)
        answer = call.answer or await self._answered(webhook.tenant, call.id, ends)
        if answer is None:
            return answers.told(202, {"accepted": True, "call": str(call.id)})
        if "failure" in answer:
            log.info("webhook failed", bot=webhook.bot, webhook=webhook.name, failure=answer["failure"])
            return answers.refusal(ParleyError("the script failed"))
        return answers.answer_of(answer["value"])

    async def _found(self, request: web.Request) -> OpenWebhook:
        tenant = await self._tenants.find(request.query.get(TENANT_QUERY, "")[:40])
        return await self._doorway.webhooks.find(
            tenant, request.match_info["bot"][:100], request.match_info["name"][:100]
        )

    def _take(self, key: tuple[str, ...]) -> None:
        wait = self._buckets.take(key, time.monotonic())
        if wait:
            raise ResourceExhausted("too many requests at once; send it again", retry_after=wait)

    async def _start(self, webhook: OpenWebhook, delivery: str, given: str, body: bytes) -> Call:
        """Claim the delivery's name and post the run, which is posted once however often this is done."""
        made = Call(uuid7(), hashlib.blake2b(body, digest_size=16).digest(), None)
        call = await self._doorway.calls.claim(webhook.tenant, (webhook.bot, webhook.name), delivery, made)
        if call.digest != made.digest:
            raise AlreadyExists("webhook-id: this came with another body before", reason="REQUEST_ID_REUSED")
        if call.answer is not None:
            return call
        run = pb.Run(
            cause="webhook",
            script=webhook.script,
            entry=webhook.entry,
            bot_version=webhook.version,
            variables=given,
            call=str(call.id),
            once=True,
        )
        request = ledger_pb.StartRunRequest(
            bot=f"bots/{webhook.bot}", runner=f"{webhook.name} {call.id}", external_id=str(call.id), run=run
        )
        self._waiting[str(call.id)] = asyncio.Event()
        with context.acting_for(service_principal("engine", webhook.tenant), seconds=self._settings.webhook_seconds):
            try:
                await self._doorway.ledger.StartRun(request)
            except AlreadyExists:
                log.debug("call was started before", call=str(call.id))
            except BaseException:
                self._waiting.pop(str(call.id), None)
                raise
        return call

    async def _answered(self, tenant: str, call: uuid.UUID, ends: float) -> dict[str, Any] | None:
        """What the script returned; None when it is still at it. Told by the bus, or found by looking."""
        waiting = self._waiting.setdefault(str(call), asyncio.Event())
        try:
            while (left := ends - time.monotonic()) > 0:
                try:
                    async with asyncio.timeout(min(POLL_SECONDS, left)):
                        await waiting.wait()
                except TimeoutError:
                    pass
                waiting.clear()
                found = await self._doorway.calls.read(tenant, call)
                if found is not None:
                    return found
            return None
        finally:
            self._waiting.pop(str(call), None)

    async def _form(self, request: web.Request) -> web.Response:
        """A form of a page: anybody may send one that a script is there for."""
        async with asyncio.timeout(self._settings.webhook_seconds):
            tenant = await self._tenants.find(request.query.get(TENANT_QUERY, "")[:40])
            bot, form = request.match_info["bot"][:100], request.match_info["name"][:255]
            self._take((tenant, bot, "form", form))
            body = await read(request, self._settings.webhook_body_bytes)
            fields = parsed(request.content_type, body)
            if not isinstance(fields, dict):
                raise InvalidArgument.field("body", "the fields of a form, as JSON or as a form is sent")
            happening = Happening(tenant, bot, "form", form)
            async with self._doorway.database.unit_of_work(tenant) as connection:
                if not await keep(connection, happening, [{"form": fields}]):
                    raise missing()
        return answers.told(202, {"accepted": True})


async def read(request: web.Request, most: int) -> bytes:
    """The raw bytes. ResourceExhausted TOO_LARGE, InvalidArgument when they are encoded or end too early."""
    if request.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise InvalidArgument.field("content-encoding", "none")
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


def variables(request: web.Request, headers: Mapping[str, str], body: bytes) -> str:
    """What the script begins with, as JSON: body, params, headers, method. ResourceExhausted TOO_LARGE."""
    params = {name: text for name, text in request.query.items() if name not in {KEY_QUERY, TENANT_QUERY}}
    found = {
        "body": parsed(request.content_type, body),
        "params": params,
        "query": params,
        "headers": plain_headers(headers),
        "method": request.method,
    }
    encoded = json.dumps(found, ensure_ascii=False)
    if len(encoded.encode(errors="replace")) > LARGEST_VARIABLES:
        raise ResourceExhausted(f"what is sent is larger than {LARGEST_VARIABLES} bytes as JSON", reason="TOO_LARGE")
    return encoded.encode(errors="replace").decode()


def parsed(kind: str, body: bytes) -> Any:  # noqa: ANN401 - JSON
    """JSON, the fields of a form, or text. InvalidArgument for JSON that is none."""
    text = body.decode("utf-8", errors="replace")
    if kind == "application/x-www-form-urlencoded":
        return dict(parse_qsl(text, keep_blank_values=True, max_num_fields=1000))
    if kind.endswith("json") or text[:1] in {"{", "["}:
        try:
            return json.loads(text) if text.strip() else None
        except (ValueError, RecursionError):
            raise InvalidArgument.field("body", "JSON") from None
    return text or None

"""Round every call: trace, metrics, errors, request id, deadline, authentication, permission, validation."""

import asyncio
import contextlib
import time
import uuid
from types import TracebackType
from typing import Any

import grpc
import grpc.aio
import protovalidate
from grpc_status import rpc_status

from services.common import context, errors
from services.common.errors import (
    DeadlineExceeded,
    FieldViolation,
    Internal,
    InvalidArgument,
    ParleyError,
    PermissionDenied,
    Unauthenticated,
    Unimplemented,
)
from services.common.rpc.handlers import Method
from services.common.security.principal import Principal
from services.common.security.tokens import TokenVerifier
from services.common.telemetry.logs import logger
from services.common.telemetry.metrics import Metrics
from services.common.telemetry.tracing import Tracing

log = logger(__name__)
BEARER = "Bearer "
LONGEST_UNARY_SECONDS = 600.0
LONGEST_REQUEST_ID = 128


class Concerns:
    """What every call of a server shares."""

    def __init__(self, verifier: TokenVerifier, metrics: Metrics, tracing: Tracing) -> None:
        self.verifier = verifier
        self.metrics = metrics
        self.tracing = tracing

    def around(self, method: Method, request: Any, servicer_context: Any) -> "Call":  # noqa: ANN401
        """The async context manager of one call."""
        return Call(self, method, request, servicer_context)

    def known(self, method: Method, authorization: str) -> Principal | None:
        """Who is calling, if the token was seen before: no wait. PermissionDenied."""
        if method.public or not authorization.startswith(BEARER):
            return None
        principal = self.verifier.kept(authorization[len(BEARER) :])
        if principal is not None:
            permit(method, principal)
        return principal

    async def principal(self, method: Method, authorization: str) -> Principal | None:
        """Who is calling, with the right to. Unauthenticated, PermissionDenied."""
        if not authorization.startswith(BEARER):
            if method.public:
                return None
            raise Unauthenticated("expected an authorization header with a bearer token: sign in first")
        token = authorization[len(BEARER) :]
        if method.public:
            return await self._optional(token)
        principal = await self.verifier.verify(token)
        permit(method, principal)
        return principal

    async def _optional(self, token: str) -> Principal | None:
        try:
            return await self.verifier.verify(token)
        except Unauthenticated:
            return None


def permit(method: Method, principal: Principal) -> None:
    """PermissionDenied unless the caller may call this method."""
    if method.internal:
        if not principal.service:
            raise PermissionDenied("only services of the mesh may call this", reason="INTERNAL_ONLY")
        return
    if not principal.may(method.permission):
        raise PermissionDenied(
            f"this needs the permission {method.permission}", metadata={"permission": method.permission}
        )


def validate(request: Any) -> None:  # noqa: ANN401 - any message
    """The constraints of the proto. InvalidArgument that names each field."""
    try:
        protovalidate.validate(request)
    except protovalidate.ValidationError as error:
        found = [FieldViolation(path_of(item.proto), item.proto.message) for item in error.violations]
        text = "; ".join(f"{item.field}: {item.description}" if item.field else item.description for item in found)
        raise InvalidArgument(text, violations=found, metadata={"field": found[0].field}) from None


def path_of(violation: Any) -> str:  # noqa: ANN401 - buf.validate.Violation of protovalidate's own runtime
    """ "attachments[0].uri" from a violation."""
    parts = []
    for element in violation.field.elements if violation.field else ():
        subscript = element.subscript
        parts.append(element.field_name if subscript is None else f"{element.field_name}[{subscript.value}]")
    return ".".join(parts)


def compile_rules(request: Any) -> None:  # noqa: ANN401 - an empty message
    """Compile the constraints of a message: a broken rule ends the start, and no call pays for the compilation."""
    with contextlib.suppress(protovalidate.ValidationError):
        protovalidate.validate(request)


class Call:
    """One call: entered before the method, left after it."""

    __slots__ = ("_concerns", "_context", "_method", "_request", "_reset", "_span", "_started", "request_id")

    def __init__(self, concerns: Concerns, method: Method, request: Any, servicer_context: Any) -> None:  # noqa: ANN401
        self._concerns = concerns
        self._method = method
        self._request = request
        self._context = servicer_context
        self._reset: Any = None
        self._span: Any = None
        self._started = 0.0
        self.request_id = ""

    async def __aenter__(self) -> None:
        self._started = time.perf_counter()
        metadata = dict(self._context.invocation_metadata() or ())
        self.request_id = metadata.get("x-request-id", "")[:LONGEST_REQUEST_ID] or str(uuid.uuid4())
        try:
            await self._enter(metadata)
        except Exception as error:  # noqa: BLE001 - every error ends as a status
            await self._end(error)

    async def _enter(self, metadata: dict[str, str]) -> None:
        method = self._method
        remaining = self._context.time_remaining()
        if remaining is None and not method.response_streaming:
            raise InvalidArgument("a call needs a deadline", reason="DEADLINE_REQUIRED")
        authorization = metadata.get("authorization", "")
        principal = self._concerns.known(method, authorization) or await self._concerns.principal(method, authorization)
        traceparent = metadata.get("traceparent", "")
        if self._concerns.tracing.on:
            self._span = self._concerns.tracing.span(method.path, traceparent)
            traceparent = self._span.__enter__()
        deadline = None if remaining is None else time.monotonic() + min(remaining, LONGEST_UNARY_SECONDS)
        self._reset = context.CURRENT.set(context.CallContext(principal, deadline, self.request_id, traceparent))
        if not method.request_streaming:
            validate(self._request)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        if error is None:
            self._leave("OK")
            return False
        if isinstance(error, asyncio.CancelledError | GeneratorExit):
            self._leave("CANCELLED")
            return False
        if isinstance(error, grpc.aio.AbortError) or not isinstance(error, Exception):
            self._leave("ABORTED")
            return False
        await self._end(error)
        return False

    async def _end(self, error: Exception) -> None:
        told = self._told(error)
        self._leave(told.code.name)
        self._context.set_trailing_metadata((("x-request-id", self.request_id),))
        await self._context.abort_with_status(rpc_status.to_status(errors.to_status(told, self.request_id)))

    def _told(self, error: Exception) -> ParleyError:
        if isinstance(error, ParleyError):
            return error
        if isinstance(error, TimeoutError):
            return DeadlineExceeded("the deadline passed; try again with a longer one")
        if isinstance(error, NotImplementedError):
            return Unimplemented("this is not part of this installation")
        log.error("call failed", method=self._method.path, request=self.request_id, exc_info=error)
        return Internal(f"internal error; quote request {self.request_id}", metadata={"request_id": self.request_id})

    def _leave(self, code: str) -> None:
        self._concerns.metrics.observe(self._method.path, code, self._started)
        if self._reset is not None:
            with contextlib.suppress(ValueError):  # a stream may be closed from another context
                context.CURRENT.reset(self._reset)
            self._reset = None
        if self._span is not None:
            self._span.__exit__(None, None, None)
            self._span = None

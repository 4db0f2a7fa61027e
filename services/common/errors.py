"""The one error tree.

ParleyError
├── InvalidArgument      INVALID_ARGUMENT     a field is wrong
├── OutOfRange           OUT_OF_RANGE
├── Unauthenticated      UNAUTHENTICATED      no credential that verifies
├── PermissionDenied     PERMISSION_DENIED
├── NotFound             NOT_FOUND
├── AlreadyExists        ALREADY_EXISTS
├── FailedPrecondition   FAILED_PRECONDITION  the resource is not in a state for this
├── Aborted              ABORTED              two writers met
├── ResourceExhausted    RESOURCE_EXHAUSTED   a limit was reached
├── Unavailable          UNAVAILABLE          retryable: something is away
├── DeadlineExceeded     DEADLINE_EXCEEDED
├── Unimplemented        UNIMPLEMENTED
└── Internal             INTERNAL             a fault of ours
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import grpc
import grpc.aio
from google.rpc import error_details_pb2, status_pb2

DOMAIN = "parley"


@dataclass(frozen=True, slots=True)
class FieldViolation:
    """A field that was refused, and what was expected of it."""

    field: str
    description: str


class ParleyError(Exception):
    """What a service raises for its callers. `reason` is a name of parley.common.v1.ErrorReason without its prefix."""

    code: ClassVar[grpc.StatusCode] = grpc.StatusCode.INTERNAL
    default_reason: ClassVar[str] = "INTERNAL"
    retryable: ClassVar[bool] = False

    def __init__(
        self,
        message: str,
        *,
        reason: str | None = None,
        metadata: Mapping[str, str] | None = None,
        violations: Sequence[FieldViolation] = (),
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.reason = reason or self.default_reason
        self.metadata = dict(metadata or {})
        self.violations = tuple(violations)
        self.retry_after = retry_after


class InvalidArgument(ParleyError):
    """A field is missing or malformed."""

    code = grpc.StatusCode.INVALID_ARGUMENT
    default_reason = "INVALID_FIELD"

    @classmethod
    def field(cls, name: str, expected: str, got: object = None) -> InvalidArgument:
        """Name the field and what was expected of it."""
        shown = "" if got is None else f", got {str(got)[:80]!r}"
        text = f"{name}: expected {expected}{shown}"
        return cls(text, metadata={"field": name}, violations=[FieldViolation(name, f"expected {expected}{shown}")])


class OutOfRange(ParleyError):
    """A position beyond the end."""

    code = grpc.StatusCode.OUT_OF_RANGE
    default_reason = "INVALID_FIELD"


class Unauthenticated(ParleyError):
    """No credential, or one that does not verify."""

    code = grpc.StatusCode.UNAUTHENTICATED
    default_reason = "TOKEN_INVALID"


class PermissionDenied(ParleyError):
    """The caller may not do this."""

    code = grpc.StatusCode.PERMISSION_DENIED
    default_reason = "PERMISSION_MISSING"


class NotFound(ParleyError):
    """Not there, or not for this caller."""

    code = grpc.StatusCode.NOT_FOUND
    default_reason = "RESOURCE_NOT_FOUND"


class AlreadyExists(ParleyError):
    """The identifier is taken."""

    code = grpc.StatusCode.ALREADY_EXISTS
    default_reason = "RESOURCE_EXISTS"


class FailedPrecondition(ParleyError):
    """The resource is not in a state for this."""

    code = grpc.StatusCode.FAILED_PRECONDITION
    default_reason = "STATE_INVALID"


class Aborted(ParleyError):
    """Two writers met: read again and retry."""

    code = grpc.StatusCode.ABORTED
    default_reason = "CONFLICT"


class ResourceExhausted(ParleyError):
    """A limit was reached."""

    code = grpc.StatusCode.RESOURCE_EXHAUSTED
    default_reason = "LIMIT_REACHED"


class Unavailable(ParleyError):
    """Something the service needs is away; trying again helps."""

    code = grpc.StatusCode.UNAVAILABLE
    default_reason = "DEPENDENCY_UNAVAILABLE"
    retryable = True


class DeadlineExceeded(ParleyError):
    """The deadline passed."""

    code = grpc.StatusCode.DEADLINE_EXCEEDED
    default_reason = "DEADLINE_EXCEEDED"


class Unimplemented(ParleyError):
    """Not part of this installation."""

    code = grpc.StatusCode.UNIMPLEMENTED
    default_reason = "NOT_AVAILABLE"


class Internal(ParleyError):
    """A fault of the service."""


TREE: dict[grpc.StatusCode, type[ParleyError]] = {
    kind.code: kind
    for kind in (
        InvalidArgument,
        OutOfRange,
        Unauthenticated,
        PermissionDenied,
        NotFound,
        AlreadyExists,
        FailedPrecondition,
        Aborted,
        ResourceExhausted,
        Unavailable,
        DeadlineExceeded,
        Unimplemented,
        Internal,
    )
}


# What grpc itself says of a failed call names addresses: callers get these words instead.
UNEXPLAINED = {
    grpc.StatusCode.UNAVAILABLE: "a service that this needs is away; try again",
    grpc.StatusCode.DEADLINE_EXCEEDED: "the deadline passed; try again with a longer one",
    grpc.StatusCode.RESOURCE_EXHAUSTED: "a service that this needs has too much to do; try again",
    grpc.StatusCode.CANCELLED: "the call was cancelled",
    grpc.StatusCode.UNIMPLEMENTED: "this is not part of the installation",
}


def to_status(error: ParleyError, request_id: str = "") -> status_pb2.Status:
    """google.rpc.Status with one ErrorInfo and what else applies (AIP-193)."""
    status = status_pb2.Status(code=error.code.value[0], message=error.message)
    status.details.add().Pack(error_details_pb2.ErrorInfo(reason=error.reason, domain=DOMAIN, metadata=error.metadata))
    if error.violations:
        fields = [
            error_details_pb2.BadRequest.FieldViolation(field=item.field, description=item.description)
            for item in error.violations
        ]
        status.details.add().Pack(error_details_pb2.BadRequest(field_violations=fields))
    if error.retry_after is not None:
        retry = error_details_pb2.RetryInfo()
        retry.retry_delay.FromNanoseconds(int(error.retry_after * 1e9))
        status.details.add().Pack(retry)
    if request_id:
        status.details.add().Pack(error_details_pb2.RequestInfo(request_id=request_id))
    return status


def from_proto(status: status_pb2.Status) -> ParleyError:
    """The tree back from a status, reason and metadata kept."""
    reason: str | None = None
    metadata: dict[str, str] = {}
    violations: list[FieldViolation] = []
    retry_after: float | None = None
    info, bad, retry = error_details_pb2.ErrorInfo(), error_details_pb2.BadRequest(), error_details_pb2.RetryInfo()
    for detail in status.details:
        if detail.Unpack(info):
            reason, metadata = info.reason, dict(info.metadata)
        elif detail.Unpack(bad):
            violations = [FieldViolation(item.field, item.description) for item in bad.field_violations]
        elif detail.Unpack(retry):
            retry_after = retry.retry_delay.ToNanoseconds() / 1e9
    kind = next((cls for code, cls in TREE.items() if code.value[0] == status.code), Internal)
    return kind(status.message, reason=reason, metadata=metadata, violations=violations, retry_after=retry_after)


def from_status(error: grpc.aio.AioRpcError) -> ParleyError:
    """The caller's side: the tree back from what a stub raised."""
    for key, value in error.trailing_metadata() or ():
        if key == "grpc-status-details-bin":
            return from_proto(status_pb2.Status.FromString(value if isinstance(value, bytes) else value.encode()))
    kind = TREE.get(error.code(), Internal)
    if error.code() is grpc.StatusCode.CANCELLED:
        kind = Aborted
    return kind(UNEXPLAINED.get(error.code(), "the call failed"))

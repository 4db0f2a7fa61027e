"""The error tree: over the wire and back."""

import grpc
import grpc.aio
import pytest
from google.rpc import error_details_pb2
from hypothesis import given
from hypothesis import strategies as st
from parley.common.v1 import error_reason_pb2

from services.common import errors
from services.common.errors import FieldViolation, InvalidArgument, ParleyError, ResourceExhausted, Unavailable

pytestmark = pytest.mark.unit
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)


@given(
    kind=st.sampled_from(list(errors.TREE.values())),
    message=TEXT,
    reason=st.sampled_from(["LEASE_LOST", "CONFLICT"]),
    metadata=st.dictionaries(TEXT, TEXT, max_size=3),
    violations=st.lists(st.builds(FieldViolation, TEXT, TEXT), max_size=3),
    retry_after=st.none() | st.integers(0, 10_000).map(lambda milliseconds: milliseconds / 1000),
)
def test_an_error_comes_back_as_it_was(
    kind: type[ParleyError],
    message: str,
    reason: str,
    metadata: dict[str, str],
    violations: list[FieldViolation],
    retry_after: float | None,
) -> None:
    error = kind(message, reason=reason, metadata=metadata, violations=violations, retry_after=retry_after)
    back = errors.from_proto(errors.to_status(error, "request-1"))
    assert type(back) is kind
    assert (back.message, back.reason, back.metadata) == (message, reason, metadata)
    assert back.violations == tuple(violations)
    assert back.retry_after == pytest.approx(retry_after)


def test_a_status_has_one_error_info_and_what_else_applies() -> None:
    error = InvalidArgument.field("page_size", "zero or more", -1)
    status = errors.to_status(error, "request-1")
    info, request = error_details_pb2.ErrorInfo(), error_details_pb2.RequestInfo()
    assert [detail.Unpack(info) for detail in status.details] == [True, False, False]
    assert info.domain == "parley"
    assert info.reason == "INVALID_FIELD"
    assert status.details[-1].Unpack(request)
    assert request.request_id == "request-1"
    assert status.message == "page_size: expected zero or more, got '-1'"


def test_what_was_sent_is_shown_in_part_only() -> None:
    assert len(InvalidArgument.field("text", "something short", "x" * 5000).message) < 200


def test_every_default_reason_is_a_name_of_the_protos() -> None:
    for kind in errors.TREE.values():
        assert f"ERROR_REASON_{kind.default_reason}" in error_reason_pb2.ErrorReason.keys()  # noqa: SIM118


def test_only_unavailable_says_that_trying_again_helps() -> None:
    assert [kind for kind in errors.TREE.values() if kind.retryable] == [Unavailable]


def rpc_error(code: grpc.StatusCode, *trailing: tuple[str, bytes]) -> grpc.aio.AioRpcError:
    return grpc.aio.AioRpcError(code, grpc.aio.Metadata(), grpc.aio.Metadata(*trailing), details="told")


def test_a_callers_error_keeps_its_details() -> None:
    status = errors.to_status(ResourceExhausted("slow down", retry_after=1.5))
    back = errors.from_status(
        rpc_error(grpc.StatusCode.RESOURCE_EXHAUSTED, ("grpc-status-details-bin", status.SerializeToString()))
    )
    assert isinstance(back, ResourceExhausted)
    assert back.retry_after == 1.5


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (grpc.StatusCode.UNAVAILABLE, errors.Unavailable),
        (grpc.StatusCode.CANCELLED, errors.Aborted),
        (grpc.StatusCode.UNKNOWN, errors.Internal),
        (grpc.StatusCode.NOT_FOUND, errors.NotFound),
    ],
)
def test_a_bare_status_has_a_place_in_the_tree(code: grpc.StatusCode, kind: type[ParleyError]) -> None:
    assert type(errors.from_status(rpc_error(code))) is kind

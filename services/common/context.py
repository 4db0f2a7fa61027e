"""What is known of the call being served: a context variable, so that nothing is passed by hand."""

import contextlib
import time
import uuid
from collections.abc import Iterator
from contextvars import ContextVar
from dataclasses import dataclass

from services.common.security.principal import Principal


@dataclass(frozen=True, slots=True)
class CallContext:
    """principal: for whom; deadline: time.monotonic() seconds or None; request_id, traceparent: to pass on."""

    principal: Principal | None
    deadline: float | None = None
    request_id: str = ""
    traceparent: str = ""

    def remaining(self) -> float | None:
        """Seconds left, None without a deadline."""
        return None if self.deadline is None else self.deadline - time.monotonic()


CURRENT: ContextVar[CallContext] = ContextVar("parley_call")


def current() -> CallContext:
    """The call being served. LookupError outside one."""
    return CURRENT.get()


def current_or_none() -> CallContext | None:
    """The call being served, if any."""
    return CURRENT.get(None)


def principal() -> Principal:
    """For whom the call is made. LookupError outside a call and in a public one."""
    found = CURRENT.get().principal
    if found is None:
        message = "this call has no principal"
        raise LookupError(message)
    return found


@contextlib.contextmanager
def acting_for(who: Principal, *, seconds: float | None = None) -> Iterator[CallContext]:
    """A worker without an incoming call says for whom it acts, and how long it may take."""
    deadline = None if seconds is None else time.monotonic() + seconds
    made = CallContext(principal=who, deadline=deadline, request_id=str(uuid.uuid4()))
    token = CURRENT.set(made)
    try:
        yield made
    finally:
        CURRENT.reset(token)

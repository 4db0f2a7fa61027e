"""What a kind of channel must be able to do; each folder in adapters/ holds one."""

import enum
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from parley.common.v1 import content_pb2
from parley.session.v1 import ledger_service_pb2 as ledger_pb


@dataclass(frozen=True, slots=True)
class OpenChannel:
    """A channel with its secrets open. `secrets`: the newest first, then those that still verify."""

    tenant: uuid.UUID
    id: str
    kind: str
    bot: str
    uri: str = ""
    secrets: Sequence[bytes] = field(default=(), repr=False)

    @property
    def name(self) -> str:
        """ "channels/{channel}"."""
        return f"channels/{self.id}"


@dataclass(frozen=True, slots=True)
class Incoming:
    """A message of a person. `envelope`: the sender's name for the sending; `message`: for the message, may be empty.

    `body_digest` is of the bytes as they came, `message_digest` of what they say: the same message may be sent again in
    other bytes.
    """

    envelope: str
    message: str
    body_digest: bytes
    message_digest: bytes
    user: str
    text: str = ""
    display_name: str = ""
    locale: str = ""
    attachments: Sequence[content_pb2.Attachment] = ()

    @property
    def external_id(self) -> str:
        """What the ledger knows the message by."""
        return self.message or self.envelope


class Result(enum.Enum):
    """How an attempt ended."""

    DELIVERED = "delivered"
    RETRY = "retry"
    GONE = "gone"


@dataclass(frozen=True, slots=True)
class Outcome:
    """How an attempt ended. `status`: HTTP, 0 without an answer; `error`: our words; `retry_after`: seconds."""

    result: Result
    status: int = 0
    error: str = ""
    retry_after: float = 0.0


class Adapter(Protocol):
    """One kind of channel."""

    kind: str
    """Name of the kind as rows hold it, the enum's without its prefix, in small letters."""
    signed: bool
    """Whether its channels have a signing secret and a path for messages in."""

    async def check(self, uri: str) -> None:
        """InvalidArgument that names the field when a channel of this kind cannot have these settings."""

    def receive(self, channel: OpenChannel, headers: Mapping[str, str], body: bytes, now: float) -> Incoming:
        """What came in, verified on its bytes; `now` in Unix seconds. Unauthenticated, InvalidArgument, NotFound."""

    async def deliver(self, channel: OpenChannel, delivery: ledger_pb.Delivery, now: float) -> Outcome:
        """One attempt to hand a reply over. Never raises for what the other side does."""

"""The ports: how keywords write to people, whoever carries it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from services.engine.keywords.world import World


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file that goes with a mail."""

    name: str
    content: bytes
    content_type: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mail:
    """A mail before it is written out.

    to, cc, bcc, reply_to: addresses, as `ann@example.com` or `Ann <ann@example.com>`; body: text (Markdown is shown
    as such) or HTML; account: which of the bot's accounts sends, empty for its first; part: tells apart the mails of
    one effect.
    """

    to: Sequence[str]
    subject: str
    body: str
    cc: Sequence[str] = ()
    bcc: Sequence[str] = ()
    reply_to: Sequence[str] = ()
    attachments: Sequence[Attachment] = ()
    account: str = ""
    part: str = ""


class Mailer(Protocol):
    """Sends mail."""

    async def send(self, world: World, mail: Mail) -> str:
        """Hand it to the mail server; its Message-ID, the same when the effect is repeated. ProgramError for what is
        wrong with the mail or refused for good; Unavailable while the installation's own server is away.
        """
        ...

    async def written(self, world: World, mail: Mail) -> bytes:
        """The mail as it would be sent (RFC 5322). ProgramError."""
        ...


class Texter(Protocol):
    """Sends text messages to telephones."""

    async def send(self, world: World, number: str, text: str, *, provider: str = "", priority: str = "") -> str:
        """Hand it to the provider; its name for the message. ProgramError."""
        ...


class Outbox(Protocol):
    """Writes to a person by whatever channel their address names."""

    async def send(
        self, world: World, to: str, text: str, attachments: Sequence[Attachment] = (), part: str = ""
    ) -> str:
        """`email:ann@example.com`, `sms:+351...`, an address of mail, a number: the name of what was sent. ProgramError
        for a channel that this installation has not.
        """
        ...

"""From which mail server, as whom."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from services.engine.mail.people import mailbox
from services.engine.program.values import ProgramError

if TYPE_CHECKING:
    from collections.abc import Mapping

Security = Literal["starttls", "tls", "none"]
TLS_PORT = 465
PORTS = frozenset({25, 465, 587, 2525})
DEFAULT_PORT = 587


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """host, port: of the mail server; sender: `Bot <bot@example.com>`; own: the installation's, whose host is not
    guarded and whose failures pass.
    """

    host: str
    port: int = DEFAULT_PORT
    user: str = ""
    password: str = ""
    sender: str = ""
    security: Security = "starttls"
    own: bool = False
    reply_to: tuple[str, ...] = ()

    @property
    def address(self) -> str:
        """The sender's address alone."""
        return mailbox(self.sender)[1]


def account_of(config: Mapping[str, str], installation: Account | None, wanted: str) -> Account:
    """The account of a bot, `email-...` in its config.csv; the installation's when it has none. ProgramError.

    wanted: a name: then the keys are `email-{name}-server` and so on; or the address an account sends as.
    """
    if wanted and not sends_as(config, wanted):
        if config.get(f"email-{wanted}-server"):
            return configured(config, f"email-{wanted}")
        message = f"the bot has no account {wanted[:60]}: email-{wanted[:60]}-server is not in config.csv"
        raise ProgramError(message)
    if config.get("email-server"):
        return configured(config, "email")
    if installation is None:
        message = "not available on this installation: mail. Put email-server, email-user and email-pass in config.csv"
        raise ProgramError(message)
    return installed(config, installation)


def sends_as(config: Mapping[str, str], wanted: str) -> bool:
    """Whether the first account is the one that is wanted."""
    return wanted.strip().lower() in {config.get(key, "").strip().lower() for key in ("email-from", "email-user")}


def configured(config: Mapping[str, str], prefix: str) -> Account:
    """From keys of config.csv; always encrypted. ProgramError."""
    written = config.get(f"{prefix}-port", "").strip() or str(DEFAULT_PORT)
    if not written.isdecimal() or int(written) not in PORTS:
        message = f"{prefix}-port is one of {', '.join(map(str, sorted(PORTS)))}, there is {written[:20]!r}"
        raise ProgramError(message)
    sender = config.get(f"{prefix}-from", "").strip() or config.get(f"{prefix}-user", "").strip()
    mailbox(sender)
    return Account(
        host=config[f"{prefix}-server"].strip(),
        port=int(written),
        user=config.get(f"{prefix}-user", "").strip(),
        password=config.get(f"{prefix}-pass", ""),
        sender=sender,
        security="tls" if int(written) == TLS_PORT else "starttls",
    )


def installed(config: Mapping[str, str], installation: Account) -> Account:
    """The installation's; who answers writes to the bot. Its own sender stays, so that no bot writes as another."""
    reply_to = config.get("email-from", "").strip()
    if not reply_to:
        return installation
    mailbox(reply_to)
    return Account(
        host=installation.host,
        port=installation.port,
        user=installation.user,
        password=installation.password,
        sender=installation.sender,
        security=installation.security,
        own=True,
        reply_to=(reply_to,),
    )

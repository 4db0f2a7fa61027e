"""Mail over SMTP: encrypted, the server's certificate checked, within a deadline, known again when it is repeated."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from dataclasses import dataclass
from typing import TYPE_CHECKING

import aiosmtplib

from services.common.errors import Unavailable
from services.common.security.safe_client import Lookup, look_up
from services.engine.mail.accounts import account_of
from services.engine.mail.connecting import HostRefused, connected
from services.engine.mail.writing import message_id, recipients, written
from services.engine.program.values import ProgramError

if TYPE_CHECKING:
    from email.message import EmailMessage

    from services.common.cache import Cache
    from services.engine.keywords.world import World
    from services.engine.mail.accounts import Account
    from services.engine.mail.port import Mail
    from services.engine.web.limits import Limits

SECONDS = 30.0
FAREWELL_SECONDS = 2.0
REMEMBERED_SECONDS = 86_400
SERVICE_CLOSING = 421


@dataclass(frozen=True, slots=True)
class Envelope:
    """What goes to the server."""

    message: EmailMessage
    sender: str
    to: list[str]


class SmtpMailer:
    """The `Mailer` of this installation. `installation`: its own account, None when it has none."""

    def __init__(
        self,
        installation: Account | None,
        limits: Limits,
        cache: Cache,
        *,
        context: ssl.SSLContext | None = None,
        lookup: Lookup = look_up,
        seconds: float = SECONDS,
    ) -> None:
        self._installation = installation
        self._limits = limits
        self._cache = cache
        self._context = context or ssl.create_default_context()
        self._lookup = lookup
        self._seconds = seconds

    async def send(self, world: World, mail: Mail) -> str:
        """See `Mailer`. What is known to be sent already is not sent again."""
        account = account_of(world.config, self._installation, mail.account)
        message = await asyncio.to_thread(written, world, mail, account)
        envelope = Envelope(message, account.address, list(recipients(mail)))
        name = message_id(world, mail, account)
        mark = f"mail:sent:{world.tenant}:{name}"
        if await self._cache.get(mark) is None:
            await self._limits.admit(world.tenant)
            refused = await self._deliver(account, envelope)
            await self._cache.set(mark, b"1", REMEMBERED_SECONDS)
            if refused:
                message_text = f"the mail was sent, but its server refused {', '.join(refused)[:300]}"
                raise ProgramError(message_text)
        return name

    async def written(self, world: World, mail: Mail) -> bytes:
        """See `Mailer`."""
        account = account_of(world.config, self._installation, mail.account)
        return (await asyncio.to_thread(written, world, mail, account)).as_bytes()

    async def _deliver(self, account: Account, envelope: Envelope) -> list[str]:
        try:
            async with asyncio.timeout(self._seconds):
                return await self._transmit(account, envelope)
        except HostRefused:
            message = "the mail server is refused: expected a server of the public internet"
            raise ProgramError(message) from None
        except (OSError, TimeoutError, aiosmtplib.SMTPException) as wrapped:
            error = unwrapped(wrapped)
            message = failure(error)
            if account.own and is_away(error):
                raise Unavailable(message) from None
            raise ProgramError(message) from None

    async def _transmit(self, account: Account, envelope: Envelope) -> list[str]:
        """Who was refused, when others were not."""
        made = await connected(account, self._lookup)
        client = aiosmtplib.SMTP(
            hostname=account.host,
            sock=made,
            use_tls=account.security == "tls",
            start_tls=account.security == "starttls",
            tls_context=self._context,
            timeout=self._seconds,
            local_hostname=account.address.rpartition("@")[2],
        )
        try:
            await client.connect()
            if account.user:
                await client.login(account.user, account.password)
            refused, _ = await client.send_message(envelope.message, sender=envelope.sender, recipients=envelope.to)
            with contextlib.suppress(OSError, TimeoutError, aiosmtplib.SMTPException):  # it is sent, whatever follows
                await client.quit(timeout=FAREWELL_SECONDS)
        finally:
            client.close()
        return list(refused)


def unwrapped(error: Exception) -> Exception:
    """The refusal of a certificate within a failed connection; anything else as it is."""
    return error.__cause__ if isinstance(error.__cause__, ssl.SSLError) else error


def is_away(error: Exception) -> bool:
    """Whether the server is away, and trying again helps."""
    if isinstance(error, aiosmtplib.SMTPResponseException):
        return error.code == SERVICE_CLOSING
    if isinstance(error, ssl.SSLError):
        return False
    return isinstance(error, OSError | TimeoutError | aiosmtplib.SMTPServerDisconnected | aiosmtplib.SMTPTimeoutError)


def failure(error: Exception) -> str:
    """Our own words for why a mail was not sent: nothing of the server's, which may say more than scripts may know."""
    if isinstance(error, aiosmtplib.SMTPAuthenticationError):
        return "the mail server did not accept email-user and email-pass"
    if isinstance(error, aiosmtplib.SMTPRecipientsRefused | aiosmtplib.SMTPRecipientRefused):
        return "the mail server refused everybody the mail goes to"
    if isinstance(error, aiosmtplib.SMTPSenderRefused):
        return "the mail server does not accept the sender: see email-from"
    if isinstance(error, aiosmtplib.SMTPNotSupported) or type(error) is aiosmtplib.SMTPException:
        return "the mail server offers no encryption (STARTTLS) or no login: nothing is sent without"
    if isinstance(error, aiosmtplib.SMTPResponseException):
        return f"the mail server refused the mail ({error.code})"
    if isinstance(error, ssl.SSLError):
        return "no secure connection to the mail server: its certificate or protocol was refused"
    if isinstance(error, TimeoutError):
        return "the mail server did not answer in time"
    return "the mail server could not be reached"

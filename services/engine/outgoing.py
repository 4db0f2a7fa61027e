"""What stands behind the keywords that go outside: the web, mail, text messages. Built once a process."""

from collections.abc import Mapping, Sequence
from typing import Any

from services.common.cache import Cache
from services.common.security.safe_client import SafeClient
from services.engine.config import EngineSettings
from services.engine.mail.accounts import Account
from services.engine.mail.outbox import Routes
from services.engine.mail.port import Mailer, Outbox, Texter
from services.engine.mail.sms import HttpTexter
from services.engine.mail.smtp import SmtpMailer
from services.engine.web.client import Rules, SafeWeb
from services.engine.web.limits import Limits
from services.engine.web.port import Web


class Outgoing:
    """The ports, and the connections behind them."""

    def __init__(self, settings: EngineSettings, cache: Cache) -> None:
        client = SafeClient(loopback=settings.web_loopback, plain=settings.web_plain)
        requests = Limits(cache, per_minute=settings.web_requests_per_minute, at_once=settings.web_requests_at_once)
        mails = Limits(cache, per_minute=settings.mails_per_minute, at_once=settings.mails_per_minute, what="mail")
        self._web = SafeWeb(client, requests, rules_of(settings))
        mailer = SmtpMailer(account_of(settings), mails, cache)
        texter = HttpTexter(self._web, cache, settings.twilio_url)
        self.ports: Mapping[Any, Any] = {
            Web: self._web,
            Mailer: mailer,
            Texter: texter,
            Outbox: Routes(mailer, texter),
        }

    async def close(self) -> None:
        """Close all connections."""
        await self._web.close()


def rules_of(settings: EngineSettings) -> Rules:
    """What the installation says of the web."""
    by_tenant = settings.web_hosts_by_tenant.items()
    return Rules(
        allowed=lowered(settings.web_hosts),
        allowed_by_tenant={tenant: lowered(hosts) for tenant, hosts in by_tenant},
        own=settings.web_own_url,
    )


def lowered(hosts: Sequence[str]) -> tuple[str, ...]:
    """Patterns of hosts in small letters."""
    return tuple(host.strip().lower() for host in hosts if host.strip())


def account_of(settings: EngineSettings) -> Account | None:
    """The installation's account of mail; None without a server."""
    if not settings.mail_server:
        return None
    return Account(
        host=settings.mail_server,
        port=settings.mail_port,
        own=True,
        user=settings.mail_user,
        password=settings.mail_password.get_secret_value() if settings.mail_password else "",
        sender=settings.mail_from,
        security=settings.mail_security,
    )

"""How much of the web one tenant may ask: all replicas together, each for itself while Valkey is away."""

import pytest
from pydantic import SecretStr

from services.common.cache import Cache
from services.engine.config import EngineSettings
from services.engine.keywords.registry import registry
from services.engine.mail.port import Mailer, Outbox, Texter
from services.engine.outgoing import Outgoing, account_of, rules_of
from services.engine.program.values import ProgramError
from services.engine.web.limits import Limits
from services.engine.web.port import Web

pytestmark = pytest.mark.unit


class Counting(Cache):
    """Counts in this process; `away` as Valkey may be."""

    def __init__(self) -> None:
        super().__init__("")
        self.counts: dict[str, int] = {}
        self.away = False

    async def increment(self, key: str, seconds: int) -> int | None:
        if self.away:
            return None
        self.counts[key] = self.counts.get(key, 0) + 1
        return self.counts[key]


async def test_replicas_count_together() -> None:
    cache, moment = Counting(), [1000.0]
    replicas = [Limits(cache, per_minute=4, at_once=1, now=lambda: moment[0]) for _ in range(2)]
    for replica in replicas * 2:
        await replica.admit("t1")
    for replica in replicas:
        with pytest.raises(ProgramError, match="more than 4 requests within a minute"):
            await replica.admit("t1")
        await replica.admit("t2")
    moment[0] += 60
    await replicas[0].admit("t1")


async def test_each_counts_alone_while_valkey_is_away() -> None:
    cache = Counting()
    cache.away = True
    replicas = [Limits(cache, per_minute=2, at_once=1, now=lambda: 1000.0) for _ in range(2)]
    for replica in replicas:
        for _ in range(2):
            await replica.admit("t1")
        with pytest.raises(ProgramError):
            await replica.admit("t1")


def settings(**what: object) -> EngineSettings:
    given = {
        "web_hosts": (" *.Example.com ",), "web_hosts_by_tenant": {"t1": ("a.example.com",)}, "web_own_url": "",
        "web_loopback": False, "web_plain": False, "web_requests_per_minute": 1, "web_requests_at_once": 1,
        "mails_per_minute": 1, "twilio_url": "https://twilio.test", "mail_server": "", "mail_port": 587,
        "mail_user": "u", "mail_password": SecretStr("p"), "mail_from": "Bot <bot@b.test>", "mail_security": "tls",
    }  # fmt: skip
    return EngineSettings.model_construct(None, **(given | what))


async def test_every_port_of_the_outside_stands_behind_its_keywords() -> None:
    outgoing = Outgoing(settings(), Cache(""))
    assert set(outgoing.ports) == {Web, Mailer, Texter, Outbox}
    await outgoing.close()
    assert all(item.syntax or item.perform for item in registry().by_name.values() if item.group == "mail")


def test_what_the_installation_says() -> None:
    rules = rules_of(settings())
    assert (rules.allowed, dict(rules.allowed_by_tenant)) == (("*.example.com",), {"t1": ("a.example.com",)})
    assert account_of(settings()) is None
    account = account_of(settings(mail_server="relay"))
    assert account is not None
    assert (account.host, account.password, account.own, account.address) == ("relay", "p", True, "bot@b.test")

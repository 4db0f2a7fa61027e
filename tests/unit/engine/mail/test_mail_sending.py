"""Mail over real SMTP: encrypted or not at all, to servers that may be asked, once."""

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

from services.common.cache import Cache
from services.common.errors import Unavailable
from services.common.identifiers import derived_id
from services.engine.mail.accounts import Account, account_of
from services.engine.mail.port import Attachment, Mail
from services.engine.mail.smtp import SmtpMailer
from services.engine.program.values import ProgramError
from services.engine.web.limits import Limits
from tests.doubles.mail_server import Certificates, MailServer
from tests.unit.engine.mail.conftest import Start, world_of

pytestmark = pytest.mark.unit
HELLO = Mail(to=["ann@example.com"], subject="Hello", body="Hello **Ann**")


class Remembering(Cache):
    """A cache of this process."""

    def __init__(self) -> None:
        super().__init__("")
        self.held: dict[str, bytes] = {}

    async def get(self, key: str) -> bytes | None:
        return self.held.get(key)

    async def set(self, key: str, value: bytes, seconds: int) -> None:
        self.held[key] = value


def here(host: str, port: int) -> Sequence[str]:
    return ["127.0.0.1"]


def account(server: MailServer, **what: Any) -> Account:
    given: dict[str, Any] = {"host": "localhost", "port": server.port, "sender": "Bot <bot@parley.test>", "own": True}
    return Account(**(given | what))


def mailer(installation: Account | None, certificates: Certificates, **what: Any) -> SmtpMailer:
    given: dict[str, Any] = {"context": certificates.client, "lookup": here, "seconds": 10.0}
    limits = Limits(Cache(""), per_minute=what.pop("per_minute", 1000), at_once=8, what="mail")
    return SmtpMailer(installation, limits, what.pop("cache", Cache("")), **(given | what))


async def test_a_mail_arrives_encrypted_with_both_its_forms(serve: Start, trusted: Certificates) -> None:
    server = await serve(tls=trusted.server, users={"bot": "pw"})
    sender = mailer(account(server, user="bot", password="pw"), trusted)
    mail = Mail(
        to=["Ann Ä <ann@example.com>", "bob@bücher.example"], cc=["cy@example.com"], bcc=["dee@example.com"],
        subject="Grüße", body="Hello **Ann**\nsee you", attachments=[Attachment("reports/a.csv", b"a,b\n")],
    )  # fmt: skip
    name = await sender.send(world_of(), mail)
    (came,) = server.received
    assert (came.encrypted, came.user, came.sender) == (True, "bot", "bot@parley.test")
    assert came.to == ["ann@example.com", "bob@xn--bcher-kva.example", "cy@example.com", "dee@example.com"]
    assert came.message["To"] == "Ann Ä <ann@example.com>, bob@xn--bcher-kva.example"
    assert (came.message["Subject"], came.message["Cc"], came.message["Bcc"]) == ("Grüße", "cy@example.com", None)
    assert came.message["Message-ID"] == name == f"<{derived_id('mail', 'ab' * 32, '')}@parley.test>"
    assert came.part("text/plain").split() == ["Hello", "**Ann**", "see", "you"]
    assert "<strong>Ann</strong><br />\nsee you" in came.part("text/html").replace("\r", "")
    (file,) = came.message.iter_attachments()
    assert (file.get_filename(), file.get_content_type(), file.get_payload(decode=True)) == (
        "a.csv",
        "text/csv",
        b"a,b\n",
    )


async def test_html_is_sent_as_it_is_with_a_text_beside_it(serve: Start, trusted: Certificates) -> None:
    server = await serve(tls=trusted.server, implicit=True)
    html = "<html><head><style>p{}</style></head><body><h1>Hi</h1><p>Ann &amp; Bob</p></body></html>"
    await mailer(account(server, security="tls"), trusted).send(
        world_of(), Mail(to=["ann@example.com"], subject="x", body=html)
    )
    (came,) = server.received
    assert (came.encrypted, came.part("text/plain").split()) == (True, ["Hi", "Ann", "&", "Bob"])
    assert came.part("text/html").strip() == html


async def test_nothing_is_sent_without_the_encryption_that_is_wanted(serve: Start, trusted: Certificates) -> None:
    plain = await serve()
    for user in ("", "bot"):
        with pytest.raises(ProgramError, match="offers no encryption"):
            await mailer(account(plain, user=user, password="pw"), trusted).send(world_of(), HELLO)
    assert plain.received == []
    await mailer(account(plain, security="none"), trusted).send(world_of(), HELLO)
    assert [came.encrypted for came in plain.received] == [False]


@pytest.mark.parametrize("security", ["starttls", "tls"])
async def test_the_certificate_is_checked(
    serve: Start, trusted: Certificates, foreign: Certificates, security: Any
) -> None:
    for tls, context in ((foreign.server, trusted), (foreign.server, foreign)):
        server = await serve(tls=tls, implicit=security == "tls")
        with pytest.raises(ProgramError, match="no secure connection"):
            await mailer(account(server, security=security), context).send(world_of(), HELLO)
        assert server.received == []


async def test_a_repeated_mail_is_known_by_its_name_and_not_sent_again(serve: Start, trusted: Certificates) -> None:
    server = await serve(tls=trusted.server)
    first = mailer(account(server), trusted)
    names = [await first.send(world_of(), HELLO) for _ in range(2)]
    assert [came.message["Message-ID"] for came in server.received] == names
    assert names[0] == names[1]
    remembering = mailer(account(server), trusted, cache=Remembering())
    for key in ("k1", "k1", "k2"):
        await remembering.send(world_of(key=key), HELLO)
    await remembering.send(world_of(key="k1"), Mail(to=HELLO.to, subject="x", body="y", part="2"))
    assert len(server.received) == 2 + 3
    assert len({came.message["Message-ID"] for came in server.received}) == 4


async def test_refusals_are_said_in_our_words(serve: Start, trusted: Certificates) -> None:
    server = await serve(tls=trusted.server, users={"bot": "right"})
    with pytest.raises(ProgramError, match="did not accept email-user"):
        await mailer(account(server, user="bot", password="wrong"), trusted).send(world_of(), HELLO)
    server = await serve(tls=trusted.server, refused={"ann@example.com": "550 secret words"})
    with pytest.raises(ProgramError, match="refused everybody") as caught:
        await mailer(account(server), trusted).send(world_of(), HELLO)
    assert "secret" not in str(caught.value)
    both = Mail(to=["ann@example.com", "bob@example.com"], subject="x", body="y")
    with pytest.raises(ProgramError, match=r"was sent, but its server refused ann@example\.com"):
        await mailer(account(server), trusted).send(world_of(), both)
    assert [came.to for came in server.received] == [["bob@example.com"]]
    server = await serve(tls=trusted.server, answer="554 secret words")
    with pytest.raises(ProgramError, match=r"refused the mail \(554\)"):
        await mailer(account(server), trusted).send(world_of(), HELLO)


async def test_only_an_own_server_that_is_away_is_waited_for(serve: Start, trusted: Certificates) -> None:
    server = await serve(tls=trusted.server, answer="421 closing")
    with pytest.raises(Unavailable):
        await mailer(account(server), trusted).send(world_of(), HELLO)
    await server.stop()
    with pytest.raises(Unavailable):
        await mailer(account(server), trusted).send(world_of(), HELLO)
    silent = await serve(silent=True)
    with pytest.raises(Unavailable, match="in time"):
        await mailer(account(silent), trusted, seconds=0.2).send(world_of(), HELLO)


CONFIG = {"email-server": "mail.example.com", "email-user": "bot@example.com", "email-pass": "pw"}


@pytest.mark.parametrize(
    ("host", "addresses"),
    [
        ("mail.example.com", ["127.0.0.1"]),
        ("mail.example.com", ["93.184.215.14", "10.0.0.1"]),
        ("mail.example.com", ["::1"]),
        ("mail.example.com", ["::ffff:127.0.0.1"]),
        ("127.0.0.1", []),
        ("2130706433", ["127.0.0.1"]),
        ("10.0.0.1", []),
        ("[::1]", ["::1"]),
        ("localhost", ["127.0.0.1"]),
    ],
)
async def test_a_server_of_a_bot_is_on_the_public_internet(
    serve: Start, trusted: Certificates, host: str, addresses: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    async def never(*_: Any) -> None:
        pytest.fail("a connection was made")

    monkeypatch.setattr(asyncio.get_running_loop(), "sock_connect", never, raising=False)
    world = world_of(config={**CONFIG, "email-server": host})
    with pytest.raises(ProgramError, match="the mail server is refused"):
        await mailer(None, trusted, lookup=lambda _host, _port: addresses).send(world, HELLO)


def test_accounts_of_a_bot() -> None:
    own = Account(host="relay", sender="Parley <no-reply@parley.test>", own=True)
    found = account_of(CONFIG, own, "")
    assert (found.host, found.port, found.address, found.security, found.own) == (
        "mail.example.com", 587, "bot@example.com", "starttls", False,
    )  # fmt: skip
    assert account_of({**CONFIG, "email-port": "465"}, own, "bot@example.com").security == "tls"
    assert account_of({}, own, "") is own
    replied = account_of({"email-from": "shop@example.com"}, own, "")
    assert (replied.address, replied.reply_to, replied.own) == ("no-reply@parley.test", ("shop@example.com",), True)
    sales = {"email-sales-server": "mail.b.test", "email-sales-from": "sales@b.test", "email-sales-port": "2525"}
    assert account_of({**CONFIG, **sales}, own, "sales").address == "sales@b.test"


@pytest.mark.parametrize(
    ("config", "wanted", "said"),
    [
        ({}, "", "not available on this installation: mail"),
        (CONFIG, "other", "no account other"),
        ({**CONFIG, "email-port": "6379"}, "", "email-port is one of 25, 465, 587, 2525"),
        ({**CONFIG, "email-port": "x"}, "", "email-port is one of"),
        ({**CONFIG, "email-user": "bot", "email-from": ""}, "", "an address such as"),
    ],
)
def test_accounts_that_there_are_not(config: dict[str, str], wanted: str, said: str) -> None:
    with pytest.raises(ProgramError, match=said):
        account_of(config, None, wanted)


@pytest.mark.parametrize(
    "what",
    [
        {"subject": "a\r\nBcc: evil@example.com"}, {"subject": "a\nb"}, {"subject": "a\u2028b"},
        {"to": ["ann@example.com\r\nBcc: x@example.com"]}, {"to": ["Ann\r\nX: y <ann@example.com>"]}, {"to": []},
        {"to": ["nobody"]}, {"to": ["@example.com"]}, {"to": ["a@b"]}, {"to": ["a b@example.com"]},
        {"to": ["a@exa mple.com"]}, {"to": ["<a@example.com>>"]}, {"cc": ["x"]}, {"reply_to": ["x\r\n@a.test"]},
        {"to": ["ü@example.com"]}, {"to": ["a@-x.example.com"]}, {"body": "x" * 500_001},
        {"attachments": [Attachment("a", bytes(11 * 1024 * 1024))] * 2}, {"attachments": [Attachment("a", b"")] * 21},
    ],
)  # fmt: skip
async def test_no_mail_says_more_than_it_should(serve: Start, trusted: Certificates, what: dict[str, Any]) -> None:
    server = await serve(tls=trusted.server)
    given: dict[str, Any] = {"to": ["ann@example.com"], "subject": "Hello", "body": "Hello"}
    with pytest.raises(ProgramError):
        await mailer(account(server), trusted).send(world_of(), Mail(**(given | what)))
    assert server.connections == 0


async def test_long_and_hostile_texts_are_written_in_time(serve: Start, trusted: Certificates) -> None:
    sender = mailer(account(await serve(tls=trusted.server)), trusted)
    for body in ("<a " * 160_000, "<p>" + "<a " * 160_000, "![" * 200_000, "[" * 20_000, "<p " * 160_000):
        async with asyncio.timeout(15):
            raw = await sender.written(world_of(), Mail(to=["ann@example.com"], subject="x", body=body))
        assert len(raw) > 10_000
    for to in ('"a,' * 10_000, " " * 500_000, "a" * 501):
        with pytest.raises(ProgramError):
            await sender.send(world_of(), Mail(to=[to], subject="x", body="y"))


async def test_names_of_attachments_are_names(serve: Start, trusted: Certificates) -> None:
    server = await serve(tls=trusted.server)
    names = ["../../etc/passwd", "C:\\x\\b.pdf", "c\r\nX-Evil: 1.txt", "", "Grüße.txt"]
    mail = Mail(to=["ann@example.com"], subject="x", body="y", attachments=[Attachment(name, b"z") for name in names])
    await mailer(account(server), trusted).send(world_of(), mail)
    message = server.received[0].message
    assert [part.get_filename() for part in message.iter_attachments()] == [
        "passwd", "b.pdf", "cX-Evil: 1.txt", "file", "Grüße.txt",
    ]  # fmt: skip
    assert message["X-Evil"] is None


async def test_a_tenant_sends_so_many_mails_a_minute(serve: Start, trusted: Certificates) -> None:
    server = await serve(tls=trusted.server)
    sender = mailer(account(server), trusted, per_minute=1)
    await sender.send(world_of(), HELLO)
    with pytest.raises(ProgramError, match="within a minute"):
        await sender.send(world_of(key="other"), HELLO)
    assert len(server.received) == 1

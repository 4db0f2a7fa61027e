"""Text messages, the choice of a way to somebody, templates and drafts."""

from collections.abc import AsyncIterator, Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.common.cache import Cache
from services.common.security.safe_client import SafeClient
from services.engine.keywords.world import World
from services.engine.mail import stored
from services.engine.mail.filling import filled, places
from services.engine.mail.outbox import Routes, route
from services.engine.mail.people import listed, mailbox, phone
from services.engine.mail.port import Attachment, Mail
from services.engine.mail.sms import HttpTexter
from services.engine.program.values import ProgramError
from services.engine.web.client import Rules, SafeWeb
from services.engine.web.limits import Limits
from tests.doubles.twilio import Twilio
from tests.doubles.web_site import WebSite
from tests.unit.engine.mail.conftest import MemoryFiles, world_of
from tests.unit.engine.mail.test_mail_sending import Remembering

pytestmark = pytest.mark.unit
CONFIG = {"twilio-account-sid": "AC123", "twilio-auth-token": "secret", "twilio-from-number": "+15550001111"}


@pytest.fixture
async def web() -> AsyncIterator[SafeWeb]:
    made = SafeWeb(SafeClient(loopback=True), Limits(Cache(""), per_minute=100, at_once=8), Rules())
    yield made
    await made.close()


@pytest.fixture
async def twilio() -> AsyncIterator[Twilio]:
    made = Twilio()
    await made.start()
    yield made
    await made.stop()


@pytest.fixture
async def site() -> AsyncIterator[WebSite]:
    made = WebSite()
    await made.start()
    yield made
    await made.stop()


async def test_a_text_message_by_twilio(web: SafeWeb, twilio: Twilio) -> None:
    texter = HttpTexter(web, Cache(""), twilio.url)
    world = world_of(config=CONFIG, settings={"headers": {"Authorization": "of the conversation"}})
    assert await texter.send(world, "+351 912-345-678", "Olá & bye", priority="urgent") == f"SM{1:032d}"
    assert twilio.sent == [{"To": "+351912345678", "Body": "Olá & bye", "From": "+15550001111"}]
    service = {"twilio-messaging-service-sid": "MG1", "twilio-status-callback": "https://a.test/"}
    await texter.send(world_of(config=CONFIG | service), "00351912345678", "x")
    assert twilio.sent[1] == {
        "To": "+351912345678", "Body": "x", "MessagingServiceSid": "MG1", "StatusCallback": "https://a.test/",
    }  # fmt: skip


async def test_a_text_message_is_sent_once(web: SafeWeb, twilio: Twilio) -> None:
    texter = HttpTexter(web, Remembering(), twilio.url)
    names = {await texter.send(world_of(config=CONFIG), "+351912345678", "x") for _ in range(2)}
    assert (len(names), len(twilio.sent)) == (1, 1)
    await texter.send(world_of(config=CONFIG, key="other"), "+351912345678", "x")
    assert len(twilio.sent) == 2


async def test_a_provider_of_ones_own(web: SafeWeb, twilio: Twilio, site: WebSite) -> None:
    template = '{"n": "{{to}}", "t": "{{message}}"}'
    config = {
        "sms-provider": "custom", "sms-custom-url": site.url("/echo"), "sms-custom-from": "Shop",
        "sms-custom-auth-header": "X-Key: k", "sms-custom-body-template": template,
    }  # fmt: skip
    texter = HttpTexter(web, Cache(""), twilio.url)
    await texter.send(world_of(config=config), "+351912345678", 'say "hi"\n')
    assert site.asked[0].body == b'{"n": "+351912345678", "t": "say \\"hi\\"\\n"}'
    assert (site.asked[0].headers["x-key"], site.asked[0].method) == ("k", "POST")
    plain = {"sms-custom-url": site.url("/echo"), "sms-custom-auth-header": "Bearer t", "sms-custom-method": "put"}
    await texter.send(world_of(config=plain | {"sms-default-priority": "high"}), "+351912345678", "x")
    assert site.asked[1].body == b'{"to":"+351912345678","from":"","message":"x","priority":"high"}'
    assert (site.asked[1].headers["authorization"], site.asked[1].method) == ("Bearer t", "PUT")


async def test_the_fallback_is_asked_when_the_first_fails(web: SafeWeb, twilio: Twilio, site: WebSite) -> None:
    config = CONFIG | {
        "sms-provider": "custom",
        "sms-custom-url": site.url("/nowhere"),
        "sms-fallback-provider": "twilio",
    }
    texter = HttpTexter(web, Cache(""), twilio.url)
    await texter.send(world_of(config=config), "+351912345678", "x")
    assert (len(site.asked), len(twilio.sent)) == (1, 1)
    twilio.fault = 500
    with pytest.raises(ProgramError, match=r"\(custom\) refused it \(404\)"):
        await texter.send(world_of(config=config), "+351912345678", "x")


@pytest.mark.parametrize(
    ("config", "number", "text", "said"),
    [
        ({}, "+351912345678", "x", "not available on this installation: text messages"),
        ({"sms-provider": "vonage"}, "+351912345678", "x", "text messages through vonage"),
        (CONFIG, "12", "x", "a number such as"),
        (CONFIG, "+35191234567\n8x", "x", "a number such as"),
        (CONFIG, "+351912345678", "", "1 to 1600 characters"),
        (CONFIG, "+351912345678", "x" * 1601, "1 to 1600 characters"),
        (CONFIG | {"sms-default-priority": "x"}, "+351912345678", "x", "the priority"),
        (CONFIG | {"twilio-from-number": ""}, "+351912345678", "x", "twilio-from-number or twilio-phone-number"),
        (CONFIG | {"twilio-auth-token": "wrong"}, "+351912345678", "x", r"\(twilio\) refused it \(401\)"),
        (CONFIG | {"twilio-account-sid": "../x"}, "+351912345678", "x", "letters and digits"),
        ({"sms-custom-url": "http://10.0.0.1/"}, "+351912345678", "x", "the address is refused"),
        ({"sms-custom-url": "https://a.test/", "sms-custom-method": "GET"}, "+351912345678", "x", "POST or PUT"),
    ],
)
async def test_text_messages_that_are_not_sent(
    web: SafeWeb, twilio: Twilio, config: dict[str, str], number: str, text: str, said: str
) -> None:
    with pytest.raises(ProgramError, match=said) as caught:
        await HttpTexter(web, Cache(""), twilio.url).send(world_of(config=config), number, text)
    assert "secret" not in str(caught.value)
    assert twilio.sent == []


class Mails:
    """A mailer that writes down what it is given."""

    def __init__(self) -> None:
        self.sent: list[Mail] = []

    async def send(self, world: World, mail: Mail) -> str:
        self.sent.append(mail)
        return "sent"

    async def written(self, world: World, mail: Mail) -> bytes:
        return b""


class Texts:
    """A texter that writes down what it is given."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, str]] = []

    async def send(self, world: World, number: str, text: str, *, provider: str = "", priority: str = "") -> str:
        self.sent.append((number, text))
        return "sent"


async def test_the_way_to_somebody_is_in_their_address() -> None:
    mails, texts = Mails(), Texts()
    outbox = Routes(mails, texts)
    files: Sequence[Attachment] = [Attachment("a.txt", b"x")]
    await outbox.send(world_of(), "email:ann@example.com", "Hello\nyou", files)
    await outbox.send(world_of(config={"bot-name": "Shop"}), "Ann <ann@example.com>", "x" * 100)
    await outbox.send(world_of(), "ann@example.com", "")
    assert [(mail.to, mail.subject) for mail in mails.sent] == [
        (["ann@example.com"], "Hello"), (["Ann <ann@example.com>"], "Shop"), (["ann@example.com"], "shop"),
    ]  # fmt: skip
    assert mails.sent[0].attachments == files
    for to in ("sms:+351912345678", "+351912345678", "tel:351 912 345 678"):
        await outbox.send(world_of(), to, "hi")
    assert len(texts.sent) == 3
    for to, attached, said in (
        ("whatsapp:+351912345678", (), "messages to whatsapp"),
        ("teams:ann", (), "messages to teams"),
        ("+351912345678", files, "files to sms"),
        ("ann", (), "whom to write to"),
        ("", (), "whom to write to"),
    ):
        with pytest.raises(ProgramError, match=said):
            await outbox.send(world_of(), to, "hi", attached)
    assert route("WhatsApp: +1 555 000 1111") == ("whatsapp", "+1 555 000 1111")


def test_places_of_a_template() -> None:
    values = {"name": "<Ann>", "order": {"lines": [{"n": 5}], "total": 2.5}, "__class__": "x"}
    assert filled("{{name}} {{ order.lines.0.n }} {{Order.Total}} {{no}}{{a.b}} {{{name}}}", values) == (
        "<Ann> 5 2.5  <Ann>"
    )
    assert filled("<p>{{name}}</p>", values) == "<p>&lt;Ann&gt;</p>"
    assert filled("{{name}}", {"name": "{{name}}"}) == "{{name}}"
    assert filled("{{ 1 + 1 }} {{#if x}} {{name!r}} {% x %}", values) == "{{ 1 + 1 }} {{#if x}} {{name!r}} {% x %}"
    assert places("{{a}} {{b.c}} {{a}}") == ["a", "b.c"]
    with pytest.raises(ProgramError, match="a filled template"):
        filled("{{x}}" * 1000, {"x": "y" * 1000})


@given(st.text(), st.text())
def test_no_value_becomes_markup_or_a_place(template: str, value: str) -> None:
    made = filled("<p>{{value}}</p>" + template.replace("{", ""), {"value": value})
    inner = made[3 : made.index("</p>")]
    assert "<" not in inner
    assert '"' not in inner


async def test_templates_are_files_of_the_drive() -> None:
    files: Any = MemoryFiles(
        {"templates/news.html": b"<p>{{x}}</p>", "templates/bad.json": b"[", "templates/odd.exe": b"x"}
    )
    fields = {"channel": "email", "subject": "Hi {{name}}", "content": "Dear {{name}}, {{order.id}}"}
    await stored.keep(files, world_of(), "welcome", fields)
    found = await stored.template(files, world_of(), "welcome")
    assert found == {"name": "welcome", **fields, "variables": ["name", "order.id"]}
    news = await stored.template(files, world_of(), "news")
    assert (news["content"], news["variables"]) == ("<p>{{x}}</p>", ["x"])
    del files.held["templates/bad.json"]
    listing = await stored.templates(files, world_of())
    assert [entry["name"] for entry in listing] == ["news", "welcome"]
    assert await stored.templates(files, world_of(), "sms") == []
    path = await stored.keep_draft(files, world_of(), b"x")
    assert path.startswith("drafts/")
    assert await stored.keep_draft(files, world_of(), b"x") == path


@pytest.mark.parametrize("name", ["../x", "a/b", "", ".", "a\\b", "a" * 65, "..", "a\nb", "none", "broken"])
async def test_templates_that_there_are_not(name: str) -> None:
    files: Any = MemoryFiles({"templates/broken.json": b"[1]", "x.json": b"{}", "drafts/a.eml": b""})
    with pytest.raises(ProgramError):
        await stored.template(files, world_of(), name)
    with pytest.raises(ProgramError):
        await stored.keep(files, world_of(), name, {"content": ""})
    if name not in {"none", "broken"}:
        with pytest.raises(ProgramError, match="the name of a template"):
            await stored.keep(files, world_of(), name, {"content": "x"})


def test_addresses_as_scripts_write_them() -> None:
    assert listed('a@x.test; "Doe, Ann" <b@x.test>, c@x.test') == ["a@x.test", '"Doe, Ann" <b@x.test>', "c@x.test"]
    assert listed([{"Email": "a@x.test"}, ["b@x.test"], "", None]) == ["a@x.test", "b@x.test"]
    assert mailbox('"Doe, Ann" <b@x.test>') == ("Doe, Ann", "b@x.test")
    assert phone("(351) 912 345 678") == "+351912345678"
    for bad in ([f"a{n}@x.test" for n in range(51)], {"name": "Ann"}):
        with pytest.raises(ProgramError):
            listed(bad)

"""Keywords of mail and messages: every form, and what comes of it."""

import email
import email.policy
from collections.abc import Sequence
from typing import Any

import pytest

from services.engine.files.port import Files
from services.engine.keywords.registry import registry
from services.engine.keywords.world import Performed
from services.engine.mail.accounts import Account
from services.engine.mail.port import Attachment, Mail, Mailer, Outbox, Texter
from services.engine.mail.writing import written
from services.engine.program.values import ProgramError, Value
from services.engine.web.port import Page, Request, Web
from tests.unit.engine.mail.conftest import MemoryFiles, world_of
from tests.unit.engine.scripts import codes, play

pytestmark = pytest.mark.unit
KEYWORDS = [keyword for keyword in registry().by_name.values() if keyword.group in {"mail", "social"}]
VARIABLES = {"who": "a@b.test", "text": "Hi", "files": ["a.pdf"], "people": ["a@b.test"], "data": {"k": 1}, "id": 7}
MAIL: dict[str, Value] = {"to": "a@b.test", "subject": "S", "body": "Hi"}
FORMS: list[tuple[str, str, dict[str, Value]]] = [
    ('SEND MAIL who, "S", text', "SEND MAIL", MAIL),
    ('SEND MAIL who, "S", text, files', "SEND MAIL", {**MAIL, "attachments": ["a.pdf"]}),
    ('SEND MAIL who, "S", text, [] USING "acct"', "SEND MAIL", {**MAIL, "attachments": [], "account": "acct"}),
    ('SEND MAIL who, "S", text USING "acct"', "SEND MAIL", {**MAIL, "account": "acct"}),
    ('x = SEND MAIL who, "S", text', "SEND MAIL", MAIL),
    ("SEND EMAIL who, text", "SEND MAIL", {"to": "a@b.test", "body": "Hi"}),
    ('SEND EMAIL TO who SUBJECT "S" BODY text', "SEND MAIL", MAIL),
    ('send email to "a@b.test" subject "S" body "Hi"', "SEND MAIL", MAIL),
    ('SEND EMAIL TO who SUBJECT "S" BODY text ATTACHMENTS files', "SEND MAIL", {**MAIL, "attachments": ["a.pdf"]}),
    ('SEND MAIL TO who, "S", text', "SEND MAIL", MAIL),
    ('SEND_MAIL "a@b.test", "S", text', "SEND MAIL", MAIL),
    ("BEGIN MAIL a@b.test\nSubject: S\n\nHi\nEND MAIL", "SEND MAIL", MAIL),
    ('BEGIN MAIL who\nSubject: ${"S"}\nCc: c@b.test\n\n${text}\nEND MAIL', "SEND MAIL", {**MAIL, "cc": "c@b.test"}),
    ('CREATE DRAFT who, "S", text', "CREATE DRAFT", MAIL),
    ('CREATE_DRAFT "a@b.test", "S", text', "CREATE DRAFT", MAIL),
    (
        'SEND TEMPLATE "n", "email", who, data',
        "SEND TEMPLATE",
        {"template": "n", "channel": "email", "to": "a@b.test", "variables": {"k": 1}},
    ),
    ('SEND TEMPLATE "n", who, "email"', "SEND TEMPLATE", {"template": "n", "channel": "a@b.test", "to": "email"}),
    (
        'SEND TEMPLATE TO who, "n", {"k": 1}',
        "SEND TEMPLATE",
        {"to": "a@b.test", "template": "n", "variables": {"k": 1}},
    ),
    (
        'SEND TEMPLATE "n" TO who WITH k = 1, l = 2',
        "SEND TEMPLATE",
        {"template": "n", "to": "a@b.test", "variables": {"k": 1, "l": 2}},
    ),
    (
        'CREATE TEMPLATE "n", "email", "S", text',
        "CREATE TEMPLATE",
        {"template": "n", "channel": "email", "subject": "S", "content": "Hi"},
    ),
    ('CREATE TEMPLATE "n", "sms", text', "CREATE TEMPLATE", {"template": "n", "channel": "sms", "content": "Hi"}),
    ('t = GET TEMPLATE "n"', "GET TEMPLATE", {"template": "n"}),
    ("l = LIST TEMPLATES", "LIST TEMPLATES", {}),
    ('l = LIST TEMPLATES("sms")', "LIST TEMPLATES", {"channel": "sms"}),
    ('r = BULK_SEND "n", "email", people', "BULK_SEND", {"values": ["n", "email", ["a@b.test"]]}),
    ('SEND SMS "+351", text', "SEND SMS", {"phone": "+351", "message": "Hi"}),
    (
        'SEND SMS "+351", text, "twilio", "high"',
        "SEND SMS",
        {"phone": "+351", "message": "Hi", "provider": "twilio", "priority": "high"},
    ),
    ('TALK TO "whatsapp:+1", text', "TALK TO", {"to": "whatsapp:+1", "message": "Hi"}),
    ("SEND TO who, text", "SEND TO", {"to": "a@b.test", "message": "Hi"}),
    ("SEND MESSAGE who, text", "SEND MESSAGE", {"to": "a@b.test", "message": "Hi"}),
    ("SEND MESSAGE text TO who", "SEND MESSAGE", {"to": "a@b.test", "message": "Hi"}),
    ('SEND FILE "a.pdf"', "SEND FILE", {"file": "a.pdf"}),
    ('SEND FILE "a.pdf", text', "SEND FILE", {"file": "a.pdf", "caption": "Hi"}),
    ('SEND FILE TO who, "a.pdf", text', "SEND FILE TO", {"to": "a@b.test", "file": "a.pdf", "caption": "Hi"}),
    ("BROADCAST text TO people", "BROADCAST", {"message": "Hi", "to": ["a@b.test"]}),
    ('NOTIFY "admin", text', "NOTIFY", {"to": "admin", "message": "Hi"}),
]


@pytest.mark.parametrize(("source", "keyword", "arguments"), FORMS)
def test_every_form_asks_for_what_it_says(source: str, keyword: str, arguments: dict[str, Value]) -> None:
    played = play(source, variables=dict(VARIABLES))
    assert [(item.keyword, item.arguments) for item in played.effects] == [(keyword, arguments)]


@pytest.mark.parametrize("keyword", KEYWORDS, ids=lambda item: item.name)
def test_every_example_is_a_script(keyword: Any) -> None:
    assert codes(keyword.example) == []


@pytest.mark.parametrize(
    "source",
    ['SEND TO SESSION id, "x"', 'POST TO INSTAGRAM img, "c"', 'POST TO FACEBOOK, X AT when img, "c"', "DELETE POST id",
     "m = GET INSTAGRAM METRICS id", "p = GET TWITTER POSTS", 'START MEET "x" WITH BOT'],
)  # fmt: skip
def test_what_is_not_there_is_said(source: str) -> None:
    assert play(source, variables=dict(VARIABLES)).error.startswith("not available on this installation")


class Ways:
    """A mailer, texter, outbox and web that write down what they are given; whoever begins with x is refused."""

    def __init__(self) -> None:
        self.mails: list[Mail] = []
        self.texts: list[tuple[str, ...]] = []
        self.messages: list[tuple[str, str, list[str]]] = []


class Mails(Mailer):
    def __init__(self, ways: Ways) -> None:
        self.ways = ways

    async def send(self, world: Any, mail: Mail) -> str:
        if mail.to[0].startswith("x"):
            message = "refused"
            raise ProgramError(message)
        self.ways.mails.append(mail)
        return f"<{mail.part}@test>"

    async def written(self, world: Any, mail: Mail) -> bytes:
        return written(world, mail, Account(host="h", sender="bot@b.test")).as_bytes()


class Texts(Texter):
    def __init__(self, ways: Ways) -> None:
        self.ways = ways

    async def send(self, world: Any, number: str, text: str, *, provider: str = "", priority: str = "") -> str:
        self.ways.texts.append((number, text, provider, priority))
        return "SM1"


class Messages(Outbox):
    def __init__(self, ways: Ways) -> None:
        self.ways = ways

    async def send(self, world: Any, to: str, text: str, attachments: Sequence[Attachment] = (), part: str = "") -> str:
        if to.startswith("x"):
            message = "refused"
            raise ProgramError(message)
        self.ways.messages.append((to, text, [item.name for item in attachments]))
        return "sent"


class OnePage(Web):
    async def fetch(self, world: Any, request: Request) -> Page:
        return Page(404 if "none" in request.url else 200, {"content-type": "text/csv"}, b"a", request.url)

    async def ask(self, world: Any, request: Request) -> Value:
        raise NotImplementedError


async def performed(name: str, ways: Ways, files: MemoryFiles | None = None, /, **arguments: Value) -> Value:
    """What a keyword gives."""
    keyword = registry().get(name)
    assert keyword is not None
    assert keyword.perform is not None
    ports = {Mailer: Mails(ways), Texter: Texts(ways), Outbox: Messages(ways), Web: OnePage()}
    config = arguments.pop("config", {})
    world = world_of(ports={**ports, Files: files or MemoryFiles()}, config=config)
    return await keyword.perform(world, arguments)


async def test_a_mail_has_what_the_line_says() -> None:
    ways, files = Ways(), MemoryFiles({"r/a.pdf": b"pdf", "files/7": b"sent"})
    attachments: Value = [
        "r/a.pdf", {"uri": "files/7", "name": "photo.png"}, {"name": "b.txt", "content": "x"},
        {"filename": "c.bin", "base64": "AAE="}, "https://a.test/d.csv?x=1",
    ]  # fmt: skip
    await performed(
        "SEND MAIL", ways, files, to="a@b.test, c@b.test", subject="S", body="B", cc=["d@b.test"],
        reply_to="r@b.test", attachments=attachments, account="sales",
    )  # fmt: skip
    mail = ways.mails[0]
    assert (mail.to, mail.cc, mail.reply_to, mail.account) == (
        ["a@b.test", "c@b.test"],
        ["d@b.test"],
        ["r@b.test"],
        "sales",
    )
    assert [(item.name, item.content) for item in mail.attachments] == [
        ("a.pdf", b"pdf"), ("photo.png", b"sent"), ("b.txt", b"x"), ("c.bin", b"\0\1"), ("d.csv", b"a"),
    ]  # fmt: skip
    await performed("SEND MAIL", ways, to="a@b.test", body="First line\nmore")
    assert ways.mails[1].subject == "First line"


@pytest.mark.parametrize(
    "attachment", ["none.pdf", {"x": 1}, {"name": "a", "base64": "!"}, ["a"] * 21, "https://none.test/"]
)
async def test_attachments_that_there_are_not(attachment: Value) -> None:
    ways = Ways()
    with pytest.raises(ProgramError):
        await performed("SEND MAIL", ways, to="a@b.test", subject="S", body="B", attachments=attachment)
    assert ways.mails == []


async def test_a_draft_is_a_file_that_mail_programs_open() -> None:
    files = MemoryFiles()
    path = await performed("CREATE DRAFT", Ways(), files, to="Ann <a@b.test>", subject="Grüße", body="**B**")
    assert path.startswith("drafts/")
    assert path.endswith(".eml")
    found = email.message_from_bytes(files.held[path], policy=email.policy.default)
    assert (found["To"], found["Subject"], found["From"]) == ("Ann <a@b.test>", "Grüße", "bot@b.test")


async def test_templates_are_made_listed_and_sent() -> None:
    ways, files = Ways(), MemoryFiles()
    html = {"subject": "Hi {{name}}", "content": "<p>{{name}}</p>"}
    await performed("CREATE TEMPLATE", ways, files, template="hi", channel="email", **html)
    await performed("CREATE TEMPLATE", ways, files, template="short", channel="sms", content="Hi {{name}}")
    assert (await performed("GET TEMPLATE", ways, files, template="hi"))["variables"] == ["name"]
    assert [item["name"] for item in await performed("LIST TEMPLATES", ways, files)] == ["hi", "short"]
    ann = {"name": "<Ann>\r\nBcc: evil@x.test"}
    await performed("SEND TEMPLATE", ways, files, template="hi", channel="email", to="a@b.test", variables=ann)
    await performed("SEND TEMPLATE", ways, files, template="hi", channel="a@b.test", to="email", variables={})
    mail = ways.mails[0]
    assert (mail.subject, mail.body) == ("Hi <Ann> Bcc: evil@x.test", "<p>&lt;Ann&gt;\r\nBcc: evil@x.test</p>")
    assert ways.mails[1].to == ["a@b.test"]
    await performed("SEND TEMPLATE", ways, files, template="short", to="+351912345678", variables={"name": "Bo"})
    await performed(
        "SEND TEMPLATE", ways, files, template="short", channel="whatsapp", to={"name": "Cy", "Phone": "+1555"}
    )
    assert ways.messages == [("+351912345678", "Hi Bo", []), ("whatsapp:+1555", "Hi Cy", [])]


async def test_many_are_written_to_each_alone() -> None:
    ways, files = Ways(), MemoryFiles({"templates/news.txt": b"Hi {{name}}{{more}}"})
    people = [{"name": "Ann", "email": "a@b.test"}, {"name": "Bad", "email": "x@b.test"}, {"name": "Cy"}, "d@b.test"]
    told = await performed("BULK_SEND", ways, files, values=["email", people, "news", {"more": "!"}])
    assert (told["sent"], told["failed"], len(told["errors"])) == (2, 2, 2)
    assert [(mail.to, mail.body) for mail in ways.mails] == [(["a@b.test"], "Hi Ann!"), (["d@b.test"], "Hi !")]
    assert len({mail.part for mail in ways.mails}) == 2
    for values in ([["a@b.test"]], ["news", "email"], ["news", ["a@b.test"] * 501]):
        with pytest.raises(ProgramError):
            await performed("BULK_SEND", ways, files, values=values)


async def test_messages_to_people() -> None:
    ways = Ways()
    await performed("SEND SMS", ways, phone="+351", message="Hi", provider="high")
    await performed("SEND SMS", ways, phone={"mobile": 351912345678}, message="Hi", provider="twilio", priority="low")
    assert ways.texts == [("+351", "Hi", "", "high"), ("351912345678", "Hi", "twilio", "low")]
    await performed("TALK TO", ways, to="email:a@b.test", message="Hi")
    await performed("NOTIFY", ways, to="Admin", message="Hi", config={"notify-email": "boss@b.test"})
    assert ways.messages == [("email:a@b.test", "Hi", []), ("boss@b.test", "Hi", [])]
    told = await performed("BROADCAST", ways, message="Hi", to="a@b.test, +351, x")
    assert (told["sent"], told["failed"]) == (2, 1)
    with pytest.raises(ProgramError, match="500 people"):
        await performed("BROADCAST", ways, message="Hi", to=["a@b.test"] * 501)


async def test_files_are_shown_here_and_sent_to_others() -> None:
    ways, files = Ways(), MemoryFiles({"a.pdf": b"x"})
    for name, arguments in (("SEND FILE", {}), ("SEND FILE TO", {"to": "u"})):
        shown = await performed(name, ways, files, file="a.pdf", caption="Look", **arguments)
        assert isinstance(shown, Performed)
        (said,) = shown.says
        assert (said.text, said.attachments[0]["name"], said.attachments[0]["uri"]) == ("Look", "a.pdf", "files/a.pdf")
    await performed("SEND FILE TO", ways, files, to="a@b.test", file="a.pdf")
    assert ways.messages == [("a@b.test", "a.pdf", ["a.pdf"])]
    with pytest.raises(ProgramError):
        await performed("SEND FILE", ways, files, file="../x")

"""A mail written out: text and HTML, attachments, headers that hold one line each."""

from __future__ import annotations

import mimetypes
from email.errors import MessageError
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from typing import TYPE_CHECKING

from markdown_it import MarkdownIt

from services.common.identifiers import derived_id
from services.engine.mail.filling import is_html
from services.engine.mail.people import BREAKS, addresses, mailbox
from services.engine.program.values import ProgramError
from services.engine.web.tidying import tidied

if TYPE_CHECKING:
    from collections.abc import Sequence

    from services.engine.keywords.world import World
    from services.engine.mail.accounts import Account
    from services.engine.mail.port import Attachment, Mail

LONGEST_SUBJECT = 500
LONGEST_BODY = 500_000
# What reads them takes longer than their length grows.
LONGEST_PLAIN, LONGEST_MARKDOWN = 50_000, 20_000
MOST_BYTES = 20 * 1024 * 1024
MOST_ATTACHMENTS = 20
MARKDOWN = MarkdownIt("commonmark", {"html": False, "breaks": True}).enable("table")


def message_id(world: World, mail: Mail, account: Account) -> str:
    """The same for the same mail of the same effect: servers and programs of mail know a repetition by it."""
    return f"<{derived_id('mail', world.key, mail.part)}@{account.address.rpartition('@')[2]}>"


def written(world: World, mail: Mail, account: Account) -> EmailMessage:
    """The message. ProgramError for what no mail can hold."""
    check(mail)
    message = EmailMessage(policy=SMTP)
    name, address = mailbox(account.sender)
    try:
        message["From"] = boxed(name, address)
        for header, people in (("To", mail.to), ("Cc", mail.cc), ("Reply-To", mail.reply_to or account.reply_to)):
            if people:
                message[header] = [boxed(*mailbox(one)) for one in people]
        message["Subject"] = one_line(mail.subject)
        message["Date"] = format_datetime(world.clock())
        message["Message-ID"] = message_id(world, mail, account)
        message["Auto-Submitted"] = "auto-generated"
        put_body(message, mail.body)
        for attachment in mail.attachments:
            attach(message, attachment)
    except (MessageError, ValueError, LookupError, UnicodeError):
        message_text = "the mail holds something that no mail can hold: a sign in a name, an address or the subject"
        raise ProgramError(message_text) from None
    return message


def check(mail: Mail) -> None:
    """ProgramError for a mail without a recipient, or one that is too large."""
    size = sum(len(attachment.content) for attachment in mail.attachments)
    problems = (
        (not mail.to, "a mail needs somebody it goes to"),
        (len(mail.body) > LONGEST_BODY, f"the text of a mail may have {LONGEST_BODY} characters"),
        (len(mail.attachments) > MOST_ATTACHMENTS, f"a mail may have {MOST_ATTACHMENTS} attachments"),
        (size > MOST_BYTES, f"attachments of a mail may have {MOST_BYTES // 1024 // 1024} MiB together"),
    )
    for wrong, message in problems:
        if wrong:
            raise ProgramError(message)


def one_line(subject: str) -> str:
    """A subject. ProgramError for one that would begin another header."""
    if BREAKS.search(subject.strip()):
        message = "the subject of a mail holds a line break: it is not sent"
        raise ProgramError(message)
    return subject.strip()[:LONGEST_SUBJECT]


def boxed(name: str, address: str) -> Address:
    """For a header."""
    return Address(display_name=name, addr_spec=address)


def put_body(message: EmailMessage, body: str) -> None:
    """Text and HTML, whichever of them was written."""
    if is_html(body):
        message.set_content(plain(body[:LONGEST_PLAIN]))
        message.add_alternative(body, subtype="html")
    else:
        message.set_content(body)
        if len(body) <= LONGEST_MARKDOWN:
            message.add_alternative(MARKDOWN.render(body), subtype="html")


def plain(body: str) -> str:
    """What there is to read in HTML."""
    lines = (line.strip() for line in tidied(body).get_text("\n").splitlines())
    return "\n".join(line for line in lines if line)


def attach(message: EmailMessage, attachment: Attachment) -> None:
    """One more part."""
    name = BREAKS.sub("", attachment.name.replace("\\", "/").rpartition("/")[2]) or "file"
    kind = attachment.content_type or mimetypes.guess_type(name)[0] or "application/octet-stream"
    main, _, sub = kind.partition(";")[0].strip().partition("/")
    if main in {"message", "multipart"} or not sub:
        main, sub = "application", "octet-stream"
    message.add_attachment(attachment.content, maintype=main, subtype=sub, filename=name)


def recipients(mail: Mail) -> Sequence[str]:
    """Addresses of all that a mail goes to, the hidden ones too."""
    return addresses([*mail.to, *mail.cc, *mail.bcc])

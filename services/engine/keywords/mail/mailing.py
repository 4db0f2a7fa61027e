"""SEND MAIL and CREATE DRAFT."""

from services.engine.files.port import Files
from services.engine.keywords.keyword import Arguments, Effect, Keyword
from services.engine.keywords.mail.attaching import attached
from services.engine.keywords.world import World
from services.engine.mail.outbox import subject
from services.engine.mail.people import listed
from services.engine.mail.port import Mail, Mailer
from services.engine.mail.stored import keep_draft
from services.engine.program.values import Value, text_of

DOCUMENTATION = """To several people: a list, or addresses with commas between. The text is sent as it is and as HTML
made from its Markdown; HTML is sent with a text beside it. Attachments are files of the drive by their paths, files
that the person sent, addresses, objects with name and content, or a list of these; 20 MiB together.

The mail goes by `email-server`, `email-port` (587), `email-user` and `email-pass` of config.csv, from `email-from`;
always encrypted. Without these it goes by the installation's server, and answers go to `email-from`. USING names
another account: `USING "sales"` takes `email-sales-server` and so on. The result is the Message-ID, the same when the
script repeats the line after a crash, so that the mail is sent, or seen, once."""


async def mail_of(world: World, arguments: Arguments) -> Mail:
    """What the arguments say. ProgramError."""
    body = text_of(arguments.get("body"))
    wanted, account = text_of(arguments.get("from")), text_of(arguments.get("account"))
    replies = listed(arguments.get("reply_to")) or listed(wanted)
    return Mail(
        to=listed(arguments.get("to")),
        cc=listed(arguments.get("cc")),
        bcc=listed(arguments.get("bcc")),
        reply_to=replies,
        subject=text_of(arguments["subject"]) if "subject" in arguments else subject(world, body),
        body=body,
        attachments=await attached(world, arguments.get("attachments")),
        account=account,
    )


async def send_mail(world: World, arguments: Arguments) -> Value:
    """The Message-ID."""
    return await world.port(Mailer).send(world, await mail_of(world, arguments))


async def create_draft(world: World, arguments: Arguments) -> Value:
    """The path of the draft in the drive."""
    raw = await world.port(Mailer).written(world, await mail_of(world, arguments))
    return await keep_draft(world.port(Files), world, raw)


SEND_MAIL = Keyword(
    name="SEND MAIL",
    group="mail",
    summary="Sends a mail.",
    forms=(
        "SEND MAIL <to>, <subject>, <body> [, <attachments>] [USING <account>]",
        "SEND MAIL <to>, <body> [USING <account>]",
        "SEND MAIL TO <to> SUBJECT <subject> BODY <body> [ATTACHMENTS <attachments>] [USING <account>]",
        "SEND MAIL TO <to>, <subject>, <body> [, <attachments>] [USING <account>]",
        "SEND MAIL <to> SUBJECT <subject> BODY <body> [ATTACHMENTS <attachments>] [USING <account>]",
    ),
    aliases=("SEND EMAIL", "SEND_MAIL", "SEND_EMAIL"),
    effect=Effect.WRITE,
    example='SEND MAIL "ann@example.com", "Your order", "It is **on its way**.", "invoices/7.pdf"',
    documentation=DOCUMENTATION,
    permission="mail.send",
    slow=True,
    perform=send_mail,
)
CREATE_DRAFT = Keyword(
    name="CREATE DRAFT",
    group="mail",
    summary="Writes a mail without sending it: a file in the folder drafts of the drive, whose path it gives.",
    forms=("CREATE DRAFT <to>, <subject>, <body> [, <attachments>] [USING <account>]",),
    aliases=("CREATE_DRAFT",),
    effect=Effect.WRITE,
    example='CREATE DRAFT "ann@example.com", "Your order", "Dear Ann"',
    documentation="The file ends with .eml; every mail program opens it.",
    permission="files.write",
    perform=create_draft,
)

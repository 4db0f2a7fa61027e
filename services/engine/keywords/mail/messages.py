"""SEND SMS, TALK TO, SEND FILE, BROADCAST, NOTIFY: a message to a person outside the conversation."""

from services.engine.keywords.files.sending import show as show_file
from services.engine.keywords.keyword import Arguments, Effect, Keyword
from services.engine.keywords.mail.attaching import attached
from services.engine.keywords.mail.templates import PHONES, address_of
from services.engine.keywords.world import World
from services.engine.mail.people import FIELDS
from services.engine.mail.port import Outbox, Texter
from services.engine.mail.sms import PRIORITIES
from services.engine.program.values import ProgramError, Value, text_of

MOST = 500
ADMINS = frozenset({"admin", "admins", "administrator"})
DOCUMENTATION = """To whom: `email:ann@example.com` or an address of mail, `sms:+351912345678` or a number. Other
channels (`whatsapp:`, `teams:`, `telegram:`) raise an error that says so when this installation has not got them."""


async def send_sms(world: World, arguments: Arguments) -> Value:
    """The provider's name for the message."""
    provider, priority = text_of(arguments.get("provider")), text_of(arguments.get("priority"))
    if provider.lower() in PRIORITIES and not priority:
        provider, priority = "", provider
    number, text = address_of(arguments["phone"], PHONES), text_of(arguments["message"])
    return await world.port(Texter).send(world, number, text, provider=provider, priority=priority)


async def write_to(world: World, arguments: Arguments) -> Value:
    """The name of what was sent."""
    to = receiver(world, arguments["to"])
    return await world.port(Outbox).send(world, to, text_of(arguments["message"]))


def receiver(world: World, to: Value) -> str:
    """The address; `admin` is the one of `notify-email`."""
    address = address_of(to, FIELDS)
    if address.strip().lower() in ADMINS and world.config.get("notify-email"):
        return world.config["notify-email"]
    return address


async def send_file_to(world: World, arguments: Arguments) -> Value:
    """To the person of the conversation as SEND FILE, to somebody else by the outbox."""
    to = receiver(world, arguments["to"])
    if to in {world.user, world.session}:
        return await show_file(world, arguments)
    files = await attached(world, arguments["file"])
    caption = text_of(arguments.get("caption")) or ", ".join(file.name for file in files)
    return await world.port(Outbox).send(world, to, caption, files)


async def broadcast(world: World, arguments: Arguments) -> Value:
    """`{sent, failed, errors}`; who cannot be written to does not hold up the others."""
    given = arguments["to"]
    people = given if isinstance(given, list) else [part.strip() for part in text_of(given).split(",") if part.strip()]
    if len(people) > MOST:
        message = f"BROADCAST writes to {MOST} people at most, there are {len(people)}"
        raise ProgramError(message)
    outbox, text = world.port(Outbox), text_of(arguments["message"])
    errors: list[str] = []
    for person in people:
        try:
            await outbox.send(world, receiver(world, person), text)
        except ProgramError as error:
            errors.append(f"{text_of(person)[:60]}: {error}")
    return {"sent": len(people) - len(errors), "failed": len(errors), "errors": errors[:20]}


def message_keyword(name: str, forms: tuple[str, ...], summary: str, example: str, *aliases: str) -> Keyword:
    """A message to one person."""
    return Keyword(
        name=name,
        group="mail",
        summary=summary,
        forms=forms,
        aliases=aliases,
        effect=Effect.WRITE,
        example=example,
        documentation=DOCUMENTATION,
        permission="mail.send",
        slow=True,
        perform=write_to,
    )


SEND_SMS = Keyword(
    name="SEND SMS",
    group="mail",
    summary="Sends a text message to a telephone.",
    forms=("SEND SMS <phone>, <message> [, <provider>] [, <priority>]", "SEND SMS TO <phone>, <message>"),
    aliases=("SEND_SMS",),
    effect=Effect.WRITE,
    example='SEND SMS "+351912345678", "Your order is ready."',
    documentation="""Keys of config.csv: `sms-provider` (twilio or custom), `twilio-account-sid`, `twilio-auth-token`,
`twilio-from-number` or `twilio-messaging-service-sid`; for custom `sms-custom-url`, `sms-custom-method`,
`sms-custom-auth-header`, `sms-custom-from` and `sms-custom-body-template` with {{to}}, {{from}}, {{message}},
{{priority}}. `sms-fallback-provider` is asked when the first one fails. Priorities are low, normal, high and urgent;
Twilio has none, a provider of one's own sees them. Numbers have the code of their country; 1600 characters.""",
    permission="mail.send",
    slow=True,
    perform=send_sms,
)
TALK_TO = message_keyword(
    "TALK TO",
    ("TALK TO <to>, <message>",),
    "Writes to another person.",
    'TALK TO "email:ann@example.com", "Your order is ready."',
)
SEND_TO = message_keyword(
    "SEND TO",
    ("SEND TO <to>, <message>",),
    "Writes to another person.",
    'SEND TO "+351912345678", "Your order is ready."',
)
SEND_MESSAGE = message_keyword(
    "SEND MESSAGE",
    ("SEND MESSAGE <to>, <message>", "SEND MESSAGE TO <to>, <message>", "SEND MESSAGE <message> TO <to>"),
    "Writes to another person.",
    'SEND MESSAGE "ann@example.com", "Your order is ready."',
    "SEND_MESSAGE",
)
NOTIFY = message_keyword(
    "NOTIFY",
    ("NOTIFY <to>, <message>", "NOTIFY <to> WITH <message>"),
    "Tells somebody something; admin is the address of notify-email.",
    'NOTIFY "admin", "The stock is low."',
)
BROADCAST = Keyword(
    name="BROADCAST",
    group="mail",
    summary="Writes to many people, to each alone; gives sent, failed and errors.",
    forms=("BROADCAST <message> TO <to>", "BROADCAST <message>, <to>"),
    effect=Effect.WRITE,
    example='r = BROADCAST "We are closed on Monday." TO customers\nTALK "${r.sent} told"',
    documentation=f"{DOCUMENTATION} {MOST} people at most; an object is a person by its fields email or phone.",
    permission="mail.send",
    slow=True,
    perform=broadcast,
)
SEND_FILE_TO = Keyword(
    name="SEND FILE TO",
    group="mail",
    summary="Sends a file to another person.",
    forms=("SEND FILE TO <to>, <file> [, <caption>]",),
    aliases=("SEND_FILE_TO",),
    effect=Effect.WRITE,
    example='SEND FILE TO "ann@example.com", "brochures/tea.pdf", "All about tea"',
    documentation=DOCUMENTATION,
    permission="mail.send",
    slow=True,
    perform=send_file_to,
)

"""Templates: CREATE, GET, LIST, SEND TEMPLATE, and BULK_SEND to many."""

from services.engine.files.port import Files
from services.engine.keywords.keyword import Arguments, Effect, Keyword
from services.engine.keywords.world import World
from services.engine.mail.filling import filled
from services.engine.mail.people import FIELDS, listed
from services.engine.mail.port import Mail, Mailer, Outbox
from services.engine.mail.stored import keep, template, templates
from services.engine.program.values import ProgramError, Value, text_of

CHANNELS = frozenset({"email", "mail", "sms", "whatsapp", "telegram", "teams", "instagram", "messenger", "facebook"})
MAIL = frozenset({"email", "mail"})
MOST_RECIPIENTS = 500
PHONES = ("phone", "mobile", "telephone", "whatsapp", "number")
DOCUMENTATION = """`{{name}}` and `{{order.total}}` become values; what is not there is empty, and in HTML values are
escaped. A template is a file in the folder templates of the drive: CREATE TEMPLATE writes one, HTML, Markdown and
text files that are put there are templates too. Channels: email and sms; whatsapp and others when the installation
has them."""


async def create(world: World, arguments: Arguments) -> Value:
    """The template as an object."""
    fields: dict[str, Value] = {
        "channel": text_of(arguments.get("channel", "email")).lower(),
        "subject": text_of(arguments.get("subject")),
        "content": text_of(arguments["content"]),
    }
    return await keep(world.port(Files), world, text_of(arguments["template"]), fields)


async def get(world: World, arguments: Arguments) -> Value:
    """The template as an object."""
    return await template(world.port(Files), world, text_of(arguments["template"]))


async def listing(world: World, arguments: Arguments) -> Value:
    """All of them."""
    return await templates(world.port(Files), world, text_of(arguments.get("channel")))


async def send(world: World, arguments: Arguments) -> Value:
    """The name of what was sent; a list when it went to several people."""
    first, second = text_of(arguments.get("channel")), arguments.get("to")
    channel, to = (first, second) if first.lower() in CHANNELS or not is_channel(second) else (text_of(second), first)
    made = await template(world.port(Files), world, text_of(arguments["template"]))
    variables = arguments.get("variables") or {}
    people = to if isinstance(to, list) else [to]
    sent = [await deliver(world, channel.lower(), one, made, variables) for one in people[:MOST_RECIPIENTS]]
    return sent if isinstance(to, list) else sent[0]


def is_channel(value: Value) -> bool:
    """Whether an argument names a channel."""
    return isinstance(value, str) and value.lower() in CHANNELS


async def deliver(world: World, channel: str, person: Value, made: dict[str, Value], variables: Value) -> str:
    """One message; fields of the person are variables as well."""
    values = {**(person if isinstance(person, dict) else {}), **(variables if isinstance(variables, dict) else {})}
    body = filled(text_of(made.get("content")), values)
    if channel in MAIL or (not channel and "@" in address_of(person, FIELDS)):
        subject = filled(text_of(made.get("subject")) or text_of(made.get("name")), values, escape=False)
        mail = Mail(to=listed(person), subject=" ".join(subject.split()), body=body, part=text_of(listed(person)))
        return await world.port(Mailer).send(world, mail)
    address = address_of(person, PHONES)
    to = f"{channel}:{address}" if channel and ":" not in address else address
    return await world.port(Outbox).send(world, to, body, part=to)


def address_of(person: Value, fields: tuple[str, ...]) -> str:
    """An address, or that of an object. ProgramError."""
    if not isinstance(person, dict):
        return text_of(person)
    low = {name.lower(): value for name, value in person.items()}
    found = next((text_of(low[name]) for name in (*fields, *PHONES, *FIELDS) if low.get(name)), "")
    if not found:
        message = f"a person needs a field such as {fields[0]}, there is {text_of(person)[:60]!r}"
        raise ProgramError(message)
    return found


async def bulk(world: World, arguments: Arguments) -> Value:
    """`{sent, failed, errors}`; who cannot be written to does not hold up the others."""
    template_name, channel, people, variables = sorted_out(arguments["values"])
    if len(people) > MOST_RECIPIENTS:
        message = f"BULK_SEND writes to {MOST_RECIPIENTS} people at most, there are {len(people)}"
        raise ProgramError(message)
    made = await template(world.port(Files), world, template_name)
    errors: list[str] = []
    for person in people:
        try:
            await deliver(world, channel, person, made, variables)
        except ProgramError as error:
            errors.append(f"{text_of(person)[:60]}: {error}")
    return {"sent": len(people) - len(errors), "failed": len(errors), "errors": errors[:20]}


def sorted_out(values: list[Value]) -> tuple[str, str, list[Value], Value]:
    """Template, channel, people and variables, in whatever order they were written. ProgramError."""
    people = next((value for value in values if isinstance(value, list)), None)
    variables = next((value for value in values if isinstance(value, dict)), {})
    texts = [text_of(value) for value in values if not isinstance(value, list | dict)]
    channel = next((text.lower() for text in texts if text.lower() in CHANNELS), "")
    names = [text for text in texts if text.lower() != channel]
    if people is None or len(names) != 1:
        message = 'BULK_SEND "template", "email", list of people [, variables] was expected'
        raise ProgramError(message)
    return names[0], channel, people, variables


CREATE_TEMPLATE = Keyword(
    name="CREATE TEMPLATE",
    group="mail",
    summary="Keeps a template for mails or messages.",
    forms=(
        "CREATE TEMPLATE <template>, <channel>, <subject>, <content>",
        "CREATE TEMPLATE <template>, <channel>, <content>",
        "CREATE TEMPLATE <template>, <content>",
    ),
    example='CREATE TEMPLATE "welcome", "email", "Welcome, {{name}}", "Dear {{name}}, here we are."',
    documentation=DOCUMENTATION,
    aliases=("CREATE_TEMPLATE",),
    effect=Effect.WRITE,
    permission="files.write",
    perform=create,
)
GET_TEMPLATE = Keyword(
    name="GET TEMPLATE",
    group="mail",
    summary="Gives a template: name, channel, subject, content, variables.",
    forms=("GET TEMPLATE <template>",),
    example='t = GET TEMPLATE "welcome"\nTALK t.subject',
    documentation=DOCUMENTATION,
    aliases=("GET_TEMPLATE",),
    effect=Effect.READ,
    perform=get,
)
LIST_TEMPLATES = Keyword(
    name="LIST TEMPLATES",
    group="mail",
    summary="Gives all templates, or those of a channel.",
    forms=("LIST TEMPLATES [<channel>]",),
    example='FOR EACH t IN LIST TEMPLATES "email"\n  TALK t.name\nNEXT',
    documentation=DOCUMENTATION,
    aliases=("LIST TEMPLATE", "LIST_TEMPLATES"),
    effect=Effect.READ,
    perform=listing,
)
SEND_TEMPLATE = Keyword(
    name="SEND TEMPLATE",
    group="mail",
    summary="Sends a template with its places filled.",
    forms=(
        "SEND TEMPLATE <template>, <channel>, <to> [, <variables>]",
        "SEND TEMPLATE <template>, <to>",
        "SEND TEMPLATE TO <to>, <template> [, <variables>]",
        "SEND TEMPLATE <template> TO <to> WITH <variables:fields>",
        "SEND TEMPLATE <template> TO <to> [WITH <variables>]",
    ),
    example='SEND TEMPLATE "welcome", "email", "ann@example.com", #{name: "Ann"}',
    documentation=DOCUMENTATION,
    aliases=("SEND_TEMPLATE",),
    effect=Effect.WRITE,
    permission="mail.send",
    slow=True,
    perform=send,
)
BULK_SEND = Keyword(
    name="BULK_SEND",
    group="mail",
    summary="Sends a template to many people, to each alone; gives sent, failed and errors.",
    forms=("BULK_SEND <values:values>",),
    example='r = BULK_SEND "news", "email", customers\nTALK "${r.sent} sent"',
    documentation=DOCUMENTATION,
    aliases=("BULK SEND",),
    effect=Effect.WRITE,
    permission="mail.send",
    slow=True,
    perform=bulk,
)
